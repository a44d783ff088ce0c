-- What does the newest model version say of each open loan, and why?
WITH ranked AS (
  SELECT
    p.*,
    RANK() OVER (ORDER BY CAST(p.model_version AS INTEGER) DESC, p.as_of DESC) AS age
  FROM lending.predictions AS p
)
SELECT
  r.loan_id,
  r.as_of,
  r.model_version,
  r.probability,
  r.score,
  r.band,
  r.decision,
  CAST(r.reasons[0].text AS VARCHAR(400)) AS reason_1,
  CAST(r.reasons[1].text AS VARCHAR(400)) AS reason_2,
  CAST(r.reasons[2].text AS VARCHAR(400)) AS reason_3,
  CAST(r.reasons[3].text AS VARCHAR(400)) AS reason_4
FROM ranked AS r
WHERE r.age = 1
