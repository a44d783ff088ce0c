-- How many of the loans applied for in a month have been 30 and 90 days past due, by months on book?
WITH cohorts AS (
  SELECT p.application_month AS cohort, COUNT(*) AS loans, SUM(p.amount) AS amount
  FROM marts.loan_payments AS p
  GROUP BY p.application_month
),
arrears AS (
  SELECT
    p.application_month AS cohort,
    DATEDIFF(month, p.application_month, p.first_30_date) AS month,
    COUNT(*) AS past_30,
    0 AS past_90,
    CAST(0 AS DECIMAL(38, 2)) AS amount_90
  FROM marts.loan_payments AS p
  WHERE p.first_30_date IS NOT NULL
  GROUP BY 1, 2
  UNION ALL
  SELECT
    p.application_month,
    DATEDIFF(month, p.application_month, p.first_90_date),
    0,
    COUNT(*),
    SUM(p.amount)
  FROM marts.loan_payments AS p
  WHERE p.first_90_date IS NOT NULL
  GROUP BY 1, 2
)
SELECT
  c.cohort,
  m.month AS months_on_book,
  c.loans,
  c.amount,
  CAST(COALESCE(SUM(a.past_30), 0) AS BIGINT) AS past_30,
  CAST(COALESCE(SUM(a.past_90), 0) AS BIGINT) AS past_90,
  CAST(COALESCE(SUM(a.past_30), 0) AS DOUBLE PRECISION) / c.loans AS share_30,
  CAST(COALESCE(SUM(a.past_90), 0) AS DOUBLE PRECISION) / c.loans AS share_90,
  CAST(COALESCE(SUM(a.amount_90), 0) AS DOUBLE PRECISION) / CAST(c.amount AS DOUBLE PRECISION) AS share_90_by_amount
FROM cohorts AS c
CROSS JOIN marts.reporting_dates AS d
JOIN marts.months_on_book AS m ON LAST_DAY(CAST(DATEADD(month, m.month, c.cohort) AS DATE)) <= d.as_of
LEFT JOIN arrears AS a ON a.cohort = c.cohort AND a.month <= m.month
WHERE d.portfolio = 'lending'
GROUP BY c.cohort, m.month, c.loans, c.amount
