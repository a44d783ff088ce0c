-- Features and label of the bankruptcy model, one row per company-year, as known on its observation date.
-- Months of the label come from the specification, through the table `run`.
WITH
-- The analyst's ratios as they were on the observation date: the newest version known by then.
versions AS (
  SELECT *, FALSE AS deleted FROM analyst_ratios
  UNION ALL
  SELECT * FROM analyst_ratios_history
),
ranked AS (
  SELECT
    versions.*,
    ROW_NUMBER() OVER (
      PARTITION BY versions.company_id, versions.fiscal_year
      ORDER BY versions.updated_at DESC, versions.deleted ASC
    ) AS place
  FROM versions
  JOIN observed_years AS observed
    ON observed.company_id = versions.company_id
    AND observed.fiscal_year = versions.fiscal_year
    AND CAST(versions.updated_at AS DATE) <= observed.observation_date
),
analyst AS (
  SELECT * FROM ranked WHERE place = 1 AND NOT deleted
),
joined AS (
  SELECT
    years.company_year_id,
    years.company_id,
    years.fiscal_year,
    run.as_of,
    years.observation_date,
    CAST(years.observation_date + INTERVAL '1' MONTH * run.maturity_months AS DATE) AS window_end,
    COALESCE(years.net_profit_to_total_assets, analyst.net_profit_to_total_assets) AS net_profit_to_total_assets,
    COALESCE(years.total_liabilities_to_total_assets, analyst.total_liabilities_to_total_assets) AS total_liabilities_to_total_assets,
    COALESCE(years.working_capital_to_total_assets, analyst.working_capital_to_total_assets) AS working_capital_to_total_assets,
    COALESCE(years.current_ratio, analyst.current_ratio) AS current_ratio,
    COALESCE(years.defensive_interval_days, analyst.defensive_interval_days) AS defensive_interval_days,
    COALESCE(years.retained_earnings_to_total_assets, analyst.retained_earnings_to_total_assets) AS retained_earnings_to_total_assets,
    COALESCE(years.ebit_to_total_assets, analyst.ebit_to_total_assets) AS ebit_to_total_assets,
    COALESCE(years.equity_to_total_liabilities, analyst.equity_to_total_liabilities) AS equity_to_total_liabilities,
    COALESCE(years.sales_to_total_assets, analyst.sales_to_total_assets) AS sales_to_total_assets,
    COALESCE(years.equity_to_total_assets, analyst.equity_to_total_assets) AS equity_to_total_assets,
    COALESCE(years.gross_profit_extraordinary_financial_to_total_assets, analyst.gross_profit_extraordinary_financial_to_total_assets) AS gross_profit_extraordinary_financial_to_total_assets,
    COALESCE(years.gross_profit_to_short_term_liabilities, analyst.gross_profit_to_short_term_liabilities) AS gross_profit_to_short_term_liabilities,
    COALESCE(years.gross_profit_depreciation_to_sales, analyst.gross_profit_depreciation_to_sales) AS gross_profit_depreciation_to_sales,
    COALESCE(years.gross_profit_interest_to_total_assets, analyst.gross_profit_interest_to_total_assets) AS gross_profit_interest_to_total_assets,
    COALESCE(years.liabilities_to_gross_cash_flow_days, analyst.liabilities_to_gross_cash_flow_days) AS liabilities_to_gross_cash_flow_days,
    COALESCE(years.gross_cash_flow_to_total_liabilities, analyst.gross_cash_flow_to_total_liabilities) AS gross_cash_flow_to_total_liabilities,
    COALESCE(years.total_assets_to_total_liabilities, analyst.total_assets_to_total_liabilities) AS total_assets_to_total_liabilities,
    COALESCE(years.gross_profit_to_total_assets, analyst.gross_profit_to_total_assets) AS gross_profit_to_total_assets,
    COALESCE(years.gross_profit_to_sales, analyst.gross_profit_to_sales) AS gross_profit_to_sales,
    COALESCE(years.inventory_days_of_sales, analyst.inventory_days_of_sales) AS inventory_days_of_sales,
    COALESCE(years.sales_growth, analyst.sales_growth) AS sales_growth,
    COALESCE(years.operating_profit_to_total_assets, analyst.operating_profit_to_total_assets) AS operating_profit_to_total_assets,
    COALESCE(years.net_profit_to_sales, analyst.net_profit_to_sales) AS net_profit_to_sales,
    COALESCE(years.gross_profit_three_years_to_total_assets, analyst.gross_profit_three_years_to_total_assets) AS gross_profit_three_years_to_total_assets,
    COALESCE(years.equity_less_share_capital_to_total_assets, analyst.equity_less_share_capital_to_total_assets) AS equity_less_share_capital_to_total_assets,
    COALESCE(years.net_cash_flow_to_total_liabilities, analyst.net_cash_flow_to_total_liabilities) AS net_cash_flow_to_total_liabilities,
    COALESCE(years.operating_profit_to_financial_expenses, analyst.operating_profit_to_financial_expenses) AS operating_profit_to_financial_expenses,
    COALESCE(years.working_capital_to_fixed_assets, analyst.working_capital_to_fixed_assets) AS working_capital_to_fixed_assets,
    COALESCE(years.log_total_assets, analyst.log_total_assets) AS log_total_assets,
    COALESCE(years.liabilities_less_cash_to_sales, analyst.liabilities_less_cash_to_sales) AS liabilities_less_cash_to_sales,
    COALESCE(years.gross_profit_interest_to_sales, analyst.gross_profit_interest_to_sales) AS gross_profit_interest_to_sales,
    COALESCE(years.current_liabilities_days_of_cost, analyst.current_liabilities_days_of_cost) AS current_liabilities_days_of_cost,
    COALESCE(years.operating_expenses_to_short_term_liabilities, analyst.operating_expenses_to_short_term_liabilities) AS operating_expenses_to_short_term_liabilities,
    COALESCE(years.operating_expenses_to_total_liabilities, analyst.operating_expenses_to_total_liabilities) AS operating_expenses_to_total_liabilities,
    COALESCE(years.profit_on_sales_to_total_assets, analyst.profit_on_sales_to_total_assets) AS profit_on_sales_to_total_assets,
    COALESCE(years.total_sales_to_total_assets, analyst.total_sales_to_total_assets) AS total_sales_to_total_assets,
    COALESCE(years.quick_assets_to_long_term_liabilities, analyst.quick_assets_to_long_term_liabilities) AS quick_assets_to_long_term_liabilities,
    COALESCE(years.constant_capital_to_total_assets, analyst.constant_capital_to_total_assets) AS constant_capital_to_total_assets,
    COALESCE(years.profit_on_sales_to_sales, analyst.profit_on_sales_to_sales) AS profit_on_sales_to_sales,
    COALESCE(years.cash_ratio, analyst.cash_ratio) AS cash_ratio,
    COALESCE(years.liabilities_to_operating_cash_flow, analyst.liabilities_to_operating_cash_flow) AS liabilities_to_operating_cash_flow,
    COALESCE(years.operating_profit_to_sales, analyst.operating_profit_to_sales) AS operating_profit_to_sales,
    COALESCE(years.receivables_and_inventory_days, analyst.receivables_and_inventory_days) AS receivables_and_inventory_days,
    COALESCE(years.receivables_days, analyst.receivables_days) AS receivables_days,
    COALESCE(years.net_profit_to_inventory, analyst.net_profit_to_inventory) AS net_profit_to_inventory,
    COALESCE(years.quick_ratio, analyst.quick_ratio) AS quick_ratio,
    COALESCE(years.inventory_days_of_cost, analyst.inventory_days_of_cost) AS inventory_days_of_cost,
    COALESCE(years.operating_profit_less_depreciation_to_total_assets, analyst.operating_profit_less_depreciation_to_total_assets) AS operating_profit_less_depreciation_to_total_assets,
    COALESCE(years.operating_profit_less_depreciation_to_sales, analyst.operating_profit_less_depreciation_to_sales) AS operating_profit_less_depreciation_to_sales,
    COALESCE(years.current_assets_to_total_liabilities, analyst.current_assets_to_total_liabilities) AS current_assets_to_total_liabilities,
    COALESCE(years.short_term_liabilities_to_total_assets, analyst.short_term_liabilities_to_total_assets) AS short_term_liabilities_to_total_assets,
    COALESCE(years.short_term_liabilities_to_cost, analyst.short_term_liabilities_to_cost) AS short_term_liabilities_to_cost,
    COALESCE(years.equity_to_fixed_assets, analyst.equity_to_fixed_assets) AS equity_to_fixed_assets,
    COALESCE(years.constant_capital_to_fixed_assets, analyst.constant_capital_to_fixed_assets) AS constant_capital_to_fixed_assets,
    COALESCE(years.working_capital, analyst.working_capital) AS working_capital,
    COALESCE(years.gross_margin, analyst.gross_margin) AS gross_margin,
    COALESCE(years.net_profit_to_equity, analyst.net_profit_to_equity) AS net_profit_to_equity,
    COALESCE(years.total_costs_to_total_sales, analyst.total_costs_to_total_sales) AS total_costs_to_total_sales,
    COALESCE(years.long_term_liabilities_to_equity, analyst.long_term_liabilities_to_equity) AS long_term_liabilities_to_equity,
    COALESCE(years.inventory_turnover, analyst.inventory_turnover) AS inventory_turnover,
    COALESCE(years.receivables_turnover, analyst.receivables_turnover) AS receivables_turnover,
    COALESCE(years.short_term_liabilities_days_of_sales, analyst.short_term_liabilities_days_of_sales) AS short_term_liabilities_days_of_sales,
    COALESCE(years.sales_to_short_term_liabilities, analyst.sales_to_short_term_liabilities) AS sales_to_short_term_liabilities,
    COALESCE(years.sales_to_fixed_assets, analyst.sales_to_fixed_assets) AS sales_to_fixed_assets
  FROM company_years AS years
  CROSS JOIN run
  LEFT JOIN analyst ON analyst.company_id = years.company_id AND analyst.fiscal_year = years.fiscal_year
),
outcome AS (
  SELECT
    joined.company_year_id,
    MAX(CASE WHEN filings.filing_date <= joined.observation_date THEN 1 ELSE 0 END) AS filed_before,
    MAX(
      CASE WHEN filings.filing_date > joined.observation_date AND filings.filing_date <= joined.window_end THEN 1 ELSE 0 END
    ) AS filed_within
  FROM joined
  LEFT JOIN filings ON filings.company_id = joined.company_id
  GROUP BY joined.company_year_id
),
judged AS (
  SELECT
    joined.*,
    outcome.filed_within,
    current_ratios.published_bankrupt,
    CASE
      WHEN COALESCE(
        joined.net_profit_to_total_assets,
        joined.total_liabilities_to_total_assets,
        joined.working_capital_to_total_assets,
        joined.current_ratio,
        joined.defensive_interval_days,
        joined.retained_earnings_to_total_assets,
        joined.ebit_to_total_assets,
        joined.equity_to_total_liabilities,
        joined.sales_to_total_assets,
        joined.equity_to_total_assets,
        joined.gross_profit_extraordinary_financial_to_total_assets,
        joined.gross_profit_to_short_term_liabilities,
        joined.gross_profit_depreciation_to_sales,
        joined.gross_profit_interest_to_total_assets,
        joined.liabilities_to_gross_cash_flow_days,
        joined.gross_cash_flow_to_total_liabilities,
        joined.total_assets_to_total_liabilities,
        joined.gross_profit_to_total_assets,
        joined.gross_profit_to_sales,
        joined.inventory_days_of_sales,
        joined.sales_growth,
        joined.operating_profit_to_total_assets,
        joined.net_profit_to_sales,
        joined.gross_profit_three_years_to_total_assets,
        joined.equity_less_share_capital_to_total_assets,
        joined.net_cash_flow_to_total_liabilities,
        joined.operating_profit_to_financial_expenses,
        joined.working_capital_to_fixed_assets,
        joined.log_total_assets,
        joined.liabilities_less_cash_to_sales,
        joined.gross_profit_interest_to_sales,
        joined.current_liabilities_days_of_cost,
        joined.operating_expenses_to_short_term_liabilities,
        joined.operating_expenses_to_total_liabilities,
        joined.profit_on_sales_to_total_assets,
        joined.total_sales_to_total_assets,
        joined.quick_assets_to_long_term_liabilities,
        joined.constant_capital_to_total_assets,
        joined.profit_on_sales_to_sales,
        joined.cash_ratio,
        joined.liabilities_to_operating_cash_flow,
        joined.operating_profit_to_sales,
        joined.receivables_and_inventory_days,
        joined.receivables_days,
        joined.net_profit_to_inventory,
        joined.quick_ratio,
        joined.inventory_days_of_cost,
        joined.operating_profit_less_depreciation_to_total_assets,
        joined.operating_profit_less_depreciation_to_sales,
        joined.current_assets_to_total_liabilities,
        joined.short_term_liabilities_to_total_assets,
        joined.short_term_liabilities_to_cost,
        joined.equity_to_fixed_assets,
        joined.constant_capital_to_fixed_assets,
        joined.working_capital,
        joined.gross_margin,
        joined.net_profit_to_equity,
        joined.total_costs_to_total_sales,
        joined.long_term_liabilities_to_equity,
        joined.inventory_turnover,
        joined.receivables_turnover,
        joined.short_term_liabilities_days_of_sales,
        joined.sales_to_short_term_liabilities,
        joined.sales_to_fixed_assets
      ) IS NULL THEN 'nothing_known'
      WHEN current_ratios.published_bankrupt IS NOT NULL THEN NULL -- a public data set's own label, as published
      WHEN outcome.filed_before = 1 THEN 'already_filed'
      -- Not even a filing that was seen is a label: the unlucky alone would be labelled in the youngest years.
      WHEN joined.window_end > joined.as_of THEN 'immature'
    END AS exclusion
  FROM joined
  JOIN outcome ON outcome.company_year_id = joined.company_year_id
  LEFT JOIN analyst_ratios AS current_ratios
    ON current_ratios.company_id = joined.company_id AND current_ratios.fiscal_year = joined.fiscal_year
)
SELECT
  company_year_id,
  company_id,
  fiscal_year,
  as_of,
  observation_date,
  net_profit_to_total_assets,
  total_liabilities_to_total_assets,
  working_capital_to_total_assets,
  current_ratio,
  defensive_interval_days,
  retained_earnings_to_total_assets,
  ebit_to_total_assets,
  equity_to_total_liabilities,
  sales_to_total_assets,
  equity_to_total_assets,
  gross_profit_extraordinary_financial_to_total_assets,
  gross_profit_to_short_term_liabilities,
  gross_profit_depreciation_to_sales,
  gross_profit_interest_to_total_assets,
  liabilities_to_gross_cash_flow_days,
  gross_cash_flow_to_total_liabilities,
  total_assets_to_total_liabilities,
  gross_profit_to_total_assets,
  gross_profit_to_sales,
  inventory_days_of_sales,
  sales_growth,
  operating_profit_to_total_assets,
  net_profit_to_sales,
  gross_profit_three_years_to_total_assets,
  equity_less_share_capital_to_total_assets,
  net_cash_flow_to_total_liabilities,
  operating_profit_to_financial_expenses,
  working_capital_to_fixed_assets,
  log_total_assets,
  liabilities_less_cash_to_sales,
  gross_profit_interest_to_sales,
  current_liabilities_days_of_cost,
  operating_expenses_to_short_term_liabilities,
  operating_expenses_to_total_liabilities,
  profit_on_sales_to_total_assets,
  total_sales_to_total_assets,
  quick_assets_to_long_term_liabilities,
  constant_capital_to_total_assets,
  profit_on_sales_to_sales,
  cash_ratio,
  liabilities_to_operating_cash_flow,
  operating_profit_to_sales,
  receivables_and_inventory_days,
  receivables_days,
  net_profit_to_inventory,
  quick_ratio,
  inventory_days_of_cost,
  operating_profit_less_depreciation_to_total_assets,
  operating_profit_less_depreciation_to_sales,
  current_assets_to_total_liabilities,
  short_term_liabilities_to_total_assets,
  short_term_liabilities_to_cost,
  equity_to_fixed_assets,
  constant_capital_to_fixed_assets,
  working_capital,
  gross_margin,
  net_profit_to_equity,
  total_costs_to_total_sales,
  long_term_liabilities_to_equity,
  inventory_turnover,
  receivables_turnover,
  short_term_liabilities_days_of_sales,
  sales_to_short_term_liabilities,
  sales_to_fixed_assets,
  CAST(CASE WHEN exclusion IS NULL THEN COALESCE(published_bankrupt, filed_within) END AS INTEGER) AS bankrupt,
  CASE
    WHEN exclusion IS NOT NULL THEN NULL
    WHEN published_bankrupt IS NOT NULL THEN 'published'
    ELSE 'filings'
  END AS label_source,
  exclusion
FROM judged
