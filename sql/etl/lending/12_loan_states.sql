-- The state of each loan with the days on which it was the newest known: from known_from, before known_until.
-- A deletion is a state, too. Only loans with a history are ordered.
WITH
changed AS (
  SELECT DISTINCT loan_id FROM loans_history
),
versions AS (
  SELECT loans.loan_id, loans.status, loans.updated_at, FALSE AS deleted, 1 AS is_current
  FROM loans
  JOIN changed ON changed.loan_id = loans.loan_id
  UNION ALL
  SELECT loan_id, status, updated_at, deleted, 0 AS is_current
  FROM loans_history
)
SELECT
  loan_id, status, deleted,
  CAST(updated_at AS DATE) AS known_from,
  CAST(LEAD(updated_at) OVER (PARTITION BY loan_id ORDER BY updated_at, is_current, deleted, status) AS DATE)
    AS known_until
FROM versions
UNION ALL
SELECT
  loans.loan_id, loans.status, FALSE AS deleted,
  CAST(loans.updated_at AS DATE) AS known_from, CAST(NULL AS DATE) AS known_until
FROM loans
LEFT JOIN changed ON changed.loan_id = loans.loan_id
WHERE changed.loan_id IS NULL
