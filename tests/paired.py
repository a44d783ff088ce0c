"""One ETL run on several engines at once: after each step their tables are compared, whole.

The first difference raises, naming the step, the column and the first key. Between a `fill` and the next nothing else
happens, so what differs was made by that step.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tables import compare, compare_json, schema

from solvent.etl import statements
from solvent.etl.engine import Engine, Format


class Paired:
    """An engine for `etl.run` that passes every call on to all of `engines`, by name; the first is a DuckDB.

    What `publishes` writes is where the run wants it; `outputs[table][engine]` says where everybody's files are.
    `compared` are the steps, in order.
    """

    remote = False

    def __init__(self, engines: Mapping[str, Engine], *, publishes: str, portfolio: str, work: Path) -> None:
        self.engines = dict(engines)
        self.dialect = self.engines[publishes].dialect
        self.compared: list[str] = []
        self.outputs: dict[str, dict[str, str]] = {}
        self._publishes, self._work = publishes, work
        self._sql = {
            dialect: {s.table: s.sql for s in statements.derive(portfolio, dialect)}
            for dialect in {e.dialect for e in self.engines.values()}
        }

    def parameters(self, values: Mapping[str, str], dates: Mapping[str, str], numbers: Mapping[str, int]) -> None:
        for engine in self.engines.values():
            engine.parameters(values, dates, numbers)

    def read(self, table: str, location: str | None, columns: Mapping[str, str] | None = None) -> None:
        for engine in self.engines.values():
            engine.read(table, location, columns)

    def fill(self, table: str, select: str) -> None:
        sql = {dialect: derived.get(table, select) for dialect, derived in self._sql.items()}
        assert sql[self.dialect] == select
        expected = ""
        for name, engine in self.engines.items():
            engine.fill(table, sql[engine.dialect])
            found = str(self._work / table / name)
            engine.write(table, found, form="parquet", order=schema(expected).names[:1] if expected else ["1"])
            expected = expected or found
            if found != expected:
                compare(expected, found, what=f"Step {table}, {name}")
        shutil.rmtree(self._work / table)
        self.compared.append(table)

    def write(self, table: str, location: str, *, form: Format, order: Sequence[str]) -> None:
        places = self.outputs[table] = {
            name: location if name == self._publishes else str(self._work / "outputs" / name / table)
            for name in self.engines
        }
        for name, engine in self.engines.items():
            engine.write(table, places[name], form=form, order=order)
        if form == "jsonl":
            expected, *others = places.items()
            for name, place in others:
                compare_json(expected[1], place, order, what=f"{table} as JSON lines, {name}")

    def rows(self, table: str) -> int:
        return self._agreed(f"rows of {table}", [engine.rows(table) for engine in self.engines.values()])

    def first(self, table: str) -> dict[str, Any]:
        return self._agreed(f"the one row of {table}", [engine.first(table) for engine in self.engines.values()])

    def count(self, location: str) -> int:
        return self._agreed(f"rows below {location}", [engine.count(location) for engine in self.engines.values()])

    def close(self) -> None:
        for engine in self.engines.values():
            engine.close()

    def _agreed(self, what: str, found: list[Any]) -> Any:
        assert all(one == found[0] for one in found), f"{what}: {dict(zip(self.engines, found, strict=True))}"
        return found[0]
