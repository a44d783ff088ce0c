"""The pinned emulator still has every private name we touch, and nobody else names one."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import embedded_aws
from embedded_aws import adapter

PACKAGE = Path(embedded_aws.__file__).parent


def test_the_installed_version_is_the_pinned_one() -> None:
    adapter.check_pin()


def test_no_private_name_is_missing() -> None:
    assert adapter.missing() == []


def test_a_missing_name_is_reported(monkeypatch) -> None:
    monkeypatch.setattr(adapter, "HOOKS", [adapter.Hook("app", "_no_such_name", "")])
    assert adapter.missing() == ["ministack.app._no_such_name"]


def test_no_private_name_has_changed_its_parameters() -> None:
    # After review of what uses a changed name: `python -m embedded_aws.adapter` records the new shapes.
    assert adapter.shapes() == json.loads(adapter.SHAPES.read_text())


@pytest.mark.parametrize(
    ("hook", "changed"),
    [
        (adapter.KINESIS_POLL, lambda positions: None),
        (adapter.WORKER, type("Worker", (), {"invoke": lambda self: None})),
        (adapter.KINESIS_POSITIONS, []),
    ],
)
def test_a_changed_function_class_or_value_is_seen(
    hook: adapter.Hook, changed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"ministack.{hook.module}.{hook.name}", changed)
    recorded = json.loads(adapter.SHAPES.read_text())
    name = f"{hook.module}.{hook.name}"
    assert [n for n, shape in adapter.shapes().items() if shape != recorded[n]] == [name]


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "PINNED", "1.5.32")
    with pytest.raises(SystemExit, match=r"written against ministack 1\.5\.32, .* is installed"):
        adapter.check_pin()


def test_the_pin_is_that_of_the_requirements() -> None:
    lines = (PACKAGE.parent / "requirements.in").read_text().splitlines()
    assert f"ministack=={adapter.PINNED}" in lines


def test_every_hook_says_why() -> None:
    assert [hook for hook in adapter.HOOKS if len(hook.why) < 15] == []


def test_private_names_stay_in_the_adapter() -> None:
    for path in PACKAGE.rglob("*.py"):
        if path.name == "adapter.py":
            continue
        for line in path.read_text().splitlines():
            if "ministack" in line and "import" in line:
                assert not re.search(r"import\s+(?:.*,\s*)?_[a-z]", line), f"{path.name}: {line}"
            assert not re.search(r"\bapp\._[a-z]", line), f"{path.name}: {line}"
