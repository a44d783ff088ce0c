-- What does the model promise of the open loans in each risk band, and what would it decide?
WITH ranked AS (
  SELECT
    p.*,
    RANK() OVER (ORDER BY CAST(p.model_version AS INTEGER) DESC, p.as_of DESC) AS age
  FROM lending.predictions AS p
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
FROM ranked AS p
JOIN lending.loans AS l ON l.loan_id = p.loan_id
WHERE p.age = 1
GROUP BY p.band
ORDER BY p.band;
