-- Decisions about erased persons, as their contract defines them, and the role of the job that erases.
CREATE TABLE IF NOT EXISTS ops.retained_decisions (
  pseudonym VARCHAR(32) NOT NULL,
  portfolio VARCHAR(40) NOT NULL,
  decided_on DATE NOT NULL,
  model_version VARCHAR(128) NOT NULL,
  probability DOUBLE PRECISION NOT NULL,
  score INTEGER NOT NULL,
  band VARCHAR(2) NOT NULL,
  decision VARCHAR(10) NOT NULL,
  reasons SUPER NOT NULL,
  keep_until DATE NOT NULL,
  PRIMARY KEY (pseudonym, decided_on, model_version)
) DISTSTYLE AUTO SORTKEY (keep_until);

COMMENT ON TABLE ops.retained_decisions IS 'One row per pseudonym, date of decision and model version.';
COMMENT ON COLUMN ops.retained_decisions.pseudonym IS 'Stands for the loan; random, and leads back to nothing';
COMMENT ON COLUMN ops.retained_decisions.portfolio IS 'The portfolio';
COMMENT ON COLUMN ops.retained_decisions.decided_on IS 'Date of the data that were scored';
COMMENT ON COLUMN ops.retained_decisions.model_version IS 'Version number of the model package that decided';
COMMENT ON COLUMN ops.retained_decisions.probability IS 'Probability of default';
COMMENT ON COLUMN ops.retained_decisions.score IS 'Score points, more is better';
COMMENT ON COLUMN ops.retained_decisions.band IS 'Risk band by probability, A is best';
COMMENT ON COLUMN ops.retained_decisions.decision IS 'Recommended decision';
COMMENT ON COLUMN ops.retained_decisions.reasons IS 'The reasons as they were given: which features cost points, by class of their values';
COMMENT ON COLUMN ops.retained_decisions.keep_until IS 'Last day on which the law keeps the decision';
COMMENT ON COLUMN ops.quarantine_log.kind IS 'Rejected by a rule, malformed (wrong number of fields), or of an erased person (kept out, without content)';

-- The job reads what it counts, deletes what is the person's, and inserts into no other table.
CREATE ROLE eraser;
CREATE USER "IAMR:${prefix}-erase" PASSWORD DISABLE;
GRANT ROLE eraser TO "IAMR:${prefix}-erase";
GRANT USAGE ON SCHEMA lending TO ROLE eraser;
GRANT USAGE ON SCHEMA ops TO ROLE eraser;
GRANT SELECT, DELETE ON TABLE lending.application_events TO ROLE eraser;
GRANT SELECT, DELETE ON TABLE lending.application_features TO ROLE eraser;
GRANT SELECT, DELETE ON TABLE lending.behaviour_features TO ROLE eraser;
GRANT SELECT, DELETE ON TABLE lending.customers TO ROLE eraser;
GRANT SELECT, DELETE ON TABLE lending.loans TO ROLE eraser;
GRANT SELECT, DELETE ON TABLE lending.predictions TO ROLE eraser;
GRANT SELECT, DELETE ON TABLE lending.repayments TO ROLE eraser;
GRANT SELECT, DELETE ON TABLE ops.quarantine_log TO ROLE eraser;
GRANT SELECT, DELETE ON TABLE ops.deletion_log TO ROLE eraser;
GRANT SELECT, INSERT, DELETE ON TABLE ops.retained_decisions TO ROLE eraser;

-- The load of score purges what has been kept for long enough.
GRANT SELECT, DELETE ON TABLE ops.retained_decisions TO ROLE loader;

GRANT SELECT ON TABLE ops.retained_decisions TO ROLE analyst;
GRANT SELECT ON TABLE ops.retained_decisions TO ROLE risk_officer;
