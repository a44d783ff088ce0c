-- If each tier's loans were taken best first by their probability of default, what would have been approved at each point?
WITH tiers AS (
  SELECT position, tier, lowest_score, highest_score FROM marts.credit_score_tiers
  UNION ALL
  SELECT 6 AS position, 'No Score' AS tier, -1 AS lowest_score, -1 AS highest_score
),
ranked AS (
  SELECT
    t.position, d.entity_id AS loan_id, d.probability, d.outcome, f.amount,
    ROW_NUMBER() OVER (PARTITION BY t.position ORDER BY d.probability, d.entity_id) AS place
  FROM marts.decisions AS d
  JOIN lending.application_features AS f ON f.loan_id = d.entity_id
  JOIN tiers AS t ON COALESCE(f.credit_score, -1) BETWEEN t.lowest_score AND t.highest_score
  WHERE d.portfolio = 'lending' AND d.age = 1
),
whole AS (
  SELECT
    position,
    COUNT(*) AS applications,
    SUM(amount) AS amount,
    AVG(probability) AS expected_rate,
    COUNT(outcome) AS labelled,
    COALESCE(SUM(outcome), 0) AS defaults
  FROM ranked
  GROUP BY position
),
running AS (
  SELECT
    position, loan_id, place,
    SUM(amount) OVER (PARTITION BY position ORDER BY place ROWS UNBOUNDED PRECEDING) AS amount,
    SUM(probability) OVER (PARTITION BY position ORDER BY place ROWS UNBOUNDED PRECEDING) AS expected,
    COUNT(outcome) OVER (PARTITION BY position ORDER BY place ROWS UNBOUNDED PRECEDING) AS labelled,
    COALESCE(SUM(outcome) OVER (PARTITION BY position ORDER BY place ROWS UNBOUNDED PRECEDING), 0) AS defaults
  FROM ranked
)
SELECT
  r.position, t.tier, r.loan_id,
  r.place / CAST(w.applications AS DOUBLE PRECISION) AS approval_rate,
  (r.place + 1) / CAST(w.applications AS DOUBLE PRECISION) AS next_approval_rate,
  w.applications,
  r.place AS approved,
  r.amount AS approved_amount,
  r.amount / NULLIF(w.amount, 0) AS amount_share,
  w.expected_rate AS expected_rate_all,
  r.expected / r.place AS expected_rate,
  1 - r.expected / r.place / NULLIF(w.expected_rate, 0) AS expected_reduction,
  w.labelled AS labelled_all,
  w.defaults AS defaults_all,
  r.labelled,
  r.defaults,
  r.defaults / CAST(NULLIF(r.labelled, 0) AS DOUBLE PRECISION) AS default_rate,
  1 - r.defaults / CAST(NULLIF(r.labelled, 0) AS DOUBLE PRECISION)
    / NULLIF(w.defaults / CAST(NULLIF(w.labelled, 0) AS DOUBLE PRECISION), 0) AS default_reduction
FROM running AS r
JOIN whole AS w ON w.position = r.position
JOIN tiers AS t ON t.position = r.position
