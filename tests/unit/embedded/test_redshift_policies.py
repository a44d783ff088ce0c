"""Masked values and hidden rows: for whom, in which statements, and never by a detour."""

from pathlib import Path
from typing import Any

import pytest
from redshift_fixtures import Warehouse

from embedded_aws.redshift.errors import SqlError

HIDDEN = "CREATE MASKING POLICY hidden WITH (e VARCHAR(40)) USING ('***'::text)"
DOMAIN = "CREATE MASKING POLICY domain WITH (e VARCHAR(40)) USING ('***@' || SPLIT_PART(e, '@', 2))"
REGION = "CREATE RLS POLICY north WITH (region VARCHAR(9)) USING (region = 'north')"


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path)
    made.run(
        "CREATE SCHEMA bank",
        "CREATE TABLE bank.people (id INT, mail VARCHAR(40), region VARCHAR(9))",
        "INSERT INTO bank.people VALUES (1, 'ada@x.org', 'north'), (2, 'bo@y.org', 'south')",
        "CREATE VIEW bank.mails AS SELECT id AS number, mail AS address FROM bank.people",
        "CREATE USER u PASSWORD DISABLE",
        "CREATE USER other PASSWORD DISABLE",
        "CREATE ROLE r",
        "GRANT ROLE r TO u",
        "GRANT USAGE ON SCHEMA bank TO PUBLIC",
        "GRANT ALL ON ALL TABLES IN SCHEMA bank TO PUBLIC",
    )
    return made


@pytest.fixture
def masked(warehouse: Warehouse) -> Warehouse:
    warehouse.run(DOMAIN, "ATTACH MASKING POLICY domain ON bank.people(mail) TO ROLE r")
    return warehouse


@pytest.fixture
def filtered(warehouse: Warehouse) -> Warehouse:
    warehouse.run(
        REGION, "ATTACH RLS POLICY north ON bank.people TO ROLE r", "ALTER TABLE bank.people ROW LEVEL SECURITY ON"
    )
    return warehouse


def seen(warehouse: Warehouse, sql: str, user: str = "u") -> list[tuple[Any, ...]]:
    return warehouse.rows(sql, user=user)


def refused(warehouse: Warehouse, message: str, *statements: str, user: str = "admin") -> None:
    with pytest.raises(SqlError, match=message):
        warehouse.run(*statements, user=user)


@pytest.mark.contract(
    "redshift.masking",
    page="https://docs.aws.amazon.com/redshift/latest/dg/t_ddm-considerations.html",
    says="A masking policy holds before predicates and projections, and in views by who asks, not by who made them.",
)
@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT mail FROM bank.people ORDER BY 1", [("***@x.org",), ("***@y.org",)]),
        ("SELECT * FROM bank.people WHERE id = 1", [(1, "***@x.org", "north")]),
        ("SELECT id FROM bank.people WHERE mail = 'ada@x.org'", []),
        ("SELECT address FROM bank.mails WHERE number = 1", [("***@x.org",)]),
        ("WITH p AS (SELECT * FROM bank.people) SELECT mail FROM p WHERE id = 2", [("***@y.org",)]),
        ("SELECT MAX(LEN(mail)) FROM bank.people", [(9,)]),
        ("SELECT p.mail FROM bank.people AS p JOIN bank.people AS q USING (id) WHERE id = 1", [("***@x.org",)]),
    ],
)
def test_masked_values_are_seen_wherever_they_are_read(
    masked: Warehouse, sql: str, rows: list[tuple[Any, ...]]
) -> None:
    assert seen(masked, sql) == rows


def test_masks_are_for_whom_they_are_attached(masked: Warehouse) -> None:
    sql = "SELECT mail FROM bank.people WHERE id = 1"
    assert [seen(masked, sql, user) for user in ("u", "other", "admin")] == [
        [("***@x.org",)], [("ada@x.org",)], [("ada@x.org",)]
    ]  # fmt: skip
    masked.run("DETACH MASKING POLICY domain ON bank.people(mail) FROM ROLE r")
    assert seen(masked, sql) == [("ada@x.org",)]


def test_masked_values_do_not_leave_by_a_copy(masked: Warehouse) -> None:
    masked.run("GRANT CREATE ON SCHEMA bank TO u")
    masked.run("CREATE TABLE bank.mine AS SELECT mail FROM bank.people", user="u")
    masked.run(
        "CREATE TABLE bank.other (mail VARCHAR(40))", "INSERT INTO bank.other SELECT mail FROM bank.people", user="u"
    )
    masked.run("CREATE VIEW bank.through AS SELECT mail FROM bank.people", user="u")
    for table in ("mine", "other", "through"):
        assert seen(masked, f"SELECT MIN(mail) FROM bank.{table}") == [("***@x.org",)]
    # A view is seen by who asks: here the admin, who sees everything.
    assert seen(masked, "SELECT MIN(mail) FROM bank.through", "admin") == [("ada@x.org",)]
    refused(masked, "does not implement", "DELETE FROM bank.people WHERE mail = 'ada@x.org'", user="u")


def test_the_highest_priority_wins(masked: Warehouse) -> None:
    masked.run(HIDDEN, "ATTACH MASKING POLICY hidden ON bank.people(mail) TO u PRIORITY 10")
    assert seen(masked, "SELECT DISTINCT mail FROM bank.people") == [("***",)]
    refused(masked, "already attached", "ATTACH MASKING POLICY hidden ON bank.people(mail) TO ROLE r PRIORITY 20")
    refused(masked, "priority 10", "ATTACH MASKING POLICY hidden ON bank.people(mail) TO other PRIORITY 10")


def test_a_mask_may_depend_on_another_column(warehouse: Warehouse) -> None:
    warehouse.run(
        "CREATE MASKING POLICY by_region WITH (m VARCHAR(40), r VARCHAR(9)) "
        "USING (CASE WHEN r = 'north' THEN m ELSE '(' || r || ')' END)",
        "ATTACH MASKING POLICY by_region ON bank.people(mail) USING (mail, region) TO PUBLIC",
    )
    assert seen(warehouse, "SELECT mail FROM bank.people ORDER BY id") == [("ada@x.org",), ("(south)",)]


def test_a_masked_column_that_is_not_granted_stays_closed(masked: Warehouse) -> None:
    masked.run("REVOKE ALL ON bank.people FROM PUBLIC", "GRANT SELECT (id) ON bank.people TO u")
    refused(masked, "permission denied for relation people", "SELECT mail FROM bank.people", user="u")
    assert seen(masked, "SELECT COUNT(*) FROM bank.people") == [(2,)]


@pytest.mark.contract(
    "redshift.row-level-security",
    page="https://docs.aws.amazon.com/redshift/latest/dg/t_rls_statements.html",
    says="Row-level security holds for SELECT, UNLOAD, UPDATE and DELETE; who has no policy on the table sees no row.",
)
def test_rows_are_seen_by_policy(filtered: Warehouse) -> None:
    count = "SELECT COUNT(*) FROM bank.people"
    assert [seen(filtered, count, user) for user in ("u", "other", "admin")] == [[(1,)], [(0,)], [(2,)]]
    assert seen(filtered, "SELECT address FROM bank.mails") == [("ada@x.org",)]
    filtered.run("GRANT IGNORE RLS TO ROLE r")
    assert seen(filtered, count) == [(2,)]
    filtered.run("REVOKE IGNORE RLS FROM ROLE r", "ALTER TABLE bank.people ROW LEVEL SECURITY OFF")
    assert seen(filtered, count, "other") == [(2,)]


def test_hidden_rows_are_neither_changed_nor_deleted(filtered: Warehouse) -> None:
    filtered.run("UPDATE bank.people SET id = id + 10", "DELETE FROM bank.people WHERE id > 0", user="u")
    assert seen(filtered, "SELECT id, region FROM bank.people", "admin") == [(2, "south")]
    merge = (
        "MERGE INTO bank.people USING bank.mails ON people.id = mails.number "
        "WHEN MATCHED THEN UPDATE SET region = 'x' WHEN NOT MATCHED THEN INSERT (id) VALUES (mails.number)"
    )
    refused(filtered, "does not implement MERGE", merge, user="u")


def test_several_policies_hold_together_or_one_of_them(filtered: Warehouse) -> None:
    filtered.run(
        "CREATE RLS POLICY second WITH (id INT) AS p USING (p.id = 2)",
        "ATTACH RLS POLICY second ON bank.people TO u",
    )
    ids = "SELECT id FROM bank.people ORDER BY 1"
    assert seen(filtered, ids) == []
    filtered.run("ALTER TABLE bank.people ROW LEVEL SECURITY ON CONJUNCTION TYPE OR")
    assert seen(filtered, ids) == [(1,), (2,)]


def test_a_policy_may_look_up_who_sees_what(warehouse: Warehouse) -> None:
    warehouse.run(
        "CREATE TABLE bank.regions (who VARCHAR(40), region VARCHAR(9))",
        "INSERT INTO bank.regions VALUES ('u', 'south')",
        "CREATE RLS POLICY own WITH (region VARCHAR(9)) AS p "
        "USING (p.region IN (SELECT r.region FROM bank.regions AS r WHERE r.who = current_user))",
        "ATTACH RLS POLICY own ON bank.people TO PUBLIC",
        "ALTER TABLE bank.people ROW LEVEL SECURITY ON",
    )
    refused(warehouse, "permission denied for relation regions", "SELECT id FROM bank.people", user="u")
    warehouse.run("GRANT SELECT ON bank.regions TO RLS POLICY own")
    assert [seen(warehouse, "SELECT id FROM bank.people", user) for user in ("u", "other")] == [[(2,)], []]
    refused(warehouse, "permission denied for relation regions", "SELECT * FROM bank.regions", user="u")
    refused(warehouse, 'a lookup table of "own"', "ATTACH RLS POLICY own ON bank.regions TO u")


@pytest.mark.contract(
    "redshift.row-level-security-where",
    page="https://docs.aws.amazon.com/redshift/latest/dg/r_ATTACH_RLS_POLICY.html",
    says="An RLS policy is attached to no base table of a materialized view and to no lookup table of a policy.",
)
def test_a_policy_is_attached_to_a_late_binding_view_and_not_below_a_materialized_one(warehouse: Warehouse) -> None:
    warehouse.run(
        "CREATE MATERIALIZED VIEW bank.regions AS SELECT region, COUNT(*) AS people FROM bank.people GROUP BY region",
        "CREATE VIEW bank.seen AS SELECT id, region FROM bank.people WITH NO SCHEMA BINDING",
        REGION,
    )
    refused(
        warehouse, 'base table of the materialized view "bank.regions"', "ATTACH RLS POLICY north ON bank.people TO u"
    )
    for relation in ("bank.seen", "bank.regions"):
        warehouse.run(
            f"GRANT SELECT ON {relation} TO u",
            f"ATTACH RLS POLICY north ON {relation} TO u",
            f"ALTER TABLE {relation} ROW LEVEL SECURITY ON",
        )
        assert seen(warehouse, f"SELECT region FROM {relation}") == [("north",)]


def test_rows_come_before_masks(filtered: Warehouse) -> None:
    """Otherwise a mask on the column of the policy would hide or open rows."""
    filtered.run(
        "CREATE MASKING POLICY none WITH (r VARCHAR(9)) USING ('-')",
        "ATTACH MASKING POLICY none ON bank.people(region) TO u",
    )
    assert seen(filtered, "SELECT id, region FROM bank.people") == [(1, "-")]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (DOMAIN, "already exists"),
        ("DROP MASKING POLICY nothing", "does not exist"),
        ("DROP MASKING POLICY domain", "because it is attached"),
        ("ATTACH MASKING POLICY nothing ON bank.people(mail) TO u", "does not exist"),
        ("ATTACH MASKING POLICY domain ON bank.people(nothing) TO u", 'column "nothing" does not exist'),
        ("ATTACH MASKING POLICY domain ON bank.people(id, mail) TO u", "takes 1 columns and gives 1"),
        ("ATTACH MASKING POLICY domain ON bank.people(mail) TO nobody", 'user "nobody" does not exist'),
        ("DETACH MASKING POLICY domain ON bank.people(mail) FROM u", "is not attached"),
        ("CREATE MASKING POLICY bad WITH (a INT) USING (b)", 'column "b" does not exist'),
        ("CREATE MASKING POLICY bad WITH (a INT) USING (SELECT MAX(id) FROM bank.people)", "ERROR"),
        ("CREATE MASKING POLICY bad WITH (a INT) USING (a FROM bank.people)", "syntax error"),
        ("ALTER TABLE bank.people DROP COLUMN mail", "because a masking policy is attached"),
        ("ALTER TABLE bank.people ROW LEVEL SECURITY MAYBE", "syntax error"),
    ],
)
def test_what_is_wrong_is_refused_by_name(masked: Warehouse, sql: str, message: str) -> None:
    refused(masked, message, sql)


def test_policies_are_made_by_superusers_and_security_admins(warehouse: Warehouse) -> None:
    refused(warehouse, "superuser or sys:secadmin", HIDDEN, user="u")
    refused(warehouse, "superuser or sys:secadmin", "ALTER TABLE bank.people ROW LEVEL SECURITY OFF", user="u")
    warehouse.run("GRANT ROLE sys:secadmin TO u")
    warehouse.run(HIDDEN, "ATTACH MASKING POLICY hidden ON bank.people(mail) TO other", user="u")
    warehouse.run(
        "ALTER MASKING POLICY hidden USING ('?')", "CREATE MASKING POLICY IF NOT EXISTS hidden USING ('x')", user="u"
    )
    assert seen(warehouse, "SELECT DISTINCT mail FROM bank.people", "other") == [("?",)]
    warehouse.run("DROP MASKING POLICY hidden CASCADE", user="u")
    assert ("ada@x.org",) in seen(warehouse, "SELECT mail FROM bank.people", "other")


def test_the_system_views_tell_of_policies(masked: Warehouse) -> None:
    masked.run(
        REGION, "ATTACH RLS POLICY north ON bank.people TO ROLE r", "ALTER TABLE bank.people ROW LEVEL SECURITY ON"
    )
    views = {
        "SELECT policy_name FROM svv_masking_policy": [("domain",)],
        "SELECT policy_name, table_name, grantee, grantee_type, priority FROM svv_attached_masking_policy": [
            ("domain", "people", "r", "role", 0)
        ],
        "SELECT polname, polqual FROM svv_rls_policy": [("north", "region = 'north'")],
        "SELECT relname, polname, grantee, is_rls_on FROM svv_rls_attached_policy": [("people", "north", "r", True)],
        "SELECT relname, rls_conjunction_type FROM svv_rls_relation": [("people", "and")],
    }
    for sql, rows in views.items():
        assert seen(masked, sql) == rows
