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
    COALESCE(SUM(CASE WHEN outcome IS NOT NULL THEN probability END), 0) AS expected_bad,
    SUM(outcome) / CAST(NULLIF(COUNT(outcome), 0) AS DOUBLE PRECISION) AS rate
  FROM first_scored
  WHERE place = 1
  GROUP BY portfolio, model_version, band
)
SELECT
  c.portfolio, c.model_version, c.band, c.scored, c.labelled, c.bad, c.expected_bad,
  c.expected_bad / NULLIF(c.labelled, 0) AS expected_rate,
  CASE WHEN c.labelled >= smallest.value THEN c.rate END AS bad_rate,
  CASE WHEN c.labelled >= smallest.value THEN
    (c.rate + z.value * z.value / (2 * c.labelled)
      - z.value * SQRT(c.rate * (1 - c.rate) / c.labelled + z.value * z.value / (4 * c.labelled * c.labelled)))
    / (1 + z.value * z.value / c.labelled)
  END AS bad_rate_low,
  CASE WHEN c.labelled >= smallest.value THEN
    (c.rate + z.value * z.value / (2 * c.labelled)
      + z.value * SQRT(c.rate * (1 - c.rate) / c.labelled + z.value * z.value / (4 * c.labelled * c.labelled)))
    / (1 + z.value * z.value / c.labelled)
  END AS bad_rate_high
FROM counted AS c
JOIN marts.risk_parameters AS z ON z.name = 'confidence_z'
JOIN marts.risk_parameters AS smallest ON smallest.name = 'minimum_cell'
