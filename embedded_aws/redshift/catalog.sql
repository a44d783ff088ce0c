-- Made once in every database: what the embedded Redshift records, and Redshift's own system views on DuckDB's catalog.
CREATE SCHEMA IF NOT EXISTS public;
CREATE SCHEMA IF NOT EXISTS _redshift;
CREATE TABLE IF NOT EXISTS _redshift.principals (kind VARCHAR, name VARCHAR);
CREATE TABLE IF NOT EXISTS _redshift.accepted_statements (kind VARCHAR, text VARCHAR, caller VARCHAR, recorded_at TIMESTAMPTZ);
CREATE TABLE IF NOT EXISTS _redshift.materialized_views (schema_name VARCHAR, name VARCHAR, query VARCHAR);
ALTER TABLE _redshift.materialized_views ADD COLUMN IF NOT EXISTS owner VARCHAR;
ALTER TABLE _redshift.materialized_views ADD COLUMN IF NOT EXISTS autorefresh BOOLEAN;
CREATE TABLE IF NOT EXISTS _redshift.materialized_from (schema_name VARCHAR, name VARCHAR, base_schema VARCHAR, base_name VARCHAR);
CREATE TABLE IF NOT EXISTS _redshift.materialized_outdated (schema_name VARCHAR, name VARCHAR);
CREATE TABLE IF NOT EXISTS _redshift.pending_views (schema_name VARCHAR, name VARCHAR, definition VARCHAR, reads VARCHAR[]);
CREATE TABLE IF NOT EXISTS _redshift.external_schemas (schema_name VARCHAR, role VARCHAR, owner VARCHAR);
CREATE TABLE IF NOT EXISTS _redshift.stream_objects (schema_name VARCHAR, stream VARCHAR, object VARCHAR);
CREATE TABLE IF NOT EXISTS _redshift.procedures (schema_name VARCHAR, name VARCHAR, arity INTEGER, owner VARCHAR, definition VARCHAR);
CREATE TABLE IF NOT EXISTS _redshift.models (schema_name VARCHAR, name VARCHAR, function_name VARCHAR, arity INTEGER, owner VARCHAR, definition VARCHAR);
CREATE TABLE IF NOT EXISTS _redshift.sys_load_error_detail (
    query_id VARCHAR, database_name VARCHAR, table_name VARCHAR, start_time TIMESTAMP, file_name VARCHAR,
    line_number BIGINT, column_name VARCHAR, column_type VARCHAR, column_length VARCHAR, error_code INTEGER,
    error_message VARCHAR
);
ALTER TABLE _redshift.sys_load_error_detail ADD COLUMN IF NOT EXISTS user_id VARCHAR;  -- whose load: the user's name

-- JSON and bytes, with Redshift's names; SUPER is JSON, VARBYTE is BLOB.
CREATE OR REPLACE MACRO _redshift.json_parse(x BLOB) AS json(decode(x)), (x VARCHAR) AS json(x);
CREATE OR REPLACE MACRO _redshift.can_json_parse(x BLOB) AS json_valid(TRY(decode(x))), (x VARCHAR) AS json_valid(x);
CREATE OR REPLACE MACRO _redshift.from_varbyte(x, form) AS CASE lower(form)
    WHEN 'utf-8' THEN decode(x) WHEN 'utf8' THEN decode(x) WHEN 'hex' THEN lower(hex(x)) WHEN 'base64' THEN to_base64(x)
    ELSE error('invalid format for FROM_VARBYTE: ' || form) END;
CREATE OR REPLACE MACRO _redshift.to_varbyte(x, form) AS CASE lower(form)
    WHEN 'utf-8' THEN encode(x) WHEN 'utf8' THEN encode(x) WHEN 'hex' THEN unhex(x) WHEN 'base64' THEN from_base64(x)
    ELSE error('invalid format for TO_VARBYTE: ' || form) END;

CREATE OR REPLACE VIEW _redshift.svv_columns AS
SELECT
    c.database_name AS table_catalog,
    c.schema_name AS table_schema,
    c.table_name,
    c.column_name,
    c.column_index AS ordinal_position,
    c.column_default,
    CASE WHEN c.is_nullable THEN 'YES' ELSE 'NO' END AS is_nullable,
    CASE
        WHEN c.data_type = 'VARCHAR' THEN 'character varying'
        WHEN c.data_type = 'JSON' THEN 'super'
        WHEN c.data_type = 'TIMESTAMP' THEN 'timestamp without time zone'
        WHEN c.data_type = 'TIMESTAMP WITH TIME ZONE' THEN 'timestamp with time zone'
        WHEN c.data_type = 'DOUBLE' THEN 'double precision'
        WHEN c.data_type = 'FLOAT' THEN 'real'
        WHEN c.data_type = 'HUGEINT' OR c.data_type LIKE 'DECIMAL%' THEN 'numeric'
        ELSE lower(c.data_type)
    END AS data_type,
    k.bytes AS character_maximum_length,
    c.numeric_precision,
    c.numeric_scale,
    c.comment AS remarks
FROM duckdb_columns() AS c
LEFT JOIN (
    SELECT database_name, schema_name, table_name, constraint_column_names[1] AS column_name,
        TRY_CAST(regexp_extract(expression, '^\(strlen\(.*\) <= (\d+)\)$', 1) AS INTEGER) AS bytes
    FROM duckdb_constraints() WHERE constraint_type = 'CHECK'
) AS k USING (database_name, schema_name, table_name, column_name)
WHERE NOT c.internal AND c.schema_name <> '_redshift'
    AND c.schema_name NOT IN (SELECT schema_name FROM _redshift.external_schemas);

CREATE OR REPLACE VIEW _redshift.svv_tables AS
SELECT t.database_name AS table_catalog, t.schema_name AS table_schema, t.table_name,
    CASE WHEN m.name IS NULL THEN 'BASE TABLE' ELSE 'VIEW' END AS table_type, t.comment AS remarks
FROM duckdb_tables() AS t
LEFT JOIN _redshift.materialized_views AS m ON m.schema_name = t.schema_name AND m.name = t.table_name
WHERE NOT t.internal AND t.schema_name <> '_redshift'
    AND t.schema_name NOT IN (SELECT schema_name FROM _redshift.external_schemas)
UNION ALL
SELECT database_name, schema_name, view_name, 'VIEW', comment
FROM duckdb_views() WHERE NOT internal AND schema_name <> '_redshift'
UNION ALL
SELECT current_database(), schema_name, name, 'VIEW', NULL FROM _redshift.pending_views;

CREATE OR REPLACE VIEW _redshift.svv_mv_info AS
SELECT current_database() AS database_name, v.schema_name, v.owner AS user_name, v.name,
    CASE WHEN EXISTS (
        SELECT 1 FROM _redshift.materialized_outdated AS o WHERE o.schema_name = v.schema_name AND o.name = v.name
    ) THEN 't' ELSE 'f' END AS is_stale,
    0 AS state, 'f' AS autorewrite, CASE WHEN v.autorefresh THEN 't' ELSE 'f' END AS autorefresh
FROM _redshift.materialized_views AS v;

CREATE OR REPLACE VIEW _redshift.stv_mv_info AS
SELECT database_name AS db_name, schema_name AS "schema", name, 0 AS updated_upto_xid, is_stale,
    user_name AS owner_user_name, state, autorewrite, autorefresh
FROM _redshift.svv_mv_info;

CREATE OR REPLACE VIEW _redshift.stv_ml_model_info AS
SELECT schema_name, owner AS user_name, name AS model_name, 'Ready' AS life_cycle, 0 AS is_refreshable,
    'READY' AS model_state
FROM _redshift.models;

CREATE OR REPLACE VIEW _redshift.pg_table_def AS
SELECT table_schema AS schemaname, table_name AS tablename, column_name AS "column",
    CASE WHEN character_maximum_length IS NOT NULL THEN data_type || '(' || character_maximum_length || ')'
        ELSE data_type END AS "type",
    'none' AS encoding, false AS distkey, 0 AS sortkey, is_nullable = 'NO' AS "notnull"
FROM _redshift.svv_columns
WHERE list_contains(string_split(current_setting('search_path'), ','), table_schema);

CREATE OR REPLACE VIEW _redshift.svv_roles AS SELECT name AS role_name FROM _redshift.principals WHERE kind = 'role';
