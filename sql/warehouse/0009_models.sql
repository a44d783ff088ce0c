-- Every registered model version, as its contract defines it; `train` writes the row before the endpoint is touched.
CREATE TABLE IF NOT EXISTS ops.models (
  portfolio VARCHAR(40) NOT NULL,
  model_version VARCHAR(128) NOT NULL,
  model_package VARCHAR(256) NOT NULL,
  run_id VARCHAR(16) NOT NULL,
  as_of DATE NOT NULL,
  registered_at TIMESTAMP NOT NULL,
  auc DOUBLE PRECISION NOT NULL,
  gini DOUBLE PRECISION NOT NULL,
  ks DOUBLE PRECISION NOT NULL,
  brier DOUBLE PRECISION NOT NULL,
  accuracy DOUBLE PRECISION NOT NULL,
  majority_accuracy DOUBLE PRECISION NOT NULL,
  bad_rate DOUBLE PRECISION NOT NULL,
  rows BIGINT NOT NULL,
  PRIMARY KEY (portfolio, model_version)
) DISTSTYLE AUTO SORTKEY (portfolio);

COMMENT ON TABLE ops.models IS 'One row per portfolio and model version.';
COMMENT ON COLUMN ops.models.portfolio IS 'The portfolio';
COMMENT ON COLUMN ops.models.model_version IS 'Version number of the model package within the portfolio''s model package group';
COMMENT ON COLUMN ops.models.model_package IS 'ARN of the model package';
COMMENT ON COLUMN ops.models.run_id IS 'The run on whose data it was trained';
COMMENT ON COLUMN ops.models.as_of IS 'Date of the data that it was trained on';
COMMENT ON COLUMN ops.models.registered_at IS 'When it was registered, UTC';
COMMENT ON COLUMN ops.models.auc IS 'Area under the ROC curve, out of fold like the figures that follow';
COMMENT ON COLUMN ops.models.gini IS '2 x AUC - 1';
COMMENT ON COLUMN ops.models.ks IS 'Largest distance of the score''s distributions of good and bad';
COMMENT ON COLUMN ops.models.brier IS 'Mean squared error of the probability, less is better';
COMMENT ON COLUMN ops.models.accuracy IS 'Share of correct classes';
COMMENT ON COLUMN ops.models.majority_accuracy IS 'Accuracy of always predicting the more frequent class';
COMMENT ON COLUMN ops.models.bad_rate IS 'Share of bad outcomes among the labelled rows';
COMMENT ON COLUMN ops.models.rows IS 'Labelled rows that it was trained on';

GRANT SELECT, INSERT, UPDATE ON TABLE ops.models TO ROLE loader;
GRANT SELECT ON TABLE ops.models TO ROLE analyst;
GRANT SELECT ON TABLE ops.models TO ROLE risk_officer;
