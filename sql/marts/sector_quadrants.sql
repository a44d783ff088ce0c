-- How many companies of each sector are liquid, profitable, both or neither, and how many of them have filed?
SELECT
  sector, quadrant,
  COUNT(*) AS companies,
  COUNT(*) / CAST(SUM(COUNT(*)) OVER (PARTITION BY sector) AS DOUBLE PRECISION) AS share,
  COUNT(first_filing_date) AS filed
FROM marts.company_quadrants
GROUP BY sector, quadrant
