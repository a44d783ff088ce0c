"""Cases of `tests/sql/{marts,analytics}/NAME.yaml`: rows that are given, rows that must come out.

    given: {lending.loans: [{loan_id: L000001, amount: 100}]}   # other required columns get a plain value
    parameters: {days: "30"}                                    # of a saved query; its defaults otherwise
    expect: [{loans: 1}]                                        # every column, rows in any order

A file may hold several cases as YAML documents. `note` says in words what a case shows. `where` is a condition in SQL:
the case tells of these rows of a mart only. A given row with `times: 20` stands for twenty, `{n}` in its texts for the
number of each: `{times: 20, loan_id: "L{n:06}"}`.
"""

import atexit
import functools
import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from redshift_fixtures import Warehouse

from solvent import contracts, naming, specification
from solvent.contracts import Column, Contract
from solvent.warehouse import marts, options, upgrade
from solvent.warehouse.migrations import split
from solvent.warehouse.models import SqlModel
from solvent.warehouse.statements import identifier, table

FOLDER = Path(__file__).parent / "sql"
ADMIN = "admin"
PLAIN: dict[str, Any] = {
    "string": "x", "integer": 0, "number": 0, "date": "2026-01-01", "timestamp": "2026-01-01 00:00:00",
    "boolean": False, "json": "[]",
}  # fmt: skip


def cases(folder: str) -> list[tuple[str, dict[str, Any]]]:
    """(name of the mart or query, case), of all files."""
    found = []
    for path in sorted((FOLDER / folder).glob("*.yaml")):
        found += [(path.stem, case) for case in yaml.safe_load_all(path.read_text())]
    return found


def migrated(folder: Path) -> Warehouse:
    """A warehouse with every migration, procedure and mart and the live models as functions, and no rows."""
    folder.mkdir(exist_ok=True)
    shutil.copy(_migrated(), folder)
    return _with_endpoints(Warehouse(folder))


@functools.cache
def _migrated() -> Path:
    """The file of such a warehouse, made once in a process: its statements take seven seconds."""
    warehouse = _with_endpoints(Warehouse(Path(tempfile.mkdtemp(prefix="migrated-"))))
    atexit.register(shutil.rmtree, warehouse.path.parent)
    for transaction in upgrade.whole("solvent-test"):
        warehouse.run(*transaction, user=ADMIN)
    warehouse.run(*split(options.read()["sql_model"].on), user=ADMIN)
    for portfolio in naming.PORTFOLIOS:
        model = SqlModel(specification.load(portfolio), naming.Names("test").endpoint(portfolio))
        warehouse.run(model.create(), *model.grants(), user=ADMIN)
    warehouse.database.close()
    return warehouse.path


def _with_endpoints(warehouse: Warehouse) -> Warehouse:
    """Endpoints whose probability is a request's first field, which of lending is the amount, divided by 100,000."""

    def answer(body: bytes) -> bytes:
        lines = body.decode().splitlines()
        return "".join(f"{float(line.partition(',')[0] or 0) / 100_000}\n" for line in lines).encode()

    warehouse.endpoints.known |= {naming.Names("test").endpoint(p): answer for p in naming.PORTFOLIOS}
    return warehouse


def copied(template: Warehouse, folder: Path) -> Warehouse:
    """Another warehouse with what the template, which is closed meanwhile, holds."""
    template.database.close()
    folder.mkdir(exist_ok=True)
    shutil.copy(template.path, folder / template.path.name)
    template.open()
    return _with_endpoints(Warehouse(folder))


def fill(warehouse: Warehouse, given: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Insert the given rows, and refresh what is materialized."""
    known = contracts.load()
    for name, rows in given.items():
        contract = known[name.split(".")[1]]
        assert contract.table == name, f"{name}: the contract's table is {contract.table}"
        for row in rows:
            for number in range(1, row.get("times", 1) + 1):
                _insert(warehouse, contract, _numbered(row, number))
    refresh(warehouse)


def refresh(warehouse: Warehouse) -> None:
    """What `CALL ops.refresh_marts()` does."""
    for mart in marts.read():
        if mart.contract.materialized:
            warehouse.run(f"REFRESH MATERIALIZED VIEW {mart.contract.table}", user=ADMIN)


def rows_of(warehouse: Warehouse, sql: str, **parameters: str) -> list[dict[str, Any]]:
    """The rows of one query as dicts."""
    result = warehouse.run(sql, user=ADMIN, **parameters)[0].table
    assert result is not None, "it returns no rows"
    return list(result.to_pylist())


def assert_equal(got: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]]) -> None:
    """The same rows, in any order; floats within 1e-9."""
    got, expected = sorted(got, key=_order), sorted(expected, key=_order)
    assert [list(row) for row in got[:1]] == [list(row) for row in expected[:1]] or not expected, "other columns"
    assert len(got) == len(expected), f"{len(got)} rows instead of {len(expected)}: {got}"
    for mine, theirs in zip(got, expected, strict=True):
        differing = {k: (mine[k], v) for k, v in theirs.items() if not _same(mine[k], v)}
        assert mine.keys() == theirs.keys() and not differing, f"{differing} in {mine}"


def _insert(warehouse: Warehouse, contract: Contract, row: Mapping[str, Any]) -> None:
    unknown = set(row) - set(contract.column_names)
    assert not unknown, f"{contract.table} has no column {unknown}"
    values = {c.name: _plain(c) for c in contract.columns if c.required} | dict(row)
    given = {name: str(value) for name, value in values.items() if value is not None}
    names = ", ".join(identifier(name) for name in given)
    casts = ", ".join(_cast(contract.column(name), name) for name in given)
    warehouse.run(f"INSERT INTO {table(contract)} ({names}) SELECT {casts}", user=ADMIN, **given)  # noqa: S608


def _numbered(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    if "times" not in row:
        return dict(row)
    return {k: v.format(n=number) if isinstance(v, str) else v for k, v in row.items() if k != "times"}


def _plain(column: Column) -> Any:
    return column.values[0] if column.values else column.minimum if column.minimum is not None else PLAIN[column.type]


def _cast(column: Column, name: str) -> str:
    return f"JSON_PARSE(:{name})" if column.type == "json" else f"CAST(:{name} AS {column.physical})"


def _order(row: Mapping[str, Any]) -> list[str]:
    return [str(_bare(value)) for value in row.values()]


def _bare(value: Any) -> Any:
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else value


def _same(one: Any, other: Any) -> bool:
    one, other = _bare(one), _bare(other)
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)
