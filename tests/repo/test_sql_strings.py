"""No SQL is put together outside of a few files, of which it is known what goes in and how."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = ("src", "lambdas", "stacks", "glue_jobs", "sagemaker", "scripts")
# File -> what goes into its SQL. Values are never among it, but for `literal`, which refuses what could end one.
LISTED = {
    "src/solvent/warehouse/statements.py": "names of contracts through `identifier`, text through `literal`",
    "src/solvent/warehouse/marts.py": "names and rows of contracts, the same way; a mart's query as it was reviewed",
    "src/solvent/warehouse/migrations.py": "the ledger's row: version, name and checksum of a file through `literal`",
    "src/solvent/warehouse/models.py": "names of specifications through `identifier`, the endpoint through `literal`",
    "src/solvent/warehouse/options.py": "the ledger's row: name and checksum of an option through `literal`",
    "src/solvent/warehouse/regions.py": "the names of roles and regions of the configuration through `literal`",
    "src/solvent/contracts/redshift.py": "DDL and comments of contracts, compared with the migrations by a test",
    "src/solvent/erasure/warehouse.py": "names of contracts; the person's keys are parameters",
    "src/solvent/etl/__init__.py": "names of contracts",
    "src/solvent/etl/duckdb_engine.py": "names of contracts; values are bound",
    "src/solvent/etl/history.py": "names of contracts",
    "src/solvent/etl/matching.py": "names of contracts",
    "src/solvent/etl/validation.py": "names and reviewed rules of contracts",
}
_SQL = re.compile(
    r"\s*\(?(SELECT|INSERT INTO|UPDATE \S+ SET|DELETE FROM|MERGE INTO|GRANT|REVOKE|CALL|REFRESH|COMMENT ON|UNLOAD|"
    r"(CREATE|ALTER|DROP) (OR REPLACE |TEMP |MATERIALIZED )*(TABLE|VIEW|PROCEDURE|SCHEMA|USER|ROLE)|COPY \S* ?FROM)\b"
)


def composed(source: str) -> Iterator[int]:
    """The lines of strings that begin as SQL and have something put in: f-string, +, %, format or join."""
    for node in ast.walk(ast.parse(source)):
        first: ast.AST | None = None
        if isinstance(node, ast.JoinedStr) and any(isinstance(v, ast.FormattedValue) for v in node.values):
            first = node.values[0]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            first = node.left
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            first = node.func.value
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and _SQL.match(first.value):
            yield node.lineno  # type: ignore[attr-defined]


def _files() -> list[Path]:
    return [path for root in SHIPPED for path in sorted((ROOT / root).rglob("*.py"))]


def test_sql_is_put_together_in_the_listed_files_only() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): lines
        for path in _files()
        if (lines := list(composed(path.read_text(encoding="utf-8"))))
    }
    strangers = {name: lines for name, lines in found.items() if name not in LISTED}
    assert strangers == {}, "use parameters, or solvent.warehouse.statements"
    assert set(LISTED) == set(found), "listed, but puts no SQL together any more"


def test_the_linter_is_silenced_in_the_listed_files_only() -> None:
    silenced = {p.relative_to(ROOT).as_posix() for p in _files() if "S608" in p.read_text(encoding="utf-8")}
    assert silenced - set(LISTED) <= {"src/solvent/etl/quality.py"}  # rules of contracts, in parts


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ('f"SELECT {x}"', True),
        ('"DELETE FROM t WHERE id = " + x', True),
        ('"INSERT INTO t VALUES (%s)" % x', True),
        ('"UPDATE t SET a = {}".format(x)', True),
        ('f"DROP TABLE {x}"', True),
        ('f"GRANT SELECT ON {x}"', True),
        ('"SELECT 1"', False),
        ('f"COPY refused {x}"', False),
        ('f"the text {x}"', False),
    ],
)
def test_what_counts_as_put_together(line: str, seen: bool) -> None:
    assert bool(list(composed(line))) is seen
