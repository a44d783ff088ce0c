"""SQL in Redshift's dialect gives Redshift's results: pairs of input and expectation in tests/sql/redshift/*.sql.

A case is `--# name`, statements, and `--> ` lines: rows, `columns: names`, or the beginning of an error.
"""

from pathlib import Path

import pytest
from redshift_fixtures import Warehouse

from embedded_aws.redshift.cells import text
from embedded_aws.redshift.errors import SqlError

FILES = sorted((Path(__file__).parents[2] / "sql" / "redshift").glob("*.sql"))


def cases() -> list[object]:
    found = []
    for file in FILES:
        for block in file.read_text().split("--# ")[1:]:
            name, _, rest = block.partition("\n")
            body, *expected = rest.split("\n--> ")
            found.append(pytest.param(body.strip(), [e.strip() for e in expected], id=f"{file.stem}: {name}"))
    return found


@pytest.mark.contract(
    "redshift.dialect",
    page="https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_SQLCommandRef.html",
    says=(
        "Statements in Redshift's dialect give Redshift's results, one pair of statement and result per "
        "construct in tests/sql/redshift."
    ),
)
@pytest.mark.parametrize(("sql", "expected"), cases())
def test_result(tmp_path: Path, sql: str, expected: list[str]) -> None:
    warehouse = Warehouse(tmp_path)
    # A batch is a list of statements; the case "two statements in one" ends in a semicolon and stays one text.
    statements = [sql] if sql.endswith(";") else [part.strip() for part in sql.split(";\n")]
    if expected[0].startswith("ERROR"):
        with pytest.raises(SqlError) as error:
            warehouse.run(*statements)
        assert str(error.value).startswith(expected[0])
        return
    table = warehouse.run(*statements)[-1].table
    assert table is not None
    if expected[0].startswith("columns: "):
        assert table.column_names == expected[0].removeprefix("columns: ").split(" | ")
        return
    columns = [column.to_pylist() for column in table.columns]
    shown = [" | ".join("null" if v is None else text(v) for v in row) for row in zip(*columns, strict=True)]
    assert shown == expected


def test_a_parameter_may_be_named_like_a_keyword(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    for name in ("on", "from", "date", "end", "order", "year"):
        assert warehouse.rows(f"SELECT 1 WHERE 'x' = :{name} AND :{name} <> 'y'", **{name: "x"}) == [(1,)]
