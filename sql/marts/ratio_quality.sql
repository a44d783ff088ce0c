-- Which of the analyst's ratios disagree with the statements, how often, by how much, and does a slip explain it?
WITH compared AS (
  SELECT COUNT(*) AS company_years
  FROM bankruptcy.company_years
  WHERE statement_known AND has_analyst_ratios
),
differing AS (
  SELECT
    ratio,
    ABS(difference) / NULLIF(ABS(recomputed), 0) AS relative_difference,
    CASE WHEN ABS(analyst + recomputed) <= 0.01 * ABS(recomputed) THEN 1 ELSE 0 END AS sign_flipped,
    CASE
      WHEN ABS(analyst - 100 * recomputed) <= ABS(recomputed) OR ABS(100 * analyst - recomputed) <= 0.01 * ABS(recomputed)
        THEN 1
      ELSE 0
    END AS percent_mixed_up
  FROM bankruptcy.ratio_differences
)
SELECT
  d.ratio,
  c.company_years,
  COUNT(*) AS differing,
  COUNT(*) / CAST(NULLIF(c.company_years, 0) AS DOUBLE PRECISION) AS differing_rate,
  MEDIAN(d.relative_difference) AS median_relative_difference,
  MAX(d.relative_difference) AS largest_relative_difference,
  SUM(d.sign_flipped) AS sign_flipped,
  SUM(d.percent_mixed_up) AS percent_mixed_up
FROM differing AS d
CROSS JOIN compared AS c
GROUP BY d.ratio, c.company_years
