-- How are customers and their loans spread over the credit score tiers?
WITH people AS (
  SELECT
    c.customer_id,
    c.credit_score,
    COALESCE(t.position, 6) AS position,
    COALESCE(t.tier, 'No Score') AS tier
  FROM lending.customers AS c
  LEFT JOIN marts.credit_score_tiers AS t ON c.credit_score BETWEEN t.lowest_score AND t.highest_score
),
borrowed AS (
  SELECT
    l.customer_id,
    COUNT(*) AS loans,
    SUM(l.amount) AS amount,
    COUNT(l.defaulted) AS labelled,
    SUM(l.defaulted) AS defaults
  FROM marts.loan_payments AS l
  GROUP BY l.customer_id
)
SELECT
  p.position,
  p.tier,
  COUNT(*) AS customers,
  COALESCE(SUM(b.loans), 0) AS loans,
  CAST(COALESCE(SUM(b.amount), 0) AS DOUBLE PRECISION) AS amount,
  SUM(p.credit_score) / CAST(NULLIF(COUNT(p.credit_score), 0) AS DOUBLE PRECISION) AS mean_credit_score,
  COALESCE(SUM(b.labelled), 0) AS labelled,
  SUM(b.defaults) / CAST(NULLIF(SUM(b.labelled), 0) AS DOUBLE PRECISION) AS default_rate
FROM people AS p
LEFT JOIN borrowed AS b ON b.customer_id = p.customer_id
GROUP BY p.position, p.tier
