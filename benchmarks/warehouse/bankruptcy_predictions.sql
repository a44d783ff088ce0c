-- Invented predictions for the companies to score: the measurement needs rows, not a model.
INSERT INTO bankruptcy.company_predictions
SELECT
  company_year_id,
  CAST('2026-06-30' AS DATE),
  '1',
  p,
  CAST(600 - 300 * p AS INTEGER),
  CASE WHEN p < 0.2 THEN 'A' WHEN p < 0.4 THEN 'B' WHEN p < 0.6 THEN 'C' WHEN p < 0.8 THEN 'D' ELSE 'E' END,
  CASE WHEN p < 0.5 THEN 'Invest' WHEN p < 0.8 THEN 'Watch' ELSE 'Avoid' END,
  JSON_PARSE('[{"code": "QUICK_RATIO", "text": "Quick ratio: less than 0.5"}]'),
  '0000000000000000'
FROM (
  SELECT
    company_year_id,
    CAST(SUBSTRING(company_id, 6, 3) AS INTEGER) / CAST(1000 AS DOUBLE PRECISION) AS p,
    ROW_NUMBER() OVER (PARTITION BY company_id ORDER BY fiscal_year DESC) AS age
  FROM bankruptcy.company_year_features
) AS scored
WHERE age = 1
