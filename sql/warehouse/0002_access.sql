-- Who may do what. IAM callers of the Data API become unprivileged users named IAMR:<role>; those that the platform
-- needs are made here, people get the role analyst through the principal tag RedshiftDbRoles of their IAM role.
-- Runs once, in one transaction: Redshift knows no CREATE ROLE IF NOT EXISTS.
CREATE ROLE loader;
CREATE ROLE analyst;

CREATE USER "IAMR:${prefix}-warehouse-load" PASSWORD DISABLE;
GRANT ROLE loader TO "IAMR:${prefix}-warehouse-load";

-- The loader copies into temporary tables and merges from them.
GRANT USAGE ON SCHEMA lending TO ROLE loader;
GRANT USAGE ON SCHEMA ops TO ROLE loader;
GRANT TEMPORARY ON DATABASE solvent TO ROLE loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE lending.application_events TO ROLE loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE lending.application_features TO ROLE loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE lending.customers TO ROLE loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE lending.loans TO ROLE loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE lending.predictions TO ROLE loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE lending.repayments TO ROLE loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE ops.load_log TO ROLE loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE ops.quarantine_log TO ROLE loader;

-- Analysts read everything but what identifies a person directly (PII class `direct` in the contracts).
GRANT USAGE ON SCHEMA lending TO ROLE analyst;
GRANT USAGE ON SCHEMA ops TO ROLE analyst;
GRANT SELECT ON TABLE lending.application_events TO ROLE analyst;
GRANT SELECT ON TABLE lending.application_features TO ROLE analyst;
GRANT SELECT ON TABLE lending.loans TO ROLE analyst;
GRANT SELECT ON TABLE lending.predictions TO ROLE analyst;
GRANT SELECT ON TABLE lending.repayments TO ROLE analyst;
GRANT SELECT ON TABLE ops.load_log TO ROLE analyst;
GRANT SELECT ON TABLE ops.quarantine_log TO ROLE analyst;
GRANT SELECT (customer_id, signup_date, region, profession, employment_type, annual_income, credit_score, sex, marital_status, foreign_worker, job, employment_since, residence_since, housing, property, dependents, telephone, updated_at)
  ON TABLE lending.customers TO ROLE analyst;
