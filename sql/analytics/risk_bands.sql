-- What does the model promise of the open loans in each risk band, and what would it decide?
WITH newest AS (
  SELECT CAST(model_version AS INTEGER) AS version, as_of
  FROM lending.predictions
  GROUP BY 1, 2
  ORDER BY 1 DESC, 2 DESC
  LIMIT 1
)
SELECT
  p.band,
  COUNT(*) AS loans,
  SUM(l.amount) AS amount,
  ROUND(AVG(p.probability), 4) AS mean_pd,
  ROUND(SUM(p.probability * l.amount) / NULLIF(SUM(l.amount), 0), 4) AS weighted_pd,
  SUM(CASE WHEN p.decision = 'approve' THEN 1 ELSE 0 END) AS approve,
  SUM(CASE WHEN p.decision = 'refer' THEN 1 ELSE 0 END) AS refer,
  SUM(CASE WHEN p.decision = 'decline' THEN 1 ELSE 0 END) AS decline
FROM newest AS n
JOIN lending.predictions AS p ON CAST(p.model_version AS INTEGER) = n.version AND p.as_of = n.as_of
JOIN lending.loans AS l ON l.loan_id = p.loan_id
GROUP BY p.band
ORDER BY p.band;
