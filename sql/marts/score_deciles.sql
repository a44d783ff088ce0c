-- How well does the newest scoring of each model sort: who is in which tenth by probability, and where do the bad ones sit?
WITH placed AS (
  SELECT
    portfolio, model_version, as_of, probability, outcome,
    NTILE(10) OVER (PARTITION BY portfolio ORDER BY probability DESC, entity_id) AS decile
  FROM marts.decisions
  WHERE age = 1
),
counted AS (
  SELECT
    portfolio, model_version, as_of, decile,
    COUNT(*) AS scored,
    MIN(probability) AS lowest_probability,
    MAX(probability) AS highest_probability,
    AVG(probability) AS mean_probability,
    COUNT(outcome) AS labelled,
    COALESCE(SUM(outcome), 0) AS bad
  FROM placed
  GROUP BY portfolio, model_version, as_of, decile
)
SELECT
  portfolio, decile, model_version, as_of, scored, lowest_probability, highest_probability, mean_probability, labelled, bad,
  bad / CAST(NULLIF(labelled, 0) AS DOUBLE PRECISION) AS bad_rate,
  SUM(bad) OVER (PARTITION BY portfolio ORDER BY decile ROWS UNBOUNDED PRECEDING)
    / CAST(NULLIF(SUM(bad) OVER (PARTITION BY portfolio), 0) AS DOUBLE PRECISION) AS bad_captured
FROM counted
