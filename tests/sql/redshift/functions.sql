--# dates
SELECT DATEADD(month, 1, '2024-01-31'::date), DATEDIFF(day, '2024-01-01', '2024-02-01'), LAST_DAY('2024-02-03'::date)
--> 2024-02-29 00:00:00 | 31 | 2024-02-29

--# months and formats
SELECT TO_CHAR('2024-01-31'::date, 'YYYY-MM'), DATE_TRUNC('month', '2024-05-17'::timestamp), EXTRACT(year FROM '2024-05-17'::date)
--> 2024-01 | 2024-05-01 00:00:00 | 2024

--# time zones
SELECT CONVERT_TIMEZONE('UTC', 'Europe/Paris', '2024-07-01 00:00:00'::timestamp)
--> 2024-07-01 02:00:00

--# GETDATE has no time zone
SELECT GETDATE() > '2020-01-01 00:00:00'::timestamp
--> True

--# hashes
SELECT MD5('a'), SHA2('a', 256)
--> 0cc175b9c0f1b6a831c399e269772661 | ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb

--# nulls
SELECT NVL(NULL, 2), ISNULL(NULL, 3), DECODE(2, 1, 'a', 2, 'b', 'c'), NVL2(NULL, 'x', 'y')
--> 2 | 3 | b | y

--# LISTAGG with DISTINCT
SELECT LISTAGG(DISTINCT n, '|') WITHIN GROUP (ORDER BY n) FROM (SELECT 'b' AS n UNION ALL SELECT 'a' UNION ALL SELECT 'a') AS t
--> a|b

--# LISTAGG without a separator
SELECT LISTAGG(n) WITHIN GROUP (ORDER BY n) FROM (SELECT 'b' AS n UNION ALL SELECT 'a') AS t
--> ab

--# REGEXP_REPLACE replaces every match
SELECT REGEXP_REPLACE('aXbXc', 'X', '-')
--> a-b-c

--# a cast to a short VARCHAR cuts
SELECT 'abcdef'::varchar(3)
--> abc

--# nulls sort as the largest value
SELECT x FROM (SELECT 1 AS x UNION ALL SELECT NULL UNION ALL SELECT 2) AS t ORDER BY x DESC
--> null
--> 2
--> 1

--# QUALIFY
SELECT x FROM (SELECT 1 AS x UNION ALL SELECT 2) AS t QUALIFY ROW_NUMBER() OVER (ORDER BY x DESC) = 1
--> 2

--# SUPER: subscripts count from zero
CREATE TABLE s (r SUPER);
INSERT INTO s VALUES (JSON_PARSE('[{"code":"A"},{"code":"B"}]'));
SELECT r[0].code, r[1].code, GET_ARRAY_LENGTH(r) FROM s
--> "A" | "B" | 2

--# SUPER: a cast to VARCHAR gives the string itself
CREATE TABLE s (r SUPER);
INSERT INTO s VALUES (JSON_PARSE('[{"text": "a b"}, {"text": null}]'));
SELECT CAST(r[0].text AS VARCHAR(100)), r[0].text::VARCHAR, CAST(r[1].text AS VARCHAR(9)), CAST(r[2].text AS VARCHAR) FROM s
--> a b | a b | null | null

--# SUPER: elements as rows
CREATE TABLE s (r SUPER);
INSERT INTO s VALUES (JSON_PARSE('[{"code":"A"},{"code":"B"}]'));
SELECT COUNT(*) FROM s AS t, t.r AS e
--> 2

--# JSON text
SELECT JSON_EXTRACT_PATH_TEXT('{"a":{"b":"x"}}', 'a', 'b')
--> x

--# a percentile
SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x) FROM (SELECT 1 AS x UNION ALL SELECT 2) AS t
--> 1.5

--# an unknown function is an error
SELECT ratio_to_what(1)
--> ERROR: function ratio_to_what does not exist
