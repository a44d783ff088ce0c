"""What holds of the Data API's client whatever comes: pages, errors, delays, sizes, and values that look like SQL."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from engine_client import EngineClient
from fakes import RedshiftData, client_error
from hypothesis import example, given
from hypothesis import strategies as st
from load_cases import Lake

from embedded_aws.redshift.engine import Database, Roles
from solvent.warehouse import data_api, statements
from solvent.warehouse.data_api import LARGEST_STATEMENT, MOST_STATEMENTS, DataApi, DataApiError, StatementTimeout

HOSTILE = (
    "'", "''", "\\", "\\'", '"', ";", "'; DROP TABLE notes; --", "/* */", "--", "$$", ":value", "%", "_", "\0", "\n",
    "é", "日本", "\U0001f600", "NULL", "' OR '1'='1", "\u2028", "\ufeff", " ",
)  # fmt: skip
# What travels as JSON in UTF-8; the Data API takes no empty parameter.
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
    st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=4).map("".join),
)
transient = st.one_of(
    st.sampled_from(sorted(data_api._TRANSIENT)).map(client_error),
    st.sampled_from(
        [
            EndpointConnectionError(endpoint_url="https://x"),
            ConnectTimeoutError(endpoint_url="https://x"),
            ReadTimeoutError(endpoint_url="https://x"),
        ]
    ),
)


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def api(client: Any) -> tuple[DataApi, Time]:
    time = Time()
    return DataApi(client, workgroup="w", database="d", sleep=time.sleep, clock=lambda: time.now), time


# Pages.


class Pages:
    """A finished statement whose result comes in given pages under given tokens."""

    def __init__(self, pages: list[list[int]], tokens: list[str]) -> None:
        self._next: dict[str | None, tuple[list[int], str | None]] = {}
        for at, rows in enumerate(pages):
            own = tokens[at - 1] if at else None
            self._next[own] = rows, tokens[at] if at + 1 < len(pages) else None
        self.asked: list[str | None] = []

    def execute_statement(self, **_: Any) -> dict[str, Any]:
        return {"Id": "s"}

    def describe_statement(self, **_: Any) -> dict[str, Any]:
        return {"Id": "s", "Status": "FINISHED", "HasResultSet": True}

    def get_statement_result(self, *, Id: str, NextToken: str | None = None) -> dict[str, Any]:  # noqa: N803
        self.asked.append(NextToken)
        rows, more = self._next[NextToken]
        columns = [{"name": "n", "typeName": "int8"}]
        return {
            "ColumnMetadata": columns,
            "Records": [[{"longValue": n}] for n in rows],
            **({"NextToken": more} if more else {}),
        }


@given(st.data(), st.lists(st.lists(st.integers(), max_size=4), min_size=1, max_size=8))
def test_every_page_is_asked_for_once_and_every_row_arrives_in_order(
    data: st.DataObject, pages: list[list[int]]
) -> None:
    count = len(pages) - 1
    tokens = data.draw(st.lists(st.text(min_size=1), min_size=count, max_size=count, unique=True))
    client = Pages(pages, tokens)
    assert [row[0] for row in api(client)[0].query("SELECT 1").rows] == [n for rows in pages for n in rows]
    assert client.asked == [None, *tokens]


# Errors.


@given(st.lists(transient, max_size=data_api._ATTEMPTS - 1), st.sampled_from([None, "load-1"]))
def test_what_passes_is_tried_again_as_the_very_same_request(errors: list[Any], token: str | None) -> None:
    client = RedshiftData()
    client.failures = list(errors)
    there, time = api(client)
    there.batch(["SELECT 1"], {"value": "'"}, token=token)
    sent = client.sent("batch_execute_statement")
    assert len(sent) == len(errors) + 1
    assert all(request == sent[0] for request in sent), "another token would run the statement twice"
    assert sent[0]["ClientToken"] and token in (None, sent[0]["ClientToken"])
    assert time.now <= 5.0 * len(errors)


@given(st.lists(transient, max_size=data_api._ATTEMPTS - 1), st.sampled_from(["AccessDeniedException", "Validation"]))
def test_what_does_not_pass_is_told_at_once(errors: list[Any], code: str) -> None:
    client = RedshiftData()
    client.failures = [*errors, client_error(code, "no")]
    with pytest.raises(DataApiError, match=f"{code}: no"):
        api(client)[0].execute("SELECT 1")
    assert len(client.requests) == len(errors) + 1


@given(st.lists(transient, min_size=data_api._ATTEMPTS, max_size=data_api._ATTEMPTS + 3))
def test_patience_ends(errors: list[Any]) -> None:
    client = RedshiftData()
    client.failures = list(errors)
    with pytest.raises(DataApiError):
        api(client)[0].execute("SELECT 1")
    assert len(client.requests) == data_api._ATTEMPTS


def test_two_submissions_without_a_token_are_two_statements() -> None:
    client = RedshiftData()
    there, _ = api(client)
    assert there.submit("SELECT 1") != there.submit("SELECT 1")


# Delays.


@given(
    st.lists(st.sampled_from(["SUBMITTED", "PICKED", "STARTED"]), max_size=400),
    st.floats(min_value=0, max_value=600),
    st.one_of(st.none(), st.floats(min_value=-5, max_value=600)),
)
@example(["STARTED"] * 400, 600.0, 0.0)
def test_waiting_ends_in_time(statuses: list[str], timeout: float, left: float | None) -> None:
    """By the caller's time-out, or by the time that the caller itself has left."""
    client = RedshiftData()
    client.progress = [*statuses, "FINISHED"]
    there, time = api(client)
    there = there if left is None else there.within(left)
    most = max(0.0, min(timeout, 600.0 if left is None else left))
    try:
        there.execute("SELECT 1", timeout=timeout)
        assert client.sent("cancel_statement") == []
        assert len(client.sent("describe_statement")) == len(statuses) + 1
    except StatementTimeout as error:
        assert client.sent("cancel_statement") == [{"Id": error.statement_id}]
        assert time.now > most
    assert time.now <= most + 2.0


# Sizes.


@given(st.integers(min_value=LARGEST_STATEMENT - 3, max_value=LARGEST_STATEMENT + 3), st.sampled_from(["x", "é", "日"]))
def test_a_statement_is_refused_by_its_bytes_before_it_is_sent(size: int, character: str) -> None:
    sql = "x" * (size % len(character.encode())) + character * (size // len(character.encode()))
    client = RedshiftData()
    there, _ = api(client)
    for submit in (lambda: there.submit(sql), lambda: there.submit_batch(["SELECT 1", sql])):
        if len(sql.encode()) <= LARGEST_STATEMENT:
            submit()
        else:
            with pytest.raises(DataApiError, match=f"{len(sql.encode())} bytes"):
                submit()
    assert bool(client.requests) == (len(sql.encode()) <= LARGEST_STATEMENT)


@given(st.integers(min_value=0, max_value=3 * MOST_STATEMENTS))
def test_a_batch_is_refused_by_its_length_before_it_is_sent(count: int) -> None:
    client = RedshiftData()
    if 1 <= count <= MOST_STATEMENTS:
        api(client)[0].submit_batch(["SELECT 1"] * count)
        return
    with pytest.raises(DataApiError, match=f"not {count}"):
        api(client)[0].submit_batch(["SELECT 1"] * count)
    assert client.requests == []


@given(st.text(max_size=70))
def test_a_token_is_sent_as_it_is_or_refused(token: str) -> None:
    client = RedshiftData()
    try:
        api(client)[0].submit("SELECT 1", token=token)
        assert client.requests[0][1]["ClientToken"] == token
        assert 1 <= len(token) <= 64 and token.isascii()
    except DataApiError:
        assert client.requests == []


@pytest.mark.parametrize("parameters", [{"a": ""}, {"": "x"}, {"a b": "x"}, {"a;": "x"}])
def test_a_parameter_that_the_data_api_refuses_is_refused_before_it_is_sent(parameters: dict[str, str]) -> None:
    client = RedshiftData()
    with pytest.raises(DataApiError, match="The parameter"):
        api(client)[0].submit("SELECT 1", parameters)
    assert client.requests == []


# Values.


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("values") / "solvent.db"
    made = Database(path, storage=lambda role: Lake(path.parent), roles=lambda: Roles(None, ()))
    made.run(["CREATE TABLE public.notes (id INTEGER, text VARCHAR(65535))"], user="admin")
    yield made
    made.close()


@given(texts)
@example("'; DROP TABLE notes; --")
@example("\\' OR 1=1 --")
@example("\0")
def test_a_value_comes_back_as_it_went_and_is_never_sql(database: Database, value: str) -> None:
    there, _ = api(EngineClient(database))
    assert there.query("SELECT :value AS v, ':value' AS text, 1 -- :value", {"value": value}).rows == [
        [value, ":value", 1]
    ]
    there.batch(
        [
            "DELETE FROM public.notes WHERE text = :value OR id = 1",
            "INSERT INTO public.notes SELECT 1, :value",
            "INSERT INTO public.notes SELECT 2, 'other'",
        ],
        {"value": value},
    )
    assert there.query("SELECT text FROM public.notes WHERE id = 1 AND text = :value", {"value": value}).rows == [
        [value]
    ]
    assert there.query("SELECT COUNT(*) FROM public.notes WHERE id = 1").rows == [[1]]


@given(st.dictionaries(st.from_regex(r"p_[a-z0-9_]{0,6}", fullmatch=True), texts, min_size=1, max_size=5))
def test_parameters_do_not_mix(database: Database, values: dict[str, str]) -> None:
    """Neither does one replace a part of another's name, nor is a value searched for names.

    `p_`: the embedded Redshift takes no keyword for a name.
    """
    sql = "SELECT " + ", ".join(f":{name} AS c{at}" for at, name in enumerate(values))
    assert api(EngineClient(database))[0].query(sql, values).rows == [list(values.values())]


@given(texts)
def test_a_literal_is_the_text_or_refused(database: Database, value: str) -> None:
    try:
        written = statements.literal(value)
    except statements.UnsafeSql:
        assert "\\" in value or any(ord(c) < 32 for c in value)
        return
    there, _ = api(EngineClient(database))
    assert there.query(f"SELECT {written} AS v, 1 AS one").rows == [[value, 1]]


@given(st.text(max_size=12))
def test_an_identifier_is_a_plain_name_or_refused(value: str) -> None:
    try:
        assert statements.identifier(value) == f'"{value}"'
        assert value.isascii() and value.replace("_", "a").isalnum() and value == value.lower()
    except statements.UnsafeSql:
        pass
