-- Which companies should an investor watch: those the newest model would not invest in, and those that fell to a worse band?
WITH scored AS (
  SELECT
    f.company_id, f.fiscal_year, d.as_of, d.model_version, d.probability, d.score, d.band, d.decision, d.first_reason, d.age,
    LAG(d.as_of) OVER (PARTITION BY d.model_version, f.company_id ORDER BY d.as_of) AS previous_as_of,
    LAG(d.probability) OVER (PARTITION BY d.model_version, f.company_id ORDER BY d.as_of) AS previous_probability,
    LAG(d.band) OVER (PARTITION BY d.model_version, f.company_id ORDER BY d.as_of) AS previous_band
  FROM marts.decisions AS d
  JOIN bankruptcy.company_year_features AS f ON f.company_year_id = d.entity_id
  WHERE d.portfolio = 'bankruptcy'
)
SELECT
  s.company_id, c.company_name, c.sector, c.country, s.fiscal_year, s.as_of, s.model_version,
  s.probability, s.score, s.band, s.decision,
  s.previous_as_of, s.previous_probability, s.previous_band,
  CASE WHEN s.band > s.previous_band THEN TRUE ELSE FALSE END AS is_worse,
  s.first_reason
FROM scored AS s
JOIN bankruptcy.companies AS c ON c.company_id = s.company_id
WHERE s.age = 1 AND (s.decision <> 'Invest' OR s.band > s.previous_band)
