-- Features of the application model, one row per loan, as they were known on the day of the application.
WITH
observed AS (
  SELECT
    loans.*,
    run.as_of,
    CAST(loans.application_date + INTERVAL '12' MONTH AS DATE) AS window_end
  FROM loans
  CROSS JOIN run
),
-- Only loans of an earlier day: two applications of one day do not know of each other.
earlier AS (
  SELECT observed.loan_id, observed.application_date, past.loan_id AS earlier_loan_id
  FROM observed
  JOIN loans AS past
    ON past.customer_id = observed.customer_id AND past.application_date < observed.application_date
),
previous AS (
  SELECT loan_id, COUNT(*) AS loans
  FROM earlier
  GROUP BY loan_id
),
-- Delay of each earlier instalment on the day of the application: a payment of that day or later is not known yet.
delays AS (
  SELECT
    earlier.loan_id,
    CASE
      WHEN repayments.paid_date IS NULL OR repayments.paid_date >= earlier.application_date
        THEN DATE_DIFF('day', repayments.due_date, earlier.application_date)
      ELSE GREATEST(DATE_DIFF('day', repayments.due_date, repayments.paid_date), 0)
    END AS days_past_due
  FROM earlier
  JOIN repayments
    ON repayments.loan_id = earlier.earlier_loan_id AND repayments.due_date < earlier.application_date
),
history AS (
  SELECT
    loan_id,
    CAST(SUM(CASE WHEN days_past_due > 0 THEN 1 ELSE 0 END) AS DOUBLE) / COUNT(*) AS late_rate,
    MAX(days_past_due) AS max_days_past_due
  FROM delays
  GROUP BY loan_id
),
-- Default: an instalment reaches 90 days past due within 12 months of the application.
outcome AS (
  SELECT
    observed.loan_id,
    MAX(
      CASE
        WHEN CAST(repayments.due_date + INTERVAL '90' DAY AS DATE) <= observed.window_end
          AND (repayments.paid_date IS NULL OR DATE_DIFF('day', repayments.due_date, repayments.paid_date) >= 90)
          THEN 1
        ELSE 0
      END
    ) AS defaulted
  FROM observed
  JOIN repayments ON repayments.loan_id = observed.loan_id
  WHERE observed.window_end <= observed.as_of -- an immature loan has no label, not even a bad one
  GROUP BY observed.loan_id
)
SELECT
  observed.loan_id,
  observed.customer_id,
  observed.as_of,
  observed.application_date,
  observed.checking_status,
  observed.term_months,
  observed.credit_history,
  observed.purpose,
  CAST(observed.amount AS DOUBLE) AS amount,
  observed.savings,
  customers.employment_since,
  observed.installment_rate,
  observed.other_debtors,
  customers.residence_since,
  customers.property,
  observed.other_installment_plans,
  customers.housing,
  observed.existing_credits,
  customers.job,
  customers.dependents,
  customers.telephone,
  CAST(customers.annual_income AS DOUBLE) AS annual_income,
  customers.credit_score,
  CAST(observed.credit_balance AS DOUBLE) / NULLIF(CAST(observed.credit_limit AS DOUBLE), 0) AS utilisation,
  CAST(observed.amount AS DOUBLE) / NULLIF(CAST(customers.annual_income AS DOUBLE), 0) AS amount_to_income,
  CAST(COALESCE(previous.loans, 0) AS INTEGER) AS previous_loans,
  history.late_rate AS previous_late_rate,
  CAST(history.max_days_past_due AS INTEGER) AS previous_max_days_past_due,
  customers.sex,
  observed.age_years,
  customers.foreign_worker,
  CAST(COALESCE(observed.published_default, outcome.defaulted) AS INTEGER) AS defaulted,
  CASE
    WHEN observed.published_default IS NOT NULL THEN 'published'
    WHEN outcome.defaulted IS NOT NULL THEN 'days_past_due'
  END AS label_source
FROM observed
JOIN customers ON customers.customer_id = observed.customer_id
LEFT JOIN previous ON previous.loan_id = observed.loan_id
LEFT JOIN history ON history.loan_id = observed.loan_id
LEFT JOIN outcome ON outcome.loan_id = observed.loan_id
