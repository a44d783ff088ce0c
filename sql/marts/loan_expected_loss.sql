-- Which stage of IFRS 9 is each open loan in, and what loss is expected of it?
WITH origination AS (
  SELECT
    d.entity_id AS loan_id, d.probability, d.age,
    FIRST_VALUE(d.probability) OVER (
      PARTITION BY d.entity_id, d.model_version ORDER BY d.as_of
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS first_probability
  FROM marts.decisions AS d
  WHERE d.portfolio = 'lending'
),
exposed AS (
  SELECT
    p.loan_id, p.tier, p.days_past_due, p.outstanding_principal AS exposure,
    GREATEST(DATEDIFF(month, r.as_of, DATEADD(month, l.term_months, l.application_date)), 1) AS months_left,
    o.probability, o.first_probability
  FROM marts.loan_payments AS p
  JOIN lending.loans AS l ON l.loan_id = p.loan_id
  JOIN marts.reporting_dates AS r ON r.portfolio = 'lending'
  LEFT JOIN origination AS o ON o.loan_id = p.loan_id AND o.age = 1
  WHERE p.status = 'open'
),
staged AS (
  SELECT
    e.*,
    CASE
      WHEN e.days_past_due >= default_days.value THEN 3
      WHEN e.days_past_due > late_days.value THEN 2
      WHEN e.probability >= e.first_probability * ratio.value AND e.probability > e.first_probability + increase.value
        THEN 2
      ELSE 1
    END AS stage,
    lgd.value AS loss_given_default
  FROM exposed AS e
  JOIN marts.risk_parameters AS lgd ON lgd.name = 'loss_given_default'
  JOIN marts.risk_parameters AS late_days ON late_days.name = 'stage_2_days_past_due'
  JOIN marts.risk_parameters AS default_days ON default_days.name = 'stage_3_days_past_due'
  JOIN marts.risk_parameters AS ratio ON ratio.name = 'stage_2_probability_ratio'
  JOIN marts.risk_parameters AS increase ON increase.name = 'stage_2_probability_increase'
),
-- Stage 1 looks twelve months ahead, stage 2 to the end of the loan, at the same hazard in every month.
lasting AS (
  SELECT
    s.*,
    CASE
      WHEN s.stage = 3 THEN 1
      WHEN s.stage = 2 THEN 1 - POWER(1 - s.probability, s.months_left / CAST(12 AS DOUBLE PRECISION))
      ELSE 1 - POWER(1 - s.probability, LEAST(s.months_left, 12) / CAST(12 AS DOUBLE PRECISION))
    END AS probability_of_default
  FROM staged AS s
)
SELECT
  loan_id, stage, tier, days_past_due, months_left, probability, first_probability,
  probability_of_default, loss_given_default, exposure,
  probability_of_default * loss_given_default * exposure AS expected_loss
FROM lasting
