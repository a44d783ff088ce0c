-- How do the sectors compare: companies, filings within a year of the statements, and the usual ratios?
WITH counted AS (
  SELECT
    COALESCE(c.sector, 'unknown') AS sector,
    COUNT(DISTINCT c.company_id) AS companies,
    COUNT(DISTINCT CASE WHEN c.first_filing_date IS NOT NULL THEN c.company_id END) AS companies_filed,
    COUNT(f.company_year_id) AS company_years,
    COUNT(f.bankrupt) AS labelled,
    COALESCE(SUM(f.bankrupt), 0) AS bankruptcies
  FROM bankruptcy.companies AS c
  LEFT JOIN bankruptcy.company_year_features AS f ON f.company_id = c.company_id
  GROUP BY COALESCE(c.sector, 'unknown')
),
-- Rate p of n labelled company-years; both are NULL for a cell that is too small.
rates AS (
  SELECT
    c.sector, z.value AS z,
    CASE WHEN c.labelled >= smallest.value THEN c.labelled END AS n,
    CASE WHEN c.labelled >= smallest.value THEN c.bankruptcies / CAST(c.labelled AS DOUBLE PRECISION) END AS p
  FROM counted AS c
  JOIN marts.risk_parameters AS z ON z.name = 'confidence_z'
  JOIN marts.risk_parameters AS smallest ON smallest.name = 'minimum_cell'
),
-- The newest year for which enough companies have ratios.
usual AS (
  SELECT m.sector, m.fiscal_year, m.ratio, m.median
  FROM marts.sector_ratio_medians AS m
  JOIN (
    SELECT m.sector, MAX(m.fiscal_year) AS fiscal_year
    FROM marts.sector_ratio_medians AS m
    JOIN marts.risk_parameters AS smallest ON smallest.name = 'minimum_cell'
    WHERE m.ratio = 'current_ratio' AND m.companies >= smallest.value
    GROUP BY m.sector
  ) AS latest ON latest.sector = m.sector AND latest.fiscal_year = m.fiscal_year
),
medians AS (
  SELECT
    sector,
    MAX(fiscal_year) AS fiscal_year,
    MAX(CASE WHEN ratio = 'current_ratio' THEN median END) AS current_ratio,
    MAX(CASE WHEN ratio = 'net_profit_to_total_assets' THEN median END) AS return_on_assets,
    MAX(CASE WHEN ratio = 'total_liabilities_to_total_assets' THEN median END) AS liabilities_to_assets,
    MAX(CASE WHEN ratio = 'sales_to_total_assets' THEN median END) AS sales_to_assets
  FROM usual
  GROUP BY sector
)
SELECT
  c.sector, c.companies, c.companies_filed, c.company_years, c.labelled, c.bankruptcies,
  r.p AS bankruptcy_rate,
  (p + z * z / (2 * n) - z * SQRT(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n) AS bankruptcy_rate_low,
  (p + z * z / (2 * n) + z * SQRT(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n) AS bankruptcy_rate_high,
  m.fiscal_year AS ratios_fiscal_year,
  m.current_ratio AS median_current_ratio,
  m.return_on_assets AS median_return_on_assets,
  m.liabilities_to_assets AS median_liabilities_to_assets,
  m.sales_to_assets AS median_sales_to_assets
FROM counted AS c
JOIN rates AS r ON r.sector = c.sector
LEFT JOIN medians AS m ON m.sector = c.sector
