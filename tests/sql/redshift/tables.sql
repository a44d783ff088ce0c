--# distribution, sort keys and encodings are accepted
CREATE TABLE t (a BIGINT NOT NULL ENCODE az64 DISTKEY SORTKEY, b VARCHAR(5) ENCODE zstd) BACKUP NO DISTSTYLE KEY COMPOUND SORTKEY (a, b);
CREATE TABLE u (a INT) DISTSTYLE AUTO SORTKEY AUTO;
SELECT COUNT(*) FROM t
--> 0

--# primary keys are not enforced
CREATE TABLE t (a INT, b INT UNIQUE, PRIMARY KEY (a));
INSERT INTO t VALUES (1, 1), (1, 1);
SELECT COUNT(*) FROM t
--> 2

--# but they are NOT NULL
CREATE TABLE t (a INT, PRIMARY KEY (a));
INSERT INTO t VALUES (NULL)
--> ERROR: Cannot insert a NULL value into column a

--# foreign keys are not enforced
CREATE TABLE p (a INT, PRIMARY KEY (a));
CREATE TABLE c (a INT REFERENCES p (a), FOREIGN KEY (a) REFERENCES p (a));
INSERT INTO c VALUES (7);
SELECT a FROM c
--> 7

--# VARCHAR(n) counts bytes
CREATE TABLE t (a VARCHAR(3));
INSERT INTO t VALUES ('äö')
--> ERROR: value too long for type character varying(3)

--# IDENTITY counts
CREATE TABLE t (id BIGINT IDENTITY(1, 1), a INT);
INSERT INTO t (a) VALUES (10), (20);
SELECT id, a FROM t ORDER BY id
--> 1 | 10
--> 2 | 20

--# a temporary table like another has its constraints
CREATE TABLE t (a INT NOT NULL, b VARCHAR(2) DEFAULT 'x');
CREATE TEMP TABLE s (LIKE t);
INSERT INTO s (a, b) VALUES (1, 'abc')
--> ERROR: value too long for type character varying(2)

--# defaults come along when asked for
CREATE TABLE t (a INT NOT NULL, b VARCHAR(2) DEFAULT 'x');
CREATE TEMP TABLE s (LIKE t INCLUDING DEFAULTS);
INSERT INTO s (a) VALUES (1);
SELECT a, b FROM s
--> 1 | x

--# a name with # is temporary
CREATE TABLE #s (a INT);
INSERT INTO #s VALUES (1);
SELECT a FROM #s
--> 1

--# MERGE updates and inserts
CREATE TABLE t (a INT, b VARCHAR(5));
CREATE TEMP TABLE s (LIKE t);
INSERT INTO t VALUES (1, 'old');
INSERT INTO s VALUES (1, 'new'), (2, 'two');
MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = s.b WHEN NOT MATCHED THEN INSERT (a, b) VALUES (s.a, s.b);
SELECT a, b FROM t ORDER BY a
--> 1 | new
--> 2 | two

--# MERGE refuses two matches for one row
CREATE TABLE t (a INT, b INT);
CREATE TEMP TABLE s (LIKE t);
INSERT INTO t VALUES (1, 0);
INSERT INTO s VALUES (1, 1), (1, 2);
MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = s.b WHEN NOT MATCHED THEN INSERT (a, b) VALUES (s.a, s.b)
--> ERROR: Found multiple matches to update the same tuple

--# MERGE takes no condition after WHEN MATCHED
CREATE TABLE t (a INT);
MERGE INTO t USING t AS s ON t.a = s.a WHEN MATCHED AND s.a > 1 THEN DELETE WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)
--> ERROR: syntax error at or near "AND"

--# MERGE takes no subquery
CREATE TABLE t (a INT);
MERGE INTO t USING (SELECT 1 AS a) AS s ON t.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)
--> ERROR: syntax error at or near "("

--# a materialized view is stale until it is refreshed
CREATE TABLE t (a INT);
CREATE MATERIALIZED VIEW m AUTO REFRESH NO AS SELECT COUNT(*) AS c FROM t;
INSERT INTO t VALUES (1);
SELECT c FROM m
--> 0

--# and fresh after it
CREATE TABLE t (a INT);
CREATE MATERIALIZED VIEW m AS SELECT COUNT(*) AS c FROM t;
INSERT INTO t VALUES (1);
REFRESH MATERIALIZED VIEW m;
SELECT c FROM m
--> 1

--# comments are kept
CREATE TABLE t (a INT);
COMMENT ON COLUMN t.a IS 'the ''a''';
SELECT column_name, data_type, remarks FROM svv_columns WHERE table_name = 't'
--> a | integer | the 'a'

--# the information schema speaks of Redshift's types
CREATE TABLE t (a VARCHAR(9), b TIMESTAMP, c DOUBLE PRECISION, d SUPER, e DECIMAL(5, 2));
SELECT data_type FROM information_schema.columns WHERE table_name = 't' ORDER BY ordinal_position
--> character varying
--> timestamp without time zone
--> double precision
--> super
--> numeric
