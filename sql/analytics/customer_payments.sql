-- How has one customer paid?
SELECT
  l.customer_id,
  i.loan_id,
  i.instalment_number,
  i.due_date,
  i.settled_date,
  i.outcome,
  i.days_late,
  i.amount_due,
  i.amount_paid
FROM marts.loan_payments AS l
JOIN marts.instalments AS i ON i.loan_id = l.loan_id
WHERE l.customer_id = :customer_id
ORDER BY i.due_date, i.loan_id, i.instalment_number
