-- The roles that complete the picture: what programs read, and what an administrator may do without being superuser.
-- Runs once, in one transaction: Redshift knows no CREATE ROLE IF NOT EXISTS.
CREATE SCHEMA IF NOT EXISTS marts;

-- Dashboards, reports and the API: predictions, when they were loaded, and the marts, which grant themselves.
CREATE ROLE service;
GRANT USAGE ON SCHEMA bankruptcy TO ROLE service;
GRANT USAGE ON SCHEMA lending TO ROLE service;
GRANT USAGE ON SCHEMA ops TO ROLE service;
GRANT SELECT ON TABLE bankruptcy.company_predictions TO ROLE service;
GRANT SELECT ON TABLE lending.predictions TO ROLE service;
GRANT SELECT ON TABLE ops.load_log TO ROLE service;

-- An administrator's IAM role has the tag RedshiftDbRoles = admin. No superuser: policies and users are the secret's.
CREATE ROLE admin;
GRANT ALL ON SCHEMA bankruptcy, lending, marts, ops TO ROLE admin;
GRANT ALL ON ALL TABLES IN SCHEMA bankruptcy, lending, marts, ops TO ROLE admin;
GRANT TEMPORARY ON DATABASE solvent TO ROLE admin;
GRANT IGNORE RLS TO ROLE admin;
ALTER DEFAULT PRIVILEGES IN SCHEMA bankruptcy, lending, marts, ops GRANT ALL ON TABLES TO ROLE admin;

-- The risk officer follows up single cases: rows can be told apart, persons are not named.
CREATE MASKING POLICY mask_email WITH (email VARCHAR(480))
  USING (CAST('***@' || SPLIT_PART(email, '@', 2) AS VARCHAR(480)));
CREATE MASKING POLICY mask_name WITH (full_name VARCHAR(400))
  USING (CAST(LEFT(full_name, 1) || '***' AS VARCHAR(400)));
ATTACH MASKING POLICY mask_email ON lending.customers (email) TO ROLE risk_officer;
ATTACH MASKING POLICY mask_name ON lending.customers (full_name) TO ROLE risk_officer;
GRANT SELECT ON TABLE lending.customers TO ROLE risk_officer;
