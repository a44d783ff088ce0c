"""The command line: what a user sees when something is wrong is one line that says what to do."""

import json
from pathlib import Path
from typing import Any

import pytest

from solvent.cli import main as cli


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, str, str]:
    monkeypatch.setattr("sys.argv", ["solvent", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    output = capsys.readouterr()
    return stopped.value.code, output.out, output.err


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOLVENT_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("command", [["status"], ["run"], ["sql", "SELECT 1"], ["score", "{}"]])
def test_without_an_embedded_aws_every_command_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    code, _, said = run(monkeypatch, capsys, *command)
    assert code == 1
    assert "solvent up" in said
    assert "Traceback" not in said


def test_an_unknown_environment_is_refused_with_those_that_exist(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, said = run(monkeypatch, capsys, "status", "--env", "staging")
    assert code == 1
    assert "staging" in said
    assert "dev, prod" in said


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["run", "--phase", "nope"], "'pipeline'"),
        (["demo", "--source", "foo"], "'german'"),
        (["up", "--port", "99999"], "65000"),
        (["sql", "nothere.sql"], "There is no file nothere.sql"),
    ],
)
def test_a_wrong_choice_is_refused_with_the_right_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str], said: str
) -> None:
    code, _, error = run(monkeypatch, capsys, *command)
    assert code != 0
    assert said in error.replace("\n", "")


def test_env_does_not_reach_a_laptop_by_way_of_a_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    code, _, said = run(monkeypatch, capsys, "status", "--env", "prod")
    assert code == 1
    assert "AWS_ENDPOINT_URL" in said


@pytest.mark.parametrize(("text", "said"), [("{broken", "not JSON"), ("no-such-file.json", "neither JSON nor a file")])
def test_a_request_that_is_no_json_never_leaves_the_laptop(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    code, _, error = run(monkeypatch, capsys, "score", text)
    assert code == 1
    assert said in error


def test_down_without_anything_running_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(monkeypatch, capsys, "down")
    assert code == 0
    assert "was not running" in out


def test_the_example_applicant_has_every_feature_of_the_specification() -> None:
    from solvent import specification

    applicant = json.loads((Path(__file__).parents[3] / "examples" / "applicant.json").read_text())
    assert {f.name for f in specification.load("lending").features} <= set(applicant)


def test_a_profile_of_the_person_has_no_say_on_the_laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    from solvent.target import Target

    monkeypatch.setenv("AWS_PROFILE", "there-is-no-such-profile")
    s3 = Target.at("http://127.0.0.1:1", "dev").client("s3")
    assert s3.meta.endpoint_url == "http://127.0.0.1:1"


def test_a_result_too_wide_for_the_screen_is_shown_whole() -> None:
    from rich.console import Console

    from solvent.cli import output

    narrow = Console(width=40, record=True)
    output.rows(narrow, ["run_id", "address"], [["0123456789abcdef", "s3://" + "x" * 60]])
    assert "s3://" + "x" * 60 in narrow.export_text()


def test_the_choices_are_those_of_the_platform() -> None:
    from typing import get_args

    from solvent import naming
    from solvent.cli.showcases import SHOWCASES

    assert set(get_args(cli.Phase)) == set(naming.PHASES)
    assert set(get_args(cli.Portfolio)) == set(naming.PORTFOLIOS)
    assert set(get_args(cli.Source)) == set(SHOWCASES)
