-- Which groups of one dimension default most?
SELECT
  s.segment,
  s.loans,
  s.labelled,
  s.default_rate,
  s.default_rate_low,
  s.default_rate_high,
  s.on_time_rate
FROM marts.segments AS s
WHERE s.dimension = :dimension
ORDER BY s.default_rate DESC NULLS LAST, s.segment
