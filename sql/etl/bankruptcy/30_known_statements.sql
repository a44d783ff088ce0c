-- The statement of each company-year as it was known on its observation date, with what earlier years' statements said
-- then. What contradicts itself is flagged and made absent: the parts, never the whole that they should add up to.
WITH
versions AS (
  SELECT *, FALSE AS deleted FROM financial_statements
  UNION ALL
  SELECT * FROM financial_statements_history
),
-- The newest version known on the day; a tombstone says that by then the row had been withdrawn.
ranked AS (
  SELECT
    observed.fiscal_year AS observed_year,
    versions.*,
    ROW_NUMBER() OVER (
      PARTITION BY observed.company_id, observed.fiscal_year, versions.fiscal_year
      ORDER BY versions.updated_at DESC, versions.deleted ASC
    ) AS place
  FROM observed_years AS observed
  JOIN versions
    ON versions.company_id = observed.company_id
    AND versions.fiscal_year BETWEEN observed.fiscal_year - 2 AND observed.fiscal_year
    AND CAST(versions.updated_at AS DATE) <= observed.observation_date
),
known AS (
  SELECT * FROM ranked WHERE place = 1 AND NOT deleted
),
amounts AS (
  SELECT
    present.company_id,
    present.fiscal_year,
    CAST(present.sales AS DOUBLE) AS sales,
    CAST(present.total_sales AS DOUBLE) AS total_sales,
    CAST(present.cost_of_products_sold AS DOUBLE) AS cost_of_products_sold,
    CAST(present.operating_expenses AS DOUBLE) AS operating_expenses,
    CAST(present.total_costs AS DOUBLE) AS total_costs,
    CAST(present.depreciation AS DOUBLE) AS depreciation,
    CAST(present.profit_on_sales AS DOUBLE) AS profit_on_sales,
    CAST(present.operating_profit AS DOUBLE) AS operating_profit,
    CAST(present.extraordinary_items AS DOUBLE) AS extraordinary_items,
    CAST(present.financial_expenses AS DOUBLE) AS financial_expenses,
    CAST(present.interest AS DOUBLE) AS interest,
    CAST(present.ebit AS DOUBLE) AS ebit,
    CAST(present.gross_profit AS DOUBLE) AS gross_profit,
    CAST(present.net_profit AS DOUBLE) AS net_profit,
    CAST(present.cash AS DOUBLE) AS cash,
    CAST(present.short_term_securities AS DOUBLE) AS short_term_securities,
    CAST(present.receivables AS DOUBLE) AS receivables,
    CAST(present.inventory AS DOUBLE) AS inventory,
    CAST(present.current_assets AS DOUBLE) AS current_assets,
    CAST(present.fixed_assets AS DOUBLE) AS fixed_assets,
    CAST(present.total_assets AS DOUBLE) AS total_assets,
    CAST(present.short_term_liabilities AS DOUBLE) AS short_term_liabilities,
    CAST(present.long_term_liabilities AS DOUBLE) AS long_term_liabilities,
    CAST(present.total_liabilities AS DOUBLE) AS total_liabilities,
    CAST(present.share_capital AS DOUBLE) AS share_capital,
    CAST(present.retained_earnings AS DOUBLE) AS retained_earnings,
    CAST(present.equity AS DOUBLE) AS equity,
    CAST(CASE WHEN previous.sales > 0 THEN previous.sales END AS DOUBLE) AS previous_sales,
    CAST(previous.gross_profit AS DOUBLE) AS previous_gross_profit,
    CAST(before_previous.gross_profit AS DOUBLE) AS gross_profit_before_previous
  FROM known AS present
  LEFT JOIN known AS previous
    ON previous.company_id = present.company_id
    AND previous.observed_year = present.observed_year
    AND previous.fiscal_year = present.fiscal_year - 1
  LEFT JOIN known AS before_previous
    ON before_previous.company_id = present.company_id
    AND before_previous.observed_year = present.observed_year
    AND before_previous.fiscal_year = present.fiscal_year - 2
  WHERE present.fiscal_year = present.observed_year
),
flagged AS (
  SELECT
    amounts.*,
    COALESCE(sales <= 0, FALSE) AS sales_not_positive,
    COALESCE(
      COALESCE(cash, 0) + COALESCE(short_term_securities, 0) + COALESCE(receivables, 0) + COALESCE(inventory, 0)
        > current_assets * 1.005,
      FALSE
    ) AS current_items_inconsistent,
    COALESCE(
      COALESCE(short_term_liabilities, 0) + COALESCE(long_term_liabilities, 0) > total_liabilities * 1.005,
      FALSE
    ) AS liabilities_inconsistent
  FROM amounts
),
consistent AS (
  SELECT
    company_id,
    fiscal_year,
    sales_not_positive,
    current_items_inconsistent,
    liabilities_inconsistent,
    CASE WHEN NOT sales_not_positive THEN sales END AS sales,
    total_sales,
    cost_of_products_sold,
    operating_expenses,
    total_costs,
    depreciation,
    profit_on_sales,
    operating_profit,
    extraordinary_items,
    financial_expenses,
    interest,
    ebit,
    gross_profit,
    net_profit,
    CASE WHEN NOT current_items_inconsistent THEN cash END AS cash,
    CASE WHEN NOT current_items_inconsistent THEN short_term_securities END AS short_term_securities,
    CASE WHEN NOT current_items_inconsistent THEN receivables END AS receivables,
    CASE WHEN NOT current_items_inconsistent THEN inventory END AS inventory,
    current_assets,
    fixed_assets,
    total_assets,
    CASE WHEN NOT liabilities_inconsistent THEN short_term_liabilities END AS short_term_liabilities,
    CASE WHEN NOT liabilities_inconsistent THEN long_term_liabilities END AS long_term_liabilities,
    total_liabilities,
    share_capital,
    retained_earnings,
    equity,
    previous_sales,
    previous_gross_profit,
    gross_profit_before_previous
  FROM flagged
)
SELECT
  consistent.*,
  CAST(
    CASE WHEN sales IS NULL THEN 1 ELSE 0 END +
    CASE WHEN total_sales IS NULL THEN 1 ELSE 0 END +
    CASE WHEN cost_of_products_sold IS NULL THEN 1 ELSE 0 END +
    CASE WHEN operating_expenses IS NULL THEN 1 ELSE 0 END +
    CASE WHEN total_costs IS NULL THEN 1 ELSE 0 END +
    CASE WHEN depreciation IS NULL THEN 1 ELSE 0 END +
    CASE WHEN profit_on_sales IS NULL THEN 1 ELSE 0 END +
    CASE WHEN operating_profit IS NULL THEN 1 ELSE 0 END +
    CASE WHEN extraordinary_items IS NULL THEN 1 ELSE 0 END +
    CASE WHEN financial_expenses IS NULL THEN 1 ELSE 0 END +
    CASE WHEN interest IS NULL THEN 1 ELSE 0 END +
    CASE WHEN ebit IS NULL THEN 1 ELSE 0 END +
    CASE WHEN gross_profit IS NULL THEN 1 ELSE 0 END +
    CASE WHEN net_profit IS NULL THEN 1 ELSE 0 END +
    CASE WHEN cash IS NULL THEN 1 ELSE 0 END +
    CASE WHEN short_term_securities IS NULL THEN 1 ELSE 0 END +
    CASE WHEN receivables IS NULL THEN 1 ELSE 0 END +
    CASE WHEN inventory IS NULL THEN 1 ELSE 0 END +
    CASE WHEN current_assets IS NULL THEN 1 ELSE 0 END +
    CASE WHEN fixed_assets IS NULL THEN 1 ELSE 0 END +
    CASE WHEN total_assets IS NULL THEN 1 ELSE 0 END +
    CASE WHEN short_term_liabilities IS NULL THEN 1 ELSE 0 END +
    CASE WHEN long_term_liabilities IS NULL THEN 1 ELSE 0 END +
    CASE WHEN total_liabilities IS NULL THEN 1 ELSE 0 END +
    CASE WHEN share_capital IS NULL THEN 1 ELSE 0 END +
    CASE WHEN retained_earnings IS NULL THEN 1 ELSE 0 END +
    CASE WHEN equity IS NULL THEN 1 ELSE 0 END
    AS INTEGER
  ) AS items_missing
FROM consistent
