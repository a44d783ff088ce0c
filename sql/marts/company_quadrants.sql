-- Is a company more or less liquid and profitable than its sector, by its newest year?
WITH newest AS (
  SELECT
    f.company_id, f.fiscal_year, f.current_ratio, f.net_profit_to_total_assets,
    ROW_NUMBER() OVER (PARTITION BY f.company_id ORDER BY f.fiscal_year DESC) AS place
  FROM bankruptcy.company_year_features AS f
  WHERE f.current_ratio IS NOT NULL AND f.net_profit_to_total_assets IS NOT NULL
)
SELECT
  n.company_id, c.company_name, COALESCE(c.sector, 'unknown') AS sector, n.fiscal_year,
  n.current_ratio, n.net_profit_to_total_assets AS return_on_assets,
  liquidity.median AS sector_current_ratio, profit.median AS sector_return_on_assets, liquidity.companies AS peers,
  CASE
    WHEN n.current_ratio >= liquidity.median AND n.net_profit_to_total_assets >= profit.median THEN 'liquid and profitable'
    WHEN n.current_ratio >= liquidity.median THEN 'liquid only'
    WHEN n.net_profit_to_total_assets >= profit.median THEN 'profitable only'
    ELSE 'neither'
  END AS quadrant,
  c.first_filing_date
FROM newest AS n
JOIN bankruptcy.companies AS c ON c.company_id = n.company_id
JOIN marts.sector_ratio_medians AS liquidity
  ON liquidity.sector = COALESCE(c.sector, 'unknown') AND liquidity.fiscal_year = n.fiscal_year
  AND liquidity.ratio = 'current_ratio'
JOIN marts.sector_ratio_medians AS profit
  ON profit.sector = COALESCE(c.sector, 'unknown') AND profit.fiscal_year = n.fiscal_year
  AND profit.ratio = 'net_profit_to_total_assets'
WHERE n.place = 1
