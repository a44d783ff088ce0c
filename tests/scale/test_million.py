"""A million payments through every statement: the same tables on DuckDB and Spark, ANSI off and on, as contracted."""

from pathlib import Path
from typing import Any

import messy
import pytest
import spark_session
from lakehouse import Lakehouse
from paired import Paired
from tables import check_contract, published_contracts

from solvent import naming
from solvent.datasets import synthetic
from solvent.etl import statements
from solvent.etl.duckdb_engine import DuckDbEngine


def lending(folder: Path) -> None:
    synthetic.generate(folder, customers=40_000, loans=50_000, seed=5)


def bankruptcy(folder: Path) -> None:
    from solvent.datasets import bankruptcy as companies

    companies.generate(folder, size=10_000, seed=5)


FILES = {"lending": lending, "bankruptcy": bankruptcy}


@pytest.mark.spark
@pytest.mark.parametrize("portfolio", naming.PORTFOLIOS)
def test_engines_agree_on_each_step_of_a_million_rows(
    lakehouse: Lakehouse, spark: Any, tmp_path: Path, portfolio: str
) -> None:
    FILES[portfolio](tmp_path / "files")
    before = lakehouse.deliver(tmp_path / "files")
    lakehouse.run(before)
    messy.redeliver(portfolio, tmp_path / "files", tmp_path / "later")
    job = lakehouse.deliver(tmp_path / "later", base=before)
    engines = {
        "DuckDB": DuckDbEngine(work=tmp_path),
        "Spark, ANSI off": spark_session.engine(spark, ansi=False),
        "Spark, ANSI on": spark_session.engine(spark, ansi=True),
    }
    paired = Paired(engines, publishes="DuckDB", portfolio=portfolio, work=tmp_path / "steps")
    report = lakehouse.run(job, paired)
    derived = [s.table for s in statements.derive(portfolio, "duckdb")]
    assert paired.compared == [*derived, "quarantine_log", "deletion_log"]
    for name, contract in published_contracts(portfolio).items():
        for engine in engines:
            check_contract(paired.outputs[name][engine], contract, what=f"{name} as {engine} writes it")
    if portfolio == "lending":
        assert report["sources"]["repayment_history"]["in"] > 1_000_000
