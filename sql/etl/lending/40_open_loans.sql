-- What the nightly batch scores: the open loans. No label, no protected attribute, no personal data.
SELECT
  features.loan_id,
  CAST(features.as_of AS VARCHAR) AS as_of,
  features.checking_status,
  features.term_months,
  features.credit_history,
  features.purpose,
  features.amount,
  features.savings,
  features.employment_since,
  features.installment_rate,
  features.other_debtors,
  features.residence_since,
  features.property,
  features.other_installment_plans,
  features.housing,
  features.existing_credits,
  features.job,
  features.dependents,
  features.telephone,
  features.annual_income,
  features.credit_score,
  features.utilisation,
  features.amount_to_income,
  features.previous_loans,
  features.previous_late_rate,
  features.previous_max_days_past_due
FROM application_features AS features
JOIN loans ON loans.loan_id = features.loan_id
WHERE loans.status = 'open'
