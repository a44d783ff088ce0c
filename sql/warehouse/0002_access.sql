-- Who may do what. IAM callers of the Data API become unprivileged users named IAMR:<role>; those that the platform
-- needs are made here, people get the roles analyst and risk_officer through the principal tag RedshiftDbRoles of their
-- IAM role.
-- Runs once, in one transaction: Redshift knows no CREATE ROLE IF NOT EXISTS.
CREATE ROLE loader;
CREATE ROLE analyst;
CREATE ROLE risk_officer;

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

-- Analysts read all but what identifies a person directly and the protected attributes (PII classes `direct` and
-- `protected` in the contracts): a column of either class is left out by naming the others.
GRANT USAGE ON SCHEMA lending TO ROLE analyst;
GRANT USAGE ON SCHEMA ops TO ROLE analyst;
GRANT SELECT ON TABLE lending.application_events TO ROLE analyst;
GRANT SELECT (loan_id, customer_id, as_of, application_date, checking_status, term_months, credit_history, purpose, amount, savings, employment_since, installment_rate, other_debtors, residence_since, property, other_installment_plans, housing, existing_credits, job, dependents, telephone, annual_income, credit_score, utilisation, amount_to_income, previous_loans, previous_late_rate, previous_max_days_past_due, defaulted, label_source)
  ON TABLE lending.application_features TO ROLE analyst;
GRANT SELECT (customer_id, signup_date, region, profession, employment_type, annual_income, credit_score, job, employment_since, residence_since, housing, property, dependents, telephone, updated_at)
  ON TABLE lending.customers TO ROLE analyst;
GRANT SELECT (loan_id, customer_id, application_date, amount, term_months, annual_rate, purpose, installment_rate, checking_status, credit_history, savings, other_debtors, other_installment_plans, existing_credits, credit_limit, credit_balance, interest, fees, status, published_default, updated_at)
  ON TABLE lending.loans TO ROLE analyst;
GRANT SELECT ON TABLE lending.predictions TO ROLE analyst;
GRANT SELECT ON TABLE lending.repayments TO ROLE analyst;
GRANT SELECT ON TABLE ops.load_log TO ROLE analyst;
GRANT SELECT ON TABLE ops.quarantine_log TO ROLE analyst;

-- Fairness is monitored by the risk officer, who therefore reads the protected attributes, too.
GRANT USAGE ON SCHEMA lending TO ROLE risk_officer;
GRANT USAGE ON SCHEMA ops TO ROLE risk_officer;
GRANT SELECT ON TABLE lending.application_events TO ROLE risk_officer;
GRANT SELECT ON TABLE lending.application_features TO ROLE risk_officer;
GRANT SELECT (customer_id, signup_date, region, profession, employment_type, annual_income, credit_score, sex, marital_status, foreign_worker, job, employment_since, residence_since, housing, property, dependents, telephone, updated_at)
  ON TABLE lending.customers TO ROLE risk_officer;
GRANT SELECT ON TABLE lending.loans TO ROLE risk_officer;
GRANT SELECT ON TABLE lending.predictions TO ROLE risk_officer;
GRANT SELECT ON TABLE lending.repayments TO ROLE risk_officer;
GRANT SELECT ON TABLE ops.load_log TO ROLE risk_officer;
GRANT SELECT ON TABLE ops.quarantine_log TO ROLE risk_officer;
