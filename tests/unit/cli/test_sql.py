"""`solvent sql` and `solvent query`, on the embedded engine in this process."""

import csv
import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from engine_client import Asked
from rich.console import Console

from solvent import naming
from solvent.cli import answers
from solvent.cli import sql as cli
from solvent.warehouse.data_api import Result

TYPED = (
    "SELECT CAST('2026-06-30' AS DATE) AS day, CAST(12.50 AS DECIMAL(10,2)) AS money, CAST(1 AS BIGINT) AS n, "
    "CAST(0.5 AS DOUBLE PRECISION) AS rate, JSON_PARSE('[1, 2]') AS many, CAST(NULL AS VARCHAR) AS nothing"
)


def test_a_value_is_bound_and_never_becomes_sql(warehouse: Asked, solvent: Any) -> None:
    hostile = "x' OR '1' = '1"
    code, out, _ = solvent("sql", "SELECT loan_id FROM lending.loans WHERE loan_id = :id", "--param", f"id={hostile}")
    assert (code, warehouse.asked[-1][1]) == (0, {"id": hostile})
    assert "0 rows" in out


def test_rows_are_counted_and_timed(warehouse: Asked, solvent: Any) -> None:
    code, out, _ = solvent("sql", "SELECT loan_id, amount FROM lending.loans WHERE amount > 1059")
    assert code == 0
    assert "L000060" in out
    assert "1 row (0." in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["SELECT :a"], ":a has no value: add --param a=VALUE"),
        (["SELECT 1", "--param", "b=1"], "--param b is not used"),
        (["SELECT :a", "--param", "a"], "NAME=VALUE, not 'a'"),
        (["SELECT :a", "--param", "a=1", "--param", "a=2"], "a is given twice"),
        (["SELECT 1; SELECT 2"], "That is 2 statements, one is taken: ask one at a time"),
        (["/* nothing */"], "That is 0 statements"),
        (["risk_bands"], "`solvent query risk_bands` runs it"),
        (["SELECT 1", "--csv", "--json"], "Choose one of --csv, --json"),
        (["SELECT 1", "--parquet"], "add --out FILE.parquet"),
        (["SELECT 1", "--out", "rows.txt"], "ends in none of .csv, .json, .parquet"),
        (["SELECT 1", "--out", "no-such-folder/rows.csv"], "There is no folder"),
        ([r"\x"], r"There is no command \x"),
    ],
)
def test_what_is_refused_is_refused_before_the_warehouse_is_asked(
    warehouse: Asked, solvent: Any, arguments: list[str], said: str
) -> None:
    code, _, error = solvent("sql", *arguments)
    assert code == 1
    assert said in error
    assert warehouse.asked == []


def test_a_semicolon_at_the_end_a_comment_and_quoted_ones_are_no_second_statement(
    warehouse: Asked, solvent: Any
) -> None:
    code, out, _ = solvent("sql", "SELECT ';' AS a, ':b' AS b -- ; :c\n;", "--csv")
    assert (code, out) == (0, "a,b\n;,:b\n")


def test_standard_input_and_a_file_are_statements_too(
    warehouse: Asked, solvent: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.sql").write_text("SELECT 1 AS one;")
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT 2 AS two"))
    assert solvent("sql", str(tmp_path / "one.sql"), "--csv")[1] == "one\n1\n"
    assert solvent("sql", "-", "--csv")[1] == "two\n2\n"


def test_every_form_has_every_row(warehouse: Asked, solvent: Any, tmp_path: Path) -> None:
    asked = "SELECT loan_id, amount FROM lending.loans ORDER BY loan_id"
    as_csv = list(csv.reader(io.StringIO(solvent("sql", asked, "--csv")[1])))
    as_json = json.loads(solvent("sql", asked, "--json")[1])
    code, out, _ = solvent("sql", asked, "--out", str(tmp_path / "loans.parquet"))
    as_parquet = pq.read_table(tmp_path / "loans.parquet").to_pylist()
    assert (code, len(as_csv), len(as_json), len(as_parquet)) == (0, 61, 60, 60)
    assert "60 rows in " in out
    assert [r["loan_id"] for r in as_json] == [r["loan_id"] for r in as_parquet] == [r[0] for r in as_csv[1:]]


def test_json_and_parquet_keep_types(warehouse: Asked, solvent: Any, tmp_path: Path) -> None:
    [row] = json.loads(solvent("sql", TYPED, "--json")[1])
    assert row == {"day": "2026-06-30", "money": 12.5, "n": 1, "rate": 0.5, "many": [1, 2], "nothing": None}
    solvent("sql", TYPED, "--parquet", "--out", str(tmp_path / "typed"))
    table = pq.read_table(tmp_path / "typed")
    assert table.schema.field("money").type == pa.decimal128(38, 2)
    values = {"day": date(2026, 6, 30), "money": Decimal("12.50"), "n": 1, "rate": 0.5, "many": "[1,2]"}
    assert table.to_pylist() == [{**values, "nothing": None}]


def test_parquet_of_two_columns_of_one_name_is_refused(warehouse: Asked, solvent: Any, tmp_path: Path) -> None:
    code, _, error = solvent("sql", "SELECT 1 AS a, 2 AS a", "--out", str(tmp_path / "a.parquet"))
    assert code == 1
    assert "names of its own for the columns a" in error
    assert not (tmp_path / "a.parquet").exists()


def test_a_statement_without_rows_says_so(warehouse: Asked, solvent: Any) -> None:
    assert "Done" in solvent("sql", "DELETE FROM lending.loans")[1]
    code, _, error = solvent("sql", "DELETE FROM lending.loans", "--csv")
    assert code == 1
    assert "returns no rows" in error


def test_an_error_says_where_and_what_to_do(warehouse: Asked, solvent: Any) -> None:
    code, _, error = solvent("sql", "SELECT *\nFROM lending.lones")
    assert code == 1
    assert 'relation "lending.lones" does not exist\nline 2: FROM lending.lones\n             ^' in error
    assert "Did you mean lending.loans" in error


def test_ctrl_c_cancels_the_statement_in_the_warehouse(warehouse: Asked, solvent: Any) -> None:
    warehouse.interrupt = True
    code, _, _ = solvent("sql", "SELECT 1")
    assert code != 0
    assert warehouse.cancelled == ["statement-0"]


def test_a_table_is_cut_to_the_screen_and_says_so() -> None:
    answer = answers.Answer(Result(["n"], [[n] for n in range(100)]), 100, 0.1)
    shown = Console(width=80, height=20, force_terminal=True, record=True)
    answers.show(shown, answer)
    text = shown.export_text()
    assert "100 rows, the first 13 shown: --all shows every row" in text
    assert "│ 12 │" in text and "│ 13 │" not in text
    answers.show(shown, answer, everything=True)
    assert "│ 99 │" in shown.export_text()


def test_numbers_stand_to_the_right_and_are_short() -> None:
    from solvent.cli import output

    shown = Console(width=80, record=True)
    output.rows(shown, ["name", "rate"], [["[bold]x", 1 / 3], ["y", 12.5], ["z", 0.00001234], ["n", None]])
    text = shown.export_text()
    assert "│ [bold]x │ 0.333333 │" in text
    assert "│ y       │     12.5 │" in text
    assert "│ z       │ 1.23e-05 │" in text


def test_look_up_needs_no_warehouse(solvent: Any) -> None:
    """Nothing is running, and what the contracts say is there."""
    everything, lending, loans = (solvent("sql", f"\\d {what}".strip())[1] for what in ("", "lending", "customers"))
    assert "marts.reporting_dates" in everything and "lending.loans" in everything
    assert "lending.loans" in lending and "marts." not in lending
    assert "full_name" in loans and "direct" in loans
    assert "Read by analyst (not full_name, email, sex, marital_status, foreign_worker)" in loans
    assert "Did you mean lending.customers" in solvent("sql", r"\d lending.custmers")[2]


def test_the_saved_queries_are_listed_with_their_questions(solvent: Any) -> None:
    code, out, _ = solvent("query")
    assert code == 0
    assert "Where did the rows of a delivery go?" in out
    assert "run_id" in out


def test_a_saved_query_runs_with_its_parameters(warehouse: Asked, solvent: Any) -> None:
    code, out, _ = solvent("query", "rows_of_run", "--param", "run_id=0123456789abcdef", "--csv")
    assert (code, out) == (0, "rows_in,good,quarantined,duplicates\n,,,\n")
    assert warehouse.asked[-1][1] == {"run_id": "0123456789abcdef"}


def test_the_sql_of_a_saved_query_is_shown_without_asking(solvent: Any) -> None:
    code, out, _ = solvent("query", "rows_of_run", "--show")
    assert code == 0
    assert out.startswith("-- Where did the rows of a delivery go?\nSELECT")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rows_of_runs"], "There is no saved query 'rows_of_runs'. Did you mean rows_of_run"),
        (["rows_of_run"], "'run_id' is missing"),
        (["risk_bands", "--param", "x=1"], "'x' is no parameter of it. It takes none"),
    ],
)
def test_a_wrong_call_of_a_saved_query_is_refused_by_name(
    warehouse: Asked, solvent: Any, arguments: list[str], said: str
) -> None:
    code, _, error = solvent("query", *arguments)
    assert code == 1
    assert said in error
    assert warehouse.asked == []


def test_the_roles_are_those_of_people() -> None:
    assert get_args(cli.Person) == naming.PEOPLE
