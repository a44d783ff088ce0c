-- Made once in every database: principals, privileges, policies, and Redshift's system views on them.
ALTER TABLE _redshift.principals ADD COLUMN IF NOT EXISTS superuser BOOLEAN DEFAULT false;
CREATE TABLE IF NOT EXISTS _redshift.memberships (
    member_kind VARCHAR, member VARCHAR, kind VARCHAR, name VARCHAR, admin_option BOOLEAN
);
CREATE TABLE IF NOT EXISTS _redshift.grants (
    object_kind VARCHAR, schema_name VARCHAR, object_name VARCHAR, column_name VARCHAR, privilege VARCHAR,
    grantee_kind VARCHAR, grantee VARCHAR, grantor VARCHAR, grant_option BOOLEAN
);
CREATE TABLE IF NOT EXISTS _redshift.default_privileges (
    creator VARCHAR, schema_name VARCHAR, object_kind VARCHAR, privilege VARCHAR, grantee_kind VARCHAR, grantee VARCHAR,
    grant_option BOOLEAN
);
CREATE TABLE IF NOT EXISTS _redshift.owners (object_kind VARCHAR, schema_name VARCHAR, object_name VARCHAR, owner VARCHAR);
CREATE TABLE IF NOT EXISTS _redshift.policies (
    kind VARCHAR, name VARCHAR, columns VARCHAR[], types VARCHAR[], alias VARCHAR, expression VARCHAR,
    modified_by VARCHAR, modified_at TIMESTAMP
);
CREATE TABLE IF NOT EXISTS _redshift.attachments (
    kind VARCHAR, policy VARCHAR, schema_name VARCHAR, relation VARCHAR, output_columns VARCHAR[], input_columns VARCHAR[],
    grantee_kind VARCHAR, grantee VARCHAR, priority INTEGER, grantor VARCHAR
);
CREATE TABLE IF NOT EXISTS _redshift.row_security (schema_name VARCHAR, relation VARCHAR, conjunction VARCHAR);

CREATE OR REPLACE VIEW _redshift.pg_user AS
SELECT name AS usename, superuser AS usesuper FROM _redshift.principals WHERE kind = 'user';

CREATE OR REPLACE VIEW _redshift.svv_relation_privileges AS
SELECT schema_name AS namespace_name, object_name AS relation_name, privilege AS privilege_type, grantee AS identity_name,
    grantee_kind AS identity_type, grant_option AS admin_option, 'TABLE' AS privilege_scope
FROM _redshift.grants WHERE object_kind = 'relation' AND column_name IS NULL;

CREATE OR REPLACE VIEW _redshift.svv_column_privileges AS
SELECT schema_name AS namespace_name, object_name AS relation_name, column_name, privilege AS privilege_type,
    grantee AS identity_name, grantee_kind AS identity_type, grant_option AS admin_option
FROM _redshift.grants WHERE object_kind = 'relation' AND column_name IS NOT NULL;

CREATE OR REPLACE VIEW _redshift.svv_schema_privileges AS
SELECT object_name AS namespace_name, privilege AS privilege_type, grantee AS identity_name,
    grantee_kind AS identity_type, grant_option AS admin_option, 'SCHEMA' AS privilege_scope
FROM _redshift.grants WHERE object_kind = 'schema';

CREATE OR REPLACE VIEW _redshift.svv_user_grants AS
SELECT member AS user_name, name AS role_name, admin_option
FROM _redshift.memberships WHERE kind = 'role' AND member_kind = 'user';

CREATE OR REPLACE VIEW _redshift.svv_role_grants AS
SELECT member AS role_name, name AS granted_role_name
FROM _redshift.memberships WHERE kind = 'role' AND member_kind = 'role';

CREATE OR REPLACE VIEW _redshift.svv_default_privileges AS
SELECT schema_name, creator AS owner_name, 'user' AS owner_type, privilege AS privilege_type, grantee AS grantee_name,
    grantee_kind AS grantee_type, grant_option AS admin_option
FROM _redshift.default_privileges;

CREATE OR REPLACE VIEW _redshift.svv_masking_policy AS
SELECT current_database() AS policy_database, name AS policy_name, columns AS input_columns,
    expression AS policy_expression, modified_by AS policy_modified_by, modified_at AS policy_modified_time
FROM _redshift.policies WHERE kind = 'masking';

CREATE OR REPLACE VIEW _redshift.svv_attached_masking_policy AS
SELECT policy AS policy_name, schema_name, relation AS table_name, 'table' AS table_type, grantor, grantee,
    grantee_kind AS grantee_type, priority, input_columns, output_columns
FROM _redshift.attachments WHERE kind = 'masking';

CREATE OR REPLACE VIEW _redshift.svv_rls_policy AS
SELECT current_database() AS poldb, name AS polname, alias AS polalias, columns AS polatts, expression AS polqual,
    true AS polenabled, modified_by AS polmodifiedby, modified_at AS polmodifiedtime
FROM _redshift.policies WHERE kind = 'rls';

CREATE OR REPLACE VIEW _redshift.svv_rls_attached_policy AS
SELECT schema_name AS relschema, relation AS relname, 'table' AS relkind, policy AS polname, grantor, grantee,
    grantee_kind AS granteekind, r.relation IS NOT NULL AS is_rls_on
FROM _redshift.attachments AS a LEFT JOIN _redshift.row_security AS r USING (schema_name, relation) WHERE a.kind = 'rls';

CREATE OR REPLACE VIEW _redshift.svv_rls_relation AS
SELECT current_database() AS datname, schema_name AS relschema, relation AS relname, conjunction AS rls_conjunction_type
FROM _redshift.row_security;
