-- If only this share of each credit score tier were approved, the best first, how many defaults would be spared?
SELECT
  position, tier, applications, approved, approved_amount, amount_share,
  expected_rate_all, expected_rate, expected_reduction,
  labelled_all, defaults_all, labelled, defaults, default_rate, default_reduction
FROM marts.approval_curves
WHERE approval_rate <= CAST(:approval_rate AS DOUBLE PRECISION)
  AND next_approval_rate > CAST(:approval_rate AS DOUBLE PRECISION)
ORDER BY position
