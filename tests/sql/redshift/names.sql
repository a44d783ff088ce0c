--# names are folded to lower case, quoted ones too
SELECT 1 AS "Foo"
--> columns: foo

--# unnamed columns are named after their function, or not at all
SELECT COUNT(*), 1 + 1, MAX('a')
--> columns: count | ?column? | max

--# a relation that does not exist
SELECT * FROM nothing
--> ERROR: relation "nothing" does not exist

--# with its schema
SELECT * FROM public.nothing
--> ERROR: relation "public.nothing" does not exist

--# a column that does not exist
SELECT b FROM (SELECT 1 AS a) AS t
--> ERROR: column "b" does not exist

--# a schema that does not exist
CREATE TABLE nowhere.t (a INT)
--> ERROR: schema "nowhere" does not exist

--# a table twice
CREATE TABLE t (a INT);
CREATE TABLE t (a INT)
--> ERROR: Relation "t" already exists

--# text that is no number
SELECT 'x'::int
--> ERROR: invalid input syntax for integer: "x"

--# two statements in one
SELECT 1; SELECT 2;
--> ERROR: cannot insert multiple commands into a prepared statement

--# the laptop's files are no relations
SELECT * FROM '/etc/hosts'
--> ERROR:

--# who am I
SELECT current_user, user
--> admin | admin
