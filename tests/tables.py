"""Whole tables held against each other and against their contract; Parquet folders, any number of rows."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from solvent import contracts
from solvent.contracts import Column, Contract

TOLERANCE = 1e-9  # absolute up to 1, relative above
_ARROW = {
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE PRECISION": pa.float64(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "BOOLEAN": pa.bool_(),
    "SUPER": pa.string(),
}
_POSITIONS = (("_source_file", "_row_number"), ("source", "source_file", "row_number"))


class TablesDiffer(AssertionError):
    """Says in which column, in how many rows, and at which key first."""


class BreaksContract(AssertionError):
    """A published table is not what its contract says."""


def schema(location: str) -> pa.Schema:
    """Names and types; the engines' own metadata left out."""
    found = pq.read_schema(sorted(Path(location).glob("*.parquet"))[0])
    return pa.schema([pa.field(f.name, f.type) for f in found])


def compare_json(expected: str, got: str, order: Sequence[str], *, what: str) -> None:
    """The same for JSON lines: keys in one order, rows the same but for their order. Raises TablesDiffer."""
    rows, others = _json_rows(expected, order), _json_rows(got, order)
    if len(rows) != len(others):
        raise TablesDiffer(f"{what}: {len(others)} rows instead of {len(rows)}")
    for row, other in zip(rows, others, strict=True):
        if list(row) != list(other):
            raise TablesDiffer(f"{what}: the keys are {list(other)} instead of {list(row)}")
        for name, value in row.items():
            if not _near(value, other[name]):
                at = [row[c] for c in order]
                raise TablesDiffer(f"{what}: {name} differs, first at {at}: {other[name]!r} instead of {value!r}")


def _json_rows(location: str, order: Sequence[str]) -> list[dict[str, Any]]:
    lines = (line for path in sorted(Path(location).glob("part-*")) for line in path.read_text().splitlines())
    return sorted((json.loads(line) for line in lines), key=lambda row: [row[c] for c in order])


def _near(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return one == other or math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return type(one) is type(other) and one == other


def compare(expected: str, got: str, *, what: str) -> None:
    """Schema equal, rows the same, nulls equal, floats within TOLERANCE. Raises TablesDiffer, begun with `what`."""
    columns, other = schema(expected), schema(got)
    if columns != other:
        differing = [f"{a} / {b}" for a, b in zip(columns, other, strict=False) if a != b]
        raise TablesDiffer(f"{what}: the schema differs: {differing or (columns.names, other.names)}")
    with duckdb.connect() as db:
        db.read_parquet(f"{expected}/*.parquet").create_view("expected")
        db.read_parquet(f"{got}/*.parquet").create_view("got")
        _compare_rows(db, columns, _key(db, columns), what)


def _key(db: duckdb.DuckDBPyConnection, columns: pa.Schema) -> list[str]:
    """Columns that tell the rows apart: the position in a file, else the shortest prefix that does.

    Rows that are alike in all columns but floats are numbered in the order of these.
    """
    exact = [f.name for f in columns if not pa.types.is_floating(f.type)]
    floats = [f.name for f in columns if pa.types.is_floating(f.type)]
    candidates = [p for p in _POSITIONS if set(p) <= set(exact)]
    candidates += [tuple(exact[:n]) for n in range(1, len(exact) + 1)]
    for candidate in candidates:
        if not db.execute(f"SELECT 1 FROM expected GROUP BY {_list(candidate)} HAVING COUNT(*) > 1 LIMIT 1").fetchall():
            return list(candidate)
    place = f"ROW_NUMBER() OVER (PARTITION BY {_list(exact or ['1'])} ORDER BY {_list(floats or exact)})"
    for side in ("expected", "got"):
        db.execute(f"CREATE TABLE numbered_{side} AS SELECT *, {place} AS copy_number FROM {side}")
        db.execute(f"CREATE OR REPLACE VIEW {side} AS FROM numbered_{side}")
    return [*exact, "copy_number"]


def _compare_rows(db: duckdb.DuckDBPyConnection, columns: pa.Schema, key: list[str], what: str) -> None:
    same = " AND ".join(f'e."{k}" IS NOT DISTINCT FROM g."{k}"' for k in key)
    joined = f"(SELECT 1 AS here, * FROM expected) AS e FULL JOIN (SELECT 1 AS here, * FROM got) AS g ON {same}"
    faults = {"lost": "g.here IS NULL", "invented": "e.here IS NULL"}
    faults |= {f.name: f"e.here = g.here AND {_differs(f)}" for f in columns if f.name not in key}
    counts = ", ".join(f"COUNT(*) FILTER (WHERE {how})" for how in faults.values())
    sizes = "(SELECT COUNT(*) FROM expected), (SELECT COUNT(*) FROM got), COUNT(*)"
    *found, left, right, both = db.execute(f"SELECT {counts}, {sizes} FROM {joined}").fetchall()[0]
    for (fault, how), rows in zip(faults.items(), found, strict=True):
        if not rows:
            continue
        side = "g" if fault == "invented" else "e"
        values = "" if fault in ("lost", "invented") else f', e."{fault}", g."{fault}"'
        order = ", ".join(f"{n} NULLS LAST" for n in range(1, len(key) + 1))
        shown = ", ".join(f'{side}."{k}"' for k in key)
        first = db.execute(f"SELECT {shown}{values} FROM {joined} WHERE {how} ORDER BY {order} LIMIT 1").fetchall()[0]
        at = ", ".join(f"{k}={v!r}" for k, v in zip(key, first, strict=False))
        ending = f": {first[-1]!r} instead of {first[-2]!r}" if values else ""
        name = f"column {fault} differs" if values else fault
        raise TablesDiffer(f"{what}: {name} in {rows} of {left} rows, first at {at}{ending}")
    if not left == right == both:
        raise TablesDiffer(f"{what}: {left} rows became {right}, of which {both} pair up; a key repeats ({key})")


def _differs(field: pa.Field) -> str:
    one, other = f'e."{field.name}"', f'g."{field.name}"'
    if not pa.types.is_floating(field.type):
        return f"{one} IS DISTINCT FROM {other}"
    near = f"ABS({one} - {other}) <= {TOLERANCE} * GREATEST(1, ABS({one}), ABS({other}))"
    both = f"ISFINITE({one}) AND ISFINITE({other})"  # what is not finite equals itself alone
    return f"{one} IS DISTINCT FROM {other} AND NOT COALESCE({both} AND {near}, FALSE)"


def expected_schema(contract: Contract) -> pa.Schema:
    """The contract's columns in its order, with the types that Parquet has for them."""
    return pa.schema([(c.name, _arrow(c)) for c in contract.columns])


def check_contract(location: str, contract: Contract, *, what: str) -> None:
    """Columns, order, types, required values, key, ranges, levels and forms. Raises BreaksContract."""
    found = schema(location)
    if found != expected_schema(contract):
        raise BreaksContract(f"{what}: is\n{found}\nand its contract says\n{expected_schema(contract)}")
    rules = [(c.name, rule, sql) for c in contract.columns for rule, sql in _rules(c, in_key=c.name in contract.key)]
    with duckdb.connect() as db:
        db.read_parquet(f"{location}/*.parquet").create_view("published")
        counts = ", ".join(f"COUNT(*) FILTER (WHERE {sql})" for *_, sql in rules)
        broken = db.execute(f"SELECT {counts} FROM published").fetchall()[0]
        for (column, rule, _), rows in zip(rules, broken, strict=True):
            if rows:
                raise BreaksContract(f"{what}: {column} is {rule} in {rows} rows")
        key = _list(contract.key)
        repeated = db.execute(f"SELECT {key} FROM published GROUP BY {key} HAVING COUNT(*) > 1 LIMIT 1").fetchall()
        if repeated:
            raise BreaksContract(f"{what}: the key {contract.key} repeats, first {repeated[0]}")


def published_contracts(portfolio: str) -> dict[str, Contract]:
    """What the ETL of a portfolio has to publish as Parquet, by the contracts alone: cleaned tables with their history,
    what steps fill, and the logs of what was quarantined and deleted."""
    known = contracts.load()
    found = [*known.steps(portfolio), known["quarantine_log"], known["deletion_log"]]
    for source in known.sources(portfolio):
        past = known.history(source.name)
        found += [known.cleaned(source.name), *([past] if past else [])]
    return {c.name: c for c in found}


def _arrow(column: Column) -> pa.DataType:
    if column.physical.startswith("DECIMAL"):
        precision, scale = column.physical.removeprefix("DECIMAL(").removesuffix(")").split(",")
        return pa.decimal128(int(precision), int(scale))
    return pa.string() if column.physical.startswith("VARCHAR") else _ARROW[column.physical]


def _rules(column: Column, *, in_key: bool) -> list[tuple[str, str]]:
    name = f'"{column.name}"'
    rules = [("absent", f"{name} IS NULL")] if column.required or in_key else []
    for bound, sign in ((column.minimum, "<"), (column.maximum, ">")):
        if bound is not None:
            value = f"DATE '{bound}'" if column.type in ("date", "timestamp") else str(bound)
            rules.append((f"{sign} {bound}", f"{name} {sign} {value}"))
    if column.type == "number" and column.physical == "DOUBLE PRECISION":
        rules.append(("not finite", f"NOT ISFINITE({name})"))
    if column.values:
        rules.append(("no allowed value", f"{name} NOT IN ({', '.join(repr(v) for v in column.values)})"))
    if column.pattern:
        rules.append(("of another form", f"NOT REGEXP_MATCHES({name}, '{column.pattern}')"))
    if column.physical.startswith("VARCHAR("):
        # Redshift counts bytes.
        length = int(column.physical.removeprefix("VARCHAR(").removesuffix(")"))
        rules.append((f"longer than {length} bytes", f"STRLEN({name}) > {length}"))
    if column.max_length:
        rules.append((f"longer than {column.max_length}", f"LENGTH({name}) > {column.max_length}"))
    return rules


def _list(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f'"{n}"' for n in names)
