-- What would limits on amount, term and price have kept out, tier by tier, and how many defaults would that have spared?
WITH checked AS (
  SELECT
    p.policy, p.position, p.bound, f.amount, f.defaulted,
    CASE
      WHEN p.policy = 'maximum_amount' AND f.amount > p.bound THEN 0
      WHEN p.policy = 'maximum_term_months' AND f.term_months > p.bound THEN 0
      WHEN p.policy = 'minimum_annual_rate' AND l.annual_rate < p.bound THEN 0
      ELSE 1
    END AS inside
  FROM lending.application_features AS f
  JOIN lending.loans AS l ON l.loan_id = f.loan_id
  JOIN marts.credit_score_tiers AS t ON f.credit_score BETWEEN t.lowest_score AND t.highest_score
  JOIN marts.credit_policies AS p ON p.position = t.position
),
counted AS (
  SELECT
    policy, position, bound,
    COUNT(*) AS loans,
    SUM(amount) AS amount,
    COUNT(defaulted) AS labelled,
    COALESCE(SUM(defaulted), 0) AS defaults,
    SUM(inside) AS loans_inside,
    SUM(amount * inside) AS amount_inside,
    COUNT(CASE WHEN inside = 1 THEN defaulted END) AS labelled_inside,
    COALESCE(SUM(defaulted * inside), 0) AS defaults_inside
  FROM checked
  GROUP BY policy, position, bound
)
SELECT
  c.policy, c.position, t.tier, c.bound, c.loans, c.loans_inside,
  c.amount, c.amount_inside,
  c.labelled, c.defaults, c.labelled_inside, c.defaults_inside,
  c.defaults / CAST(NULLIF(c.labelled, 0) AS DOUBLE PRECISION) AS default_rate,
  c.defaults_inside / CAST(NULLIF(c.labelled_inside, 0) AS DOUBLE PRECISION) AS default_rate_inside,
  1 - c.defaults_inside / CAST(NULLIF(c.labelled_inside, 0) AS DOUBLE PRECISION)
    / NULLIF(c.defaults / CAST(NULLIF(c.labelled, 0) AS DOUBLE PRECISION), 0) AS default_reduction
FROM counted AS c
JOIN marts.credit_score_tiers AS t ON t.position = c.position
