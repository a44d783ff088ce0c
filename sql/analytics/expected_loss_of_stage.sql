-- Which open loans of a stage of IFRS 9 carry the largest expected loss?
SELECT
  loan_id, tier, days_past_due, months_left, probability, first_probability,
  probability_of_default, exposure, expected_loss
FROM marts.loan_expected_loss
WHERE stage = CAST(:stage AS INTEGER) AND expected_loss IS NOT NULL
ORDER BY expected_loss DESC, loan_id
LIMIT 100
