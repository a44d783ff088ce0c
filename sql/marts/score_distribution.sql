-- How do scores spread over the risk bands, scoring by scoring, and has the population shifted since the one before?
WITH counted AS (
  SELECT
    portfolio, model_version, as_of, age, band,
    COUNT(*) AS scored, SUM(probability) AS probabilities, CAST(SUM(score) AS DOUBLE PRECISION) AS scores
  FROM marts.decisions
  GROUP BY portfolio, model_version, as_of, age, band
),
scorings AS (
  SELECT
    portfolio, model_version, as_of, age,
    CAST(SUM(scored) AS DOUBLE PRECISION) AS total,
    LAG(as_of) OVER (PARTITION BY portfolio, model_version ORDER BY as_of) AS previous_as_of
  FROM counted
  GROUP BY portfolio, model_version, as_of, age
),
bands AS (
  SELECT DISTINCT portfolio, model_version, band FROM counted
),
shares AS (
  SELECT
    s.portfolio, s.model_version, s.as_of, s.age, s.previous_as_of, b.band,
    COALESCE(c.scored, 0) AS scored, c.probabilities, c.scores,
    COALESCE(c.scored, 0) / s.total AS share
  FROM scorings AS s
  JOIN bands AS b ON b.portfolio = s.portfolio AND b.model_version = s.model_version
  LEFT JOIN counted AS c
    ON c.portfolio = s.portfolio AND c.model_version = s.model_version AND c.as_of = s.as_of AND c.band = b.band
),
compared AS (
  SELECT
    newer.portfolio, newer.model_version, newer.as_of, newer.band, newer.age, newer.scored, newer.share,
    newer.probabilities, newer.scores, newer.previous_as_of, older.share AS previous_share,
    CASE WHEN older.share IS NOT NULL THEN
      (GREATEST(newer.share, least_share.value) - GREATEST(older.share, least_share.value))
        * LN(GREATEST(newer.share, least_share.value) / GREATEST(older.share, least_share.value))
    END AS shift
  FROM shares AS newer
  JOIN marts.risk_parameters AS least_share ON least_share.name = 'stability_least_share'
  LEFT JOIN shares AS older
    ON older.portfolio = newer.portfolio AND older.model_version = newer.model_version
    AND older.as_of = newer.previous_as_of AND older.band = newer.band
)
SELECT
  portfolio, model_version, as_of, band, age, scored, share,
  probabilities / NULLIF(scored, 0) AS mean_probability,
  scores / NULLIF(scored, 0) AS mean_score,
  previous_as_of, previous_share,
  SUM(shift) OVER (PARTITION BY portfolio, model_version, as_of) AS stability_index
FROM compared
