-- Which companies should an investor watch, and why?
SELECT
  company_name, sector, fiscal_year, ROUND(probability, 4) AS probability, score, band, decision, is_worse, first_reason
FROM marts.company_watch_list
ORDER BY probability DESC, company_id
LIMIT 50
