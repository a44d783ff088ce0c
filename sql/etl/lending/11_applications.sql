-- What each application said: the first version of every loan that was ever delivered, of deleted ones, too.
-- A loan is known from its application on, whenever its row arrived; what was corrected later is not.
WITH
changed AS (
  SELECT DISTINCT loan_id FROM loans_history
),
versions AS (
  SELECT
    loans.loan_id, loans.customer_id, loans.application_date, loans.amount, loans.term_months, loans.annual_rate,
    loans.purpose, loans.installment_rate, loans.checking_status, loans.credit_history, loans.savings,
    loans.other_debtors, loans.other_installment_plans, loans.existing_credits, loans.age_years,
    loans.credit_limit, loans.credit_balance, loans.updated_at, 1 AS is_current
  FROM loans
  JOIN changed ON changed.loan_id = loans.loan_id
  UNION ALL
  SELECT
    loan_id, customer_id, application_date, amount, term_months, annual_rate,
    purpose, installment_rate, checking_status, credit_history, savings,
    other_debtors, other_installment_plans, existing_credits, age_years,
    credit_limit, credit_balance, updated_at, 0 AS is_current
  FROM loans_history
  WHERE NOT deleted
),
placed AS (
  SELECT versions.*, ROW_NUMBER() OVER (PARTITION BY loan_id ORDER BY updated_at, is_current, application_date) AS place
  FROM versions
)
SELECT
  loan_id, customer_id, application_date, amount, term_months, annual_rate,
  purpose, installment_rate, checking_status, credit_history, savings,
  other_debtors, other_installment_plans, existing_credits, age_years,
  credit_limit, credit_balance
FROM placed
WHERE place = 1
UNION ALL
SELECT
  loans.loan_id, loans.customer_id, loans.application_date, loans.amount, loans.term_months, loans.annual_rate,
  loans.purpose, loans.installment_rate, loans.checking_status, loans.credit_history, loans.savings,
  loans.other_debtors, loans.other_installment_plans, loans.existing_credits, loans.age_years,
  loans.credit_limit, loans.credit_balance
FROM loans
LEFT JOIN changed ON changed.loan_id = loans.loan_id
WHERE changed.loan_id IS NULL
