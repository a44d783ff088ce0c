-- What is known of a company, year by year: its statements, the model's newest view of each year, and filings?
SELECT
  y.fiscal_year, c.company_name, c.sector, y.observation_date, y.sales, y.net_profit, y.total_assets,
  f.current_ratio, f.net_profit_to_total_assets AS return_on_assets, f.total_liabilities_to_total_assets,
  d.as_of AS scored_on, d.probability, d.band, d.decision, d.first_reason,
  f.bankrupt, c.first_filing_date
FROM bankruptcy.company_years AS y
JOIN bankruptcy.companies AS c ON c.company_id = y.company_id
LEFT JOIN bankruptcy.company_year_features AS f ON f.company_year_id = y.company_year_id
LEFT JOIN (
  SELECT
    entity_id, as_of, probability, band, decision, first_reason,
    ROW_NUMBER() OVER (PARTITION BY entity_id ORDER BY model_version DESC, as_of DESC) AS place
  FROM marts.decisions
  WHERE portfolio = 'bankruptcy'
) AS d ON d.entity_id = y.company_year_id AND d.place = 1
WHERE y.company_id = :company_id
ORDER BY y.fiscal_year
