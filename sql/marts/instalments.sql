-- What became of each instalment by the reporting date?
WITH known AS (
  SELECT
    r.payment_id,
    r.loan_id,
    r.instalment_number,
    r.due_date,
    d.as_of,
    r.amount_due,
    CASE WHEN r.paid_date <= d.as_of THEN r.paid_date END AS paid_date,
    CASE
      WHEN r.paid_date <= d.as_of THEN COALESCE(r.amount_paid, r.amount_due)
      ELSE CAST(0 AS DECIMAL(14, 2))
    END AS amount_paid,
    CAST(COALESCE(r.recovered_amount, 0) AS DECIMAL(14, 2)) AS amount_recovered,
    CAST(l.amount AS DOUBLE PRECISION) AS amount,
    l.term_months,
    CAST(l.annual_rate AS DOUBLE PRECISION) / 12 AS monthly_rate
  FROM lending.repayments AS r
  JOIN lending.loans AS l ON l.loan_id = r.loan_id
  CROSS JOIN marts.reporting_dates AS d
  WHERE d.portfolio = 'lending'
),
settled AS (
  SELECT
    k.*,
    CASE WHEN k.amount_due - k.amount_paid <= 0.01 THEN k.paid_date END AS settled_date
  FROM known AS k
)
SELECT
  s.payment_id,
  s.loan_id,
  s.instalment_number,
  s.due_date,
  s.paid_date,
  s.settled_date,
  CASE
    WHEN s.due_date >= s.as_of AND s.settled_date IS NULL THEN 'scheduled'
    WHEN s.due_date >= s.as_of THEN 'prepaid'
    WHEN s.settled_date <= s.due_date THEN 'on_time'
    WHEN s.settled_date > s.due_date THEN 'late'
    WHEN s.amount_paid > 0 THEN 'partial'
    ELSE 'missed'
  END AS outcome,
  s.due_date < s.as_of AS is_due,
  GREATEST(DATEDIFF(day, s.due_date, COALESCE(s.settled_date, s.as_of)), 0) AS days_late,
  s.amount_due,
  s.amount_paid,
  s.amount_recovered,
  CASE
    WHEN s.monthly_rate > 0 THEN
      s.amount * s.monthly_rate
      * (POWER(1 + s.monthly_rate, s.term_months) - POWER(1 + s.monthly_rate, s.instalment_number - 1))
      / (POWER(1 + s.monthly_rate, s.term_months) - 1)
    ELSE 0
  END AS interest_due
FROM settled AS s
