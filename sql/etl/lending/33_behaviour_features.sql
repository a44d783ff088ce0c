-- Features of the behaviour model: one row per loan that was open at an observation date, as far as one knew that day.
WITH
-- Open: applied for, not deleted, in no other state than open, and with an instalment left to pay.
open_loans_then AS (
  SELECT
    applications.*,
    month_ends.observation_date, month_ends.as_of, month_ends.window_end,
    month_ends.days_past_due AS default_days,
    payments.instalment, payments.settled, payments.due, payments.late, payments.due_3m, payments.late_3m,
    payments.days_late_3m, payments.due_6m, payments.late_6m, payments.days_late_6m,
    payments.max_days_past_due, payments.max_days_past_due_3m, payments.max_days_past_due_6m, payments.overdue,
    COALESCE(payments.days_past_due, 0) AS days_past_due, payments.last_late_date
  FROM applications
  JOIN month_ends ON applications.application_date <= month_ends.observation_date
  LEFT JOIN payment_behaviour AS payments
    ON payments.loan_id = applications.loan_id AND payments.observation_date = month_ends.observation_date
  LEFT JOIN loan_states AS state
    ON state.loan_id = applications.loan_id
    AND state.known_from <= month_ends.observation_date
    AND (state.known_until IS NULL OR state.known_until > month_ends.observation_date)
  WHERE COALESCE(state.status, 'open') = 'open'
    AND NOT COALESCE(state.deleted, FALSE)
    AND COALESCE(payments.settled, 0) < applications.term_months
),
-- The customer's earlier loans, and the others that were open on the same day.
earlier AS (
  SELECT loan.loan_id, loan.observation_date, COUNT(*) AS loans
  FROM open_loans_then AS loan
  JOIN applications AS past
    ON past.customer_id = loan.customer_id AND past.application_date < loan.application_date
  LEFT JOIN loan_states AS gone
    ON gone.loan_id = past.loan_id AND gone.deleted
    AND gone.known_from <= loan.observation_date
    AND (gone.known_until IS NULL OR gone.known_until > loan.observation_date)
  WHERE gone.loan_id IS NULL
  GROUP BY loan.loan_id, loan.observation_date
),
others AS (
  SELECT
    loan.loan_id, loan.observation_date,
    COUNT(*) AS loans,
    MAX(other.days_past_due) AS days_past_due
  FROM open_loans_then AS loan
  JOIN open_loans_then AS other
    ON other.customer_id = loan.customer_id
    AND other.observation_date = loan.observation_date
    AND other.loan_id <> loan.loan_id
  GROUP BY loan.loan_id, loan.observation_date
)
SELECT
  loan.loan_id,
  loan.observation_date,
  loan.customer_id,
  loan.as_of,
  loan.application_date,
  loan.purpose,
  loan.term_months,
  CAST(loan.amount AS DOUBLE) AS amount,
  CAST(loan.annual_rate AS DOUBLE) AS annual_rate,
  loan.checking_status,
  loan.credit_history,
  loan.savings,
  CAST(loan.credit_balance AS DOUBLE) / NULLIF(CAST(loan.credit_limit AS DOUBLE), 0) AS utilisation,
  profile.employment_since,
  profile.housing,
  CAST(profile.annual_income AS DOUBLE) AS annual_income,
  profile.credit_score,
  CAST(loan.instalment AS DOUBLE) * 12 / NULLIF(CAST(profile.annual_income AS DOUBLE), 0) AS payment_to_income,
  CAST(
    (YEAR(loan.observation_date) - YEAR(loan.application_date)) * 12
    + MONTH(loan.observation_date) - MONTH(loan.application_date) AS INTEGER
  ) AS months_on_book,
  CAST(COALESCE(loan.settled, 0) AS DOUBLE) / loan.term_months AS share_repaid,
  CAST(loan.days_past_due AS INTEGER) AS days_past_due,
  CASE
    WHEN loan.days_past_due = 0 THEN 'current'
    WHEN loan.days_past_due < 30 THEN '1_to_29'
    WHEN loan.days_past_due < 60 THEN '30_to_59'
    WHEN loan.days_past_due < 90 THEN '60_to_89'
    ELSE '90_or_more'
  END AS delinquency_bucket,
  CAST(COALESCE(loan.overdue, 0) AS INTEGER) AS instalments_overdue,
  CAST(loan.late AS DOUBLE) / NULLIF(loan.due, 0) AS late_rate,
  CAST(loan.late_3m AS DOUBLE) / NULLIF(loan.due_3m, 0) AS late_rate_3m,
  CAST(loan.late_6m AS DOUBLE) / NULLIF(loan.due_6m, 0) AS late_rate_6m,
  CAST(loan.max_days_past_due AS INTEGER) AS max_days_past_due,
  CAST(loan.max_days_past_due_3m AS INTEGER) AS max_days_past_due_3m,
  CAST(loan.max_days_past_due_6m AS INTEGER) AS max_days_past_due_6m,
  CAST(DATE_DIFF('day', loan.last_late_date, loan.observation_date) AS INTEGER) AS days_since_late,
  -- Mean delay of the instalments due in the last three months, less that of the three months before.
  CAST(loan.days_late_3m AS DOUBLE) / NULLIF(loan.due_3m, 0)
    - CAST(loan.days_late_6m - loan.days_late_3m AS DOUBLE) / NULLIF(loan.due_6m - loan.due_3m, 0)
    AS days_past_due_trend,
  CAST(COALESCE(earlier.loans, 0) AS INTEGER) AS previous_loans,
  CAST(COALESCE(others.loans, 0) AS INTEGER) AS other_open_loans,
  CAST(others.days_past_due AS INTEGER) AS other_days_past_due,
  customers.sex,
  loan.age_years,
  customers.foreign_worker,
  CAST(CASE WHEN loan.days_past_due < loan.default_days THEN outcome.defaulted END AS INTEGER) AS defaulted,
  CASE
    WHEN loan.days_past_due >= loan.default_days THEN 'in_default'
    WHEN loan.window_end > loan.as_of THEN 'immature'
    WHEN outcome.defaulted IS NULL THEN 'incomplete'
    ELSE 'known'
  END AS label_status
FROM open_loans_then AS loan
-- A loan that was deleted since is in no published table.
JOIN loans ON loans.loan_id = loan.loan_id
LEFT JOIN customers ON customers.customer_id = loan.customer_id
LEFT JOIN customer_versions AS profile
  ON profile.customer_id = loan.customer_id
  AND profile.known_from <= loan.observation_date
  AND (profile.known_until IS NULL OR profile.known_until > loan.observation_date)
LEFT JOIN earlier ON earlier.loan_id = loan.loan_id AND earlier.observation_date = loan.observation_date
LEFT JOIN others ON others.loan_id = loan.loan_id AND others.observation_date = loan.observation_date
LEFT JOIN behaviour_outcomes AS outcome
  ON outcome.loan_id = loan.loan_id AND outcome.observation_date = loan.observation_date
