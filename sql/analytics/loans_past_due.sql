-- Which open loans are at least so many days past due, the largest first?
SELECT
  p.loan_id,
  p.customer_id,
  p.region,
  p.grade,
  p.days_past_due,
  p.amount_past_due,
  p.outstanding_principal,
  m.band
FROM marts.loan_payments AS p
LEFT JOIN marts.loan_predictions AS m ON m.loan_id = p.loan_id
WHERE p.status = 'open' AND p.days_past_due >= CAST(:days AS INTEGER)
ORDER BY p.outstanding_principal DESC, p.loan_id
