-- How does the lending portfolio stand on the reporting date?
SELECT
  d.as_of,
  COUNT(*) AS loans,
  COUNT(CASE WHEN p.loan_number = 1 THEN 1 END) AS borrowers,
  COUNT(CASE WHEN p.status = 'open' THEN 1 END) AS active_loans,
  SUM(p.amount) AS amount_lent,
  SUM(p.outstanding_principal) AS portfolio_value,
  SUM(p.revenue) AS revenue,
  SUM(p.amount_collected) AS amount_collected,
  SUM(p.amount_recovered) AS amount_recovered,
  SUM(CASE WHEN p.status = 'open' THEN p.amount_past_due ELSE 0 END) AS amount_past_due,
  CAST(SUM(p.due) AS BIGINT) AS instalments_due,
  CAST(SUM(p.on_time) AS DOUBLE PRECISION) / NULLIF(SUM(p.due), 0) AS on_time_rate,
  CAST(SUM(p.days_late) AS DOUBLE PRECISION) / NULLIF(SUM(p.on_time) + SUM(p.late), 0) AS average_delay,
  SUM(CASE WHEN p.days_past_due >= 30 THEN p.outstanding_principal ELSE 0 END)
  / NULLIF(SUM(p.outstanding_principal), 0) AS portfolio_at_risk,
  CAST(SUM(p.defaulted) AS DOUBLE PRECISION) / NULLIF(COUNT(p.defaulted), 0) AS default_rate
FROM marts.loan_payments AS p
CROSS JOIN marts.reporting_dates AS d
WHERE d.portfolio = 'lending'
GROUP BY d.as_of
