-- How do default rate and payment behaviour differ by region, profession, employment type, grade and score tier?
WITH loans AS (
  SELECT
    r.dimension,
    cell.value AS smallest_cell,
    z.value AS z,
    CASE r.dimension
      WHEN 'region' THEN p.region
      WHEN 'profession' THEN p.profession
      WHEN 'employment_type' THEN p.employment_type
      WHEN 'grade' THEN p.grade
      WHEN 'tier' THEN p.tier
    END AS segment,
    p.defaulted,
    p.due,
    p.on_time,
    p.late,
    p.days_late,
    p.max_days_late
  FROM marts.loan_payments AS p
  CROSS JOIN marts.segment_dimensions AS r
  JOIN marts.risk_parameters AS cell ON cell.name = 'minimum_cell'
  JOIN marts.risk_parameters AS z ON z.name = 'confidence_z'
),
counted AS (
  SELECT
    dimension,
    smallest_cell,
    z,
    COALESCE(segment, 'unknown') AS segment,
    COUNT(*) AS loans,
    COUNT(defaulted) AS labelled,
    CAST(SUM(defaulted) AS DOUBLE PRECISION) AS defaults,
    COUNT(CASE WHEN due > 0 THEN 1 END) AS loans_due,
    CAST(COUNT(CASE WHEN max_days_late >= 30 THEN 1 END) AS DOUBLE PRECISION) AS loans_30,
    CAST(SUM(due) AS DOUBLE PRECISION) AS due,
    SUM(on_time) AS on_time,
    SUM(late) AS late,
    SUM(days_late) AS days_late
  FROM loans
  GROUP BY 1, 2, 3, 4
),
rates AS (
  SELECT
    c.*,
    CASE WHEN c.labelled >= c.smallest_cell THEN c.labelled END AS n,
    CASE WHEN c.labelled >= c.smallest_cell THEN c.defaults / c.labelled END AS p,
    CASE WHEN c.loans_due >= c.smallest_cell THEN c.loans_due END AS n_30,
    CASE WHEN c.loans_due >= c.smallest_cell THEN c.loans_30 / c.loans_due END AS p_30
  FROM counted AS c
)
SELECT
  dimension,
  segment,
  loans,
  labelled,
  p AS default_rate,
  (p + z * z / (2 * n) - z * SQRT(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n) AS default_rate_low,
  (p + z * z / (2 * n) + z * SQRT(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n) AS default_rate_high,
  loans_due,
  p_30 AS late_30_rate,
  (p_30 + z * z / (2 * n_30) - z * SQRT(p_30 * (1 - p_30) / n_30 + z * z / (4 * n_30 * n_30))) / (1 + z * z / n_30)
    AS late_30_rate_low,
  (p_30 + z * z / (2 * n_30) + z * SQRT(p_30 * (1 - p_30) / n_30 + z * z / (4 * n_30 * n_30))) / (1 + z * z / n_30)
    AS late_30_rate_high,
  CASE WHEN n_30 IS NOT NULL THEN on_time / due END AS on_time_rate,
  CASE WHEN n_30 IS NOT NULL THEN days_late / CAST(NULLIF(on_time + late, 0) AS DOUBLE PRECISION) END AS average_delay
FROM rates
