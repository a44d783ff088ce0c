"""The pinned emulator still has every private name we touch, and nobody else names one."""

import re
from pathlib import Path

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
