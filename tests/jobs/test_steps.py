"""Every statement of every portfolio makes the same table on DuckDB and on Spark, with ANSI mode off and on.

About 1,000 payments, among them all that engines read differently if one lets them. 1M: `make test-scale`.
"""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import messy
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import spark_session
from lakehouse import Lakehouse
from paired import Paired
from tables import BreaksContract, TablesDiffer, check_contract, compare, compare_json, published_contracts

from solvent import contracts, naming
from solvent.etl import statements
from solvent.etl.duckdb_engine import DuckDbEngine

FILES = {"lending": messy.lending, "bankruptcy": messy.bankruptcy}


@pytest.mark.spark
@pytest.mark.parametrize("portfolio", naming.PORTFOLIOS)
def test_engines_agree_on_each_step_and_with_the_contracts(
    lakehouse: Lakehouse, spark: Any, tmp_path: Path, portfolio: str
) -> None:
    FILES[portfolio](tmp_path / "files")
    before = lakehouse.deliver(tmp_path / "files")
    lakehouse.run(before)
    # A second delivery, so that what it keeps, replaces and deletes of the first is there to compare.
    messy.redeliver(portfolio, tmp_path / "files", tmp_path / "later")
    job = lakehouse.deliver(tmp_path / "later", base=before)
    engines = {
        "DuckDB": DuckDbEngine(work=tmp_path),
        "Spark, ANSI off": spark_session.engine(spark, ansi=False),
        "Spark, ANSI on": spark_session.engine(spark, ansi=True),
    }
    # Spark's files are published: several for a table, and Hadoop's own beside them.
    paired = Paired(engines, publishes="Spark, ANSI off", portfolio=portfolio, work=tmp_path / "steps")
    report = lakehouse.run(job, paired)

    derived = [s.table for s in statements.derive(portfolio, "spark")]
    assert paired.compared == [*derived, "quarantine_log", "deletion_log"]
    assert not report["stopped"]
    assert report["rows"]["deleted"] > report["rows"]["tombstones"] > 0
    if portfolio == "lending":
        assert all(report["rows"].values())  # each kind of row was there
    for name, contract in published_contracts(portfolio).items():
        for engine in engines:
            check_contract(paired.outputs[name][engine], contract, what=f"{name} as {engine} writes it")
        assert f"{contract.zone}.{name}" in report["tables"]
        published = lakehouse.table(job, contract.zone, name)
        assert published.num_rows == pq.read_table(paired.outputs[name]["DuckDB"]).num_rows


def parquet(folder: Path, name: str, table: pa.Table) -> str:
    (folder / name).mkdir()
    pq.write_table(table, folder / name / "part-0.parquet")
    return str(folder / name)


ROWS = pa.table(
    {
        "loan_id": pa.array(["a", "b", "c", "d"]),
        "amount": pa.array([1.0, 2e12, None, float("inf")]),
        "days": pa.array([1, None, 3, 4], pa.int32()),
    }
)


def changed(column: str, row: int, value: Any) -> pa.Table:
    values = ROWS[column].to_pylist()
    values[row] = value
    return ROWS.set_column(ROWS.column_names.index(column), column, pa.array(values, ROWS.schema.field(column).type))


@pytest.mark.parametrize(
    ("got", "said"),
    [
        (changed("amount", 0, 1.0 + 1e-8), "column amount differs in 1 of 4 rows, first at loan_id='a': 1.00000001"),
        (changed("amount", 1, 2e12 + 1e4), "column amount differs in 1 of 4 rows, first at loan_id='b'"),
        (changed("amount", 2, 0.0), "column amount differs in 1 of 4 rows, first at loan_id='c': 0.0 instead of None"),
        (changed("amount", 3, -float("inf")), "first at loan_id='d': -inf instead of inf"),
        (changed("days", 1, 0), "column days differs in 1 of 4 rows, first at loan_id='b': 0 instead of None"),
        (changed("loan_id", 3, "x"), "lost in 1 of 4 rows, first at loan_id='d'"),
        (ROWS.slice(0, 3), "lost in 1 of 4 rows"),
        (pa.concat_tables([ROWS, changed("loan_id", 0, "e").slice(0, 1)]), "invented in 1 of 4 rows"),
        (pa.concat_tables([ROWS, ROWS.slice(0, 1)]), "4 rows became 5"),
        (ROWS.select(["loan_id", "days", "amount"]), "the schema differs"),
        (ROWS.set_column(2, "days", ROWS["days"].cast(pa.int64())), "days: int32"),
    ],
)
def test_a_difference_is_named_with_its_column_and_first_key(tmp_path: Path, got: pa.Table, said: str) -> None:
    with pytest.raises(TablesDiffer) as raised:
        compare(parquet(tmp_path, "expected", ROWS), parquet(tmp_path, "got", got), what="Step x")
    assert said in str(raised.value)


def test_what_differs_by_less_than_a_billionth_or_in_order_is_the_same(tmp_path: Path) -> None:
    near = changed("amount", 1, 2e12 + 1e2).take([3, 0, 2, 1])
    compare(parquet(tmp_path, "expected", ROWS), parquet(tmp_path, "got", near), what="Step x")


@pytest.mark.parametrize(
    ("got", "said"),
    [
        ('{"id": "a", "x": 0.30000001}\n{"id": "b", "x": null}', r"x differs, first at ['a']: 0.30000001"),
        ('{"id": "a", "x": 0.3}\n{"id": "b", "x": 0.0}', r"x differs, first at ['b']: 0.0 instead of None"),
        ('{"x": 0.3, "id": "a"}\n{"id": "b", "x": null}', "the keys are ['x', 'id']"),
        ('{"id": "a", "x": 0.3}', "1 rows instead of 2"),
        ('{"id": "b", "x": null}\n{"id": "a", "x": 0.30000000000000004}', ""),
    ],
)
def test_a_difference_of_json_lines_is_named(tmp_path: Path, got: str, said: str) -> None:
    for name, text in (("expected", '{"id": "a", "x": 0.3}\n{"id": "b", "x": null}\n'), ("got", got)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part-0.jsonl").write_text(text)
    with pytest.raises(TablesDiffer) if said else nullcontext() as raised:
        compare_json(str(tmp_path / "expected"), str(tmp_path / "got"), ["id"], what="x")
    assert not said or said in str(raised.value)


def test_equal_rows_are_told_apart_by_their_number(tmp_path: Path) -> None:
    twice, thrice = (pa.concat_tables([ROWS] * n) for n in (2, 3))
    expected = parquet(tmp_path, "expected", twice)
    compare(expected, parquet(tmp_path, "same", twice), what="Step x")
    with pytest.raises(TablesDiffer, match="invented in 4 of 8 rows"):
        compare(expected, parquet(tmp_path, "more", thrice), what="Step x")


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("stage", None, "stage is absent in 1 rows"),
        ("stage", "lunch", "stage is no allowed value in 1 rows"),
        ("event_id", "E 12", "event_id is of another form in 1 rows"),
        ("event_id", "E0000022", "the key ('event_id',) repeats"),
    ],
)
def test_a_broken_contract_is_named(tmp_path: Path, column: str, value: Any, said: str) -> None:
    contract = contracts.load()["application_events"]
    rows = pa.table(
        {
            "event_id": ["E0000011", "E0000022"],
            "loan_id": ["L000001", "L000002"],
            "stage": ["submitted", "decided"],
            "team": ["branch", "treasury"],
            "occurred_at": pa.array([0, 1], pa.timestamp("us")),
        }
    )
    check_contract(parquet(tmp_path, "good", rows), contract, what="x")
    at = rows.column_names.index(column)
    bad = rows.set_column(at, column, pa.array([value, rows[column][1].as_py()], pa.string()))
    with pytest.raises(BreaksContract) as raised:
        check_contract(parquet(tmp_path, "bad", bad), contract, what="x")
    assert said in str(raised.value)
