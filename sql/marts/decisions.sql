-- What did which version of a model decide about whom, why, and what has become of it?
WITH scored AS (
  SELECT
    'lending' AS portfolio, p.loan_id AS entity_id, p.as_of, CAST(p.model_version AS INTEGER) AS model_version,
    p.probability, p.score, p.band, p.decision, CAST(p.reasons[0].text AS VARCHAR(1000)) AS first_reason,
    f.defaulted AS outcome, p.run_id
  FROM lending.predictions AS p
  LEFT JOIN lending.application_features AS f ON f.loan_id = p.loan_id
  UNION ALL
  SELECT
    'bankruptcy' AS portfolio, p.company_year_id AS entity_id, p.as_of, CAST(p.model_version AS INTEGER) AS model_version,
    p.probability, p.score, p.band, p.decision, CAST(p.reasons[0].text AS VARCHAR(1000)) AS first_reason,
    f.bankrupt AS outcome, p.run_id
  FROM bankruptcy.company_predictions AS p
  LEFT JOIN bankruptcy.company_year_features AS f ON f.company_year_id = p.company_year_id
)
SELECT
  portfolio, entity_id, as_of, model_version, probability, score, band, decision, first_reason, outcome, run_id,
  DENSE_RANK() OVER (PARTITION BY portfolio ORDER BY model_version DESC, as_of DESC) AS age
FROM scored
