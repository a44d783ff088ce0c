-- Which companies should an investor watch, and why?
WITH ranked AS (
  SELECT
    p.*,
    RANK() OVER (ORDER BY CAST(p.model_version AS INTEGER) DESC, p.as_of DESC) AS age
  FROM bankruptcy.company_predictions AS p
)
SELECT
  c.company_name,
  c.sector,
  f.fiscal_year,
  ROUND(p.probability, 4) AS probability,
  p.score,
  p.band,
  p.decision,
  CAST(p.reasons[0].text AS VARCHAR(400)) AS first_reason
FROM ranked AS p
JOIN bankruptcy.company_year_features AS f ON f.company_year_id = p.company_year_id
JOIN bankruptcy.companies AS c ON c.company_id = f.company_id
WHERE p.age = 1 AND p.decision <> 'Invest'
ORDER BY p.probability DESC, c.company_id
LIMIT 50;
