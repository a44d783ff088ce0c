-- Which open loans are to customers whose debt-to-income and use of credit lines both rose since their loan before?
SELECT
  now.loan_id,
  now.customer_id,
  now.application_date,
  before.debt_to_income AS debt_to_income_before,
  now.debt_to_income,
  before.utilisation AS utilisation_before,
  now.utilisation,
  now.days_past_due,
  now.outstanding_principal,
  p.probability,
  p.band
FROM marts.loan_payments AS now
JOIN marts.loan_payments AS before
  ON before.customer_id = now.customer_id AND before.loan_number = now.loan_number - 1
LEFT JOIN marts.loan_predictions AS p ON p.loan_id = now.loan_id
WHERE now.status = 'open'
  AND now.debt_to_income > before.debt_to_income
  AND now.utilisation > before.utilisation
