-- How are the instalments spread over paid on time, late, in part, not at all, and not yet due?
SELECT
  o.outcome,
  CAST(SUM(o.instalments) AS BIGINT) AS instalments,
  CAST(SUM(o.instalments) AS DOUBLE PRECISION) / SUM(SUM(o.instalments)) OVER () AS share,
  SUM(o.amount_due) AS amount_due,
  SUM(o.amount_paid) AS amount_paid
FROM marts.payment_outcomes AS o
GROUP BY o.outcome
