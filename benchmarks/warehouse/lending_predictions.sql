-- Invented predictions for the open loans: the measurement needs rows, not a model.
INSERT INTO lending.predictions
SELECT
  loan_id,
  CAST('2026-06-30' AS DATE),
  '1',
  p,
  CAST(600 - 300 * p AS INTEGER),
  CASE WHEN p < 0.2 THEN 'A' WHEN p < 0.4 THEN 'B' WHEN p < 0.6 THEN 'C' WHEN p < 0.8 THEN 'D' ELSE 'E' END,
  CASE WHEN p < 0.5 THEN 'approve' WHEN p < 0.8 THEN 'refer' ELSE 'decline' END,
  JSON_PARSE('[{"code": "AMOUNT", "text": "Amount of the loan: 5000 or more"}, {"code": "TERM", "text": "Length of the loan: 24 or more"}]'),
  '0000000000000000'
FROM (
  SELECT loan_id, CAST(RIGHT(loan_id, 3) AS INTEGER) / CAST(1000 AS DOUBLE PRECISION) AS p
  FROM lending.loans
  WHERE status = 'open'
) AS scored
