-- What does approving only the best tenth, two tenths ... of a tier cost in volume, and how many defaults does it spare?
WITH rates AS (
  SELECT (digit + 1) / CAST(10 AS DOUBLE PRECISION) AS target_rate FROM marts.digits
)
SELECT
  c.position, r.target_rate, c.tier, c.applications, c.approved, c.approved_amount, c.amount_share,
  c.expected_rate_all, c.expected_rate, c.expected_reduction,
  c.labelled_all, c.defaults_all, c.labelled, c.defaults, c.default_rate, c.default_reduction
FROM marts.approval_curves AS c
JOIN rates AS r ON c.approval_rate <= r.target_rate AND c.next_approval_rate > r.target_rate
