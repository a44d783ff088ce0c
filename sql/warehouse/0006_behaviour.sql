-- Open loans at month ends: features of the behaviour model. Statements that may run twice: there are more than 40.
CREATE TABLE IF NOT EXISTS lending.behaviour_features (
  loan_id VARCHAR(7) NOT NULL,
  observation_date DATE NOT NULL,
  customer_id VARCHAR(7) NOT NULL,
  as_of DATE NOT NULL,
  application_date DATE NOT NULL,
  purpose VARCHAR(12),
  term_months INTEGER NOT NULL,
  amount DOUBLE PRECISION NOT NULL,
  annual_rate DOUBLE PRECISION NOT NULL,
  checking_status VARCHAR(12),
  credit_history VARCHAR(20),
  savings VARCHAR(20),
  utilisation DOUBLE PRECISION,
  employment_since VARCHAR(20),
  housing VARCHAR(10),
  annual_income DOUBLE PRECISION,
  credit_score INTEGER,
  payment_to_income DOUBLE PRECISION,
  months_on_book INTEGER NOT NULL,
  share_repaid DOUBLE PRECISION NOT NULL,
  days_past_due INTEGER NOT NULL,
  delinquency_bucket VARCHAR(10) NOT NULL,
  instalments_overdue INTEGER NOT NULL,
  late_rate DOUBLE PRECISION,
  late_rate_3m DOUBLE PRECISION,
  late_rate_6m DOUBLE PRECISION,
  max_days_past_due INTEGER,
  max_days_past_due_3m INTEGER,
  max_days_past_due_6m INTEGER,
  days_since_late INTEGER,
  days_past_due_trend DOUBLE PRECISION,
  previous_loans INTEGER NOT NULL,
  other_open_loans INTEGER NOT NULL,
  other_days_past_due INTEGER,
  sex VARCHAR(6),
  age_years INTEGER,
  foreign_worker VARCHAR(3),
  defaulted INTEGER,
  label_status VARCHAR(10) NOT NULL,
  PRIMARY KEY (loan_id, observation_date)
) DISTSTYLE KEY DISTKEY (customer_id) SORTKEY (observation_date);

GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE lending.behaviour_features TO ROLE loader;
-- As everywhere, analysts see no protected attribute.
GRANT SELECT (loan_id, observation_date, customer_id, as_of, application_date, purpose, term_months, amount, annual_rate, checking_status, credit_history, savings, utilisation, employment_since, housing, annual_income, credit_score, payment_to_income, months_on_book, share_repaid, days_past_due, delinquency_bucket, instalments_overdue, late_rate, late_rate_3m, late_rate_6m, max_days_past_due, max_days_past_due_3m, max_days_past_due_6m, days_since_late, days_past_due_trend, previous_loans, other_open_loans, other_days_past_due, defaulted, label_status)
  ON TABLE lending.behaviour_features TO ROLE analyst;
GRANT SELECT ON TABLE lending.behaviour_features TO ROLE risk_officer;

COMMENT ON TABLE lending.behaviour_features IS 'One row per loan and observation date on which it was open.';
COMMENT ON COLUMN lending.behaviour_features.loan_id IS 'The loan';
COMMENT ON COLUMN lending.behaviour_features.observation_date IS 'The month end at whose end the features were known';
COMMENT ON COLUMN lending.behaviour_features.customer_id IS 'The applicant';
COMMENT ON COLUMN lending.behaviour_features.as_of IS 'Date of the delivery';
COMMENT ON COLUMN lending.behaviour_features.application_date IS 'Day of the application';
COMMENT ON COLUMN lending.behaviour_features.purpose IS 'Purpose of the loan (German attribute 4)';
COMMENT ON COLUMN lending.behaviour_features.term_months IS 'Length of the loan in months (German attribute 2)';
COMMENT ON COLUMN lending.behaviour_features.amount IS 'Amount applied for (German attribute 5)';
COMMENT ON COLUMN lending.behaviour_features.annual_rate IS 'Nominal interest per year, as a fraction';
COMMENT ON COLUMN lending.behaviour_features.checking_status IS 'Balance of the checking account (German attribute 1)';
COMMENT ON COLUMN lending.behaviour_features.credit_history IS 'Credit history (German attribute 3)';
COMMENT ON COLUMN lending.behaviour_features.savings IS 'Savings account or bonds (German attribute 6)';
COMMENT ON COLUMN lending.behaviour_features.utilisation IS 'Used share of the applicant''s credit lines, at the application';
COMMENT ON COLUMN lending.behaviour_features.employment_since IS 'Time in present employment (German attribute 7)';
COMMENT ON COLUMN lending.behaviour_features.housing IS 'Housing (German attribute 15)';
COMMENT ON COLUMN lending.behaviour_features.annual_income IS 'Gross income per year, in the currency of the loan';
COMMENT ON COLUMN lending.behaviour_features.credit_score IS 'Score of an external credit bureau';
COMMENT ON COLUMN lending.behaviour_features.payment_to_income IS 'A year''s instalments relative to the yearly income';
COMMENT ON COLUMN lending.behaviour_features.months_on_book IS 'Calendar months since the application';
COMMENT ON COLUMN lending.behaviour_features.share_repaid IS 'Instalments paid in full, as a share of the term';
COMMENT ON COLUMN lending.behaviour_features.days_past_due IS 'Days since the due date of the oldest instalment that is unpaid, 0 without one';
COMMENT ON COLUMN lending.behaviour_features.delinquency_bucket IS 'Class of days_past_due';
COMMENT ON COLUMN lending.behaviour_features.instalments_overdue IS 'Number of instalments past due and unpaid';
COMMENT ON COLUMN lending.behaviour_features.late_rate IS 'Share of the instalments due so far that were unpaid after the due date; absent before the first';
COMMENT ON COLUMN lending.behaviour_features.late_rate_3m IS 'The same of the instalments due in the last three months';
COMMENT ON COLUMN lending.behaviour_features.late_rate_6m IS 'The same of the instalments due in the last six months';
COMMENT ON COLUMN lending.behaviour_features.max_days_past_due IS 'Longest delay of an instalment so far, in days';
COMMENT ON COLUMN lending.behaviour_features.max_days_past_due_3m IS 'Longest delay that lasted into, or began in, the last three months';
COMMENT ON COLUMN lending.behaviour_features.max_days_past_due_6m IS 'Longest delay that lasted into, or began in, the last six months';
COMMENT ON COLUMN lending.behaviour_features.days_since_late IS 'Days since a late instalment was last unpaid, 0 while one is; absent if none ever was';
COMMENT ON COLUMN lending.behaviour_features.days_past_due_trend IS 'Mean delay of the instalments due in the last three months, less that of the three months before';
COMMENT ON COLUMN lending.behaviour_features.previous_loans IS 'Number of the customer''s loans applied for on a day before this one''s application';
COMMENT ON COLUMN lending.behaviour_features.other_open_loans IS 'Number of the customer''s other loans that were open on the observation date';
COMMENT ON COLUMN lending.behaviour_features.other_days_past_due IS 'Highest days_past_due of those other loans; absent without one';
COMMENT ON COLUMN lending.behaviour_features.sex IS 'Sex; monitored for fairness, never scored (German attribute 9, first half)';
COMMENT ON COLUMN lending.behaviour_features.age_years IS 'Age at the application; monitored for fairness, never scored (German attribute 13)';
COMMENT ON COLUMN lending.behaviour_features.foreign_worker IS 'Foreign worker; monitored for fairness, never scored (German attribute 20)';
COMMENT ON COLUMN lending.behaviour_features.defaulted IS 'The label, 1 = in default within the months after the observation date; absent unless label_status is known';
COMMENT ON COLUMN lending.behaviour_features.label_status IS 'Whether the label is known, and why not';
