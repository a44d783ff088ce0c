-- Each loan's payments as they were known at the end of an observation date: one pass over the instalments.
WITH
-- As known: an instalment without a history on all days, its payment once recorded; of the others the version of the day.
known AS (
  SELECT
    repayments.loan_id, repayments.instalment_number, repayments.due_date, repayments.amount_due,
    CASE WHEN repayments.amount_due - repayments.amount_paid > 0.01 THEN NULL ELSE repayments.paid_date END AS settled_date,
    CAST(repayments.updated_at AS DATE) AS recorded_date,
    CAST(NULL AS DATE) AS known_from, CAST(NULL AS DATE) AS known_until
  FROM repayments
  LEFT JOIN (SELECT DISTINCT payment_id FROM repayments_history) AS changed
    ON changed.payment_id = repayments.payment_id
  WHERE changed.payment_id IS NULL
  UNION ALL
  SELECT
    loan_id, instalment_number, due_date, amount_due,
    CASE WHEN amount_due - amount_paid > 0.01 THEN NULL ELSE paid_date END AS settled_date,
    known_from AS recorded_date, known_from, known_until
  FROM instalment_versions
),
observed AS (
  SELECT
    known.loan_id, known.instalment_number, known.due_date, known.amount_due,
    month_ends.observation_date, month_ends.three_months_before, month_ends.six_months_before,
    CASE
      WHEN known.recorded_date <= month_ends.observation_date AND known.settled_date <= month_ends.observation_date
        THEN known.settled_date
    END AS settled_date
  FROM known
  CROSS JOIN month_ends
  WHERE (known.known_from IS NULL OR known.known_from <= month_ends.observation_date)
    AND (known.known_until IS NULL OR known.known_until > month_ends.observation_date)
),
-- A delay in days: until the payment, else until the observation date. Not due is not late.
delayed AS (
  SELECT
    observed.*,
    due_date <= observation_date AS is_due,
    GREATEST(DATE_DIFF('day', due_date, COALESCE(settled_date, observation_date)), 0) AS days_late,
    due_date > three_months_before AS due_in_3m,
    due_date > six_months_before AS due_in_6m,
    -- Outstanding at some time within the window.
    settled_date IS NULL OR settled_date > three_months_before AS late_in_3m,
    settled_date IS NULL OR settled_date > six_months_before AS late_in_6m
  FROM observed
  WHERE due_date <= observation_date OR settled_date IS NOT NULL OR instalment_number = 1
)
-- Sums are cast: DuckDB's are of 128 bits, which Parquet does not have.
SELECT
  loan_id,
  observation_date,
  MAX(amount_due) AS instalment,
  COUNT(settled_date) AS settled,
  CAST(SUM(CASE WHEN is_due THEN 1 ELSE 0 END) AS BIGINT) AS due,
  CAST(SUM(CASE WHEN is_due AND days_late > 0 THEN 1 ELSE 0 END) AS BIGINT) AS late,
  CAST(SUM(CASE WHEN is_due AND due_in_3m THEN 1 ELSE 0 END) AS BIGINT) AS due_3m,
  CAST(SUM(CASE WHEN is_due AND due_in_3m AND days_late > 0 THEN 1 ELSE 0 END) AS BIGINT) AS late_3m,
  CAST(SUM(CASE WHEN is_due AND due_in_3m THEN days_late ELSE 0 END) AS BIGINT) AS days_late_3m,
  CAST(SUM(CASE WHEN is_due AND due_in_6m THEN 1 ELSE 0 END) AS BIGINT) AS due_6m,
  CAST(SUM(CASE WHEN is_due AND due_in_6m AND days_late > 0 THEN 1 ELSE 0 END) AS BIGINT) AS late_6m,
  CAST(SUM(CASE WHEN is_due AND due_in_6m THEN days_late ELSE 0 END) AS BIGINT) AS days_late_6m,
  MAX(CASE WHEN is_due THEN days_late END) AS max_days_past_due,
  MAX(CASE WHEN is_due AND late_in_3m THEN days_late END) AS max_days_past_due_3m,
  MAX(CASE WHEN is_due AND late_in_6m THEN days_late END) AS max_days_past_due_6m,
  CAST(SUM(CASE WHEN settled_date IS NULL AND days_late > 0 THEN 1 ELSE 0 END) AS BIGINT) AS overdue,
  MAX(CASE WHEN settled_date IS NULL THEN days_late ELSE 0 END) AS days_past_due,
  MAX(CASE WHEN days_late > 0 THEN COALESCE(settled_date, observation_date) END) AS last_late_date
FROM delayed
GROUP BY loan_id, observation_date
