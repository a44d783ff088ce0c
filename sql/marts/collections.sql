-- What was paid on each day?
SELECT
  i.paid_date AS day,
  COUNT(*) AS payments,
  SUM(i.amount_paid) AS amount_collected,
  SUM(CASE WHEN i.settled_date IS NOT NULL THEN i.interest_due ELSE 0 END) AS interest_received
FROM marts.instalments AS i
WHERE i.paid_date IS NOT NULL
GROUP BY i.paid_date
