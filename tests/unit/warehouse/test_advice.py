"""What the warehouse refuses comes with the place and the way on; who may read what is what the migrations grant."""

from dataclasses import replace

import pytest

from solvent import contracts
from solvent.warehouse import advice, catalog, grants

RELATIONS = catalog.relations()
LOANS = contracts.load()["loans"]


@pytest.mark.parametrize(
    ("error", "sql", "said"),
    [
        (
            'ERROR: relation "lending.lones" does not exist',
            "SELECT *\nFROM lending.lones",
            "line 2: FROM lending.lones\n             ^\nDid you mean lending.loans",
        ),
        ('ERROR: relation "loans" does not exist', "SELECT * FROM loans", "Did you mean lending.loans?"),
        ('ERROR: relation "lending.loans" does not exist', "SELECT * FROM lending.loans", "deploy first"),
        ('ERROR: schema "lendin" does not exist', "SELECT * FROM lendin.loans", "The schemas are bankruptcy, lending"),
        ('ERROR: column "amuont" does not exist', "SELECT amuont FROM lending.loans", "Did you mean amount?"),
        ('ERROR: column "zz" does not exist in loans', "SELECT zz FROM lending.loans", "lending.loans has loan_id, "),
        (
            'ERROR: syntax error at or near "FORM"\n  Position: 10; (in: SELECT * FORM x)',
            "SELECT * FORM x",
            'near "FORM"\nline 1: SELECT * FORM x\n                 ^',
        ),
        (
            "ERROR: permission denied for relation customers",
            "SELECT * FROM lending.customers",
            "lending.customers may be read by analyst (not full_name, email, sex",
        ),
        (
            "ERROR: permission denied for schema marts",
            "SELECT * FROM marts.reporting_dates",
            "open to analyst, risk_officer: ask with `--role`",
        ),
        ("ERROR: Divide by zero", "SELECT 1/0", "ERROR: Divide by zero"),
    ],
)
def test_an_error_has_its_place_and_its_way_on(error: str, sql: str, said: str) -> None:
    assert said in advice.explain(error, sql, RELATIONS)


def test_grants_and_revokes_add_up_in_their_order() -> None:
    every = frozenset(LOANS.column_names)
    statements = [
        "GRANT SELECT (loan_id, amount) ON TABLE lending.loans TO ROLE analyst",
        "GRANT SELECT, INSERT ON TABLE lending.loans TO ROLE loader, ROLE risk_officer",
        "REVOKE SELECT (amount) ON TABLE lending.loans FROM ROLE analyst",
        "REVOKE SELECT ON TABLE lending.loans FROM ROLE loader",
        "GRANT SELECT ON ALL TABLES IN SCHEMA ops, lending TO ROLE service, ROLE admin",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA lending GRANT ALL ON TABLES TO ROLE later",
        "GRANT ALL ON SCHEMA lending, ops TO ROLE nobody",
        "GRANT SELECT ON TABLE lending.customers TO ROLE nobody",
        "GRANT EXECUTE ON PROCEDURE ops.refresh_marts() TO ROLE nobody",
        "GRANT USAGE ON SCHEMA lending TO ROLE nobody",
        "GRANT INSERT ON TABLE lending.loans TO ROLE nobody",
        'GRANT ROLE loader TO "IAMR:x"',
    ]
    assert grants.parse(statements, {"lending.loans": LOANS}).reads == {
        "lending.loans": {
            "analyst": frozenset({"loan_id"}),
            "risk_officer": every,
            "service": every,
            "admin": every,
            "later": every,
        }
    }


def test_what_a_role_sees_masked_is_said() -> None:
    statements = [
        "GRANT SELECT ON TABLE lending.loans TO ROLE risk_officer",
        "ATTACH MASKING POLICY hide ON lending.loans (amount, purpose) TO ROLE risk_officer",
        "DETACH MASKING POLICY hide ON lending.loans (purpose) FROM ROLE risk_officer",
    ]
    access = grants.parse(statements, {"lending.loans": LOANS})
    name = "lending.loans"
    loans = replace(RELATIONS[name], readers=access.reads[name], masked=access.masked[name])
    assert advice.granted(loans) == "risk_officer (amount masked)"


def test_analysts_read_neither_what_identifies_nor_what_is_protected() -> None:
    for relation in RELATIONS.values():
        hidden = {c.name for c in relation.contract.columns if c.pii in ("direct", "protected")}
        assert not hidden & relation.readers.get("analyst", frozenset()), relation.name
        assert relation.readers["risk_officer"], relation.name
