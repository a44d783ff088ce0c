"""The feature steps give the same tables on DuckDB and on Spark from rows with a history.

With ANSI mode, the stricter one; test_steps.py has both.
"""

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from bank import AS_OF, TABLES, Bank, feature_steps

from solvent import specification
from solvent.etl.duckdb_engine import DuckDbEngine
from solvent.etl.engine import Engine

PUBLISHED = {"application_features": ("loan_id",), "behaviour_features": ("loan_id", "observation_date")}


def portfolio(folder: Path) -> None:
    """Forty customers with corrections, late records and deletions of all three tables, as Parquet."""
    chance = random.Random(4)  # noqa: S311
    bank = Bank()
    for c in range(40):
        customer = f"C{c}"
        bank.customer(customer, annual_income=Decimal(chance.choice([0, 12000, 40000])), housing="own", sex="female")
        for n in range(chance.randint(0, 4)):
            loan, applied = f"L{c}{n}", date(2023, 1, 31) + timedelta(days=chance.randint(0, 1240))
            term = chance.randint(1, 12)
            limits = {"credit_limit": Decimal(chance.choice([0, 100])), "credit_balance": Decimal("33.00")}
            recorded = datetime.combine(applied, datetime.min.time())
            bank.loan(loan, customer, applied, term_months=term, updated_at=recorded, **limits)
            for number in range(1, term + 1):
                due = applied + timedelta(days=30 * number)
                paid = None if chance.random() < 0.03 else due + timedelta(days=chance.choice([-2, 0, 0, 0, 5, 40, 95]))
                seen = datetime.combine(paid or due, datetime.min.time()) + timedelta(hours=chance.randint(0, 30))
                amounts = {
                    "amount_due": Decimal("100.00"),
                    "amount_paid": Decimal(chance.choice(["100"] * 20 + ["99.99", "50"])),
                }
                payment = bank.payment(loan, due, paid, number, updated_at=seen, **amounts)
                later = seen + timedelta(days=chance.randint(0, 60))
                if chance.random() < 0.08:
                    bank.change("repayments", payment, later, paid_date=chance.choice([None, due]), due_date=AS_OF)
                if chance.random() < 0.04:
                    bank.delete("repayments", payment, later + timedelta(days=9))
            if chance.random() < 0.3:
                status = chance.choice(["closed", "charged_off"])
                bank.change("loans", loan, recorded + timedelta(days=400), status=status, amount=Decimal("1.00"))
            if chance.random() < 0.1:
                bank.delete("loans", loan, recorded + timedelta(days=500))
        if chance.random() < 0.5:
            bank.change("customers", customer, datetime(2025, 3, 1), annual_income=None, housing="rent")
        if chance.random() < 0.1:
            bank.delete("customers", customer, datetime(2025, 9, 1))
    for name in (f"{table}{suffix}" for table in TABLES for suffix in ("", "_history")):
        (folder / name).mkdir()
        bank.db.execute(f"COPY {name} TO '{folder / name}/part-00000.parquet' (FORMAT parquet)")


def run(engine: Engine, folder: Path, out: Path) -> dict[str, Any]:
    spec = specification.load("lending")
    label = {"maturity_months": spec.label.maturity_months, "days_past_due": spec.label.days_past_due}
    engine.parameters({"run_id": "r"}, {"as_of": AS_OF.isoformat()}, {**label, **spec.parameters})
    for table in folder.iterdir():
        engine.read(table.name, str(table))
    for table, sql in feature_steps(engine.dialect).items():
        engine.fill(table, sql)
    found = {}
    for table, key in PUBLISHED.items():
        engine.write(table, f"{out}/{table}", form="parquet", order=key)
        found[table] = pq.read_table(f"{out}/{table}").sort_by([(k, "ascending") for k in key])
    engine.close()
    return found


@pytest.mark.spark
def test_engines_agree_on_features_with_a_history(spark: Any, tmp_path: Path) -> None:
    from solvent.etl.spark_engine import SparkEngine

    cleaned = tmp_path / "cleaned"
    cleaned.mkdir()
    portfolio(cleaned)
    on_duckdb = run(DuckDbEngine(work=tmp_path), cleaned, tmp_path / "duckdb")
    engine = SparkEngine(session=spark, remote=False)
    spark.conf.set("spark.sql.ansi.enabled", "true")
    try:
        on_spark = run(engine, cleaned, tmp_path / "spark")
    finally:
        spark.conf.set("spark.sql.ansi.enabled", "false")
    behaviour = on_duckdb["behaviour_features"]
    assert set(behaviour["label_status"].to_pylist()) == {"known", "immature", "in_default", "incomplete"}
    assert set(behaviour["defaulted"].to_pylist()) == {0, 1, None}
    for table, expected in on_duckdb.items():
        got = on_spark[table]
        assert got.schema.names == expected.schema.names
        assert got.schema.types == expected.schema.types
        for column in expected.column_names:
            assert got[column].to_pylist() == pytest.approx(expected[column].to_pylist(), abs=1e-9), column
