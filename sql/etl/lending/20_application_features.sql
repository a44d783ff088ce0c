-- Features of the application model, one row per loan, as they were known on the day of the application.
-- Months and days of the label come from the specification, through the table `run`.
WITH
-- The application's own data are those of its first version, whatever was corrected since; a loan that was deleted has
-- no row. The public outcome and the label are of the latest.
observed AS (
  SELECT
    applications.*,
    loans.published_default,
    run.as_of,
    run.days_past_due,
    CAST(applications.application_date + INTERVAL '1' MONTH * run.maturity_months AS DATE) AS window_end
  FROM applications
  JOIN loans ON loans.loan_id = applications.loan_id
  CROSS JOIN run
),
-- Instalments as known: one without a history on all days, its payment once recorded; of the others the version of the
-- day. A payment that falls short by more than a cent settles nothing.
known AS (
  SELECT
    repayments.loan_id, repayments.instalment_number, repayments.due_date,
    CASE WHEN repayments.amount_due - repayments.amount_paid > 0.01 THEN NULL ELSE repayments.paid_date END AS settled_date,
    CAST(repayments.updated_at AS DATE) AS recorded_date,
    CAST(NULL AS DATE) AS known_from, CAST(NULL AS DATE) AS known_until
  FROM repayments
  LEFT JOIN (SELECT DISTINCT payment_id FROM repayments_history) AS changed
    ON changed.payment_id = repayments.payment_id
  WHERE changed.payment_id IS NULL
  UNION ALL
  SELECT
    loan_id, instalment_number, due_date,
    CASE WHEN amount_due - amount_paid > 0.01 THEN NULL ELSE paid_date END AS settled_date,
    known_from AS recorded_date, known_from, known_until
  FROM instalment_versions
),
-- Only loans of an earlier day: two applications of one day do not know of each other. One that was deleted by then
-- is not seen, one that was deleted later is.
earlier AS (
  SELECT observed.loan_id, observed.application_date, past.loan_id AS earlier_loan_id
  FROM observed
  JOIN applications AS past
    ON past.customer_id = observed.customer_id AND past.application_date < observed.application_date
  LEFT JOIN loan_states AS gone
    ON gone.loan_id = past.loan_id AND gone.deleted
    AND gone.known_from <= observed.application_date
    AND (gone.known_until IS NULL OR gone.known_until > observed.application_date)
  WHERE gone.loan_id IS NULL
),
previous AS (
  SELECT loan_id, COUNT(*) AS loans
  FROM earlier
  GROUP BY loan_id
),
-- Delay of each earlier instalment on the day of the application: a payment of that day or later is not known yet, nor
-- is one that was recorded later.
delays AS (
  SELECT
    earlier.loan_id,
    CASE
      WHEN known.settled_date < earlier.application_date AND known.recorded_date <= earlier.application_date
        THEN GREATEST(DATE_DIFF('day', known.due_date, known.settled_date), 0)
      ELSE DATE_DIFF('day', known.due_date, earlier.application_date)
    END AS days_past_due
  FROM earlier
  JOIN known
    ON known.loan_id = earlier.earlier_loan_id AND known.due_date < earlier.application_date
    AND (known.known_from IS NULL OR known.known_from <= earlier.application_date)
    AND (known.known_until IS NULL OR known.known_until > earlier.application_date)
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
    known.instalment_number,
    DATE_DIFF('day', known.due_date, observed.window_end) >= observed.days_past_due AS decides,
    known.settled_date IS NULL
      OR DATE_DIFF('day', known.due_date, known.settled_date) >= observed.days_past_due AS in_arrears
  FROM observed
  JOIN known ON known.loan_id = observed.loan_id AND known.known_until IS NULL -- the label is of the latest version
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
LEFT JOIN customers ON customers.customer_id = observed.customer_id
-- The profile as it was known on the day of the application.
LEFT JOIN customer_versions AS profile
  ON profile.customer_id = observed.customer_id
  AND profile.known_from <= observed.application_date
  AND (profile.known_until IS NULL OR profile.known_until > observed.application_date)
LEFT JOIN previous ON previous.loan_id = observed.loan_id
LEFT JOIN history ON history.loan_id = observed.loan_id
LEFT JOIN outcome ON outcome.loan_id = observed.loan_id
