"""`make check-iam`: which permissions there are, and what its list of exceptions may say."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from embedded_aws import decisions, lifecycle
from gates.assembly import Assembly
from scripts.iam import __main__ as command
from scripts.iam import exercised, roles
from scripts.iam.exercised import Untried
from scripts.iam.roles import Permission

LIST, PUT = Permission("solvent-dev-etl", "s3:ListBucket"), Permission("solvent-dev-etl", "s3:PutObject")


def test_permissions_are_the_allowed_actions_of_named_roles(tmp_path: Path) -> None:
    def policy(*statements: dict[str, Any]) -> dict[str, Any]:
        return {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "R"}], "PolicyDocument": {
            "Statement": list(statements)}}}  # fmt: skip

    resources = {
        "R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "solvent-dev-etl"}},
        "Helper": {"Type": "AWS::IAM::Role", "Properties": {}},
        "P": policy({"Effect": "Allow", "Action": ["s3:PutObject"]}, {"Effect": "Allow", "Action": "s3:ListBucket"}),
        "Q": policy({"Effect": "Allow", "Action": "s3:PutObject"}, {"Effect": "Deny", "Action": "s3:DeleteObject"}),
    }
    (tmp_path / "A.template.json").write_text(json.dumps({"Resources": resources}))
    assert roles.permissions(Assembly("dev", tmp_path)) == [LIST, PUT]


def test_a_permission_that_nothing_needs_wants_an_explanation() -> None:
    entries = [Untried(("etl",), ("s3:List*",), "why")]
    assert exercised.unexplained(entries, [LIST]) == []
    (said,) = exercised.unexplained(entries, [LIST, PUT])
    assert said.startswith("solvent-dev-etl s3:PutObject: nothing fails without it")


def test_an_explanation_that_explains_nothing_is_stale() -> None:
    entries = [Untried(("etl", "copy"), ("s3:List*",), "why")]
    assert [p for p in exercised.stale(entries, [LIST], []) if "copy s3:List* is stale" in p]
    (said,) = exercised.stale([Untried(("etl",), ("s3:*",), "why")], [LIST], [PUT])
    assert "s3:PutObject fails when it is removed" in said


def test_every_entry_of_the_file_has_a_reason(tmp_path: Path) -> None:
    assert exercised.load()
    path = tmp_path / "file.yaml"
    path.write_text("- {roles: [etl], actions: ['s3:*'], reason: because}")
    with pytest.raises(ValueError, match="reason"):
        exercised.load(path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_who_ends_it_leaves_no_embedded_aws_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """Even while it starts."""
    stopped: list[Path] = []
    monkeypatch.setenv(decisions.FILE, "")  # restored afterwards
    monkeypatch.setattr(command.datasets, "write", lambda *_, **__: None)
    monkeypatch.setattr(lifecycle, "up", lambda *_, **__: os.kill(os.getpid(), number))
    monkeypatch.setattr(lifecycle, "down", stopped.append)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        with pytest.raises((SystemExit, KeyboardInterrupt)), command._stoppable(), command._check(tmp_path, tmp_path):
            raise AssertionError("it goes on")
    finally:
        signal.signal(signal.SIGINT, before)
    assert stopped == [tmp_path / "home"]
    assert signal.getsignal(signal.SIGTERM) is not command._end
