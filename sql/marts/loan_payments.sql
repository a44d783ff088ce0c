-- What is each loan, who took it, and how has it been paid so far?
WITH paid AS (
  SELECT
    i.loan_id,
    COUNT(CASE WHEN i.is_due THEN 1 END) AS due,
    COUNT(CASE WHEN i.outcome = 'on_time' THEN 1 END) AS on_time,
    COUNT(CASE WHEN i.outcome = 'late' THEN 1 END) AS late,
    COUNT(CASE WHEN i.outcome = 'partial' THEN 1 END) AS part_paid,
    COUNT(CASE WHEN i.outcome = 'missed' THEN 1 END) AS missed,
    CAST(SUM(CASE WHEN i.outcome = 'late' THEN i.days_late ELSE 0 END) AS BIGINT) AS days_late,
    MAX(CASE WHEN i.is_due THEN i.days_late END) AS max_days_late,
    MAX(CASE WHEN i.settled_date IS NULL THEN i.days_late ELSE 0 END) AS days_past_due,
    CAST(SUM(CASE WHEN i.is_due THEN i.amount_due ELSE 0 END) AS DECIMAL(18, 2)) AS amount_due,
    CAST(SUM(i.amount_paid) AS DECIMAL(18, 2)) AS amount_collected,
    CAST(SUM(i.amount_recovered) AS DECIMAL(18, 2)) AS amount_recovered,
    CAST(
      SUM(CASE WHEN i.is_due AND i.settled_date IS NULL THEN i.amount_due - i.amount_paid ELSE 0 END) AS DECIMAL(18, 2)
    ) AS amount_past_due,
    SUM(CASE WHEN i.settled_date IS NOT NULL THEN i.interest_due ELSE 0 END) AS interest_received,
    SUM(
      CASE WHEN i.settled_date IS NOT NULL THEN CAST(i.amount_due AS DOUBLE PRECISION) - i.interest_due ELSE 0 END
    ) AS principal_repaid,
    CAST(MIN(CASE WHEN i.days_late >= 30 THEN DATEADD(day, 30, i.due_date) END) AS DATE) AS first_30_date,
    CAST(MIN(CASE WHEN i.days_late >= 90 THEN DATEADD(day, 90, i.due_date) END) AS DATE) AS first_90_date,
    MAX(CASE WHEN i.outcome = 'late' THEN i.settled_date END) AS last_cure_date
  FROM marts.instalments AS i
  GROUP BY i.loan_id
)
SELECT
  l.loan_id,
  l.customer_id,
  ROW_NUMBER() OVER (PARTITION BY l.customer_id ORDER BY l.application_date, l.loan_id) AS loan_number,
  c.region,
  c.profession,
  c.employment_type,
  g.grade,
  COALESCE(t.tier, 'No Score') AS tier,
  CAST(DATE_TRUNC('month', c.signup_date) AS DATE) AS signup_month,
  DATEDIFF(day, c.signup_date, l.application_date) AS days_since_signup,
  l.application_date,
  CAST(DATE_TRUNC('month', l.application_date) AS DATE) AS application_month,
  l.status,
  l.amount,
  f.defaulted,
  COALESCE(p.due, 0) AS due,
  COALESCE(p.on_time, 0) AS on_time,
  COALESCE(p.late, 0) AS late,
  COALESCE(p.part_paid, 0) AS part_paid,
  COALESCE(p.missed, 0) AS missed,
  COALESCE(p.days_late, 0) AS days_late,
  p.max_days_late,
  COALESCE(p.days_past_due, 0) AS days_past_due,
  b.bucket,
  COALESCE(p.amount_due, 0) AS amount_due,
  COALESCE(p.amount_collected, 0) AS amount_collected,
  COALESCE(p.amount_recovered, 0) AS amount_recovered,
  COALESCE(p.amount_past_due, 0) AS amount_past_due,
  COALESCE(p.interest_received, 0) + CAST(COALESCE(l.fees, 0) AS DOUBLE PRECISION) AS revenue,
  CASE
    WHEN l.status = 'open' THEN GREATEST(CAST(l.amount AS DOUBLE PRECISION) - COALESCE(p.principal_repaid, 0), 0)
    ELSE 0
  END AS outstanding_principal,
  p.first_30_date,
  p.first_90_date,
  CASE WHEN p.days_past_due = 0 THEN p.last_cure_date END AS cured_date,
  f.utilisation,
  CAST(l.credit_balance + l.amount AS DOUBLE PRECISION) / NULLIF(f.annual_income, 0) AS debt_to_income
FROM lending.loans AS l
LEFT JOIN lending.customers AS c ON c.customer_id = l.customer_id
LEFT JOIN lending.application_features AS f ON f.loan_id = l.loan_id
LEFT JOIN paid AS p ON p.loan_id = l.loan_id
LEFT JOIN marts.loan_grades AS g ON l.annual_rate >= g.lowest_rate AND l.annual_rate < g.below_rate
LEFT JOIN marts.credit_score_tiers AS t ON c.credit_score BETWEEN t.lowest_score AND t.highest_score
LEFT JOIN marts.delinquency_limits AS b ON COALESCE(p.days_past_due, 0) BETWEEN b.lowest_days AND b.highest_days
