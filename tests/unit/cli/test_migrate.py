"""`solvent migrate`: what would run; an edited file is refused by name; only what was deployed runs."""

import io
import json
from typing import Any

import pytest
from fakes import NAMES
from typer.testing import CliRunner

from solvent.cli import main
from solvent.cli import migrate as command
from solvent.client import PlatformError
from solvent.warehouse import marts, migrations
from solvent.warehouse.migrations import MigrationError

FILES, MARTS = migrations.read()[1:], marts.read()
ALL = {
    "migrations": {m.version: m.checksum for m in FILES},
    "marts": {m.name: [m.kind, m.checksum] for m in MARTS},
    "options": {},  # as in config/dev.yaml
}


class Lambda:
    """The function `migrate`: answers with ledgers that `apply` brings to what was deployed."""

    class exceptions:  # noqa: N801 (as boto3 has it)
        class ResourceNotFoundException(Exception):
            pass

    def __init__(self, ledgers: dict[str, Any], deployed: dict[str, Any] = ALL, error: str = "") -> None:
        self.ledgers, self.deployed, self.error = ledgers, deployed, error
        self.asked: list[str] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "solvent-dev-migrate"
        self.asked.append(json.loads(Payload)["action"])
        if self.error:
            body: Any = {"errorType": "StatementFailed", "errorMessage": self.error}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(body).encode())}
        body = self.ledgers
        if self.asked[-1] == "apply":
            body = {kind: sorted(set(self.deployed[kind]) - set(self.ledgers[kind])) for kind in self.ledgers}
            body["options"] = ["sql_model"]
            self.ledgers = self.deployed
        return {"Payload": io.BytesIO(json.dumps(body).encode())}


def run(monkeypatch: pytest.MonkeyPatch, function: Lambda, *arguments: str) -> Any:
    class There:
        names, endpoint_url, place = NAMES, None, "dev at home"

        class session:  # noqa: N801
            client = staticmethod(lambda service, **_: function)

    monkeypatch.setattr(main, "target", lambda env: There)
    return CliRunner().invoke(main.app, ["migrate", *arguments])


def without(*versions: str) -> dict[str, Any]:
    return {**ALL, "migrations": {v: s for v, s in ALL["migrations"].items() if v not in versions}}


def test_a_plan_names_what_would_run_and_touches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    last = FILES[-1]
    stale = {**without(last.version), "marts": {**ALL["marts"], MARTS[0].name: [MARTS[0].kind, "older"]}}
    stale["marts"]["long_gone"] = ["view", "x"]
    function = Lambda(stale)
    done = run(monkeypatch, function, "--plan")
    assert done.exit_code == 0, done.output
    assert f"migration {last.file}" in done.output and FILES[0].file not in done.output
    assert f"make      marts.{MARTS[0].name} ({MARTS[0].kind})" in done.output
    assert "drop      marts.long_gone" in done.output
    assert function.asked == ["ledgers"]


def test_a_plan_shows_statements_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    stale = without(FILES[-1].version)
    quiet = run(monkeypatch, Lambda(stale), "--plan").output
    loud = run(monkeypatch, Lambda(stale), "--plan", "-v").output
    for statement in FILES[-1].statements("solvent-dev"):
        assert statement in loud and statement not in quiet


def test_a_plan_tells_which_options_go_on_and_off(monkeypatch: pytest.MonkeyPatch) -> None:
    switches = {"warehouse": {"sql_model": True, "streaming_view": False, "row_level_security": {"north": ["North"]}}}
    monkeypatch.setattr(command, "configuration", lambda environment: switches)
    there = {**ALL, "options": {"streaming_view": "any", "row_level_security": "older"}}
    plan = run(monkeypatch, Lambda(there), "--plan").output
    for line in ("sql_model: on", "streaming_view: off", "row_level_security: edited"):
        assert f"option    {line}\n" in plan
    loud = run(monkeypatch, Lambda(there), "--plan", "-v").output
    assert "DROP MATERIALIZED VIEW IF EXISTS marts.application_events_live" in loud


def test_nothing_pending_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "dev at home is up to date" in run(monkeypatch, Lambda(ALL), "--plan").output


@pytest.mark.parametrize("arguments", [["--plan"], []])
def test_an_edited_file_is_refused_by_name_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    function = Lambda({**ALL, "migrations": {**ALL["migrations"], FILES[2].version: "0" * 64}})
    done = run(monkeypatch, function, *arguments)
    assert isinstance(done.exception, MigrationError)
    assert f"{FILES[2].file} was edited after it was applied" in str(done.exception)
    assert function.asked == ["ledgers"]


def test_what_was_deployed_is_applied_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    function = Lambda({"migrations": {}, "marts": {}, "options": {}})
    done = run(monkeypatch, function)
    assert done.exit_code == 0, done.output
    assert all(name in done.output for name in (FILES[0].version, MARTS[0].name, "sql_model"))
    assert function.asked == ["ledgers", "apply", "ledgers"]


def test_what_is_only_in_the_checkout_is_named_and_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    older = without(FILES[-1].version)
    done = run(monkeypatch, Lambda(older, deployed=older))
    assert done.exit_code == 1
    assert f"migration {FILES[-1].file}" in done.output


def test_the_functions_own_words_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(monkeypatch, Lambda(ALL, error="ERROR: permission denied"))
    assert isinstance(done.exception, PlatformError)
    assert "solvent-dev-migrate failed: StatementFailed: ERROR: permission denied" in str(done.exception)
