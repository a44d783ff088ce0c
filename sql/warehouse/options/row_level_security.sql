-- What an analyst of a region may read: late-binding views with the customer's region, and a policy on them. Not on the
-- tables and marts below: Redshift attaches no policy to a base table of a materialized view. A late-binding view, and
-- its policy with it, outlives a mart that is made anew. The role has no other grant, so there is no way around.
-- USAGE comes last: what stops half-way leaves nothing that can be read.
DROP SCHEMA IF EXISTS regional CASCADE;
DROP RLS POLICY IF EXISTS own_regions CASCADE;
CREATE SCHEMA regional;

CREATE VIEW regional.customers AS SELECT
  customer_id, signup_date, region, profession, employment_type, annual_income, credit_score, job, employment_since,
  residence_since, housing, property, dependents, telephone, updated_at
FROM lending.customers
WITH NO SCHEMA BINDING;
CREATE VIEW regional.loans AS SELECT
  t.loan_id, t.customer_id, t.application_date, t.amount, t.term_months, t.annual_rate, t.purpose, t.installment_rate,
  t.checking_status, t.credit_history, t.savings, t.other_debtors, t.other_installment_plans, t.existing_credits,
  t.credit_limit, t.credit_balance, t.interest, t.fees, t.status, t.published_default, t.updated_at, c.region
FROM lending.loans AS t
JOIN lending.customers AS c ON c.customer_id = t.customer_id
WITH NO SCHEMA BINDING;
CREATE VIEW regional.repayments AS SELECT
  t.payment_id, t.loan_id, t.instalment_number, t.due_date, t.paid_date, t.amount_due, t.amount_paid,
  t.recovered_amount, t.status, t.updated_at, c.region
FROM lending.repayments AS t
JOIN lending.loans AS l ON l.loan_id = t.loan_id
JOIN lending.customers AS c ON c.customer_id = l.customer_id
WITH NO SCHEMA BINDING;
CREATE VIEW regional.loan_payments AS SELECT
  loan_id, customer_id, loan_number, region, profession, employment_type, grade, tier, signup_month,
  days_since_signup, application_date, application_month, status, amount, defaulted, due, on_time, late, part_paid,
  missed, days_late, max_days_late, days_past_due, bucket, amount_due, amount_collected, amount_recovered,
  amount_past_due, revenue, outstanding_principal, first_30_date, first_90_date, cured_date, utilisation,
  debt_to_income
FROM marts.loan_payments
WITH NO SCHEMA BINDING;
CREATE VIEW regional.early_warning AS SELECT
  t.loan_id, t.customer_id, t.application_date, t.debt_to_income_before, t.debt_to_income, t.utilisation_before,
  t.utilisation, t.days_past_due, t.outstanding_principal, t.probability, t.band, c.region
FROM marts.early_warning AS t
JOIN lending.customers AS c ON c.customer_id = t.customer_id
WITH NO SCHEMA BINDING;
CREATE VIEW regional.high_risk_customers AS SELECT
  t.customer_id, t.open_loans, t.outstanding_principal, t.days_past_due, t.riskiest_loan, t.probability, t.band,
  t.reason_1, t.reason_2, t.reason_3, t.reason_4, c.region
FROM marts.high_risk_customers AS t
JOIN lending.customers AS c ON c.customer_id = t.customer_id
WITH NO SCHEMA BINDING;
CREATE VIEW regional.instalments AS SELECT
  t.payment_id, t.loan_id, t.instalment_number, t.due_date, t.paid_date, t.settled_date, t.outcome, t.is_due,
  t.days_late, t.amount_due, t.amount_paid, t.amount_recovered, t.interest_due, c.region
FROM marts.instalments AS t
JOIN lending.loans AS l ON l.loan_id = t.loan_id
JOIN lending.customers AS c ON c.customer_id = l.customer_id
WITH NO SCHEMA BINDING;
CREATE VIEW regional.loan_predictions AS SELECT
  t.loan_id, t.as_of, t.model_version, t.probability, t.score, t.band, t.decision, t.reason_1, t.reason_2, t.reason_3,
  t.reason_4, c.region
FROM marts.loan_predictions AS t
JOIN lending.loans AS l ON l.loan_id = t.loan_id
JOIN lending.customers AS c ON c.customer_id = l.customer_id
WITH NO SCHEMA BINDING;
CREATE VIEW regional.loan_expected_loss AS SELECT
  t.loan_id, t.stage, t.tier, t.days_past_due, t.months_left, t.probability, t.first_probability,
  t.probability_of_default, t.loss_given_default, t.exposure, t.expected_loss, c.region
FROM marts.loan_expected_loss AS t
JOIN lending.loans AS l ON l.loan_id = t.loan_id
JOIN lending.customers AS c ON c.customer_id = l.customer_id
WITH NO SCHEMA BINDING;
CREATE VIEW regional.segments AS SELECT
  segment AS region, loans, labelled, default_rate, default_rate_low, default_rate_high, loans_due, late_30_rate,
  late_30_rate_low, late_30_rate_high, on_time_rate, average_delay
FROM marts.segments
WHERE dimension = 'region'
WITH NO SCHEMA BINDING;

-- Who sees which regions: every deploy writes it from the configuration.
CREATE TABLE IF NOT EXISTS ops.regions_of_users (
  user_name VARCHAR(128) NOT NULL,
  region VARCHAR(160) NOT NULL,
  PRIMARY KEY (user_name, region)
) DISTSTYLE ALL SORTKEY (user_name);
CREATE RLS POLICY own_regions WITH (region VARCHAR(160)) AS seen
  USING (seen.region IN (SELECT r.region FROM ops.regions_of_users AS r WHERE r.user_name = CURRENT_USER));
GRANT SELECT ON TABLE ops.regions_of_users TO RLS POLICY own_regions;
ATTACH RLS POLICY own_regions ON regional.customers TO ROLE regional_analyst;
ALTER TABLE regional.customers ROW LEVEL SECURITY ON;
GRANT SELECT ON TABLE regional.customers TO ROLE regional_analyst;
ATTACH RLS POLICY own_regions ON regional.loans TO ROLE regional_analyst;
ALTER TABLE regional.loans ROW LEVEL SECURITY ON;
GRANT SELECT ON TABLE regional.loans TO ROLE regional_analyst;
ATTACH RLS POLICY own_regions ON regional.repayments TO ROLE regional_analyst;
ALTER TABLE regional.repayments ROW LEVEL SECURITY ON;
GRANT SELECT ON TABLE regional.repayments TO ROLE regional_analyst;
ATTACH RLS POLICY own_regions ON regional.loan_payments TO ROLE regional_analyst;
ALTER TABLE regional.loan_payments ROW LEVEL SECURITY ON;
GRANT SELECT ON TABLE regional.loan_payments TO ROLE regional_analyst;
ATTACH RLS POLICY own_regions ON regional.early_warning TO ROLE regional_analyst;
ALTER TABLE regional.early_warning ROW LEVEL SECURITY ON;
GRANT SELECT ON TABLE regional.early_warning TO ROLE regional_analyst;
ATTACH RLS POLICY own_regions ON regional.high_risk_customers TO ROLE regional_analyst;
ALTER TABLE regional.high_risk_customers ROW LEVEL SECURITY ON;
GRANT SELECT ON TABLE regional.high_risk_customers TO ROLE regional_analyst;
ATTACH RLS POLICY own_regions ON regional.instalments TO ROLE regional_analyst;
ALTER TABLE regional.instalments ROW LEVEL SECURITY ON;
GRANT SELECT ON TABLE regional.instalments TO ROLE regional_analyst;
ATTACH RLS POLICY own_regions ON regional.loan_predictions TO ROLE regional_analyst;
ALTER TABLE regional.loan_predictions ROW LEVEL SECURITY ON;
GRANT SELECT ON TABLE regional.loan_predictions TO ROLE regional_analyst;
ATTACH RLS POLICY own_regions ON regional.loan_expected_loss TO ROLE regional_analyst;
ALTER TABLE regional.loan_expected_loss ROW LEVEL SECURITY ON;
GRANT SELECT ON TABLE regional.loan_expected_loss TO ROLE regional_analyst;
ATTACH RLS POLICY own_regions ON regional.segments TO ROLE regional_analyst;
ALTER TABLE regional.segments ROW LEVEL SECURITY ON;
GRANT SELECT ON TABLE regional.segments TO ROLE regional_analyst;
GRANT USAGE ON SCHEMA ops TO ROLE regional_analyst;  -- where the policy looks the user up
GRANT USAGE ON SCHEMA regional TO ROLE regional_analyst;
