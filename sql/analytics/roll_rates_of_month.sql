-- How did loans move between the delinquency buckets up to one month end, as a matrix?
SELECT
  r.from_bucket,
  CAST(SUM(r.loans) AS BIGINT) AS loans,
  SUM(CASE WHEN r.to_bucket = 'closed' THEN r.share ELSE 0 END) AS closed,
  SUM(CASE WHEN r.to_bucket = 'current' THEN r.share ELSE 0 END) AS current_bucket,
  SUM(CASE WHEN r.to_bucket = '1_to_29' THEN r.share ELSE 0 END) AS days_1_to_29,
  SUM(CASE WHEN r.to_bucket = '30_to_59' THEN r.share ELSE 0 END) AS days_30_to_59,
  SUM(CASE WHEN r.to_bucket = '60_to_89' THEN r.share ELSE 0 END) AS days_60_to_89,
  SUM(CASE WHEN r.to_bucket = '90_or_more' THEN r.share ELSE 0 END) AS days_90_or_more
FROM marts.roll_rates AS r
JOIN marts.delinquency_limits AS l ON l.bucket = r.from_bucket
WHERE r.month_end = CAST(:month_end AS DATE)
GROUP BY r.from_bucket, l.position
ORDER BY l.position
