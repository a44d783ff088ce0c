-- From one month end to the next, which share of the loans in each delinquency bucket gets better, stays or gets worse?
WITH month_ends AS (
  SELECT
    LAST_DAY(CAST(DATEADD(month, -m.month, CASE WHEN LAST_DAY(d.as_of) = d.as_of THEN d.as_of ELSE
      DATEADD(month, -1, d.as_of) END) AS DATE)) AS month_end
  FROM marts.reporting_dates AS d
  CROSS JOIN marts.months_on_book AS m
  WHERE d.portfolio = 'lending' AND m.month <= 12
),
arrears AS (
  SELECT i.loan_id, m.month_end, MAX(DATEDIFF(day, i.due_date, m.month_end)) AS days_past_due
  FROM marts.instalments AS i
  JOIN month_ends AS m ON i.due_date < m.month_end AND (i.settled_date IS NULL OR i.settled_date > m.month_end)
  WHERE i.days_late > 0
  GROUP BY i.loan_id, m.month_end
),
finished AS (
  SELECT i.loan_id, MAX(i.settled_date) AS closed_date
  FROM marts.instalments AS i
  JOIN lending.loans AS l ON l.loan_id = i.loan_id
  WHERE l.status = 'closed'
  GROUP BY i.loan_id
),
states AS (
  SELECT
    l.loan_id,
    m.month_end,
    CASE WHEN f.closed_date <= m.month_end THEN 0 ELSE b.position END AS state
  FROM lending.loans AS l
  JOIN month_ends AS m ON l.application_date <= m.month_end
  LEFT JOIN finished AS f ON f.loan_id = l.loan_id
  LEFT JOIN arrears AS a ON a.loan_id = l.loan_id AND a.month_end = m.month_end
  JOIN marts.delinquency_limits AS b ON COALESCE(a.days_past_due, 0) BETWEEN b.lowest_days AND b.highest_days
),
moves AS (
  SELECT month_end, state, LAG(state) OVER (PARTITION BY loan_id ORDER BY month_end) AS before
  FROM states
)
SELECT
  m.month_end,
  f.bucket AS from_bucket,
  COALESCE(t.bucket, 'closed') AS to_bucket,
  COUNT(*) AS loans,
  CAST(COUNT(*) AS DOUBLE PRECISION) / SUM(COUNT(*)) OVER (PARTITION BY m.month_end, f.bucket) AS share
FROM moves AS m
JOIN marts.delinquency_limits AS f ON f.position = m.before
LEFT JOIN marts.delinquency_limits AS t ON t.position = m.state
GROUP BY m.month_end, f.bucket, t.bucket
