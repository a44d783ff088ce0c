-- Which days are there, and to which week, month and quarter do they belong?
WITH numbered AS (
  SELECT e.digit * 10000 + d.digit * 1000 + c.digit * 100 + b.digit * 10 + a.digit AS number
  FROM marts.digits AS a
  CROSS JOIN marts.digits AS b
  CROSS JOIN marts.digits AS c
  CROSS JOIN marts.digits AS d
  CROSS JOIN marts.digits AS e
),
days AS (
  SELECT CAST(DATEADD(day, number, CAST('1990-01-01' AS DATE)) AS DATE) AS day
  FROM numbered
  WHERE number <= DATEDIFF(day, CAST('1990-01-01' AS DATE), CAST('2050-12-31' AS DATE))
),
placed AS (
  SELECT day, MOD(CAST(DATE_PART(dow, day) AS INTEGER) + 6, 7) + 1 AS iso_weekday
  FROM days
)
SELECT
  day,
  CAST(DATE_PART(year, day) AS INTEGER) AS year,
  CAST(DATE_PART(quarter, day) AS INTEGER) AS quarter,
  CAST(DATE_PART(month, day) AS INTEGER) AS month,
  -- The ISO week belongs to the year of its Thursday.
  CAST(DATE_PART(year, DATEADD(day, 4 - iso_weekday, day)) AS INTEGER) AS iso_year,
  CAST(DATE_PART(week, day) AS INTEGER) AS iso_week,
  iso_weekday,
  CAST(DATE_TRUNC('month', day) AS DATE) AS month_start,
  LAST_DAY(day) AS month_end,
  CASE WHEN LAST_DAY(day) = day THEN TRUE ELSE FALSE END AS is_month_end,
  CASE WHEN iso_weekday >= 6 THEN TRUE ELSE FALSE END AS is_weekend
FROM placed
