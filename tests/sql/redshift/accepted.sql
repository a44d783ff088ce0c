--# users, roles and grants
CREATE TABLE t (a INT);
CREATE ROLE reader;
CREATE USER "IAMR:solvent-dev-load" PASSWORD DISABLE;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO ROLE reader;
GRANT SELECT (a) ON TABLE t TO ROLE reader;
GRANT ROLE reader TO "IAMR:solvent-dev-load";
SELECT COUNT(*) FROM _redshift.accepted_statements
--> 5

--# a password is not recorded
CREATE USER x PASSWORD 'Secret123';
SELECT COUNT(*) FROM _redshift.accepted_statements WHERE text LIKE '%Secret123%'
--> 0

--# a role twice
CREATE ROLE reader;
CREATE ROLE reader
--> ERROR: role "reader" already exists

--# a grant to nobody
CREATE TABLE t (a INT);
GRANT SELECT ON t TO ROLE nobody
--> ERROR: role "nobody" does not exist

--# a grant on nothing
CREATE ROLE reader;
GRANT SELECT ON nothing TO ROLE reader
--> ERROR: relation "nothing" does not exist

--# a grant on no schema
CREATE ROLE reader;
GRANT USAGE ON SCHEMA nothing TO ROLE reader
--> ERROR: schema "nothing" does not exist

--# hints to the planner
CREATE TABLE t (a INT);
ANALYZE t;
VACUUM FULL t;
LOCK t;
ALTER TABLE t OWNER TO somebody;
SET query_group TO 'batch';
SELECT COUNT(*) FROM t
--> 0

--# search_path
CREATE SCHEMA other;
CREATE TABLE other.t (a INT);
SET search_path TO other;
SELECT COUNT(*) FROM t
--> 0

--# an unknown setting is refused
SET nonsense TO 1
--> ERROR: the embedded Redshift does not implement SET nonsense

--# a function is refused
CREATE FUNCTION f(int) RETURNS int STABLE AS $$ SELECT $1 $$ LANGUAGE sql
--> ERROR: the embedded Redshift does not implement CREATE FUNCTION

--# a procedure that does not exist
CALL p()
--> ERROR: procedure public.p with 0 arguments does not exist

--# an external schema is refused
CREATE EXTERNAL SCHEMA x FROM DATA CATALOG DATABASE 'd' IAM_ROLE default
--> ERROR: the embedded Redshift does not implement

--# a masking policy is refused
CREATE MASKING POLICY m WITH (a VARCHAR(9)) USING ('x')
--> ERROR:

--# transaction control is refused
BEGIN
--> ERROR: the embedded Redshift does not implement transaction control
