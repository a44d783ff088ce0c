"""The prompt of `solvent sql`, without a terminal: keys come from a pipe."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from engine_client import Asked, data_api
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from solvent.cli import prompt
from solvent.cli.completion import SqlCompleter
from solvent.warehouse import catalog, queries

CTRL_C, CTRL_D = "\x03", "\x04"
Typed = Callable[[str], str]


@pytest.fixture
def typed(warehouse: Asked, tmp_path: Path) -> Typed:
    """What the prompt says when these keys are typed, and then Ctrl-D."""

    def type_keys(keys: str) -> str:
        console = Console(width=100, height=20, force_terminal=True, color_system=None, record=True)
        with create_pipe_input() as keyboard:
            keyboard.send_text(keys + CTRL_D)
            with create_app_session(input=keyboard, output=DummyOutput()):
                prompt.Prompt(data_api(warehouse), console, place="test").run(tmp_path / "home" / "history")
        return console.export_text()

    return type_keys


def test_a_statement_goes_on_over_lines_until_its_semicolon(typed: Typed, warehouse: Asked) -> None:
    said = typed("SELECT COUNT(*) AS loans\nFROM lending.loans;\n")
    assert "60" in said and "1 row (" in said
    assert [sql for sql, _ in warehouse.asked] == ["SELECT COUNT(*) AS loans\nFROM lending.loans"]


def test_several_statements_are_asked_one_after_the_other(typed: Typed, warehouse: Asked) -> None:
    typed("SELECT 1 AS a; SELECT 2 AS b;\n")
    assert [sql for sql, _ in warehouse.asked] == ["SELECT 1 AS a", "SELECT 2 AS b"]


def test_an_error_is_explained_and_the_prompt_goes_on(typed: Typed) -> None:
    said = typed("SELECT * FROM lending.lones;\nSELECT 7 AS seven;\n")
    assert "Did you mean lending.loans" in said
    assert "seven" in said


def test_ctrl_c_cancels_what_runs_and_the_prompt_goes_on(typed: Typed, warehouse: Asked) -> None:
    warehouse.interrupt = True
    said = typed("SELECT 1;\n\\timing\n")
    assert warehouse.cancelled == ["statement-0"]
    assert "Cancelled." in said and "Times are not shown." in said


def test_ctrl_c_gives_up_what_is_typed(typed: Typed, warehouse: Asked) -> None:
    typed(f"SELECT nonsense{CTRL_C}SELECT 1 AS one;\n")
    assert [sql for sql, _ in warehouse.asked] == ["SELECT 1 AS one"]


def test_q_leaves(typed: Typed, warehouse: Asked) -> None:
    typed("\\q\nSELECT 1;\n")
    assert warehouse.asked == []


def test_the_history_is_kept_for_its_owner_alone(typed: Typed, tmp_path: Path) -> None:
    typed("SELECT 1;\n")
    history = tmp_path / "home" / "history"
    assert "SELECT 1;" in history.read_text()
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


def test_commands(typed: Typed, warehouse: Asked) -> None:
    said = typed("\\help\n\\d lending.loans\n\\query\n\\all\n\\nothing\n")
    assert "Ctrl-C cancels what runs" in said
    assert "loan_id" in said and "Read by analyst (not age_years), risk_officer." in said
    assert "rows_of_run" in said
    assert "Every row is shown." in said
    assert "There is no command \\nothing" in said
    assert warehouse.asked == []


def test_a_saved_query_runs_with_its_parameters(typed: Typed, warehouse: Asked) -> None:
    said = typed("\\query rows_of_run\n\\query rows_of_run run_id=x'y\n")
    assert "'run_id' is missing" in said
    assert [given for _, given in warehouse.asked] == [{"run_id": "x'y"}]


def test_a_parameter_without_a_value_is_refused(typed: Typed, warehouse: Asked) -> None:
    assert "Write the value instead of :days" in typed("SELECT :days;\n")
    assert warehouse.asked == []


def test_times_and_rows_are_as_asked(typed: Typed) -> None:
    asked = "SELECT loan_id FROM lending.loans ORDER BY loan_id;\n"
    cut, whole = typed("\\timing\n" + asked), typed("\\all\n" + asked)
    assert "60 rows, the first 13 shown: \\all shows every row" in cut and "L000014" not in cut
    assert " s)" not in cut and " s)" in whole
    assert "L000060" in whole


@pytest.mark.parametrize(
    ("text", "over"),
    [
        ("", True),
        ("\\d", True),
        ("SELECT 1", False),
        ("SELECT 1;", True),
        ("SELECT ';", False),
        ("SELECT 1 -- ;", False),
        ("SELECT 1; -- done", True),
        ("CREATE PROCEDURE p() AS $$ BEGIN SELECT 1;", False),
        ("CREATE PROCEDURE p() AS $$ BEGIN SELECT 1; END; $$ LANGUAGE plpgsql;", True),
    ],
)
def test_enter_ends_a_whole_statement_only(text: str, over: bool) -> None:
    assert prompt.ended(text) is over


def completed(text: str, *, whole: str | None = None, tab: bool = True) -> list[str]:
    completer = SqlCompleter(catalog.relations(), queries.read(), prompt.COMMANDS)
    document = Document(whole or text, len(text))
    return [c.text for c in completer.get_completions(document, CompleteEvent(completion_requested=tab))]


def test_completion_knows_the_schema_the_contracts_and_the_saved_queries() -> None:
    assert completed("sel") == ["select"]
    assert completed("SEL") == ["SELECT"]
    assert completed("SELECT * FROM lend") == ["lending."]
    assert "lending.loans" in completed("SELECT * FROM lending.")
    assert completed("SELECT * FROM lending.loa") == ["lending.loans"]
    assert completed("SELECT am", whole="SELECT am FROM lending.loans") == ["amount"]
    assert completed("SELECT l.am", whole="SELECT l.am FROM lending.loans AS l") == ["amount"]
    assert completed("SELECT l.am", whole="SELECT l.am FROM lending.loans l") == ["amount"]
    assert completed("SELECT x.am", whole="SELECT x.am FROM lending.loans AS l") == []
    assert completed("\\ti") == ["\\timing"]
    assert completed("\\d lending.loa") == ["lending.loans"]
    assert completed("\\query rows_of") == ["rows_of_run"]
    assert completed("\\query rows_of_run ") == ["run_id="]


def test_completion_is_silent_until_something_is_typed() -> None:
    assert completed("SELECT ", tab=False) == []
    assert "FROM" in completed("SELECT 1 F", tab=False)
