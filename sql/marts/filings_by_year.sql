-- How many companies file for bankruptcy, year by year and under which chapter?
SELECT
  CAST(DATE_PART(year, filing_date) AS INTEGER) AS year,
  chapter,
  COUNT(*) AS filings,
  COUNT(DISTINCT company_id) AS companies,
  COUNT(*) / CAST(SUM(COUNT(*)) OVER (PARTITION BY DATE_PART(year, filing_date)) AS DOUBLE PRECISION) AS share_of_year
FROM bankruptcy.filings
GROUP BY DATE_PART(year, filing_date), chapter
