-- What loss does the lender expect of its open loans, by stage of IFRS 9 and credit score tier?
SELECT
  stage, tier,
  COUNT(*) AS loans,
  COUNT(expected_loss) AS loans_scored,
  SUM(exposure) AS exposure,
  SUM(CASE WHEN expected_loss IS NOT NULL THEN exposure ELSE 0 END) AS exposure_scored,
  COALESCE(SUM(expected_loss), 0) AS expected_loss,
  SUM(expected_loss) / NULLIF(SUM(CASE WHEN expected_loss IS NOT NULL THEN exposure ELSE 0 END), 0) AS coverage
FROM marts.loan_expected_loss
GROUP BY stage, tier
