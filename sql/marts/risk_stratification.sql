-- How are customers and their loans spread over the credit score tiers?
WITH scores AS (
  SELECT c.credit_score, COUNT(*) AS customers
  FROM lending.customers AS c
  GROUP BY c.credit_score
),
people AS (
  SELECT
    COALESCE(t.position, 6) AS position,
    COALESCE(t.tier, 'No Score') AS tier,
    SUM(s.customers) AS customers,
    SUM(s.credit_score * s.customers) AS score
  FROM scores AS s
  LEFT JOIN marts.credit_score_tiers AS t ON s.credit_score BETWEEN t.lowest_score AND t.highest_score
  GROUP BY 1, 2
),
borrowed AS (
  SELECT
    l.tier,
    COUNT(*) AS loans,
    SUM(l.amount) AS amount,
    COUNT(l.defaulted) AS labelled,
    SUM(l.defaulted) AS defaults
  FROM marts.loan_payments AS l
  GROUP BY l.tier
)
SELECT
  p.position,
  p.tier,
  CAST(p.customers AS BIGINT) AS customers,
  COALESCE(b.loans, 0) AS loans,
  CAST(COALESCE(b.amount, 0) AS DOUBLE PRECISION) AS amount,
  CAST(p.score AS DOUBLE PRECISION) / p.customers AS mean_credit_score,
  COALESCE(b.labelled, 0) AS labelled,
  CAST(b.defaults AS DOUBLE PRECISION) / NULLIF(b.labelled, 0) AS default_rate
FROM people AS p
LEFT JOIN borrowed AS b ON b.tier = p.tier
