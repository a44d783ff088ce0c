"""Who has no privilege gets Redshift's error, by whatever statement and through whatever detour."""

from pathlib import Path
from typing import Any

import pytest
from redshift_fixtures import Warehouse

from embedded_aws.redshift.errors import SqlError

RELATION = "permission denied for relation customers"
SCHEMA = "permission denied for schema bank"


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path)
    made.run(
        "CREATE SCHEMA bank",
        "CREATE TABLE bank.customers (id INT, name VARCHAR(20), region VARCHAR(20))",
        "CREATE TABLE bank.loans (id INT, customer_id INT, amount INT)",
        "INSERT INTO bank.customers VALUES (1, 'Ada', 'north'), (2, 'Bo', 'south')",
        "INSERT INTO bank.loans VALUES (10, 1, 100)",
        "CREATE VIEW bank.people AS SELECT id, name FROM bank.customers",
        "CREATE USER u PASSWORD DISABLE",
        "CREATE ROLE r",
        "GRANT USAGE ON SCHEMA bank TO u",
    )
    return made


def refused(warehouse: Warehouse, message: str, *statements: str, user: str = "u") -> None:
    with pytest.raises(SqlError, match=message):
        warehouse.run(*statements, user=user)


def seen(warehouse: Warehouse, sql: str, user: str = "u") -> list[tuple[Any, ...]]:
    return warehouse.rows(sql, user=user)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM bank.customers",
        "SELECT COUNT(*) FROM bank.customers",
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM bank.customers)",
        "WITH customers AS (SELECT * FROM bank.customers) SELECT * FROM customers",
        "SELECT * FROM (SELECT 1 AS id) AS one JOIN bank.customers USING (id)",
        "SELECT 1 UNION ALL SELECT id FROM bank.customers",
        "SELECT (SELECT MAX(name) FROM bank.customers)",
        "CREATE TEMP TABLE mine AS SELECT * FROM bank.customers",
        "CREATE TABLE public.mine AS SELECT * FROM bank.customers",
        "CREATE VIEW public.mine AS SELECT * FROM bank.customers",
        "CREATE TEMP TABLE mine (LIKE bank.customers)",
        "INSERT INTO bank.customers VALUES (3, 'Cy', 'east')",
        "UPDATE bank.customers SET name = 'x'",
        "DELETE FROM bank.customers",
        "MERGE INTO bank.customers USING bank.loans ON customers.id = loans.id "
        "WHEN MATCHED THEN UPDATE SET name = 'x' WHEN NOT MATCHED THEN INSERT (id) VALUES (loans.id)",
        "COPY bank.customers FROM 's3://lake/x/' IAM_ROLE default FORMAT AS PARQUET",
        "UNLOAD ('SELECT * FROM bank.customers') TO 's3://lake/x/' IAM_ROLE default FORMAT AS PARQUET",
        "GRANT SELECT ON bank.customers TO u",
        "REVOKE SELECT ON bank.customers FROM PUBLIC",
    ],
)
def test_without_a_privilege_nothing_is_read_or_written(warehouse: Warehouse, sql: str) -> None:
    refused(warehouse, RELATION, sql)


@pytest.mark.parametrize(
    "sql", ["DROP TABLE bank.customers", "TRUNCATE TABLE bank.customers", "ALTER TABLE bank.customers ADD COLUMN x INT",
            "COMMENT ON COLUMN bank.customers.id IS 'x'", "ALTER TABLE bank.customers ALTER DISTSTYLE ALL",
            "ALTER TABLE bank.customers OWNER TO u"],
)  # fmt: skip
def test_only_the_owner_changes_a_table(warehouse: Warehouse, sql: str) -> None:
    warehouse.run("GRANT SELECT, INSERT, UPDATE, DELETE ON bank.customers TO u")
    refused(warehouse, "must be owner of relation customers", sql)


@pytest.mark.parametrize(
    ("privilege", "sql"),
    [
        ("SELECT", "SELECT * FROM bank.customers"),
        ("INSERT", "INSERT INTO bank.customers VALUES (3, 'Cy', 'east')"),
        ("UPDATE", "UPDATE bank.customers SET name = 'x'"),
        ("UPDATE (name)", "UPDATE bank.customers SET name = 'x'"),
        ("DELETE", "DELETE FROM bank.customers"),
        ("DROP", "DROP TABLE bank.customers CASCADE"),
        ("TRUNCATE", "TRUNCATE TABLE bank.customers"),
        ("ALTER", "ALTER TABLE bank.customers ADD COLUMN x INT"),
    ],
)
def test_a_privilege_opens_its_own_statement_and_a_revoke_closes_it(
    warehouse: Warehouse, privilege: str, sql: str
) -> None:
    warehouse.run(f"GRANT {privilege} ON TABLE bank.customers TO u", f"REVOKE {privilege} ON bank.customers FROM u")
    refused(warehouse, "ERROR", sql)
    warehouse.run(f"GRANT {privilege} ON TABLE bank.customers TO u")
    warehouse.run(sql, user="u")


def test_what_an_update_or_delete_reads_needs_select(warehouse: Warehouse) -> None:
    """Otherwise a DELETE ... WHERE name = 'Ada' would tell who is in the table."""
    warehouse.run("GRANT UPDATE, DELETE ON bank.customers TO u", "GRANT SELECT ON bank.loans TO u")
    refused(warehouse, RELATION, "DELETE FROM bank.customers WHERE name = 'Ada'")
    refused(warehouse, RELATION, "DELETE FROM bank.customers USING bank.loans WHERE customers.id = loans.customer_id")
    refused(warehouse, RELATION, "UPDATE bank.customers SET region = name")
    refused(warehouse, "syntax error", "DELETE FROM bank.customers RETURNING id")


def test_the_schema_comes_first(warehouse: Warehouse) -> None:
    warehouse.run("GRANT SELECT ON bank.customers TO u", "REVOKE USAGE ON SCHEMA bank FROM u")
    refused(warehouse, SCHEMA, "SELECT id FROM bank.customers")
    refused(warehouse, SCHEMA, "CREATE TABLE bank.mine (a INT)")


@pytest.mark.contract(
    "redshift.column-privileges",
    page="https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html",
    says="SELECT and UPDATE can be granted on columns; a query that reads another column, * included, is refused.",
)
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM bank.customers",
        "SELECT * FROM bank.customers",
        "SELECT c.* FROM bank.customers AS c",
        "SELECT region FROM bank.customers WHERE name = 'Ada'",
        "SELECT region AS name FROM bank.customers WHERE name = 'Ada'",
        "SELECT region FROM bank.customers ORDER BY name",
        "SELECT COUNT(name) FROM bank.customers",
        "SELECT region FROM bank.customers AS c WHERE EXISTS (SELECT 1 WHERE c.name = 'Ada')",
        "SELECT one.name FROM (SELECT 'Ada' AS name) AS one JOIN bank.customers USING (name)",
        "WITH c AS (SELECT name FROM bank.customers) SELECT * FROM c",
        "UNLOAD ('SELECT name FROM bank.customers') TO 's3://lake/x/' IAM_ROLE default FORMAT AS PARQUET",
    ],
)
def test_a_column_that_is_not_granted_is_not_read(warehouse: Warehouse, sql: str) -> None:
    warehouse.run("GRANT SELECT (id, region) ON bank.customers TO u")
    refused(warehouse, RELATION, sql)


def test_columns_that_are_granted_are_read_in_every_form(warehouse: Warehouse) -> None:
    warehouse.run("GRANT SELECT (id, region) ON bank.customers TO u", "GRANT SELECT ON bank.loans TO u")
    assert seen(warehouse, "SELECT COUNT(*) FROM bank.customers") == [(2,)]
    assert seen(warehouse, "SELECT bank.customers.region FROM bank.customers WHERE id = 1") == [("north",)]
    assert seen(warehouse, "SELECT region AS name FROM bank.customers ORDER BY name") == [("north",), ("south",)]
    joined = "SELECT c.region, l.amount FROM bank.loans l JOIN bank.customers c ON c.id = l.customer_id"
    assert seen(warehouse, joined) == [("north", 100)]
    assert seen(warehouse, "SELECT * FROM (SELECT region FROM bank.customers WHERE id = 2) AS s") == [("south",)]


def test_an_outer_query_does_not_help(warehouse: Warehouse) -> None:
    """What is not granted is not even there for DuckDB: a name that we misread finds nothing."""
    warehouse.run("GRANT SELECT (id) ON bank.customers TO u", "GRANT SELECT ON bank.loans TO u")
    refused(warehouse, "ERROR", "SELECT (SELECT MAX(l.id) FROM bank.loans l WHERE name = 'Ada') FROM bank.customers")
    refused(warehouse, "ERROR", "SELECT customers FROM bank.customers, (SELECT name) AS s")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM query('SELECT * FROM bank.customers')",
        "SELECT * FROM query_table('bank.customers')",
        "SELECT * FROM pragma_storage_info('bank.customers')",
        "SELECT * FROM 'bank.customers'",
        "SELECT * FROM solvent.bank.customers",
        "SELECT * FROM temp.bank.customers",
        "SELECT * FROM _redshift.grants",
        "SELECT * FROM grants",
        "INSERT INTO _redshift.memberships VALUES ('user', 'u', 'role', 'r', true)",
        "DELETE FROM grants",
        "WITH RECURSIVE c AS (SELECT id FROM c) SELECT * FROM c",
    ],
)
def test_there_is_no_way_round(warehouse: Warehouse, sql: str) -> None:
    refused(warehouse, "ERROR", sql)


@pytest.mark.parametrize(
    "sql",
    [
        "WITH customers AS (SELECT * FROM customers) SELECT * FROM customers",
        "WITH RECURSIVE customers AS (SELECT * FROM customers) SELECT * FROM customers",
        "WITH RECURSIVE customers AS (SELECT id FROM customers UNION ALL SELECT id + 9 FROM customers WHERE id < 3) "
        "SELECT * FROM customers",
        "WITH a AS (SELECT * FROM customers), customers AS (SELECT 1) SELECT * FROM a",
    ],
)
def test_a_query_of_the_same_name_hides_no_table(warehouse: Warehouse, sql: str) -> None:
    refused(warehouse, RELATION, "SET search_path TO bank", sql)


def test_a_view_needs_its_own_privilege_only(warehouse: Warehouse) -> None:
    refused(warehouse, "permission denied for relation people", "SELECT * FROM bank.people")
    warehouse.run("GRANT SELECT ON bank.people TO u")
    assert seen(warehouse, "SELECT name FROM bank.people WHERE id = 1") == [("Ada",)]
    refused(warehouse, RELATION, "SELECT * FROM bank.customers")


def test_a_view_can_do_what_its_owner_can(warehouse: Warehouse) -> None:
    """And no longer when the owner no longer can; whoever asks, the admin included."""
    warehouse.run(
        "CREATE USER other PASSWORD DISABLE",
        "GRANT SELECT ON bank.customers TO u",
        "GRANT USAGE ON SCHEMA bank TO other",
    )
    warehouse.run("CREATE VIEW public.mine (who) AS SELECT name FROM bank.customers", user="u")
    refused(warehouse, "permission denied for relation mine", "SELECT * FROM public.mine", user="other")
    warehouse.run("GRANT SELECT ON public.mine TO other", user="u")
    assert seen(warehouse, "SELECT who FROM mine ORDER BY 1", "other") == [("Ada",), ("Bo",)]
    warehouse.run("REVOKE SELECT ON bank.customers FROM u")
    for user in ("other", "u", "admin"):
        refused(warehouse, RELATION, "SELECT * FROM public.mine", user=user)


def test_roles_groups_and_public_pass_on_what_they_have(warehouse: Warehouse) -> None:
    warehouse.run("CREATE ROLE inner_role", "CREATE GROUP g", "GRANT SELECT ON bank.customers TO ROLE inner_role")
    read = "SELECT COUNT(*) FROM bank.customers"
    for give, take in (
        (["GRANT ROLE inner_role TO ROLE r", "GRANT ROLE r TO u"], "REVOKE ROLE r FROM u"),
        (["GRANT SELECT ON bank.customers TO GROUP g", "ALTER GROUP g ADD USER u"], "ALTER GROUP g DROP USER u"),
        (["GRANT SELECT ON bank.customers TO PUBLIC"], "REVOKE SELECT ON bank.customers FROM PUBLIC"),
    ):
        refused(warehouse, RELATION, read)
        warehouse.run(*give)
        assert seen(warehouse, read) == [(2,)]
        warehouse.run(take)
    refused(warehouse, "is a member of role", "GRANT ROLE r TO ROLE inner_role", user="admin")


def test_roles_of_a_session_end_with_it(warehouse: Warehouse) -> None:
    """An IAM role's tag RedshiftDbRoles; a role of the tag that the database does not have gives nothing."""
    warehouse.run("GRANT SELECT ON bank.customers TO ROLE r", "GRANT USAGE ON SCHEMA bank TO ROLE r")
    warehouse.database.run(["SELECT * FROM bank.customers"], user="IAMR:x", roles=["R", "nobody"])
    refused(warehouse, SCHEMA, "SELECT * FROM bank.customers", user="IAMR:x")


def test_temporary_tables_are_their_sessions(warehouse: Warehouse) -> None:
    warehouse.run(
        "CREATE TEMP TABLE customers AS SELECT 7 AS id", "UPDATE customers SET id = 8", "SELECT * FROM customers",
        "TRUNCATE TABLE customers", "DROP TABLE customers", user="u",
    )  # fmt: skip
    warehouse.run("REVOKE TEMP ON DATABASE solvent FROM PUBLIC")
    refused(warehouse, "permission denied for database solvent", "CREATE TEMP TABLE mine (a INT)")


def test_who_creates_owns(warehouse: Warehouse) -> None:
    refused(warehouse, SCHEMA, "CREATE TABLE bank.mine (a INT)")
    refused(warehouse, "permission denied for database", "CREATE SCHEMA mine")
    warehouse.run("GRANT CREATE ON SCHEMA bank TO u")
    warehouse.run("CREATE TABLE bank.mine (a INT)", "INSERT INTO bank.mine VALUES (1)", user="u")
    warehouse.run("CREATE USER other PASSWORD DISABLE", "GRANT USAGE ON SCHEMA bank TO other")
    refused(warehouse, "permission denied for relation mine", "SELECT * FROM bank.mine", user="other")
    refused(warehouse, "owns some object", "DROP USER u", user="admin")
    warehouse.run("GRANT SELECT ON bank.mine TO other", user="u")
    assert seen(warehouse, "SELECT * FROM bank.mine", "other") == [(1,)]
    warehouse.run("ALTER TABLE bank.mine RENAME TO yours", user="u")
    assert seen(warehouse, "SELECT * FROM bank.yours", "other") == [(1,)]
    warehouse.run("DROP TABLE bank.yours", "CREATE TABLE bank.yours (a INT)", user="u")
    refused(warehouse, "permission denied for relation yours", "SELECT * FROM bank.yours", user="other")


def test_only_the_owner_refreshes_a_materialized_view(warehouse: Warehouse) -> None:
    warehouse.run("CREATE MATERIALIZED VIEW bank.m AS SELECT id FROM bank.customers", "GRANT SELECT ON bank.m TO u")
    assert len(seen(warehouse, "SELECT * FROM bank.m")) == 2
    refused(warehouse, "must be owner of materialized view m", "REFRESH MATERIALIZED VIEW bank.m")


def test_default_privileges_come_with_the_table(warehouse: Warehouse) -> None:
    warehouse.run(
        "ALTER DEFAULT PRIVILEGES IN SCHEMA bank GRANT SELECT ON TABLES TO ROLE r", "GRANT ROLE r TO u",
        "CREATE TABLE bank.later (a INT)", "CREATE TABLE public.elsewhere (a INT)",
    )  # fmt: skip
    assert seen(warehouse, "SELECT * FROM bank.later") == []
    refused(warehouse, "permission denied for relation elsewhere", "SELECT * FROM public.elsewhere")
    refused(warehouse, "must be superuser", "ALTER DEFAULT PRIVILEGES FOR USER admin GRANT SELECT ON TABLES TO u")


def test_all_tables_in_a_schema_are_those_of_now(warehouse: Warehouse) -> None:
    warehouse.run("GRANT ALL ON ALL TABLES IN SCHEMA bank TO u", "CREATE TABLE bank.later (a INT)")
    assert seen(warehouse, "SELECT COUNT(*) FROM bank.customers, bank.loans, bank.people") == [(4,)]
    refused(warehouse, "permission denied for relation later", "SELECT * FROM bank.later")
    warehouse.run("CREATE SCHEMA bare", "GRANT ALL ON ALL TABLES IN SCHEMA bare TO u")
    refused(warehouse, "permission denied to create role", "CREATE ROLE another")


def test_the_grant_option_may_be_passed_on(warehouse: Warehouse) -> None:
    warehouse.run("CREATE USER other PASSWORD DISABLE", "GRANT SELECT ON bank.customers TO u WITH GRANT OPTION")
    warehouse.run("GRANT SELECT ON bank.customers TO u")
    warehouse.run("GRANT SELECT ON bank.customers TO other", user="u")
    refused(warehouse, RELATION, "GRANT DELETE ON bank.customers TO other")
    warehouse.run("REVOKE GRANT OPTION FOR SELECT ON bank.customers FROM u", "GRANT ROLE r TO u WITH ADMIN OPTION")
    refused(warehouse, RELATION, "GRANT SELECT ON bank.customers TO other")
    warehouse.run("GRANT ROLE r TO other", user="u")
    refused(warehouse, "permission denied for role r", "GRANT ROLE r TO u", user="other")


def test_superusers_are_made_by_superusers_and_may_do_everything(warehouse: Warehouse) -> None:
    warehouse.run("GRANT CREATE USER TO ROLE r", "GRANT ROLE r TO u")
    warehouse.run("CREATE USER plain PASSWORD DISABLE", user="u")
    refused(warehouse, "must be superuser", "CREATE USER root CREATEUSER PASSWORD DISABLE")
    refused(warehouse, "permission denied to create role", "CREATE ROLE another")
    warehouse.run("CREATE USER root CREATEUSER PASSWORD DISABLE")
    warehouse.run("DELETE FROM bank.loans", "DROP TABLE bank.loans", user="root")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("GRANT SELECT ON bank.nothing TO u", 'relation "bank.nothing" does not exist'),
        ("GRANT SELECT ON bank.customers TO nobody", 'user "nobody" does not exist'),
        ("GRANT SELECT ON bank.customers TO ROLE nobody", 'role "nobody" does not exist'),
        ("GRANT USAGE ON SCHEMA nothing TO u", 'schema "nothing" does not exist'),
        ("GRANT SELECT (nothing) ON bank.customers TO u", 'column "nothing" of relation "customers" does not exist'),
        ("GRANT INSERT (id) ON bank.customers TO u", "invalid privilege type INSERT for column"),
        ("GRANT EXECUTE ON bank.customers TO u", "invalid privilege type EXECUTE for relation"),
        ("GRANT SELECT FOR TABLES IN SCHEMA bank TO u", "does not implement"),
        ("GRANT SELECT ON bank.customers TO u NOW", 'syntax error at or near "NOW"'),
        ("GRANT ROLE nobody TO u", 'role "nobody" does not exist'),
        ("CREATE USER u PASSWORD DISABLE", 'user "u" already exists'),
        ("CREATE ROLE sys:mine", "is reserved"),
        ("DROP ROLE nobody", 'role "nobody" does not exist'),
        ("ALTER USER u RENAME TO w", "does not implement"),
        ("DROP USER u", "has a privilege on some object"),
    ],
)
def test_what_is_wrong_is_refused_by_name(warehouse: Warehouse, sql: str, message: str) -> None:
    refused(warehouse, message, sql, user="admin")


def test_a_grant_counts_at_once_and_not_after_a_rollback(warehouse: Warehouse) -> None:
    refused(warehouse, "Divide by zero", "GRANT SELECT ON bank.customers TO u", "SELECT 1 / 0", user="admin")
    refused(warehouse, RELATION, "SELECT id FROM bank.customers")
    warehouse.run("GRANT SELECT ON bank.customers TO u")
    assert len(seen(warehouse, "SELECT id FROM bank.customers")) == 2


def test_privileges_are_in_the_file(warehouse: Warehouse) -> None:
    warehouse.run("GRANT SELECT (id) ON bank.customers TO u")
    warehouse.database.close()
    warehouse.open()
    assert seen(warehouse, "SELECT id FROM bank.customers") == [(1,), (2,)]
    refused(warehouse, RELATION, "SELECT name FROM bank.customers")


def test_the_system_views_tell_who_may_what(warehouse: Warehouse) -> None:
    warehouse.run("GRANT SELECT (id) ON bank.customers TO ROLE r", "GRANT DELETE ON bank.loans TO u")
    warehouse.run("GRANT ROLE r TO u")
    views = {
        "SELECT relation_name, column_name, privilege_type, identity_name, identity_type FROM svv_column_privileges": [
            ("customers", "id", "SELECT", "r", "role")
        ],
        "SELECT relation_name, privilege_type, identity_name FROM svv_relation_privileges": [("loans", "DELETE", "u")],
        "SELECT user_name, role_name FROM svv_user_grants": [("u", "r")],
        "SELECT namespace_name FROM svv_schema_privileges WHERE identity_name = 'u'": [("bank",)],
    }
    for sql, rows in views.items():
        assert seen(warehouse, sql) == rows


def test_column_privileges_follow_the_column(warehouse: Warehouse) -> None:
    warehouse.run("CREATE TABLE bank.t (a INT, b INT)", "GRANT SELECT (a) ON bank.t TO u")
    warehouse.run("ALTER TABLE bank.t RENAME COLUMN a TO c", "ALTER TABLE bank.t ADD COLUMN a INT")
    refused(warehouse, "permission denied for relation t", "SELECT a FROM bank.t")
    assert seen(warehouse, "SELECT c FROM bank.t") == []
    warehouse.run("ALTER TABLE bank.t DROP COLUMN c", "ALTER TABLE bank.t ADD COLUMN c INT")
    refused(warehouse, "permission denied for relation t", "SELECT c FROM bank.t")


def test_a_models_function_needs_execute(warehouse: Warehouse) -> None:
    warehouse.endpoints.known["risk"] = lambda body: b"0.5\n" * len(body.splitlines())
    model = "CREATE MODEL bank.risk FUNCTION bank.score (int) RETURNS float8 SAGEMAKER 'risk' IAM_ROLE default"
    refused(warehouse, "permission denied for database solvent", model)
    warehouse.run(model)
    refused(warehouse, "permission denied for function score", "SELECT bank.score(1)")
    refused(warehouse, "does not exist", "SELECT redshift_invoke('{}', ['1'])")
    for name in ("MODEL bank.risk", "FUNCTION bank.score(int)"):
        warehouse.run(f"GRANT EXECUTE ON {name} TO u")
        assert seen(warehouse, "SELECT bank.score(1)") == [(0.5,)]
        warehouse.run(f"REVOKE EXECUTE ON {name} FROM u")
    refused(warehouse, "permission denied for function score", "SELECT bank.score(1)")


def test_procedures_and_streams_are_made_by_who_may_create(warehouse: Warehouse) -> None:
    body = "() AS $$ BEGIN DELETE FROM bank.loans; END $$ LANGUAGE plpgsql"
    refused(warehouse, SCHEMA, f"CREATE PROCEDURE bank.p{body}")
    refused(warehouse, "permission denied for database", "CREATE EXTERNAL SCHEMA s FROM KINESIS IAM_ROLE default")
    warehouse.run(f"CREATE PROCEDURE public.mine{body}", user="u")
    refused(warehouse, "permission denied for relation loans", "CALL public.mine()")
    warehouse.run(f"CREATE PROCEDURE bank.p{body}", "GRANT EXECUTE ON PROCEDURE bank.p() TO u")
    refused(warehouse, "permission denied for relation loans", "CALL bank.p()")
    warehouse.run(f"CREATE OR REPLACE PROCEDURE bank.p{body} SECURITY DEFINER")
    warehouse.run("CALL bank.p()", user="u")
    assert seen(warehouse, "SELECT COUNT(*) FROM bank.loans", "admin") == [(0,)]


def test_a_late_binding_view_is_checked_when_it_is_asked(warehouse: Warehouse) -> None:
    warehouse.run("CREATE VIEW public.late AS SELECT id FROM bank.later WITH NO SCHEMA BINDING", user="u")
    warehouse.run("CREATE TABLE bank.later (id INT)")
    refused(warehouse, "permission denied for relation later", "SELECT * FROM public.late")
    warehouse.run("GRANT SELECT ON bank.later TO u")
    assert seen(warehouse, "SELECT * FROM public.late") == []
    # What goes by CASCADE leaves no privileges for what comes after it under its name.
    warehouse.run("CREATE MATERIALIZED VIEW bank.m AS SELECT id FROM bank.later", "GRANT SELECT ON bank.m TO u")
    warehouse.run("DROP TABLE bank.later CASCADE", "CREATE TABLE bank.m (id INT)")
    refused(warehouse, "permission denied for relation m", "SELECT * FROM bank.m")
