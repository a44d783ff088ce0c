"""`python -m gates`: one line per gate and environment, in a fixed order, and 1 when any of them failed."""

from collections.abc import Callable
from pathlib import Path

import pytest

import gates.__main__ as command
from gates import code
from gates.assembly import Assembly
from gates.outcome import Finding, Outcome

Capture = pytest.CaptureFixture[str]
FINDING = Finding("E1", "stack/thing", "broken")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """The command over four made-up gates, each on dev and prod."""

    def breaks(assembly: Assembly) -> Outcome:
        raise KeyError("Resources")

    made_up = {
        "good": lambda assembly: Outcome("3 things"),
        "bad-in-prod": lambda assembly: Outcome("3 things", [FINDING] * (assembly.environment == "prod")),
        "counting": lambda assembly: Outcome("3 things", [FINDING], reported_only=True),
        "breaking": breaks,
    }
    monkeypatch.setattr(command, "GATES", made_up)
    monkeypatch.setattr(command, "NAMES", tuple(made_up))
    monkeypatch.setattr(command, "IN_CDK", {"good"})
    monkeypatch.setattr(Assembly, "synthesized", lambda environment: Assembly(environment, tmp_path))
    return lambda *arguments: command.main(arguments)


def test_lines_come_in_the_order_of_gates_whoever_is_first(run: Callable[..., int], capsys: Capture) -> None:
    run()
    lines = _lines(capsys)
    assert [line.split()[:3] for line in lines if line[:4].strip() in ("ok", "info", "FAIL")] == [
        ["ok", "good", "dev"],
        ["ok", "bad-in-prod", "dev"],
        ["info", "counting", "dev"],
        ["FAIL", "breaking", "dev"],
        ["ok", "good", "prod"],
        ["FAIL", "bad-in-prod", "prod"],
        ["info", "counting", "prod"],
        ["FAIL", "breaking", "prod"],
    ]
    assert lines[-1].startswith("8 gates, 3 FAILED, ")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["good"], 0),
        (["counting"], 0),
        (["good", "bad-in-prod"], 1),
        (["bad-in-prod", "--environment", "dev"], 0),
        (["breaking"], 1),
    ],
)
def test_only_a_gate_that_fails_makes_the_command_fail(
    run: Callable[..., int], arguments: list[str], status: int
) -> None:
    assert run(*arguments) == status


def test_what_failed_is_listed_and_what_is_only_reported_is_counted(run: Callable[..., int], capsys: Capture) -> None:
    run("bad-in-prod", "counting", "--environment", "prod")
    failed, finding, counted, total = _lines(capsys)
    assert failed.startswith("FAIL bad-in-prod ") and finding == "     E1 stack/thing: broken"
    assert counted.startswith("info counting ") and "1 findings" in counted and total.startswith("2 gates, 1 FAILED")


def test_with_verbose_what_is_only_reported_is_listed(run: Callable[..., int], capsys: Capture) -> None:
    run("counting", "--environment", "prod", "--verbose")
    assert "     E1 stack/thing: broken" in _lines(capsys)


def test_a_gate_that_breaks_says_where(run: Callable[..., int], capsys: Capture) -> None:
    run("breaking", "--environment", "prod")
    assert any("KeyError" in line for line in _lines(capsys))


def test_a_gate_that_is_not_known_is_refused(run: Callable[..., int]) -> None:
    with pytest.raises(SystemExit) as error:
        run("godo")
    assert error.value.code == 2


def _lines(capsys: Capture) -> list[str]:
    return capsys.readouterr().out.splitlines()


class TestCode:
    """The checks of the sources, on sources of their own."""

    @pytest.mark.parametrize(
        ("name", "source", "says"),
        [
            ("ruff", "import os\n", "one.py:1:8: F401"),
            ("ruff-format", "x = {  }\n", "one.py:1:6: unformatted"),
            ("mypy", "x: int = 1\n", "Missing target module"),
        ],
    )
    def test_each_names_what_it_finds_or_why_it_did_not_run(
        self, name: str, source: str, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "one.py").write_text(source)
        monkeypatch.setattr(code, "ROOT", tmp_path)
        (finding,) = code.check(name).findings
        assert says in str(finding)

    def test_clean_sources_raise_nothing(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "one.py").write_text("ANSWER = 42\n")
        monkeypatch.setattr(code, "ROOT", tmp_path)
        assert code.check("ruff").findings == code.check("ruff-format").findings == []
