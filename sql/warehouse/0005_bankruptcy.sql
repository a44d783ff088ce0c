-- The bankruptcy portfolio: its tables as the contracts define them, who may read them, and what the columns mean.
-- Every statement may run again: this file is longer than one transaction takes.
CREATE SCHEMA IF NOT EXISTS bankruptcy;

CREATE TABLE IF NOT EXISTS bankruptcy.analyst_ratios (
  company_id VARCHAR(8) NOT NULL,
  company_name VARCHAR(480),
  fiscal_year INTEGER NOT NULL,
  net_profit_to_total_assets DOUBLE PRECISION,
  total_liabilities_to_total_assets DOUBLE PRECISION,
  working_capital_to_total_assets DOUBLE PRECISION,
  current_ratio DOUBLE PRECISION,
  defensive_interval_days DOUBLE PRECISION,
  retained_earnings_to_total_assets DOUBLE PRECISION,
  ebit_to_total_assets DOUBLE PRECISION,
  equity_to_total_liabilities DOUBLE PRECISION,
  sales_to_total_assets DOUBLE PRECISION,
  equity_to_total_assets DOUBLE PRECISION,
  gross_profit_extraordinary_financial_to_total_assets DOUBLE PRECISION,
  gross_profit_to_short_term_liabilities DOUBLE PRECISION,
  gross_profit_depreciation_to_sales DOUBLE PRECISION,
  gross_profit_interest_to_total_assets DOUBLE PRECISION,
  liabilities_to_gross_cash_flow_days DOUBLE PRECISION,
  gross_cash_flow_to_total_liabilities DOUBLE PRECISION,
  total_assets_to_total_liabilities DOUBLE PRECISION,
  gross_profit_to_total_assets DOUBLE PRECISION,
  gross_profit_to_sales DOUBLE PRECISION,
  inventory_days_of_sales DOUBLE PRECISION,
  sales_growth DOUBLE PRECISION,
  operating_profit_to_total_assets DOUBLE PRECISION,
  net_profit_to_sales DOUBLE PRECISION,
  gross_profit_three_years_to_total_assets DOUBLE PRECISION,
  equity_less_share_capital_to_total_assets DOUBLE PRECISION,
  net_cash_flow_to_total_liabilities DOUBLE PRECISION,
  operating_profit_to_financial_expenses DOUBLE PRECISION,
  working_capital_to_fixed_assets DOUBLE PRECISION,
  log_total_assets DOUBLE PRECISION,
  liabilities_less_cash_to_sales DOUBLE PRECISION,
  gross_profit_interest_to_sales DOUBLE PRECISION,
  current_liabilities_days_of_cost DOUBLE PRECISION,
  operating_expenses_to_short_term_liabilities DOUBLE PRECISION,
  operating_expenses_to_total_liabilities DOUBLE PRECISION,
  profit_on_sales_to_total_assets DOUBLE PRECISION,
  total_sales_to_total_assets DOUBLE PRECISION,
  quick_assets_to_long_term_liabilities DOUBLE PRECISION,
  constant_capital_to_total_assets DOUBLE PRECISION,
  profit_on_sales_to_sales DOUBLE PRECISION,
  cash_ratio DOUBLE PRECISION,
  liabilities_to_operating_cash_flow DOUBLE PRECISION,
  operating_profit_to_sales DOUBLE PRECISION,
  receivables_and_inventory_days DOUBLE PRECISION,
  receivables_days DOUBLE PRECISION,
  net_profit_to_inventory DOUBLE PRECISION,
  quick_ratio DOUBLE PRECISION,
  inventory_days_of_cost DOUBLE PRECISION,
  operating_profit_less_depreciation_to_total_assets DOUBLE PRECISION,
  operating_profit_less_depreciation_to_sales DOUBLE PRECISION,
  current_assets_to_total_liabilities DOUBLE PRECISION,
  short_term_liabilities_to_total_assets DOUBLE PRECISION,
  short_term_liabilities_to_cost DOUBLE PRECISION,
  equity_to_fixed_assets DOUBLE PRECISION,
  constant_capital_to_fixed_assets DOUBLE PRECISION,
  working_capital DOUBLE PRECISION,
  gross_margin DOUBLE PRECISION,
  net_profit_to_equity DOUBLE PRECISION,
  total_costs_to_total_sales DOUBLE PRECISION,
  long_term_liabilities_to_equity DOUBLE PRECISION,
  inventory_turnover DOUBLE PRECISION,
  receivables_turnover DOUBLE PRECISION,
  short_term_liabilities_days_of_sales DOUBLE PRECISION,
  sales_to_short_term_liabilities DOUBLE PRECISION,
  sales_to_fixed_assets DOUBLE PRECISION,
  published_bankrupt INTEGER,
  updated_at TIMESTAMP NOT NULL,
  PRIMARY KEY (company_id, fiscal_year)
) DISTSTYLE KEY DISTKEY (company_id) SORTKEY (fiscal_year);

CREATE TABLE IF NOT EXISTS bankruptcy.companies (
  company_id VARCHAR(8) NOT NULL,
  company_name VARCHAR(480),
  sector VARCHAR(20),
  country VARCHAR(2),
  first_fiscal_year INTEGER NOT NULL,
  last_fiscal_year INTEGER NOT NULL,
  first_filing_date DATE,
  PRIMARY KEY (company_id)
) DISTSTYLE KEY DISTKEY (company_id);

CREATE TABLE IF NOT EXISTS bankruptcy.company_predictions (
  company_year_id VARCHAR(13) NOT NULL,
  as_of DATE NOT NULL,
  model_version VARCHAR(128) NOT NULL,
  probability DOUBLE PRECISION NOT NULL,
  score INTEGER NOT NULL,
  band VARCHAR(2) NOT NULL,
  decision VARCHAR(10) NOT NULL,
  reasons SUPER NOT NULL,
  run_id VARCHAR(16) NOT NULL,
  PRIMARY KEY (company_year_id, as_of, model_version)
) DISTSTYLE KEY DISTKEY (company_year_id) SORTKEY (as_of);

CREATE TABLE IF NOT EXISTS bankruptcy.company_year_features (
  company_year_id VARCHAR(13) NOT NULL,
  company_id VARCHAR(8) NOT NULL,
  fiscal_year INTEGER NOT NULL,
  as_of DATE NOT NULL,
  observation_date DATE NOT NULL,
  net_profit_to_total_assets DOUBLE PRECISION,
  total_liabilities_to_total_assets DOUBLE PRECISION,
  working_capital_to_total_assets DOUBLE PRECISION,
  current_ratio DOUBLE PRECISION,
  defensive_interval_days DOUBLE PRECISION,
  retained_earnings_to_total_assets DOUBLE PRECISION,
  ebit_to_total_assets DOUBLE PRECISION,
  equity_to_total_liabilities DOUBLE PRECISION,
  sales_to_total_assets DOUBLE PRECISION,
  equity_to_total_assets DOUBLE PRECISION,
  gross_profit_extraordinary_financial_to_total_assets DOUBLE PRECISION,
  gross_profit_to_short_term_liabilities DOUBLE PRECISION,
  gross_profit_depreciation_to_sales DOUBLE PRECISION,
  gross_profit_interest_to_total_assets DOUBLE PRECISION,
  liabilities_to_gross_cash_flow_days DOUBLE PRECISION,
  gross_cash_flow_to_total_liabilities DOUBLE PRECISION,
  total_assets_to_total_liabilities DOUBLE PRECISION,
  gross_profit_to_total_assets DOUBLE PRECISION,
  gross_profit_to_sales DOUBLE PRECISION,
  inventory_days_of_sales DOUBLE PRECISION,
  sales_growth DOUBLE PRECISION,
  operating_profit_to_total_assets DOUBLE PRECISION,
  net_profit_to_sales DOUBLE PRECISION,
  gross_profit_three_years_to_total_assets DOUBLE PRECISION,
  equity_less_share_capital_to_total_assets DOUBLE PRECISION,
  net_cash_flow_to_total_liabilities DOUBLE PRECISION,
  operating_profit_to_financial_expenses DOUBLE PRECISION,
  working_capital_to_fixed_assets DOUBLE PRECISION,
  log_total_assets DOUBLE PRECISION,
  liabilities_less_cash_to_sales DOUBLE PRECISION,
  gross_profit_interest_to_sales DOUBLE PRECISION,
  current_liabilities_days_of_cost DOUBLE PRECISION,
  operating_expenses_to_short_term_liabilities DOUBLE PRECISION,
  operating_expenses_to_total_liabilities DOUBLE PRECISION,
  profit_on_sales_to_total_assets DOUBLE PRECISION,
  total_sales_to_total_assets DOUBLE PRECISION,
  quick_assets_to_long_term_liabilities DOUBLE PRECISION,
  constant_capital_to_total_assets DOUBLE PRECISION,
  profit_on_sales_to_sales DOUBLE PRECISION,
  cash_ratio DOUBLE PRECISION,
  liabilities_to_operating_cash_flow DOUBLE PRECISION,
  operating_profit_to_sales DOUBLE PRECISION,
  receivables_and_inventory_days DOUBLE PRECISION,
  receivables_days DOUBLE PRECISION,
  net_profit_to_inventory DOUBLE PRECISION,
  quick_ratio DOUBLE PRECISION,
  inventory_days_of_cost DOUBLE PRECISION,
  operating_profit_less_depreciation_to_total_assets DOUBLE PRECISION,
  operating_profit_less_depreciation_to_sales DOUBLE PRECISION,
  current_assets_to_total_liabilities DOUBLE PRECISION,
  short_term_liabilities_to_total_assets DOUBLE PRECISION,
  short_term_liabilities_to_cost DOUBLE PRECISION,
  equity_to_fixed_assets DOUBLE PRECISION,
  constant_capital_to_fixed_assets DOUBLE PRECISION,
  working_capital DOUBLE PRECISION,
  gross_margin DOUBLE PRECISION,
  net_profit_to_equity DOUBLE PRECISION,
  total_costs_to_total_sales DOUBLE PRECISION,
  long_term_liabilities_to_equity DOUBLE PRECISION,
  inventory_turnover DOUBLE PRECISION,
  receivables_turnover DOUBLE PRECISION,
  short_term_liabilities_days_of_sales DOUBLE PRECISION,
  sales_to_short_term_liabilities DOUBLE PRECISION,
  sales_to_fixed_assets DOUBLE PRECISION,
  bankrupt INTEGER,
  label_source VARCHAR(16),
  exclusion VARCHAR(16),
  PRIMARY KEY (company_year_id)
) DISTSTYLE KEY DISTKEY (company_id) SORTKEY (observation_date);

CREATE TABLE IF NOT EXISTS bankruptcy.company_years (
  company_year_id VARCHAR(13) NOT NULL,
  company_id VARCHAR(8) NOT NULL,
  fiscal_year INTEGER NOT NULL,
  fiscal_year_end DATE NOT NULL,
  observation_date DATE NOT NULL,
  has_statement BOOLEAN NOT NULL,
  has_analyst_ratios BOOLEAN NOT NULL,
  statement_known BOOLEAN NOT NULL,
  publication_unknown BOOLEAN NOT NULL,
  published_before_year_end BOOLEAN NOT NULL,
  sales_not_positive BOOLEAN NOT NULL,
  current_items_inconsistent BOOLEAN NOT NULL,
  liabilities_inconsistent BOOLEAN NOT NULL,
  items_missing INTEGER,
  sales DOUBLE PRECISION,
  total_sales DOUBLE PRECISION,
  cost_of_products_sold DOUBLE PRECISION,
  operating_expenses DOUBLE PRECISION,
  total_costs DOUBLE PRECISION,
  depreciation DOUBLE PRECISION,
  profit_on_sales DOUBLE PRECISION,
  operating_profit DOUBLE PRECISION,
  extraordinary_items DOUBLE PRECISION,
  financial_expenses DOUBLE PRECISION,
  interest DOUBLE PRECISION,
  ebit DOUBLE PRECISION,
  gross_profit DOUBLE PRECISION,
  net_profit DOUBLE PRECISION,
  cash DOUBLE PRECISION,
  short_term_securities DOUBLE PRECISION,
  receivables DOUBLE PRECISION,
  inventory DOUBLE PRECISION,
  current_assets DOUBLE PRECISION,
  fixed_assets DOUBLE PRECISION,
  total_assets DOUBLE PRECISION,
  short_term_liabilities DOUBLE PRECISION,
  long_term_liabilities DOUBLE PRECISION,
  total_liabilities DOUBLE PRECISION,
  share_capital DOUBLE PRECISION,
  retained_earnings DOUBLE PRECISION,
  equity DOUBLE PRECISION,
  net_profit_to_total_assets DOUBLE PRECISION,
  total_liabilities_to_total_assets DOUBLE PRECISION,
  working_capital_to_total_assets DOUBLE PRECISION,
  current_ratio DOUBLE PRECISION,
  defensive_interval_days DOUBLE PRECISION,
  retained_earnings_to_total_assets DOUBLE PRECISION,
  ebit_to_total_assets DOUBLE PRECISION,
  equity_to_total_liabilities DOUBLE PRECISION,
  sales_to_total_assets DOUBLE PRECISION,
  equity_to_total_assets DOUBLE PRECISION,
  gross_profit_extraordinary_financial_to_total_assets DOUBLE PRECISION,
  gross_profit_to_short_term_liabilities DOUBLE PRECISION,
  gross_profit_depreciation_to_sales DOUBLE PRECISION,
  gross_profit_interest_to_total_assets DOUBLE PRECISION,
  liabilities_to_gross_cash_flow_days DOUBLE PRECISION,
  gross_cash_flow_to_total_liabilities DOUBLE PRECISION,
  total_assets_to_total_liabilities DOUBLE PRECISION,
  gross_profit_to_total_assets DOUBLE PRECISION,
  gross_profit_to_sales DOUBLE PRECISION,
  inventory_days_of_sales DOUBLE PRECISION,
  sales_growth DOUBLE PRECISION,
  operating_profit_to_total_assets DOUBLE PRECISION,
  net_profit_to_sales DOUBLE PRECISION,
  gross_profit_three_years_to_total_assets DOUBLE PRECISION,
  equity_less_share_capital_to_total_assets DOUBLE PRECISION,
  net_cash_flow_to_total_liabilities DOUBLE PRECISION,
  operating_profit_to_financial_expenses DOUBLE PRECISION,
  working_capital_to_fixed_assets DOUBLE PRECISION,
  log_total_assets DOUBLE PRECISION,
  liabilities_less_cash_to_sales DOUBLE PRECISION,
  gross_profit_interest_to_sales DOUBLE PRECISION,
  current_liabilities_days_of_cost DOUBLE PRECISION,
  operating_expenses_to_short_term_liabilities DOUBLE PRECISION,
  operating_expenses_to_total_liabilities DOUBLE PRECISION,
  profit_on_sales_to_total_assets DOUBLE PRECISION,
  total_sales_to_total_assets DOUBLE PRECISION,
  quick_assets_to_long_term_liabilities DOUBLE PRECISION,
  constant_capital_to_total_assets DOUBLE PRECISION,
  profit_on_sales_to_sales DOUBLE PRECISION,
  cash_ratio DOUBLE PRECISION,
  liabilities_to_operating_cash_flow DOUBLE PRECISION,
  operating_profit_to_sales DOUBLE PRECISION,
  receivables_and_inventory_days DOUBLE PRECISION,
  receivables_days DOUBLE PRECISION,
  net_profit_to_inventory DOUBLE PRECISION,
  quick_ratio DOUBLE PRECISION,
  inventory_days_of_cost DOUBLE PRECISION,
  operating_profit_less_depreciation_to_total_assets DOUBLE PRECISION,
  operating_profit_less_depreciation_to_sales DOUBLE PRECISION,
  current_assets_to_total_liabilities DOUBLE PRECISION,
  short_term_liabilities_to_total_assets DOUBLE PRECISION,
  short_term_liabilities_to_cost DOUBLE PRECISION,
  equity_to_fixed_assets DOUBLE PRECISION,
  constant_capital_to_fixed_assets DOUBLE PRECISION,
  working_capital DOUBLE PRECISION,
  gross_margin DOUBLE PRECISION,
  net_profit_to_equity DOUBLE PRECISION,
  total_costs_to_total_sales DOUBLE PRECISION,
  long_term_liabilities_to_equity DOUBLE PRECISION,
  inventory_turnover DOUBLE PRECISION,
  receivables_turnover DOUBLE PRECISION,
  short_term_liabilities_days_of_sales DOUBLE PRECISION,
  sales_to_short_term_liabilities DOUBLE PRECISION,
  sales_to_fixed_assets DOUBLE PRECISION,
  PRIMARY KEY (company_year_id)
) DISTSTYLE KEY DISTKEY (company_id) SORTKEY (fiscal_year);

CREATE TABLE IF NOT EXISTS bankruptcy.filings (
  case_number VARCHAR(12) NOT NULL,
  company_id VARCHAR(8) NOT NULL,
  company_name VARCHAR(480),
  chapter VARCHAR(10) NOT NULL,
  filing_date DATE NOT NULL,
  court VARCHAR(320),
  PRIMARY KEY (case_number)
) DISTSTYLE KEY DISTKEY (company_id) SORTKEY (filing_date);

CREATE TABLE IF NOT EXISTS bankruptcy.financial_statements (
  company_id VARCHAR(8) NOT NULL,
  company_name VARCHAR(480) NOT NULL,
  sector VARCHAR(20),
  country VARCHAR(2),
  fiscal_year INTEGER NOT NULL,
  fiscal_year_end DATE NOT NULL,
  published_date DATE,
  currency VARCHAR(3) NOT NULL,
  sales DECIMAL(18,2),
  total_sales DECIMAL(18,2),
  cost_of_products_sold DECIMAL(18,2),
  operating_expenses DECIMAL(18,2),
  total_costs DECIMAL(18,2),
  depreciation DECIMAL(18,2),
  profit_on_sales DECIMAL(18,2),
  operating_profit DECIMAL(18,2),
  extraordinary_items DECIMAL(18,2),
  financial_expenses DECIMAL(18,2),
  interest DECIMAL(18,2),
  ebit DECIMAL(18,2),
  gross_profit DECIMAL(18,2),
  net_profit DECIMAL(18,2),
  cash DECIMAL(18,2),
  short_term_securities DECIMAL(18,2),
  receivables DECIMAL(18,2),
  inventory DECIMAL(18,2),
  current_assets DECIMAL(18,2),
  fixed_assets DECIMAL(18,2),
  total_assets DECIMAL(18,2) NOT NULL,
  short_term_liabilities DECIMAL(18,2),
  long_term_liabilities DECIMAL(18,2),
  total_liabilities DECIMAL(18,2) NOT NULL,
  share_capital DECIMAL(18,2),
  retained_earnings DECIMAL(18,2),
  equity DECIMAL(18,2) NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  PRIMARY KEY (company_id, fiscal_year)
) DISTSTYLE KEY DISTKEY (company_id) SORTKEY (fiscal_year);

CREATE TABLE IF NOT EXISTS bankruptcy.ratio_differences (
  company_year_id VARCHAR(13) NOT NULL,
  ratio VARCHAR(64) NOT NULL,
  recomputed DOUBLE PRECISION NOT NULL,
  analyst DOUBLE PRECISION NOT NULL,
  difference DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (company_year_id, ratio)
) DISTSTYLE KEY DISTKEY (company_year_id);

GRANT USAGE ON SCHEMA bankruptcy TO ROLE loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE bankruptcy.analyst_ratios TO ROLE loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE bankruptcy.companies TO ROLE loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE bankruptcy.company_predictions TO ROLE loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE bankruptcy.company_year_features TO ROLE loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE bankruptcy.company_years TO ROLE loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE bankruptcy.filings TO ROLE loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE bankruptcy.financial_statements TO ROLE loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE bankruptcy.ratio_differences TO ROLE loader;

-- Companies are no natural persons: there is nothing to hide from analysts.
GRANT USAGE ON SCHEMA bankruptcy TO ROLE analyst;
GRANT SELECT ON TABLE bankruptcy.analyst_ratios TO ROLE analyst;
GRANT SELECT ON TABLE bankruptcy.companies TO ROLE analyst;
GRANT SELECT ON TABLE bankruptcy.company_predictions TO ROLE analyst;
GRANT SELECT ON TABLE bankruptcy.company_year_features TO ROLE analyst;
GRANT SELECT ON TABLE bankruptcy.company_years TO ROLE analyst;
GRANT SELECT ON TABLE bankruptcy.filings TO ROLE analyst;
GRANT SELECT ON TABLE bankruptcy.financial_statements TO ROLE analyst;
GRANT SELECT ON TABLE bankruptcy.ratio_differences TO ROLE analyst;
GRANT USAGE ON SCHEMA bankruptcy TO ROLE risk_officer;
GRANT SELECT ON TABLE bankruptcy.analyst_ratios TO ROLE risk_officer;
GRANT SELECT ON TABLE bankruptcy.companies TO ROLE risk_officer;
GRANT SELECT ON TABLE bankruptcy.company_predictions TO ROLE risk_officer;
GRANT SELECT ON TABLE bankruptcy.company_year_features TO ROLE risk_officer;
GRANT SELECT ON TABLE bankruptcy.company_years TO ROLE risk_officer;
GRANT SELECT ON TABLE bankruptcy.filings TO ROLE risk_officer;
GRANT SELECT ON TABLE bankruptcy.financial_statements TO ROLE risk_officer;
GRANT SELECT ON TABLE bankruptcy.ratio_differences TO ROLE risk_officer;

COMMENT ON TABLE bankruptcy.analyst_ratios IS 'One row per company and fiscal year.';
COMMENT ON COLUMN bankruptcy.analyst_ratios.company_id IS 'The company''s number in the commercial register, eight digits; shorter ones are padded with zeros';
COMMENT ON COLUMN bankruptcy.analyst_ratios.company_name IS 'Name as the analyst spells it';
COMMENT ON COLUMN bankruptcy.analyst_ratios.fiscal_year IS 'The calendar year in which the fiscal year ends, written as 2023, 2023.0, FY2023, or 2023/24 for the year that ends in 2024';
COMMENT ON COLUMN bankruptcy.analyst_ratios.net_profit_to_total_assets IS 'Attr1: net profit / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.total_liabilities_to_total_assets IS 'Attr2: total liabilities / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.working_capital_to_total_assets IS 'Attr3: working capital / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.current_ratio IS 'Attr4: current assets / short-term liabilities';
COMMENT ON COLUMN bankruptcy.analyst_ratios.defensive_interval_days IS 'Attr5: (cash + short-term securities + receivables - short-term liabilities) / (operating expenses - depreciation) * 365';
COMMENT ON COLUMN bankruptcy.analyst_ratios.retained_earnings_to_total_assets IS 'Attr6: retained earnings / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.ebit_to_total_assets IS 'Attr7: EBIT / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.equity_to_total_liabilities IS 'Attr8: book value of equity / total liabilities';
COMMENT ON COLUMN bankruptcy.analyst_ratios.sales_to_total_assets IS 'Attr9: sales / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.equity_to_total_assets IS 'Attr10: equity / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.gross_profit_extraordinary_financial_to_total_assets IS 'Attr11: (gross profit + extraordinary items + financial expenses) / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.gross_profit_to_short_term_liabilities IS 'Attr12: gross profit / short-term liabilities';
COMMENT ON COLUMN bankruptcy.analyst_ratios.gross_profit_depreciation_to_sales IS 'Attr13: (gross profit + depreciation) / sales';
COMMENT ON COLUMN bankruptcy.analyst_ratios.gross_profit_interest_to_total_assets IS 'Attr14: (gross profit + interest) / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.liabilities_to_gross_cash_flow_days IS 'Attr15: (total liabilities * 365) / (gross profit + depreciation)';
COMMENT ON COLUMN bankruptcy.analyst_ratios.gross_cash_flow_to_total_liabilities IS 'Attr16: (gross profit + depreciation) / total liabilities';
COMMENT ON COLUMN bankruptcy.analyst_ratios.total_assets_to_total_liabilities IS 'Attr17: total assets / total liabilities';
COMMENT ON COLUMN bankruptcy.analyst_ratios.gross_profit_to_total_assets IS 'Attr18: gross profit / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.gross_profit_to_sales IS 'Attr19: gross profit / sales';
COMMENT ON COLUMN bankruptcy.analyst_ratios.inventory_days_of_sales IS 'Attr20: (inventory * 365) / sales';
COMMENT ON COLUMN bankruptcy.analyst_ratios.sales_growth IS 'Attr21: sales (n) / sales (n-1)';
COMMENT ON COLUMN bankruptcy.analyst_ratios.operating_profit_to_total_assets IS 'Attr22: profit on operating activities / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.net_profit_to_sales IS 'Attr23: net profit / sales';
COMMENT ON COLUMN bankruptcy.analyst_ratios.gross_profit_three_years_to_total_assets IS 'Attr24: gross profit (in 3 years) / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.equity_less_share_capital_to_total_assets IS 'Attr25: (equity - share capital) / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.net_cash_flow_to_total_liabilities IS 'Attr26: (net profit + depreciation) / total liabilities';
COMMENT ON COLUMN bankruptcy.analyst_ratios.operating_profit_to_financial_expenses IS 'Attr27: profit on operating activities / financial expenses';
COMMENT ON COLUMN bankruptcy.analyst_ratios.working_capital_to_fixed_assets IS 'Attr28: working capital / fixed assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.log_total_assets IS 'Attr29: logarithm (base 10) of total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.liabilities_less_cash_to_sales IS 'Attr30: (total liabilities - cash) / sales';
COMMENT ON COLUMN bankruptcy.analyst_ratios.gross_profit_interest_to_sales IS 'Attr31: (gross profit + interest) / sales';
COMMENT ON COLUMN bankruptcy.analyst_ratios.current_liabilities_days_of_cost IS 'Attr32: (current liabilities * 365) / cost of products sold';
COMMENT ON COLUMN bankruptcy.analyst_ratios.operating_expenses_to_short_term_liabilities IS 'Attr33: operating expenses / short-term liabilities';
COMMENT ON COLUMN bankruptcy.analyst_ratios.operating_expenses_to_total_liabilities IS 'Attr34: operating expenses / total liabilities';
COMMENT ON COLUMN bankruptcy.analyst_ratios.profit_on_sales_to_total_assets IS 'Attr35: profit on sales / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.total_sales_to_total_assets IS 'Attr36: total sales / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.quick_assets_to_long_term_liabilities IS 'Attr37: (current assets - inventories) / long-term liabilities';
COMMENT ON COLUMN bankruptcy.analyst_ratios.constant_capital_to_total_assets IS 'Attr38: constant capital (equity + long-term liabilities) / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.profit_on_sales_to_sales IS 'Attr39: profit on sales / sales';
COMMENT ON COLUMN bankruptcy.analyst_ratios.cash_ratio IS 'Attr40: (current assets - inventory - receivables) / short-term liabilities';
COMMENT ON COLUMN bankruptcy.analyst_ratios.liabilities_to_operating_cash_flow IS 'Attr41: total liabilities / ((profit on operating activities + depreciation) * (365 / 12)) (published as (12 / 365), the values say (365 / 12))';
COMMENT ON COLUMN bankruptcy.analyst_ratios.operating_profit_to_sales IS 'Attr42: profit on operating activities / sales';
COMMENT ON COLUMN bankruptcy.analyst_ratios.receivables_and_inventory_days IS 'Attr43: rotation receivables + inventory turnover in days: ((receivables + inventory) * 365) / sales';
COMMENT ON COLUMN bankruptcy.analyst_ratios.receivables_days IS 'Attr44: (receivables * 365) / sales';
COMMENT ON COLUMN bankruptcy.analyst_ratios.net_profit_to_inventory IS 'Attr45: net profit / inventory';
COMMENT ON COLUMN bankruptcy.analyst_ratios.quick_ratio IS 'Attr46: (current assets - inventory) / short-term liabilities';
COMMENT ON COLUMN bankruptcy.analyst_ratios.inventory_days_of_cost IS 'Attr47: (inventory * 365) / cost of products sold';
COMMENT ON COLUMN bankruptcy.analyst_ratios.operating_profit_less_depreciation_to_total_assets IS 'Attr48: EBITDA (profit on operating activities - depreciation) / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.operating_profit_less_depreciation_to_sales IS 'Attr49: EBITDA (profit on operating activities - depreciation) / sales';
COMMENT ON COLUMN bankruptcy.analyst_ratios.current_assets_to_total_liabilities IS 'Attr50: current assets / total liabilities';
COMMENT ON COLUMN bankruptcy.analyst_ratios.short_term_liabilities_to_total_assets IS 'Attr51: short-term liabilities / total assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.short_term_liabilities_to_cost IS 'Attr52: short-term liabilities / cost of products sold (published with * 365, the values say without)';
COMMENT ON COLUMN bankruptcy.analyst_ratios.equity_to_fixed_assets IS 'Attr53: equity / fixed assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.constant_capital_to_fixed_assets IS 'Attr54: constant capital (equity + long-term liabilities) / fixed assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.working_capital IS 'Attr55: working capital: current assets - short-term liabilities, in thousands';
COMMENT ON COLUMN bankruptcy.analyst_ratios.gross_margin IS 'Attr56: (sales - cost of products sold) / sales';
COMMENT ON COLUMN bankruptcy.analyst_ratios.net_profit_to_equity IS 'Attr57: net profit / equity (published as (current assets - inventory - short-term liabilities) / (sales - gross profit - depreciation), the values are these)';
COMMENT ON COLUMN bankruptcy.analyst_ratios.total_costs_to_total_sales IS 'Attr58: total costs / total sales';
COMMENT ON COLUMN bankruptcy.analyst_ratios.long_term_liabilities_to_equity IS 'Attr59: long-term liabilities / equity';
COMMENT ON COLUMN bankruptcy.analyst_ratios.inventory_turnover IS 'Attr60: sales / inventory';
COMMENT ON COLUMN bankruptcy.analyst_ratios.receivables_turnover IS 'Attr61: sales / receivables';
COMMENT ON COLUMN bankruptcy.analyst_ratios.short_term_liabilities_days_of_sales IS 'Attr62: (short-term liabilities * 365) / sales';
COMMENT ON COLUMN bankruptcy.analyst_ratios.sales_to_short_term_liabilities IS 'Attr63: sales / short-term liabilities';
COMMENT ON COLUMN bankruptcy.analyst_ratios.sales_to_fixed_assets IS 'Attr64: sales / fixed assets';
COMMENT ON COLUMN bankruptcy.analyst_ratios.published_bankrupt IS 'A public data set''s own label, 1 = went bankrupt; absent in deliveries of a firm''s own';
COMMENT ON COLUMN bankruptcy.analyst_ratios.updated_at IS 'When the analyst last calculated the row; from then on this version is known';
COMMENT ON TABLE bankruptcy.companies IS 'Companies.';
COMMENT ON COLUMN bankruptcy.companies.company_id IS 'The company''s number in the commercial register, eight digits; shorter ones are padded with zeros';
COMMENT ON COLUMN bankruptcy.companies.company_name IS 'Name of the newest statement, else of the newest ratios';
COMMENT ON COLUMN bankruptcy.companies.sector IS 'Sector of the company';
COMMENT ON COLUMN bankruptcy.companies.country IS 'Country of the register, ISO 3166 alpha-2';
COMMENT ON COLUMN bankruptcy.companies.first_fiscal_year IS 'First fiscal year with a statement or ratios';
COMMENT ON COLUMN bankruptcy.companies.last_fiscal_year IS 'Last fiscal year with a statement or ratios';
COMMENT ON COLUMN bankruptcy.companies.first_filing_date IS 'Day of the first filing for bankruptcy; absent without one';
COMMENT ON TABLE bankruptcy.company_predictions IS 'One row per company-year, as-of date and model version.';
COMMENT ON COLUMN bankruptcy.company_predictions.company_year_id IS 'Company and fiscal year, 00001234-2023';
COMMENT ON COLUMN bankruptcy.company_predictions.as_of IS 'Date of the data that were scored';
COMMENT ON COLUMN bankruptcy.company_predictions.model_version IS 'Version number of the model package within the portfolio''s model package group';
COMMENT ON COLUMN bankruptcy.company_predictions.probability IS 'Probability of a filing for bankruptcy within the year after the observation date';
COMMENT ON COLUMN bankruptcy.company_predictions.score IS 'Score points, more is better';
COMMENT ON COLUMN bankruptcy.company_predictions.band IS 'Risk band by probability, A is best';
COMMENT ON COLUMN bankruptcy.company_predictions.decision IS 'Recommended decision';
COMMENT ON COLUMN bankruptcy.company_predictions.reasons IS 'The reasons that cost most points, at most four, as an array of {code, feature, text, points}';
COMMENT ON COLUMN bankruptcy.company_predictions.run_id IS 'The run that scored';
COMMENT ON TABLE bankruptcy.company_year_features IS 'One row per company-year.';
COMMENT ON COLUMN bankruptcy.company_year_features.company_year_id IS 'Company and fiscal year, 00001234-2023';
COMMENT ON COLUMN bankruptcy.company_year_features.company_id IS 'The company''s number in the commercial register, eight digits; shorter ones are padded with zeros';
COMMENT ON COLUMN bankruptcy.company_year_features.fiscal_year IS 'The calendar year in which the fiscal year ends';
COMMENT ON COLUMN bankruptcy.company_year_features.as_of IS 'Date of the delivery';
COMMENT ON COLUMN bankruptcy.company_year_features.observation_date IS 'Day on which the statement was published, by its first version; the fiscal year''s end and publication_days of the specification if that is unknown. Without a statement the day on which ratios were first known, but no earlier than publication_days after the year';
COMMENT ON COLUMN bankruptcy.company_year_features.net_profit_to_total_assets IS 'Net profit / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.total_liabilities_to_total_assets IS 'Total liabilities / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.working_capital_to_total_assets IS 'Working capital / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.current_ratio IS 'Current assets / short-term liabilities';
COMMENT ON COLUMN bankruptcy.company_year_features.defensive_interval_days IS '(cash + short-term securities + receivables - short-term liabilities) / (operating expenses - depreciation) * 365';
COMMENT ON COLUMN bankruptcy.company_year_features.retained_earnings_to_total_assets IS 'Retained earnings / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.ebit_to_total_assets IS 'EBIT / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.equity_to_total_liabilities IS 'Book value of equity / total liabilities';
COMMENT ON COLUMN bankruptcy.company_year_features.sales_to_total_assets IS 'Sales / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.equity_to_total_assets IS 'Equity / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.gross_profit_extraordinary_financial_to_total_assets IS '(gross profit + extraordinary items + financial expenses) / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.gross_profit_to_short_term_liabilities IS 'Gross profit / short-term liabilities';
COMMENT ON COLUMN bankruptcy.company_year_features.gross_profit_depreciation_to_sales IS '(gross profit + depreciation) / sales';
COMMENT ON COLUMN bankruptcy.company_year_features.gross_profit_interest_to_total_assets IS '(gross profit + interest) / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.liabilities_to_gross_cash_flow_days IS '(total liabilities * 365) / (gross profit + depreciation)';
COMMENT ON COLUMN bankruptcy.company_year_features.gross_cash_flow_to_total_liabilities IS '(gross profit + depreciation) / total liabilities';
COMMENT ON COLUMN bankruptcy.company_year_features.total_assets_to_total_liabilities IS 'Total assets / total liabilities';
COMMENT ON COLUMN bankruptcy.company_year_features.gross_profit_to_total_assets IS 'Gross profit / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.gross_profit_to_sales IS 'Gross profit / sales';
COMMENT ON COLUMN bankruptcy.company_year_features.inventory_days_of_sales IS '(inventory * 365) / sales';
COMMENT ON COLUMN bankruptcy.company_year_features.sales_growth IS 'Sales (n) / sales (n-1)';
COMMENT ON COLUMN bankruptcy.company_year_features.operating_profit_to_total_assets IS 'Profit on operating activities / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.net_profit_to_sales IS 'Net profit / sales';
COMMENT ON COLUMN bankruptcy.company_year_features.gross_profit_three_years_to_total_assets IS 'Gross profit (in 3 years) / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.equity_less_share_capital_to_total_assets IS '(equity - share capital) / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.net_cash_flow_to_total_liabilities IS '(net profit + depreciation) / total liabilities';
COMMENT ON COLUMN bankruptcy.company_year_features.operating_profit_to_financial_expenses IS 'Profit on operating activities / financial expenses';
COMMENT ON COLUMN bankruptcy.company_year_features.working_capital_to_fixed_assets IS 'Working capital / fixed assets';
COMMENT ON COLUMN bankruptcy.company_year_features.log_total_assets IS 'Logarithm (base 10) of total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.liabilities_less_cash_to_sales IS '(total liabilities - cash) / sales';
COMMENT ON COLUMN bankruptcy.company_year_features.gross_profit_interest_to_sales IS '(gross profit + interest) / sales';
COMMENT ON COLUMN bankruptcy.company_year_features.current_liabilities_days_of_cost IS '(current liabilities * 365) / cost of products sold';
COMMENT ON COLUMN bankruptcy.company_year_features.operating_expenses_to_short_term_liabilities IS 'Operating expenses / short-term liabilities';
COMMENT ON COLUMN bankruptcy.company_year_features.operating_expenses_to_total_liabilities IS 'Operating expenses / total liabilities';
COMMENT ON COLUMN bankruptcy.company_year_features.profit_on_sales_to_total_assets IS 'Profit on sales / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.total_sales_to_total_assets IS 'Total sales / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.quick_assets_to_long_term_liabilities IS '(current assets - inventories) / long-term liabilities';
COMMENT ON COLUMN bankruptcy.company_year_features.constant_capital_to_total_assets IS 'Constant capital (equity + long-term liabilities) / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.profit_on_sales_to_sales IS 'Profit on sales / sales';
COMMENT ON COLUMN bankruptcy.company_year_features.cash_ratio IS '(current assets - inventory - receivables) / short-term liabilities';
COMMENT ON COLUMN bankruptcy.company_year_features.liabilities_to_operating_cash_flow IS 'Total liabilities / ((profit on operating activities + depreciation) * (365 / 12))';
COMMENT ON COLUMN bankruptcy.company_year_features.operating_profit_to_sales IS 'Profit on operating activities / sales';
COMMENT ON COLUMN bankruptcy.company_year_features.receivables_and_inventory_days IS 'Rotation receivables + inventory turnover in days: ((receivables + inventory) * 365) / sales';
COMMENT ON COLUMN bankruptcy.company_year_features.receivables_days IS '(receivables * 365) / sales';
COMMENT ON COLUMN bankruptcy.company_year_features.net_profit_to_inventory IS 'Net profit / inventory';
COMMENT ON COLUMN bankruptcy.company_year_features.quick_ratio IS '(current assets - inventory) / short-term liabilities';
COMMENT ON COLUMN bankruptcy.company_year_features.inventory_days_of_cost IS '(inventory * 365) / cost of products sold';
COMMENT ON COLUMN bankruptcy.company_year_features.operating_profit_less_depreciation_to_total_assets IS 'EBITDA (profit on operating activities - depreciation) / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.operating_profit_less_depreciation_to_sales IS 'EBITDA (profit on operating activities - depreciation) / sales';
COMMENT ON COLUMN bankruptcy.company_year_features.current_assets_to_total_liabilities IS 'Current assets / total liabilities';
COMMENT ON COLUMN bankruptcy.company_year_features.short_term_liabilities_to_total_assets IS 'Short-term liabilities / total assets';
COMMENT ON COLUMN bankruptcy.company_year_features.short_term_liabilities_to_cost IS 'Short-term liabilities / cost of products sold';
COMMENT ON COLUMN bankruptcy.company_year_features.equity_to_fixed_assets IS 'Equity / fixed assets';
COMMENT ON COLUMN bankruptcy.company_year_features.constant_capital_to_fixed_assets IS 'Constant capital (equity + long-term liabilities) / fixed assets';
COMMENT ON COLUMN bankruptcy.company_year_features.working_capital IS 'Working capital: current assets - short-term liabilities, in thousands';
COMMENT ON COLUMN bankruptcy.company_year_features.gross_margin IS '(sales - cost of products sold) / sales';
COMMENT ON COLUMN bankruptcy.company_year_features.net_profit_to_equity IS 'Net profit / equity';
COMMENT ON COLUMN bankruptcy.company_year_features.total_costs_to_total_sales IS 'Total costs / total sales';
COMMENT ON COLUMN bankruptcy.company_year_features.long_term_liabilities_to_equity IS 'Long-term liabilities / equity';
COMMENT ON COLUMN bankruptcy.company_year_features.inventory_turnover IS 'Sales / inventory';
COMMENT ON COLUMN bankruptcy.company_year_features.receivables_turnover IS 'Sales / receivables';
COMMENT ON COLUMN bankruptcy.company_year_features.short_term_liabilities_days_of_sales IS '(short-term liabilities * 365) / sales';
COMMENT ON COLUMN bankruptcy.company_year_features.sales_to_short_term_liabilities IS 'Sales / short-term liabilities';
COMMENT ON COLUMN bankruptcy.company_year_features.sales_to_fixed_assets IS 'Sales / fixed assets';
COMMENT ON COLUMN bankruptcy.company_year_features.bankrupt IS 'The label, 1 = filed for bankruptcy within maturity_months after the observation date; absent where exclusion says why';
COMMENT ON COLUMN bankruptcy.company_year_features.label_source IS 'Where the label comes from';
COMMENT ON COLUMN bankruptcy.company_year_features.exclusion IS 'Why the company-year has no label and no part in training';
COMMENT ON TABLE bankruptcy.company_years IS 'Company-years, with the statement and the recomputed ratios.';
COMMENT ON COLUMN bankruptcy.company_years.company_year_id IS 'Company and fiscal year, 00001234-2023';
COMMENT ON COLUMN bankruptcy.company_years.company_id IS 'The company''s number in the commercial register, eight digits; shorter ones are padded with zeros';
COMMENT ON COLUMN bankruptcy.company_years.fiscal_year IS 'The calendar year in which the fiscal year ends';
COMMENT ON COLUMN bankruptcy.company_years.fiscal_year_end IS 'Last day of the fiscal year; 31 December of the year if no statement says so';
COMMENT ON COLUMN bankruptcy.company_years.observation_date IS 'Day on which the statement was published, by its first version; the fiscal year''s end and publication_days of the specification if that is unknown. Without a statement the day on which ratios were first known, but no earlier than publication_days after the year';
COMMENT ON COLUMN bankruptcy.company_years.has_statement IS 'A statement was delivered';
COMMENT ON COLUMN bankruptcy.company_years.has_analyst_ratios IS 'The analyst has ratios';
COMMENT ON COLUMN bankruptcy.company_years.statement_known IS 'A version of the statement was known on the observation date; if not, its items are absent';
COMMENT ON COLUMN bankruptcy.company_years.publication_unknown IS 'The statement does not say when it was published; the observation date is calculated';
COMMENT ON COLUMN bankruptcy.company_years.published_before_year_end IS 'Flag: the statement says that it was published before the year had ended; the date counts as unknown';
COMMENT ON COLUMN bankruptcy.company_years.sales_not_positive IS 'Flag: sales are zero or negative; they are absent, because no ratio of them means anything';
COMMENT ON COLUMN bankruptcy.company_years.current_items_inconsistent IS 'Flag: cash, securities, receivables and inventory together exceed current assets by over 0.5 %; the four are absent';
COMMENT ON COLUMN bankruptcy.company_years.liabilities_inconsistent IS 'Flag: short- and long-term liabilities together exceed total liabilities by over 0.5 %; the two are absent';
COMMENT ON COLUMN bankruptcy.company_years.items_missing IS 'Number of statement items that are absent or were made so by a flag; absent without a known statement';
COMMENT ON COLUMN bankruptcy.company_years.sales IS 'Net sales of products, goods and services';
COMMENT ON COLUMN bankruptcy.company_years.total_sales IS 'Sales with all other operating and financial income';
COMMENT ON COLUMN bankruptcy.company_years.cost_of_products_sold IS 'Cost of products sold';
COMMENT ON COLUMN bankruptcy.company_years.operating_expenses IS 'Operating expenses';
COMMENT ON COLUMN bankruptcy.company_years.total_costs IS 'All costs of the year';
COMMENT ON COLUMN bankruptcy.company_years.depreciation IS 'Depreciation and amortisation of the year';
COMMENT ON COLUMN bankruptcy.company_years.profit_on_sales IS 'Profit on sales, before other operating income and costs';
COMMENT ON COLUMN bankruptcy.company_years.operating_profit IS 'Profit on operating activities';
COMMENT ON COLUMN bankruptcy.company_years.extraordinary_items IS 'Extraordinary gains (positive) and losses';
COMMENT ON COLUMN bankruptcy.company_years.financial_expenses IS 'Financial expenses, interest among them';
COMMENT ON COLUMN bankruptcy.company_years.interest IS 'Interest paid';
COMMENT ON COLUMN bankruptcy.company_years.ebit IS 'Earnings before interest and taxes';
COMMENT ON COLUMN bankruptcy.company_years.gross_profit IS 'Profit before tax';
COMMENT ON COLUMN bankruptcy.company_years.net_profit IS 'Profit after tax';
COMMENT ON COLUMN bankruptcy.company_years.cash IS 'Cash and equivalents';
COMMENT ON COLUMN bankruptcy.company_years.short_term_securities IS 'Short-term securities';
COMMENT ON COLUMN bankruptcy.company_years.receivables IS 'Receivables';
COMMENT ON COLUMN bankruptcy.company_years.inventory IS 'Inventory';
COMMENT ON COLUMN bankruptcy.company_years.current_assets IS 'Current assets';
COMMENT ON COLUMN bankruptcy.company_years.fixed_assets IS 'Fixed assets';
COMMENT ON COLUMN bankruptcy.company_years.total_assets IS 'Total assets';
COMMENT ON COLUMN bankruptcy.company_years.short_term_liabilities IS 'Liabilities due within a year';
COMMENT ON COLUMN bankruptcy.company_years.long_term_liabilities IS 'Liabilities due later';
COMMENT ON COLUMN bankruptcy.company_years.total_liabilities IS 'All that is owed, provisions included';
COMMENT ON COLUMN bankruptcy.company_years.share_capital IS 'Share capital';
COMMENT ON COLUMN bankruptcy.company_years.retained_earnings IS 'Retained earnings';
COMMENT ON COLUMN bankruptcy.company_years.equity IS 'Equity, negative when losses have used it up';
COMMENT ON COLUMN bankruptcy.company_years.net_profit_to_total_assets IS 'Recomputed: net profit / total assets';
COMMENT ON COLUMN bankruptcy.company_years.total_liabilities_to_total_assets IS 'Recomputed: total liabilities / total assets';
COMMENT ON COLUMN bankruptcy.company_years.working_capital_to_total_assets IS 'Recomputed: working capital / total assets';
COMMENT ON COLUMN bankruptcy.company_years.current_ratio IS 'Recomputed: current assets / short-term liabilities';
COMMENT ON COLUMN bankruptcy.company_years.defensive_interval_days IS 'Recomputed: (cash + short-term securities + receivables - short-term liabilities) / (operating expenses - depreciation) * 365';
COMMENT ON COLUMN bankruptcy.company_years.retained_earnings_to_total_assets IS 'Recomputed: retained earnings / total assets';
COMMENT ON COLUMN bankruptcy.company_years.ebit_to_total_assets IS 'Recomputed: EBIT / total assets';
COMMENT ON COLUMN bankruptcy.company_years.equity_to_total_liabilities IS 'Recomputed: book value of equity / total liabilities';
COMMENT ON COLUMN bankruptcy.company_years.sales_to_total_assets IS 'Recomputed: sales / total assets';
COMMENT ON COLUMN bankruptcy.company_years.equity_to_total_assets IS 'Recomputed: equity / total assets';
COMMENT ON COLUMN bankruptcy.company_years.gross_profit_extraordinary_financial_to_total_assets IS 'Recomputed: (gross profit + extraordinary items + financial expenses) / total assets';
COMMENT ON COLUMN bankruptcy.company_years.gross_profit_to_short_term_liabilities IS 'Recomputed: gross profit / short-term liabilities';
COMMENT ON COLUMN bankruptcy.company_years.gross_profit_depreciation_to_sales IS 'Recomputed: (gross profit + depreciation) / sales';
COMMENT ON COLUMN bankruptcy.company_years.gross_profit_interest_to_total_assets IS 'Recomputed: (gross profit + interest) / total assets';
COMMENT ON COLUMN bankruptcy.company_years.liabilities_to_gross_cash_flow_days IS 'Recomputed: (total liabilities * 365) / (gross profit + depreciation)';
COMMENT ON COLUMN bankruptcy.company_years.gross_cash_flow_to_total_liabilities IS 'Recomputed: (gross profit + depreciation) / total liabilities';
COMMENT ON COLUMN bankruptcy.company_years.total_assets_to_total_liabilities IS 'Recomputed: total assets / total liabilities';
COMMENT ON COLUMN bankruptcy.company_years.gross_profit_to_total_assets IS 'Recomputed: gross profit / total assets';
COMMENT ON COLUMN bankruptcy.company_years.gross_profit_to_sales IS 'Recomputed: gross profit / sales';
COMMENT ON COLUMN bankruptcy.company_years.inventory_days_of_sales IS 'Recomputed: (inventory * 365) / sales';
COMMENT ON COLUMN bankruptcy.company_years.sales_growth IS 'Recomputed: sales (n) / sales (n-1)';
COMMENT ON COLUMN bankruptcy.company_years.operating_profit_to_total_assets IS 'Recomputed: profit on operating activities / total assets';
COMMENT ON COLUMN bankruptcy.company_years.net_profit_to_sales IS 'Recomputed: net profit / sales';
COMMENT ON COLUMN bankruptcy.company_years.gross_profit_three_years_to_total_assets IS 'Recomputed: gross profit (in 3 years) / total assets';
COMMENT ON COLUMN bankruptcy.company_years.equity_less_share_capital_to_total_assets IS 'Recomputed: (equity - share capital) / total assets';
COMMENT ON COLUMN bankruptcy.company_years.net_cash_flow_to_total_liabilities IS 'Recomputed: (net profit + depreciation) / total liabilities';
COMMENT ON COLUMN bankruptcy.company_years.operating_profit_to_financial_expenses IS 'Recomputed: profit on operating activities / financial expenses';
COMMENT ON COLUMN bankruptcy.company_years.working_capital_to_fixed_assets IS 'Recomputed: working capital / fixed assets';
COMMENT ON COLUMN bankruptcy.company_years.log_total_assets IS 'Recomputed: logarithm (base 10) of total assets';
COMMENT ON COLUMN bankruptcy.company_years.liabilities_less_cash_to_sales IS 'Recomputed: (total liabilities - cash) / sales';
COMMENT ON COLUMN bankruptcy.company_years.gross_profit_interest_to_sales IS 'Recomputed: (gross profit + interest) / sales';
COMMENT ON COLUMN bankruptcy.company_years.current_liabilities_days_of_cost IS 'Recomputed: (current liabilities * 365) / cost of products sold';
COMMENT ON COLUMN bankruptcy.company_years.operating_expenses_to_short_term_liabilities IS 'Recomputed: operating expenses / short-term liabilities';
COMMENT ON COLUMN bankruptcy.company_years.operating_expenses_to_total_liabilities IS 'Recomputed: operating expenses / total liabilities';
COMMENT ON COLUMN bankruptcy.company_years.profit_on_sales_to_total_assets IS 'Recomputed: profit on sales / total assets';
COMMENT ON COLUMN bankruptcy.company_years.total_sales_to_total_assets IS 'Recomputed: total sales / total assets';
COMMENT ON COLUMN bankruptcy.company_years.quick_assets_to_long_term_liabilities IS 'Recomputed: (current assets - inventories) / long-term liabilities';
COMMENT ON COLUMN bankruptcy.company_years.constant_capital_to_total_assets IS 'Recomputed: constant capital (equity + long-term liabilities) / total assets';
COMMENT ON COLUMN bankruptcy.company_years.profit_on_sales_to_sales IS 'Recomputed: profit on sales / sales';
COMMENT ON COLUMN bankruptcy.company_years.cash_ratio IS 'Recomputed: (current assets - inventory - receivables) / short-term liabilities';
COMMENT ON COLUMN bankruptcy.company_years.liabilities_to_operating_cash_flow IS 'Recomputed: total liabilities / ((profit on operating activities + depreciation) * (365 / 12))';
COMMENT ON COLUMN bankruptcy.company_years.operating_profit_to_sales IS 'Recomputed: profit on operating activities / sales';
COMMENT ON COLUMN bankruptcy.company_years.receivables_and_inventory_days IS 'Recomputed: rotation receivables + inventory turnover in days: ((receivables + inventory) * 365) / sales';
COMMENT ON COLUMN bankruptcy.company_years.receivables_days IS 'Recomputed: (receivables * 365) / sales';
COMMENT ON COLUMN bankruptcy.company_years.net_profit_to_inventory IS 'Recomputed: net profit / inventory';
COMMENT ON COLUMN bankruptcy.company_years.quick_ratio IS 'Recomputed: (current assets - inventory) / short-term liabilities';
COMMENT ON COLUMN bankruptcy.company_years.inventory_days_of_cost IS 'Recomputed: (inventory * 365) / cost of products sold';
COMMENT ON COLUMN bankruptcy.company_years.operating_profit_less_depreciation_to_total_assets IS 'Recomputed: EBITDA (profit on operating activities - depreciation) / total assets';
COMMENT ON COLUMN bankruptcy.company_years.operating_profit_less_depreciation_to_sales IS 'Recomputed: EBITDA (profit on operating activities - depreciation) / sales';
COMMENT ON COLUMN bankruptcy.company_years.current_assets_to_total_liabilities IS 'Recomputed: current assets / total liabilities';
COMMENT ON COLUMN bankruptcy.company_years.short_term_liabilities_to_total_assets IS 'Recomputed: short-term liabilities / total assets';
COMMENT ON COLUMN bankruptcy.company_years.short_term_liabilities_to_cost IS 'Recomputed: short-term liabilities / cost of products sold';
COMMENT ON COLUMN bankruptcy.company_years.equity_to_fixed_assets IS 'Recomputed: equity / fixed assets';
COMMENT ON COLUMN bankruptcy.company_years.constant_capital_to_fixed_assets IS 'Recomputed: constant capital (equity + long-term liabilities) / fixed assets';
COMMENT ON COLUMN bankruptcy.company_years.working_capital IS 'Recomputed: working capital: current assets - short-term liabilities, in thousands';
COMMENT ON COLUMN bankruptcy.company_years.gross_margin IS 'Recomputed: (sales - cost of products sold) / sales';
COMMENT ON COLUMN bankruptcy.company_years.net_profit_to_equity IS 'Recomputed: net profit / equity';
COMMENT ON COLUMN bankruptcy.company_years.total_costs_to_total_sales IS 'Recomputed: total costs / total sales';
COMMENT ON COLUMN bankruptcy.company_years.long_term_liabilities_to_equity IS 'Recomputed: long-term liabilities / equity';
COMMENT ON COLUMN bankruptcy.company_years.inventory_turnover IS 'Recomputed: sales / inventory';
COMMENT ON COLUMN bankruptcy.company_years.receivables_turnover IS 'Recomputed: sales / receivables';
COMMENT ON COLUMN bankruptcy.company_years.short_term_liabilities_days_of_sales IS 'Recomputed: (short-term liabilities * 365) / sales';
COMMENT ON COLUMN bankruptcy.company_years.sales_to_short_term_liabilities IS 'Recomputed: sales / short-term liabilities';
COMMENT ON COLUMN bankruptcy.company_years.sales_to_fixed_assets IS 'Recomputed: sales / fixed assets';
COMMENT ON TABLE bankruptcy.filings IS 'One row per case.';
COMMENT ON COLUMN bankruptcy.filings.case_number IS 'The case at its court, year and number';
COMMENT ON COLUMN bankruptcy.filings.company_id IS 'The company''s number in the commercial register, eight digits; shorter ones are padded with zeros';
COMMENT ON COLUMN bankruptcy.filings.company_name IS 'Name as the court writes it';
COMMENT ON COLUMN bankruptcy.filings.chapter IS 'Chapter of the US Bankruptcy Code under which the case was filed';
COMMENT ON COLUMN bankruptcy.filings.filing_date IS 'Day of the filing; several forms, a slash means month/day/year';
COMMENT ON COLUMN bankruptcy.filings.court IS 'The court';
COMMENT ON TABLE bankruptcy.financial_statements IS 'One row per company and fiscal year.';
COMMENT ON COLUMN bankruptcy.financial_statements.company_id IS 'The company''s number in the commercial register, eight digits; shorter ones are padded with zeros';
COMMENT ON COLUMN bankruptcy.financial_statements.company_name IS 'Name in the register';
COMMENT ON COLUMN bankruptcy.financial_statements.sector IS 'Sector of the company';
COMMENT ON COLUMN bankruptcy.financial_statements.country IS 'Country of the register, ISO 3166 alpha-2';
COMMENT ON COLUMN bankruptcy.financial_statements.fiscal_year IS 'The calendar year in which the fiscal year ends, written as 2023';
COMMENT ON COLUMN bankruptcy.financial_statements.fiscal_year_end IS 'Last day of the fiscal year';
COMMENT ON COLUMN bankruptcy.financial_statements.published_date IS 'Day on which the statement was published; absent if the vendor does not know. A day before the end of the fiscal year is kept and flagged in company_years, and counts as unknown';
COMMENT ON COLUMN bankruptcy.financial_statements.currency IS 'Currency of the amounts, ISO 4217';
COMMENT ON COLUMN bankruptcy.financial_statements.sales IS 'Net sales of products, goods and services';
COMMENT ON COLUMN bankruptcy.financial_statements.total_sales IS 'Sales with all other operating and financial income';
COMMENT ON COLUMN bankruptcy.financial_statements.cost_of_products_sold IS 'Cost of products sold';
COMMENT ON COLUMN bankruptcy.financial_statements.operating_expenses IS 'Operating expenses';
COMMENT ON COLUMN bankruptcy.financial_statements.total_costs IS 'All costs of the year';
COMMENT ON COLUMN bankruptcy.financial_statements.depreciation IS 'Depreciation and amortisation of the year';
COMMENT ON COLUMN bankruptcy.financial_statements.profit_on_sales IS 'Profit on sales, before other operating income and costs';
COMMENT ON COLUMN bankruptcy.financial_statements.operating_profit IS 'Profit on operating activities';
COMMENT ON COLUMN bankruptcy.financial_statements.extraordinary_items IS 'Extraordinary gains (positive) and losses';
COMMENT ON COLUMN bankruptcy.financial_statements.financial_expenses IS 'Financial expenses, interest among them';
COMMENT ON COLUMN bankruptcy.financial_statements.interest IS 'Interest paid';
COMMENT ON COLUMN bankruptcy.financial_statements.ebit IS 'Earnings before interest and taxes';
COMMENT ON COLUMN bankruptcy.financial_statements.gross_profit IS 'Profit before tax';
COMMENT ON COLUMN bankruptcy.financial_statements.net_profit IS 'Profit after tax';
COMMENT ON COLUMN bankruptcy.financial_statements.cash IS 'Cash and equivalents';
COMMENT ON COLUMN bankruptcy.financial_statements.short_term_securities IS 'Short-term securities';
COMMENT ON COLUMN bankruptcy.financial_statements.receivables IS 'Receivables';
COMMENT ON COLUMN bankruptcy.financial_statements.inventory IS 'Inventory';
COMMENT ON COLUMN bankruptcy.financial_statements.current_assets IS 'Current assets';
COMMENT ON COLUMN bankruptcy.financial_statements.fixed_assets IS 'Fixed assets';
COMMENT ON COLUMN bankruptcy.financial_statements.total_assets IS 'Total assets';
COMMENT ON COLUMN bankruptcy.financial_statements.short_term_liabilities IS 'Liabilities due within a year';
COMMENT ON COLUMN bankruptcy.financial_statements.long_term_liabilities IS 'Liabilities due later';
COMMENT ON COLUMN bankruptcy.financial_statements.total_liabilities IS 'All that is owed, provisions included';
COMMENT ON COLUMN bankruptcy.financial_statements.share_capital IS 'Share capital';
COMMENT ON COLUMN bankruptcy.financial_statements.retained_earnings IS 'Retained earnings';
COMMENT ON COLUMN bankruptcy.financial_statements.equity IS 'Equity, negative when losses have used it up';
COMMENT ON COLUMN bankruptcy.financial_statements.updated_at IS 'When the vendor last changed the row; from then on this version is known';
COMMENT ON TABLE bankruptcy.ratio_differences IS 'One row per company, fiscal year and ratio.';
COMMENT ON COLUMN bankruptcy.ratio_differences.company_year_id IS 'Company and fiscal year, 00001234-2023';
COMMENT ON COLUMN bankruptcy.ratio_differences.ratio IS 'Name of the ratio';
COMMENT ON COLUMN bankruptcy.ratio_differences.recomputed IS 'From the statement';
COMMENT ON COLUMN bankruptcy.ratio_differences.analyst IS 'From the analyst';
COMMENT ON COLUMN bankruptcy.ratio_differences.difference IS 'analyst - recomputed';
