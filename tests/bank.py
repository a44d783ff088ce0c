"""A bank by hand: the cleaned tables of the lending portfolio with their history, and the feature steps on top."""

import functools
import itertools
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from solvent import contracts, specification
from solvent.contracts import Contract
from solvent.etl import statements

AS_OF = date(2026, 6, 30)
TABLES = ("customers", "loans", "repayments")
STEPS = [p.stem.partition("_")[2] for p in sorted(Path("sql/etl/lending").resolve().glob("*.sql"))]
SAMPLES: dict[str, Any] = {
    "string": "x",
    "integer": 1,
    "number": Decimal("0.50"),
    "date": date(2024, 1, 1),
    "timestamp": datetime(2024, 1, 1),
}
LABEL = specification.load("lending").label


@functools.cache
def feature_steps(dialect: str = "duckdb") -> dict[str, str]:
    """The steps of sql/etl/lending in their order: table -> SELECT."""
    return {s.table: s.sql for s in statements.derive("lending", dialect) if s.table in STEPS}


class Bank:
    """`customer`, `loan` and `payment` add current rows; `replaces` puts what was there into the history."""

    def __init__(self) -> None:
        self.db = duckdb.connect()
        self.ids = itertools.count(1)
        self.parameters()
        for name in TABLES:
            columns = ", ".join(f"{c.name} {c.physical}" for c in contracts.load()[name].columns)
            self.db.execute(f"CREATE TABLE {name} ({columns})")
            self.db.execute(f"CREATE TABLE {name}_history ({columns}, deleted BOOLEAN)")

    def parameters(self, *, as_of: date = AS_OF, **changed: int) -> None:
        """The table `run`: the specification's numbers, but for those given."""
        numbers = {"maturity_months": LABEL.maturity_months, "days_past_due": LABEL.days_past_due}
        numbers |= {**specification.load("lending").parameters, **changed}
        columns = ", ".join(f"CAST({value} AS INTEGER) AS {name}" for name, value in numbers.items())
        self.db.execute(
            f"CREATE OR REPLACE TABLE run AS SELECT 'r' AS run_id, CAST(? AS DATE) AS as_of, {columns}", [as_of]
        )

    def customer(self, customer_id: str, **values: Any) -> None:
        self._insert(contracts.load()["customers"], {"customer_id": customer_id, **values})

    def loan(self, loan_id: str, customer_id: str, applied: date, **values: Any) -> None:
        given = {"loan_id": loan_id, "customer_id": customer_id, "application_date": applied, "status": "open"}
        self._insert(contracts.load()["loans"], given | values)

    def payment(self, loan_id: str, due: date, paid: date | None, number: int = 1, **values: Any) -> str:
        """Returns the payment's id."""
        name = f"P{next(self.ids)}"
        given = {"payment_id": name, "loan_id": loan_id, "due_date": due, "paid_date": paid}
        self._insert(contracts.load()["repayments"], given | {"instalment_number": number} | values)
        return name

    def change(self, table: str, key: str, updated_at: datetime, **values: Any) -> None:
        """A new version of a row; the one before goes to the history."""
        self._remember(table, key)
        given = {**values, "updated_at": updated_at}
        assignments = ", ".join(f"{name} = ?" for name in given)
        where = contracts.load()[table].key[0]
        self.db.execute(f"UPDATE {table} SET {assignments} WHERE {where} = ?", [*given.values(), key])

    def delete(self, table: str, key: str, deleted_at: datetime) -> None:
        """Remove a row; its last version and the tombstone go to the history."""
        self._remember(table, key)
        where = contracts.load()[table].key[0]
        self.db.execute(f"DELETE FROM {table} WHERE {where} = ?", [key])
        self.db.execute(
            f"INSERT INTO {table}_history ({where}, updated_at, deleted) VALUES (?, ?, TRUE)", [key, deleted_at]
        )

    def versions(self, table: str, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """All versions of many keys, oldest first: the last one is current unless it is a tombstone (`deleted`)."""
        contract = contracts.load()[table]
        current, history = [], []
        for key, versions in rows.items():
            for place, version in enumerate(versions):
                row = {contract.key[0]: key, "deleted": False, **version}
                if place == len(versions) - 1 and not row["deleted"]:
                    current.append(self._filled(contract, row))
                else:
                    history.append({c.name: row.get(c.name) for c in contract.columns} | {"deleted": row["deleted"]})
        for name, found in ((table, current), (f"{table}_history", history)):
            if found:
                block = pa.Table.from_pylist(found)
                self.db.register("block", block)
                self.db.execute(f"INSERT INTO {name} BY NAME SELECT * FROM block")

    def compute(self) -> None:
        for table, sql in feature_steps().items():
            self.db.execute(f"CREATE OR REPLACE TABLE {table} AS {sql}")

    def features(self) -> dict[str, dict[str, Any]]:
        """The application features by loan."""
        self.compute()
        return {row["loan_id"]: row for row in self.rows("application_features")}

    def behaviour(self, observation: date | None = None) -> dict[str, dict[str, Any]]:
        """The behaviour features by loan, at an observation date (default: the latest)."""
        wanted = observation or AS_OF
        self.compute()
        return {r["loan_id"]: r for r in self.rows("behaviour_features") if r["observation_date"] == wanted}

    def columns(self, table: str) -> tuple[str, ...]:
        return tuple(d[0] for d in self.db.execute(f"SELECT * FROM {table}").description)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """What `compute` put there."""
        result = self.db.execute(f"SELECT * FROM {table}")
        names = [d[0] for d in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def _insert(self, contract: Contract, values: Mapping[str, Any]) -> None:
        row = list(self._filled(contract, values).values())
        self.db.execute(f"INSERT INTO {contract.name} VALUES ({', '.join('?' * len(row))})", row)

    @staticmethod
    def _filled(contract: Contract, values: Mapping[str, Any]) -> dict[str, Any]:
        return {c.name: values.get(c.name, SAMPLES[c.type] if c.required else None) for c in contract.columns}

    def _remember(self, table: str, key: str) -> None:
        where = contracts.load()[table].key[0]
        self.db.execute(f"INSERT INTO {table}_history SELECT *, FALSE FROM {table} WHERE {where} = ?", [key])
