-- How good is each version of a model, is it better than always predicting the majority, and than the one before?
WITH versions AS (
  SELECT m.*, CAST(m.model_version AS INTEGER) AS version
  FROM ops.models AS m
)
SELECT
  portfolio,
  version AS model_version,
  ROW_NUMBER() OVER (PARTITION BY portfolio ORDER BY version DESC) AS age,
  run_id,
  as_of,
  registered_at,
  rows,
  bad_rate,
  auc,
  gini,
  ks,
  brier,
  accuracy,
  majority_accuracy,
  accuracy - majority_accuracy AS accuracy_gained,
  auc - LAG(auc) OVER (PARTITION BY portfolio ORDER BY version) AS auc_gained
FROM versions
