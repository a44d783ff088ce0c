-- What became of each loan in the window after an observation date, as far as the delivery knows by now.
-- Only windows that have ended: an immature observation has no label, not even a bad one.
WITH
mature AS (
  SELECT observation_date, window_end, days_past_due
  FROM month_ends
  WHERE window_end <= as_of
),
-- The latest version of each instalment, on the schedule of its first.
latest AS (
  SELECT
    repayments.loan_id, repayments.instalment_number, repayments.due_date,
    CASE WHEN repayments.amount_due - repayments.amount_paid > 0.01 THEN NULL ELSE repayments.paid_date END AS settled_date
  FROM repayments
  LEFT JOIN (SELECT DISTINCT payment_id FROM repayments_history) AS changed
    ON changed.payment_id = repayments.payment_id
  WHERE changed.payment_id IS NULL
  UNION ALL
  SELECT
    loan_id, instalment_number, due_date,
    CASE WHEN amount_due - amount_paid > 0.01 THEN NULL ELSE paid_date END AS settled_date
  FROM instalment_versions
  WHERE known_until IS NULL
),
-- An instalment decides if it is due early enough to be past due by the specified days within the window. One that was
-- settled by the observation date is no default after it, however late it was.
instalments AS (
  SELECT
    latest.loan_id, latest.instalment_number, mature.observation_date,
    DATE_DIFF('day', latest.due_date, mature.window_end) >= mature.days_past_due AS decides,
    latest.settled_date IS NULL
      OR (
        latest.settled_date > mature.observation_date
        AND DATE_DIFF('day', latest.due_date, latest.settled_date) >= mature.days_past_due
      ) AS in_arrears
  FROM latest
  CROSS JOIN mature
),
seen AS (
  SELECT
    loan_id, observation_date,
    MAX(CASE WHEN decides AND in_arrears THEN 1 ELSE 0 END) AS defaulted,
    COUNT(DISTINCT CASE WHEN decides THEN instalment_number END) AS deciding,
    COALESCE(MAX(CASE WHEN decides THEN instalment_number END), 0) AS last_deciding,
    MIN(CASE WHEN decides THEN NULL ELSE instalment_number END) AS first_not_deciding
  FROM instalments
  GROUP BY loan_id, observation_date
),
-- The last that may decide: the one before the first that does not, else the last of the loan.
expecting AS (
  SELECT seen.*, COALESCE(seen.first_not_deciding, applications.term_months + 1) - 1 AS expected
  FROM seen
  JOIN applications ON applications.loan_id = seen.loan_id
)
-- A default that was seen is one. That there was none is known only if every instalment that decides is there: one in
-- quarantine may be the one that was not paid.
SELECT
  loan_id, observation_date,
  CASE
    WHEN defaulted = 1 THEN 1
    WHEN deciding = expected AND last_deciding = expected THEN 0
  END AS defaulted
FROM expecting
