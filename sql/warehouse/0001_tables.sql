-- Tables as the contracts define them: contracts/**/*.odcs.yaml, by solvent.contracts.redshift; a test compares.
-- Keys inform the planner, Redshift does not enforce them: the loads do.
CREATE SCHEMA IF NOT EXISTS lending;

CREATE TABLE IF NOT EXISTS lending.application_events (
  event_id VARCHAR(64) NOT NULL,
  loan_id VARCHAR(7) NOT NULL,
  stage VARCHAR(20) NOT NULL,
  team VARCHAR(160),
  occurred_at TIMESTAMP NOT NULL,
  PRIMARY KEY (event_id)
) DISTSTYLE KEY DISTKEY (loan_id) SORTKEY (occurred_at);

CREATE TABLE IF NOT EXISTS lending.application_features (
  loan_id VARCHAR(7) NOT NULL,
  customer_id VARCHAR(7) NOT NULL,
  as_of DATE NOT NULL,
  application_date DATE NOT NULL,
  checking_status VARCHAR(12),
  term_months INTEGER NOT NULL,
  credit_history VARCHAR(20),
  purpose VARCHAR(12),
  amount DOUBLE PRECISION NOT NULL,
  savings VARCHAR(20),
  employment_since VARCHAR(20),
  installment_rate INTEGER,
  other_debtors VARCHAR(12),
  residence_since INTEGER,
  property VARCHAR(40),
  other_installment_plans VARCHAR(12),
  housing VARCHAR(10),
  existing_credits INTEGER,
  job VARCHAR(30),
  dependents INTEGER,
  telephone VARCHAR(20),
  annual_income DOUBLE PRECISION,
  credit_score INTEGER,
  utilisation DOUBLE PRECISION,
  amount_to_income DOUBLE PRECISION,
  previous_loans INTEGER NOT NULL,
  previous_late_rate DOUBLE PRECISION,
  previous_max_days_past_due INTEGER,
  sex VARCHAR(6),
  age_years INTEGER,
  foreign_worker VARCHAR(3),
  defaulted INTEGER,
  label_source VARCHAR(16),
  PRIMARY KEY (loan_id)
) DISTSTYLE KEY DISTKEY (customer_id) SORTKEY (application_date);

CREATE TABLE IF NOT EXISTS lending.customers (
  customer_id VARCHAR(7) NOT NULL,
  full_name VARCHAR(400),
  email VARCHAR(480),
  signup_date DATE NOT NULL,
  region VARCHAR(160),
  profession VARCHAR(240),
  employment_type VARCHAR(20),
  annual_income DECIMAL(14,2),
  credit_score INTEGER,
  sex VARCHAR(6),
  marital_status VARCHAR(24),
  foreign_worker VARCHAR(3),
  job VARCHAR(30),
  employment_since VARCHAR(20),
  residence_since INTEGER,
  housing VARCHAR(10),
  property VARCHAR(40),
  dependents INTEGER,
  telephone VARCHAR(20),
  updated_at TIMESTAMP NOT NULL,
  PRIMARY KEY (customer_id)
) DISTSTYLE KEY DISTKEY (customer_id) SORTKEY (signup_date);

CREATE TABLE IF NOT EXISTS lending.loans (
  loan_id VARCHAR(7) NOT NULL,
  customer_id VARCHAR(7) NOT NULL,
  application_date DATE NOT NULL,
  amount DECIMAL(14,2) NOT NULL,
  term_months INTEGER NOT NULL,
  annual_rate DECIMAL(7,5) NOT NULL,
  purpose VARCHAR(12),
  installment_rate INTEGER,
  checking_status VARCHAR(12),
  credit_history VARCHAR(20),
  savings VARCHAR(20),
  other_debtors VARCHAR(12),
  other_installment_plans VARCHAR(12),
  existing_credits INTEGER,
  age_years INTEGER,
  credit_limit DECIMAL(14,2),
  credit_balance DECIMAL(14,2),
  interest DECIMAL(14,2),
  fees DECIMAL(14,2),
  status VARCHAR(12) NOT NULL,
  published_default INTEGER,
  updated_at TIMESTAMP NOT NULL,
  PRIMARY KEY (loan_id)
) DISTSTYLE KEY DISTKEY (customer_id) SORTKEY (application_date);

CREATE TABLE IF NOT EXISTS lending.predictions (
  loan_id VARCHAR(7) NOT NULL,
  as_of DATE NOT NULL,
  model_version VARCHAR(128) NOT NULL,
  probability DOUBLE PRECISION NOT NULL,
  score INTEGER NOT NULL,
  band VARCHAR(2) NOT NULL,
  decision VARCHAR(10) NOT NULL,
  reasons SUPER NOT NULL,
  run_id VARCHAR(16) NOT NULL,
  PRIMARY KEY (loan_id, as_of, model_version)
) DISTSTYLE KEY DISTKEY (loan_id) SORTKEY (as_of);

CREATE TABLE IF NOT EXISTS lending.repayments (
  payment_id VARCHAR(10) NOT NULL,
  loan_id VARCHAR(7) NOT NULL,
  instalment_number INTEGER NOT NULL,
  due_date DATE NOT NULL,
  paid_date DATE,
  amount_due DECIMAL(14,2) NOT NULL,
  amount_paid DECIMAL(14,2),
  recovered_amount DECIMAL(14,2),
  status VARCHAR(12) NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  PRIMARY KEY (payment_id)
) DISTSTYLE KEY DISTKEY (loan_id) SORTKEY (due_date);

CREATE TABLE IF NOT EXISTS ops.load_log (
  run_id VARCHAR(16) NOT NULL,
  portfolio VARCHAR(40) NOT NULL,
  source VARCHAR(64) NOT NULL,
  rows_in BIGINT NOT NULL,
  rows_good BIGINT NOT NULL,
  rows_quarantined BIGINT NOT NULL,
  rows_duplicate BIGINT NOT NULL,
  as_of DATE NOT NULL,
  dataset VARCHAR(40) NOT NULL,
  PRIMARY KEY (run_id, source)
) DISTSTYLE AUTO SORTKEY (run_id);

CREATE TABLE IF NOT EXISTS ops.quarantine_log (
  run_id VARCHAR(16) NOT NULL,
  source VARCHAR(64) NOT NULL,
  source_file VARCHAR(400) NOT NULL,
  row_number BIGINT NOT NULL,
  reason VARCHAR(4000) NOT NULL,
  kind VARCHAR(10) NOT NULL,
  record_key VARCHAR(256),
  PRIMARY KEY (run_id, source, source_file, row_number)
) DISTSTYLE AUTO SORTKEY (run_id);
