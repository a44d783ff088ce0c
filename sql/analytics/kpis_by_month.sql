-- How did lending do month by month, over the latest months?
SELECT
  CAST(DATE_TRUNC('month', k.day) AS DATE) AS month,
  CAST(SUM(k.loans_granted) AS BIGINT) AS loans_granted,
  SUM(k.amount_lent) AS amount_lent,
  CAST(SUM(k.payments_processed) AS BIGINT) AS payments_processed,
  SUM(k.amount_collected) AS amount_collected,
  SUM(k.revenue) AS revenue,
  CAST(SUM(k.instalments_due) AS BIGINT) AS instalments_due,
  CAST(SUM(k.on_time) AS DOUBLE PRECISION) / NULLIF(SUM(k.instalments_due), 0) AS on_time_rate
FROM marts.kpi_daily AS k
CROSS JOIN marts.reporting_dates AS d
WHERE d.portfolio = 'lending' AND DATEDIFF(month, k.day, d.as_of) < CAST(:months AS INTEGER)
GROUP BY 1
ORDER BY 1
