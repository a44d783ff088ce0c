-- How much of the open portfolio is how many days past due?
SELECT
  b.position,
  b.bucket,
  COUNT(p.loan_id) AS loans,
  CAST(COUNT(p.loan_id) AS DOUBLE PRECISION) / NULLIF(SUM(COUNT(p.loan_id)) OVER (), 0) AS share_of_loans,
  COALESCE(SUM(p.outstanding_principal), 0) AS outstanding_principal,
  COALESCE(SUM(p.outstanding_principal), 0) / NULLIF(SUM(SUM(p.outstanding_principal)) OVER (), 0) AS share_of_principal,
  COALESCE(SUM(p.amount_past_due), 0) AS amount_past_due
FROM marts.delinquency_limits AS b
LEFT JOIN marts.loan_payments AS p ON p.bucket = b.bucket AND p.status = 'open'
GROUP BY b.position, b.bucket
