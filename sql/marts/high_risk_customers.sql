-- Which customers with open loans would the model decline today, and for which reasons?
WITH ranked AS (
  SELECT
    l.customer_id,
    p.*,
    ROW_NUMBER() OVER (PARTITION BY l.customer_id ORDER BY p.probability DESC, p.loan_id) AS position,
    COUNT(*) OVER (PARTITION BY l.customer_id) AS open_loans,
    SUM(l.outstanding_principal) OVER (PARTITION BY l.customer_id) AS outstanding_principal,
    MAX(l.days_past_due) OVER (PARTITION BY l.customer_id) AS days_past_due
  FROM marts.loan_predictions AS p
  JOIN marts.loan_payments AS l ON l.loan_id = p.loan_id
  WHERE l.status = 'open'
)
SELECT
  customer_id,
  open_loans,
  outstanding_principal,
  days_past_due,
  loan_id AS riskiest_loan,
  probability,
  band,
  reason_1,
  reason_2,
  reason_3,
  reason_4
FROM ranked
WHERE position = 1 AND decision = 'decline'
