-- What does the model promise of the open loans in each risk band, and what would it decide?
SELECT
  p.band,
  COUNT(*) AS loans,
  SUM(l.amount) AS amount,
  ROUND(AVG(p.probability), 4) AS mean_pd,
  ROUND(SUM(p.probability * l.amount) / NULLIF(SUM(l.amount), 0), 4) AS weighted_pd,
  SUM(CASE WHEN p.decision = 'approve' THEN 1 ELSE 0 END) AS approve,
  SUM(CASE WHEN p.decision = 'refer' THEN 1 ELSE 0 END) AS refer,
  SUM(CASE WHEN p.decision = 'decline' THEN 1 ELSE 0 END) AS decline
FROM marts.loan_predictions AS p
JOIN marts.loan_payments AS l ON l.loan_id = p.loan_id
GROUP BY p.band
ORDER BY p.band;
