-- How did lending do on each day?
WITH days AS (
  SELECT
    o.due_date AS day,
    0 AS loans,
    CAST(0 AS DECIMAL(38, 2)) AS amount_lent,
    CAST(0 AS DOUBLE PRECISION) AS revenue,
    0 AS payments,
    CAST(0 AS DECIMAL(38, 2)) AS amount_collected,
    o.instalments AS due,
    CASE WHEN o.outcome = 'on_time' THEN o.instalments ELSE 0 END AS on_time,
    CASE WHEN o.outcome = 'late' THEN o.instalments ELSE 0 END AS late,
    CASE WHEN o.outcome = 'partial' THEN o.instalments ELSE 0 END AS part_paid,
    CASE WHEN o.outcome = 'missed' THEN o.instalments ELSE 0 END AS missed,
    CASE WHEN o.outcome = 'late' THEN o.days_late ELSE 0 END AS days_late,
    o.amount_due
  FROM marts.payment_outcomes AS o
  WHERE o.outcome NOT IN ('scheduled', 'prepaid')
  UNION ALL
  SELECT c.day, 0, 0, c.interest_received, c.payments, c.amount_collected, 0, 0, 0, 0, 0, 0, 0
  FROM marts.collections AS c
  UNION ALL
  SELECT
    l.application_date, COUNT(*), SUM(l.amount), CAST(SUM(COALESCE(l.fees, 0)) AS DOUBLE PRECISION),
    0, 0, 0, 0, 0, 0, 0, 0, 0
  FROM lending.loans AS l
  GROUP BY l.application_date
)
SELECT
  day,
  CAST(SUM(loans) AS BIGINT) AS loans_granted,
  SUM(amount_lent) AS amount_lent,
  CAST(SUM(payments) AS BIGINT) AS payments_processed,
  SUM(amount_collected) AS amount_collected,
  SUM(revenue) AS revenue,
  CAST(SUM(due) AS BIGINT) AS instalments_due,
  SUM(amount_due) AS amount_due,
  CAST(SUM(on_time) AS BIGINT) AS on_time,
  CAST(SUM(late) AS BIGINT) AS late,
  CAST(SUM(part_paid) AS BIGINT) AS part_paid,
  CAST(SUM(missed) AS BIGINT) AS missed,
  CAST(SUM(on_time) AS DOUBLE PRECISION) / NULLIF(SUM(due), 0) AS on_time_rate,
  CAST(SUM(days_late) AS DOUBLE PRECISION) / NULLIF(SUM(on_time) + SUM(late), 0) AS average_delay
FROM days
GROUP BY day
