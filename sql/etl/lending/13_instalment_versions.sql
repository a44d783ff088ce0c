-- The instalments that have a history, version by version: the schedule is the first version's, the payment each
-- version's own. A version counts from known_from, before known_until; until the first one is known the instalment is
-- as scheduled, unpaid. Instalments without a history are not here: the features take them as they are.
WITH
changed AS (
  SELECT DISTINCT payment_id FROM repayments_history
),
versions AS (
  SELECT
    repayments.payment_id, repayments.loan_id, repayments.instalment_number, repayments.due_date,
    repayments.amount_due, repayments.paid_date, repayments.amount_paid,
    repayments.updated_at, FALSE AS deleted, 1 AS is_current
  FROM repayments
  JOIN changed ON changed.payment_id = repayments.payment_id
  UNION ALL
  SELECT
    payment_id, loan_id, instalment_number, due_date,
    amount_due, paid_date, amount_paid,
    updated_at, deleted, 0 AS is_current
  FROM repayments_history
),
placed AS (
  SELECT
    versions.*,
    CAST(LEAD(updated_at) OVER (PARTITION BY payment_id ORDER BY updated_at, is_current, deleted) AS DATE) AS known_until,
    ROW_NUMBER() OVER (PARTITION BY payment_id ORDER BY deleted, updated_at, is_current, due_date) AS place
  FROM versions
),
schedule AS (
  SELECT payment_id, loan_id, instalment_number, due_date, amount_due, CAST(updated_at AS DATE) AS first_known
  FROM placed
  WHERE place = 1 AND NOT deleted
)
SELECT
  schedule.loan_id, schedule.instalment_number, schedule.due_date, schedule.amount_due,
  CAST(NULL AS DATE) AS paid_date, CAST(NULL AS DECIMAL(14, 2)) AS amount_paid,
  CAST('0001-01-01' AS DATE) AS known_from, schedule.first_known AS known_until
FROM schedule
UNION ALL
SELECT
  schedule.loan_id, schedule.instalment_number, schedule.due_date, schedule.amount_due,
  placed.paid_date, placed.amount_paid,
  CAST(placed.updated_at AS DATE) AS known_from, placed.known_until
FROM placed
JOIN schedule ON schedule.payment_id = placed.payment_id
WHERE NOT placed.deleted
