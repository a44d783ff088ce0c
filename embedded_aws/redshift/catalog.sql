-- Made once in every database: what the embedded Redshift records, and Redshift's own system views on DuckDB's catalog.
CREATE SCHEMA IF NOT EXISTS public;
CREATE SCHEMA IF NOT EXISTS _redshift;
CREATE TABLE IF NOT EXISTS _redshift.principals (kind VARCHAR, name VARCHAR);
CREATE TABLE IF NOT EXISTS _redshift.accepted_statements (kind VARCHAR, text VARCHAR, caller VARCHAR, recorded_at TIMESTAMPTZ);
CREATE TABLE IF NOT EXISTS _redshift.materialized_views (schema_name VARCHAR, name VARCHAR, query VARCHAR);
CREATE TABLE IF NOT EXISTS _redshift.sys_load_error_detail (
    query_id VARCHAR, database_name VARCHAR, table_name VARCHAR, start_time TIMESTAMP, file_name VARCHAR,
    line_number BIGINT, column_name VARCHAR, column_type VARCHAR, column_length VARCHAR, error_code INTEGER,
    error_message VARCHAR
);

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
WHERE NOT c.internal AND c.schema_name <> '_redshift';

CREATE OR REPLACE VIEW _redshift.svv_tables AS
SELECT database_name AS table_catalog, schema_name AS table_schema, table_name, 'BASE TABLE' AS table_type, comment AS remarks
FROM duckdb_tables() WHERE NOT internal AND schema_name <> '_redshift'
UNION ALL
SELECT database_name, schema_name, view_name, 'VIEW', comment
FROM duckdb_views() WHERE NOT internal AND schema_name <> '_redshift';

CREATE OR REPLACE VIEW _redshift.pg_table_def AS
SELECT table_schema AS schemaname, table_name AS tablename, column_name AS "column",
    CASE WHEN character_maximum_length IS NOT NULL THEN data_type || '(' || character_maximum_length || ')'
        ELSE data_type END AS "type",
    'none' AS encoding, false AS distkey, 0 AS sortkey, is_nullable = 'NO' AS "notnull"
FROM _redshift.svv_columns
WHERE list_contains(string_split(current_setting('search_path'), ','), table_schema);

CREATE OR REPLACE VIEW _redshift.svv_roles AS SELECT name AS role_name FROM _redshift.principals WHERE kind = 'role';
CREATE OR REPLACE VIEW _redshift.pg_user AS SELECT name AS usename FROM _redshift.principals WHERE kind = 'user';
