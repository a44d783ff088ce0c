--# integers divide to integers
SELECT 7 / 2, -7 / 2, 7 % 2
--> 3 | -3 | 1

--# doubles divide to doubles
SELECT 7::float8 / 2
--> 3.5

--# a division by zero is an error, never infinity or null
SELECT 1 / 0
--> ERROR: Divide by zero

--# so is a modulo by zero
SELECT 5 % 0
--> ERROR: Divide by zero

--# and a division of doubles
SELECT 1.5::float8 / 0
--> ERROR: Divide by zero

--# a branch that is not taken divides nothing
SELECT CASE WHEN 1 = 1 THEN 0 ELSE 1 / 0 END
--> 0

--# rows that are filtered out divide nothing
SELECT a / b FROM (SELECT 4 AS a, 2 AS b UNION ALL SELECT 1, 0) AS t WHERE b <> 0
--> 2

--# NULLIF guards
SELECT 1 / NULLIF(0, 0)
--> null

--# the average of integers is truncated
SELECT AVG(x) FROM (SELECT 1 AS x UNION ALL SELECT 2) AS t
--> 1

--# also over a window
SELECT DISTINCT AVG(x) OVER () FROM (SELECT 1 AS x UNION ALL SELECT 2) AS t
--> 1

--# the average of doubles is not
SELECT AVG(x::float8) FROM (SELECT 1 AS x UNION ALL SELECT 2) AS t
--> 1.5

--# the average of nothing is null
SELECT AVG(x) FROM (SELECT 1 AS x) AS t WHERE x > 1
--> null

--# integers overflow with an error
SELECT 9223372036854775807::bigint + 1
--> ERROR: Numeric data overflow (result precision)
