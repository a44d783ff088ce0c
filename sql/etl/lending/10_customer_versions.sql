-- Customers' profiles with the days on which each version was the newest known: from known_from, before known_until.
-- Only customers with a history are ordered; every other one has a single version.
WITH
changed AS (
  SELECT DISTINCT customer_id FROM customers_history
),
versions AS (
  SELECT
    customers.customer_id, customers.annual_income, customers.credit_score, customers.job, customers.employment_since,
    customers.residence_since, customers.housing, customers.property, customers.dependents, customers.telephone,
    customers.updated_at, FALSE AS deleted, 1 AS is_current
  FROM customers
  JOIN changed ON changed.customer_id = customers.customer_id
  UNION ALL
  SELECT
    customer_id, annual_income, credit_score, job, employment_since,
    residence_since, housing, property, dependents, telephone,
    updated_at, deleted, 0 AS is_current
  FROM customers_history
),
-- Of several versions of one day the last one counts: the day of the others ends as it begins.
dated AS (
  SELECT
    versions.*,
    CAST(LEAD(updated_at) OVER (PARTITION BY customer_id ORDER BY updated_at, is_current, deleted) AS DATE) AS known_until
  FROM versions
)
SELECT
  customer_id, annual_income, credit_score, job, employment_since,
  residence_since, housing, property, dependents, telephone,
  CAST(updated_at AS DATE) AS known_from, known_until
FROM dated
WHERE NOT deleted
UNION ALL
SELECT
  customers.customer_id, customers.annual_income, customers.credit_score, customers.job, customers.employment_since,
  customers.residence_since, customers.housing, customers.property, customers.dependents, customers.telephone,
  CAST(customers.updated_at AS DATE) AS known_from, CAST(NULL AS DATE) AS known_until
FROM customers
LEFT JOIN changed ON changed.customer_id = customers.customer_id
WHERE changed.customer_id IS NULL
