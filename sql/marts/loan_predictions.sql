-- What does the newest model version say of each open loan, and why?
SELECT
  p.loan_id,
  p.as_of,
  p.model_version,
  p.probability,
  p.score,
  p.band,
  p.decision,
  CAST(p.reasons[0].text AS VARCHAR(400)) AS reason_1,
  CAST(p.reasons[1].text AS VARCHAR(400)) AS reason_2,
  CAST(p.reasons[2].text AS VARCHAR(400)) AS reason_3,
  CAST(p.reasons[3].text AS VARCHAR(400)) AS reason_4
FROM marts.decisions AS d
JOIN lending.predictions AS p
  ON p.loan_id = d.entity_id AND p.as_of = d.as_of AND CAST(p.model_version AS INTEGER) = d.model_version
WHERE d.portfolio = 'lending' AND d.age = 1
