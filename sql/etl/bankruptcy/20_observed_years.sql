-- Each company-year that a statement or a ratio knows, and the day on which it is looked at.
-- A statement's dates come from its first version: what is corrected later cannot move the day.
WITH
statement_versions AS (
  SELECT company_id, fiscal_year, fiscal_year_end, published_date, updated_at FROM financial_statements
  UNION ALL
  SELECT company_id, fiscal_year, fiscal_year_end, published_date, updated_at
  FROM financial_statements_history
  WHERE NOT deleted
),
first_statements AS (
  SELECT *
  FROM (
    SELECT
      statement_versions.*,
      ROW_NUMBER() OVER (PARTITION BY company_id, fiscal_year ORDER BY updated_at ASC) AS place
    FROM statement_versions
  ) AS ranked
  WHERE place = 1
),
statements AS (
  SELECT
    present.company_id,
    present.fiscal_year,
    dates.fiscal_year_end,
    dates.published_date,
    COALESCE(dates.published_date < dates.fiscal_year_end, FALSE) AS published_before_year_end
  FROM financial_statements AS present
  JOIN first_statements AS dates ON dates.company_id = present.company_id AND dates.fiscal_year = present.fiscal_year
),
ratio_versions AS (
  SELECT company_id, fiscal_year, updated_at FROM analyst_ratios
  UNION ALL
  SELECT company_id, fiscal_year, updated_at FROM analyst_ratios_history WHERE NOT deleted
),
ratios AS (
  SELECT present.company_id, present.fiscal_year, CAST(MIN(versions.updated_at) AS DATE) AS first_known
  FROM analyst_ratios AS present
  JOIN ratio_versions AS versions
    ON versions.company_id = present.company_id AND versions.fiscal_year = present.fiscal_year
  GROUP BY present.company_id, present.fiscal_year
),
years AS (
  SELECT
    COALESCE(statements.company_id, ratios.company_id) AS company_id,
    COALESCE(statements.fiscal_year, ratios.fiscal_year) AS fiscal_year,
    COALESCE(
      statements.fiscal_year_end,
      CAST(CONCAT(CAST(ratios.fiscal_year AS VARCHAR), '-12-31') AS DATE)
    ) AS fiscal_year_end,
    CASE WHEN NOT statements.published_before_year_end THEN statements.published_date END AS published_date,
    ratios.first_known,
    statements.company_id IS NOT NULL AS has_statement,
    ratios.company_id IS NOT NULL AS has_analyst_ratios,
    COALESCE(statements.published_before_year_end, FALSE) AS published_before_year_end
  FROM statements
  FULL OUTER JOIN ratios ON ratios.company_id = statements.company_id AND ratios.fiscal_year = statements.fiscal_year
),
expected AS (
  SELECT
    years.*,
    CAST(years.fiscal_year_end + INTERVAL '1' DAY * run.publication_days AS DATE) AS expected_publication
  FROM years
  CROSS JOIN run
)
SELECT
  CONCAT(company_id, '-', CAST(fiscal_year AS VARCHAR)) AS company_year_id,
  company_id,
  fiscal_year,
  fiscal_year_end,
  CASE
    WHEN has_statement THEN COALESCE(published_date, expected_publication)
    ELSE GREATEST(expected_publication, first_known)
  END AS observation_date,
  has_statement,
  has_analyst_ratios,
  has_statement AND published_date IS NULL AS publication_unknown,
  published_before_year_end
FROM expected
