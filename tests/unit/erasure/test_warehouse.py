"""What the job may do in the warehouse by the migrations, and what it does there as the user that they make for it."""

import re
from typing import Any

from erasable import Api

from solvent import contracts
from solvent.contracts.people import chain, links
from solvent.erasure.warehouse import Warehouse
from solvent.warehouse import migrations

STATEMENTS = [s for m in migrations.read() for s in m.statements("solvent-dev")]


def granted(privilege: str) -> set[str]:
    grants = (re.fullmatch(r"GRANT ([A-Z, ]+) ON TABLE (\S+) TO ROLE eraser", s) for s in STATEMENTS)
    return {g[2] for g in grants if g and privilege in g[1].split(", ")}


def test_the_job_may_delete_from_every_table_that_holds_a_person_and_from_no_other() -> None:
    cs = contracts.load()
    known = chain(cs, "lending")
    holding = {
        c.table
        for c in cs.values()
        if c.kind == "published" and (links(c, cs, known) or {"source", "record_key"} <= set(c.column_names))
    }
    assert len(holding) >= 8
    assert granted("DELETE") == granted("SELECT") == holding | {"ops.retained_decisions"}
    assert granted("INSERT") == {"ops.retained_decisions"}
    schemas = {s.split()[4] for s in STATEMENTS if s.endswith("TO ROLE eraser") and "USAGE" in s}
    assert schemas == {table.partition(".")[0] for table in holding}


def test_values_go_in_as_parameters_alone(bank: Any) -> None:
    """No id, and no pseudonym, becomes part of a statement."""
    seen: list[str] = []

    class Listening(Api):
        def execute(self, sql: str, parameters: Any = None, **more: Any) -> dict[str, Any]:
            seen.append(sql)
            return super().execute(sql, parameters, **more)

        def batch(self, statements: Any, parameters: Any = None, **more: Any) -> dict[str, Any]:
            seen.extend(statements)
            return super().batch(statements, parameters, **more)

    tables = Warehouse(Listening(bank.redshift), contracts.load(), "lending")  # type: ignore[arg-type]
    keys = {"customer_profile": {bank.customer}, "loan_application": set(bank.loans)}
    pseudonyms = dict.fromkeys(bank.loans, "0" * 31) | {bank.loans[0]: "1" * 31}
    assert tables.keys("loan_application", {"customer_profile": {bank.customer}}) == set(bank.loans)
    tables.erase(keys, pseudonyms, 7)
    assert set(tables.count(keys).values()) == {0}
    assert tables.kept(pseudonyms) == len(bank.loans)
    assert len(seen) > 10
    assert not any(value in sql for sql in seen for value in (*bank.marks, *pseudonyms.values()))
