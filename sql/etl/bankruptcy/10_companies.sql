-- One row per company that a statement or a ratio knows, by its newest data.
WITH
years AS (
  SELECT company_id, fiscal_year, company_name, sector, country, 0 AS other FROM financial_statements
  UNION ALL
  SELECT company_id, fiscal_year, company_name, CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), 1 FROM analyst_ratios
),
ranked AS (
  SELECT
    years.*,
    ROW_NUMBER() OVER (PARTITION BY company_id ORDER BY other ASC, fiscal_year DESC) AS place,
    MIN(fiscal_year) OVER (PARTITION BY company_id) AS first_fiscal_year,
    MAX(fiscal_year) OVER (PARTITION BY company_id) AS last_fiscal_year
  FROM years
),
filed AS (
  SELECT company_id, MIN(filing_date) AS first_filing_date FROM filings GROUP BY company_id
)
SELECT
  ranked.company_id,
  ranked.company_name,
  ranked.sector,
  ranked.country,
  ranked.first_fiscal_year,
  ranked.last_fiscal_year,
  filed.first_filing_date
FROM ranked
LEFT JOIN filed ON filed.company_id = ranked.company_id
WHERE ranked.place = 1
