-- How long does each stage of an application take, by team, and where is the bottleneck?
WITH steps AS (
  SELECT
    e.stage,
    COALESCE(e.team, 'unknown') AS team,
    DATEDIFF(second, LAG(e.occurred_at) OVER (PARTITION BY e.loan_id ORDER BY e.occurred_at, e.event_id), e.occurred_at)
    / CAST(3600 AS DOUBLE PRECISION) AS hours
  FROM lending.application_events AS e
),
grouped AS (
  SELECT stage, team, hours FROM steps WHERE hours IS NOT NULL
  UNION ALL
  SELECT stage, 'all teams', hours FROM steps WHERE hours IS NOT NULL
)
SELECT
  stage,
  team,
  COUNT(*) AS applications,
  SUM(hours) AS hours,
  SUM(hours) / COUNT(*) AS mean_hours,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY hours) AS median_hours,
  PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY hours) AS p90_hours,
  PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY hours) AS p95_hours
FROM grouped
GROUP BY stage, team
