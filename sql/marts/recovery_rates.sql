-- Of the instalments that were past due, how many and how much came in within 30, 60 and 90 days?
WITH past_due AS (
  SELECT
    CAST(DATE_TRUNC('month', o.due_date) AS DATE) AS due_month,
    o.*,
    DATEDIFF(day, o.due_date, d.as_of) AS watched
  FROM marts.payment_outcomes AS o
  CROSS JOIN marts.reporting_dates AS d
  WHERE d.portfolio = 'lending' AND o.outcome IN ('late', 'partial', 'missed')
)
SELECT
  due_month,
  CAST(SUM(instalments) AS BIGINT) AS instalments,
  SUM(amount_due) AS amount_due,
  SUM(amount_paid) AS amount_paid,
  SUM(amount_recovered) AS amount_recovered,
  CAST(SUM(CASE WHEN watched >= 30 THEN cured_30 END) AS DOUBLE PRECISION)
  / NULLIF(SUM(CASE WHEN watched >= 30 THEN instalments END), 0) AS cured_30,
  CAST(SUM(CASE WHEN watched >= 60 THEN cured_60 END) AS DOUBLE PRECISION)
  / NULLIF(SUM(CASE WHEN watched >= 60 THEN instalments END), 0) AS cured_60,
  CAST(SUM(CASE WHEN watched >= 90 THEN cured_90 END) AS DOUBLE PRECISION)
  / NULLIF(SUM(CASE WHEN watched >= 90 THEN instalments END), 0) AS cured_90,
  CAST(SUM(CASE WHEN watched >= 30 THEN amount_cured_30 END) AS DOUBLE PRECISION)
  / NULLIF(SUM(CASE WHEN watched >= 30 THEN amount_due END), 0) AS amount_cured_30,
  CAST(SUM(CASE WHEN watched >= 60 THEN amount_cured_60 END) AS DOUBLE PRECISION)
  / NULLIF(SUM(CASE WHEN watched >= 60 THEN amount_due END), 0) AS amount_cured_60,
  CAST(SUM(CASE WHEN watched >= 90 THEN amount_cured_90 END) AS DOUBLE PRECISION)
  / NULLIF(SUM(CASE WHEN watched >= 90 THEN amount_due END), 0) AS amount_cured_90
FROM past_due
GROUP BY due_month
