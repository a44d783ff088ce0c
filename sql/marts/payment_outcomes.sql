-- How many instalments, due on which day, were paid on time, late, in part or not at all?
SELECT
  i.due_date,
  i.outcome,
  COUNT(*) AS instalments,
  CAST(SUM(i.days_late) AS BIGINT) AS days_late,
  SUM(i.amount_due) AS amount_due,
  SUM(i.amount_paid) AS amount_paid,
  SUM(i.amount_recovered) AS amount_recovered,
  COUNT(CASE WHEN i.outcome = 'late' AND i.days_late <= 30 THEN 1 END) AS cured_30,
  COUNT(CASE WHEN i.outcome = 'late' AND i.days_late <= 60 THEN 1 END) AS cured_60,
  COUNT(CASE WHEN i.outcome = 'late' AND i.days_late <= 90 THEN 1 END) AS cured_90,
  SUM(CASE WHEN i.outcome = 'late' AND i.days_late <= 30 THEN i.amount_due ELSE 0 END) AS amount_cured_30,
  SUM(CASE WHEN i.outcome = 'late' AND i.days_late <= 60 THEN i.amount_due ELSE 0 END) AS amount_cured_60,
  SUM(CASE WHEN i.outcome = 'late' AND i.days_late <= 90 THEN i.amount_due ELSE 0 END) AS amount_cured_90
FROM marts.instalments AS i
GROUP BY i.due_date, i.outcome
