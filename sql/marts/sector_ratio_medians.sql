-- What is usual in a sector: the median of each main ratio, year by year?
WITH ratios AS (
  SELECT sector, fiscal_year, ratio, amount
  FROM (
    SELECT
      COALESCE(c.sector, 'unknown') AS sector, f.fiscal_year,
      f.current_ratio, f.net_profit_to_total_assets, f.total_liabilities_to_total_assets, f.sales_to_total_assets
    FROM bankruptcy.company_year_features AS f
    JOIN bankruptcy.companies AS c ON c.company_id = f.company_id
  ) AS known
  UNPIVOT (
    amount FOR ratio IN (
      current_ratio, net_profit_to_total_assets, total_liabilities_to_total_assets, sales_to_total_assets
    )
  )
)
SELECT sector, fiscal_year, ratio, COUNT(*) AS companies, MEDIAN(amount) AS median
FROM ratios
GROUP BY sector, fiscal_year, ratio
