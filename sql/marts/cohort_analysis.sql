-- How do customers who signed up in the same month borrow and pay back?
WITH signed_up AS (
  SELECT CAST(DATE_TRUNC('month', c.signup_date) AS DATE) AS signup_month, COUNT(*) AS customers
  FROM lending.customers AS c
  GROUP BY 1
),
borrowed AS (
  SELECT
    p.signup_month,
    COUNT(CASE WHEN p.loan_number = 1 THEN 1 END) AS borrowers,
    COUNT(CASE WHEN p.loan_number = 2 THEN 1 END) AS repeat_borrowers,
    COUNT(*) AS loans,
    SUM(p.amount) AS amount,
    SUM(p.revenue) AS revenue,
    SUM(p.due) AS due,
    SUM(p.on_time) AS on_time,
    COUNT(p.defaulted) AS labelled,
    SUM(p.defaulted) AS defaults,
    SUM(CASE WHEN p.loan_number = 1 THEN p.days_since_signup END) AS days_to_first_loan
  FROM marts.loan_payments AS p
  GROUP BY p.signup_month
)
SELECT
  s.signup_month,
  s.customers,
  COALESCE(b.borrowers, 0) AS borrowers,
  COALESCE(b.repeat_borrowers, 0) AS repeat_borrowers,
  CAST(COALESCE(b.borrowers, 0) AS DOUBLE PRECISION) / s.customers AS conversion,
  CAST(b.days_to_first_loan AS DOUBLE PRECISION) / NULLIF(b.borrowers, 0) AS mean_days_to_first_loan,
  COALESCE(b.loans, 0) AS loans,
  COALESCE(b.amount, 0) AS amount,
  COALESCE(b.revenue, 0) AS revenue,
  CAST(b.on_time AS DOUBLE PRECISION) / NULLIF(b.due, 0) AS on_time_rate,
  COALESCE(b.labelled, 0) AS labelled,
  CAST(b.defaults AS DOUBLE PRECISION) / NULLIF(b.labelled, 0) AS default_rate
FROM signed_up AS s
LEFT JOIN borrowed AS b ON b.signup_month = s.signup_month
