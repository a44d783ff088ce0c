-- Do the risk bands of the model hold what they promise? Per band: open loans scored on the latest date,
-- their amount, the mean predicted probability of default, and what was decided.
-- One row per band, best band first. Reads lending.predictions and lending.loans.
SELECT
  p.band,
  COUNT(*) AS loans,
  SUM(l.amount) AS amount,
  ROUND(AVG(p.probability), 4) AS mean_probability_of_default,
  ROUND(SUM(p.probability * l.amount) / NULLIF(SUM(l.amount), 0), 4) AS amount_weighted_probability,
  SUM(CASE WHEN p.decision = 'approve' THEN 1 ELSE 0 END) AS approve,
  SUM(CASE WHEN p.decision = 'refer' THEN 1 ELSE 0 END) AS refer,
  SUM(CASE WHEN p.decision = 'decline' THEN 1 ELSE 0 END) AS decline
FROM lending.predictions AS p
JOIN lending.loans AS l ON l.loan_id = p.loan_id
WHERE p.as_of = (SELECT MAX(as_of) FROM lending.predictions)
GROUP BY p.band
ORDER BY p.band;
