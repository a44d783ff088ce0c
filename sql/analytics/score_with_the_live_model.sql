-- What does the model that is live now say of the newest open loans?
WITH newest AS (
  SELECT
    f.loan_id, f.application_date, f.amount, f.amount_to_income, f.annual_income, f.checking_status, f.credit_history,
    f.credit_score, f.dependents, f.employment_since, f.existing_credits, f.housing, f.installment_rate, f.job,
    f.other_debtors, f.other_installment_plans, f.previous_late_rate, f.previous_loans,
    f.previous_max_days_past_due, f.property, f.purpose, f.residence_since, f.savings, f.telephone,
    f.term_months, f.utilisation,
    ROW_NUMBER() OVER (ORDER BY f.application_date DESC, f.loan_id) AS recency
  FROM lending.application_features AS f
  JOIN lending.loans AS l ON l.loan_id = f.loan_id
  WHERE l.status = 'open'
)
SELECT
  loan_id,
  application_date,
  amount,
  ml.probability_of_default(
    amount, amount_to_income, annual_income, checking_status, credit_history, credit_score, dependents,
    employment_since, existing_credits, housing, installment_rate, job, other_debtors, other_installment_plans,
    previous_late_rate, previous_loans, previous_max_days_past_due, property, purpose, residence_since, savings,
    telephone, term_months, utilisation
  ) AS probability_of_default
FROM newest
WHERE recency <= CAST(:limit AS INTEGER)
ORDER BY recency;
