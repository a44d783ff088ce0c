-- Which stage and team takes most of the time of an application?
SELECT
  s.stage,
  s.team,
  s.applications,
  s.mean_hours,
  s.median_hours,
  s.p90_hours,
  s.p95_hours,
  s.hours / NULLIF(SUM(CASE WHEN s.team <> 'all teams' THEN s.hours END) OVER (), 0) AS share_of_time
FROM marts.application_stages AS s
