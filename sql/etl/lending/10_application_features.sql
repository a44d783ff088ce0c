-- Features of the application model, one row per loan, as they were known on the day of the application.
-- Months and days of the label come from the specification, through the table `run`.
WITH
observed AS (
  SELECT
    loans.*,
    run.as_of,
    run.days_past_due,
    CAST(loans.application_date + INTERVAL '1' MONTH * run.maturity_months AS DATE) AS window_end
  FROM loans
  CROSS JOIN run
),
-- When an instalment was settled: a payment that falls short by more than a cent settles nothing.
settled AS (
  SELECT
    loan_id,
    instalment_number,
    due_date,
    CASE WHEN amount_due - amount_paid > 0.01 THEN NULL ELSE paid_date END AS settled_date
  FROM repayments
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
      WHEN settled.settled_date IS NULL OR settled.settled_date >= earlier.application_date
        THEN DATE_DIFF('day', settled.due_date, earlier.application_date)
      ELSE GREATEST(DATE_DIFF('day', settled.due_date, settled.settled_date), 0)
    END AS days_past_due
  FROM earlier
  JOIN settled
    ON settled.loan_id = earlier.earlier_loan_id AND settled.due_date < earlier.application_date
),
history AS (
  SELECT
    loan_id,
    CAST(SUM(CASE WHEN days_past_due > 0 THEN 1 ELSE 0 END) AS DOUBLE) / COUNT(*) AS late_rate,
    MAX(days_past_due) AS max_days_past_due
  FROM delays
  GROUP BY loan_id
),
-- An instalment decides the label if it is due early enough to be past due by the specified days within the window.
instalments AS (
  SELECT
    observed.loan_id,
    observed.term_months,
    settled.instalment_number,
    DATE_DIFF('day', settled.due_date, observed.window_end) >= observed.days_past_due AS decides,
    settled.settled_date IS NULL
      OR DATE_DIFF('day', settled.due_date, settled.settled_date) >= observed.days_past_due AS in_arrears
  FROM observed
  JOIN settled ON settled.loan_id = observed.loan_id
  WHERE observed.window_end <= observed.as_of -- an immature loan has no label, not even a bad one
),
seen AS (
  SELECT
    loan_id,
    MAX(CASE WHEN decides AND in_arrears THEN 1 ELSE 0 END) AS defaulted,
    COUNT(DISTINCT CASE WHEN decides THEN instalment_number END) AS deciding,
    COALESCE(MAX(CASE WHEN decides THEN instalment_number END), 0) AS last_deciding,
    -- The last that may decide: the one before the first that does not, else the last of the loan.
    COALESCE(MIN(CASE WHEN decides THEN NULL ELSE instalment_number END), term_months + 1) - 1 AS expected
  FROM instalments
  GROUP BY loan_id, term_months
),
-- A default that was seen is one. That there was none is known only if every instalment that decides is there: one in
-- quarantine may be the one that was not paid.
outcome AS (
  SELECT
    loan_id,
    CASE
      WHEN defaulted = 1 THEN 1
      WHEN deciding = expected AND last_deciding = expected THEN 0
    END AS defaulted
  FROM seen
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
  profile.employment_since,
  observed.installment_rate,
  observed.other_debtors,
  profile.residence_since,
  profile.property,
  observed.other_installment_plans,
  profile.housing,
  observed.existing_credits,
  profile.job,
  profile.dependents,
  profile.telephone,
  CAST(profile.annual_income AS DOUBLE) AS annual_income,
  profile.credit_score,
  CAST(observed.credit_balance AS DOUBLE) / NULLIF(CAST(observed.credit_limit AS DOUBLE), 0) AS utilisation,
  CAST(observed.amount AS DOUBLE) / NULLIF(CAST(profile.annual_income AS DOUBLE), 0) AS amount_to_income,
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
-- A profile that changed after the day of the application says nothing about that day.
LEFT JOIN customers AS profile
  ON profile.customer_id = observed.customer_id AND CAST(profile.updated_at AS DATE) <= observed.application_date
LEFT JOIN previous ON previous.loan_id = observed.loan_id
LEFT JOIN history ON history.loan_id = observed.loan_id
LEFT JOIN outcome ON outcome.loan_id = observed.loan_id
