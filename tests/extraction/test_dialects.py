"""What no test server speaks is at least compiled: each statement, in the dialect of each kind of database."""

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from solvent.extraction import databases
from solvent.extraction.definition import Source
from solvent.extraction.errors import InvalidExtraction
from solvent.extraction.statements import Statements, Window, names_of, parsed_query

AFTER = ["L000001", 7]
WINDOW = Window(dt.datetime(2026, 1, 1), dt.datetime(2026, 2, 1))
# kind -> how the page of a table looks: its limit, and a name that is a reserved word.
KINDS: dict[str, tuple[str, str]] = {
    "postgresql+pg8000": ("LIMIT", '"order"'),
    "mysql+pymysql": ("LIMIT", "`order`"),
    "mariadb+pymysql": ("LIMIT", "`order`"),
    "mssql+pymssql": ("TOP 500", "[order]"),
    "db2+ibm_db": ("LIMIT 500", '"order"'),
    "databricks": ("LIMIT", "`order`"),
}


def _statements(relation: sa.FromClause) -> Statements:
    columns = {name: relation.c[name] for name in ("loan_id", "order", "amount", "updated_at")}
    return Statements(columns, [relation.c.loan_id, relation.c.order], relation.c.updated_at)


TABLE = sa.Table(
    "Loans & more",
    sa.MetaData(),
    sa.Column("loan_id", sa.String(7)),
    sa.Column("order", sa.Integer),
    sa.Column("amount", sa.Numeric(12, 2)),
    sa.Column("updated_at", sa.DateTime),
    schema="core",
)


def _compiled(statement: Any, url: str) -> str:
    dialect = make_url(f"{url}://").get_dialect()()
    dialect.max_identifier_length = dialect.max_identifier_length or 128
    options = {"render_postcompile": True}
    return " ".join(str(statement.compile(dialect=dialect, compile_kwargs=options)).split())


def test_every_kind_is_compiled() -> None:
    assert set(KINDS) == set(databases.KINDS)


@pytest.mark.parametrize("url", KINDS)
def test_a_page_of_a_table(url: str) -> None:
    limit, reserved = KINDS[url]
    text = _compiled(_statements(TABLE).page(AFTER, WINDOW, 500), url)
    assert limit in text and reserved in text and "OFFSET" not in text.upper()
    assert "L000001" not in text, "values are bound, never written"
    assert text.index("WHERE") < text.index("ORDER BY") and "ORDER BY" in text
    assert "Loans & more" in text and " OR " in text


@pytest.mark.parametrize("url", KINDS)
def test_a_page_of_a_query(url: str) -> None:
    source = Source("loans", key=("loan_id",), query="SELECT l.*, 1 AS one FROM loans l WHERE status = 'open'")
    query = parsed_query(source)
    relation = query.columns(*(sa.column(c) for c in ("loan_id", "order", "amount", "updated_at"))).subquery("extract")
    text = _compiled(_statements(relation).page(AFTER, WINDOW, 500), url)
    assert "FROM (SELECT l.*, 1 AS one FROM loans l WHERE status = 'open') AS" in text
    assert "WHERE 1 = 0" in _compiled(names_of(query, "loan_id"), url) or "= " in _compiled(
        names_of(query, "loan_id"), url
    )


@pytest.mark.parametrize("url", KINDS)
def test_the_questions_beside_the_pages(url: str) -> None:
    statements = _statements(TABLE)
    assert "max(" in _compiled(statements.newest(), url).lower()
    assert "count(*)" in _compiled(statements.same(AFTER), url).lower()
    for statement in (statements.without_key(), statements.without_watermark()):
        assert "IS NULL" in _compiled(statement, url)


def test_a_query_with_parameters_is_refused() -> None:
    with pytest.raises(InvalidExtraction, match="parameters"):
        parsed_query(Source("loans", key=("loan_id",), query="SELECT * FROM loans WHERE day = :day"))
