-- The observation dates of the behaviour features: the latest month end on or before the delivery's day, and earlier
-- ones behaviour_every_months apart. Windows are whole months: they begin after a month end and end with one.
WITH
latest AS (
  SELECT
    run.*,
    CASE
      WHEN LAST_DAY(as_of) = as_of THEN as_of
      ELSE CAST(LAST_DAY(CAST(as_of - INTERVAL '1' MONTH AS DATE)) AS DATE)
    END AS month_end
  FROM run
),
steps AS (
  SELECT latest.*, UNNEST(RANGE(behaviour_observations)) AS step
  FROM latest
),
dated AS (
  SELECT
    steps.*,
    CAST(LAST_DAY(
      CAST(month_end - INTERVAL '1' MONTH * CAST(behaviour_every_months * step AS INTEGER) AS DATE)
    ) AS DATE) AS observation_date
  FROM steps
)
SELECT
  observation_date,
  CAST(LAST_DAY(CAST(observation_date - INTERVAL '3' MONTH AS DATE)) AS DATE) AS three_months_before,
  CAST(LAST_DAY(CAST(observation_date - INTERVAL '6' MONTH AS DATE)) AS DATE) AS six_months_before,
  CAST(LAST_DAY(CAST(observation_date + INTERVAL '1' MONTH * maturity_months AS DATE)) AS DATE) AS window_end,
  as_of,
  days_past_due
FROM dated
