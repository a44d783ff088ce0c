-- Do the risk bands of a model keep what they promise: how many went bad, and how many were expected to?
WITH first_scored AS (
  SELECT
    portfolio, model_version, band, probability, outcome,
    ROW_NUMBER() OVER (PARTITION BY portfolio, model_version, entity_id ORDER BY as_of) AS place
  FROM marts.decisions
),
counted AS (
  SELECT
    portfolio, model_version, band,
    COUNT(*) AS scored,
    COUNT(outcome) AS labelled,
    COALESCE(SUM(outcome), 0) AS bad,
    COALESCE(SUM(CASE WHEN outcome IS NOT NULL THEN probability END), 0) AS expected_bad
  FROM first_scored
  WHERE place = 1
  GROUP BY portfolio, model_version, band
),
-- Rate p of n labelled; both are NULL for a cell that is too small.
rates AS (
  SELECT
    c.*, z.value AS z,
    CASE WHEN c.labelled >= smallest.value THEN c.labelled END AS n,
    CASE WHEN c.labelled >= smallest.value THEN c.bad / CAST(c.labelled AS DOUBLE PRECISION) END AS p
  FROM counted AS c
  JOIN marts.risk_parameters AS z ON z.name = 'confidence_z'
  JOIN marts.risk_parameters AS smallest ON smallest.name = 'minimum_cell'
)
SELECT
  portfolio, model_version, band, scored, labelled, bad, expected_bad,
  expected_bad / NULLIF(labelled, 0) AS expected_rate,
  p AS bad_rate,
  (p + z * z / (2 * n) - z * SQRT(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n) AS bad_rate_low,
  (p + z * z / (2 * n) + z * SQRT(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n) AS bad_rate_high
FROM rates
