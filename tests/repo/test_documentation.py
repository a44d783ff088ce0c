"""The documents stay true: whatever a user can name is documented."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from solvent.naming import PORTFOLIOS

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "reference.md").read_text()


def test_every_make_target_is_in_the_readme() -> None:
    targets = re.findall(r"^([a-z-]+):.*?## ", (ROOT / "Makefile").read_text(), re.M)
    readme = (ROOT / "README.md").read_text()
    assert targets
    assert [t for t in targets if f"make {t}" not in readme] == []


def test_every_command_is_in_the_readme() -> None:
    commands = re.findall(r"^@app\.command\(\)\ndef (\w+)", (ROOT / "src/solvent/cli/main.py").read_text(), re.M)
    readme = (ROOT / "README.md").read_text()
    assert len(commands) >= 9
    assert [c for c in commands if f"solvent {c}" not in readme] == []


@pytest.mark.parametrize(
    "folder",
    ["lambdas", "contracts/ops", *(f"contracts/{p}/{k}" for p in PORTFOLIOS for k in ("sources", "published"))],
)
def test_every_lambda_and_contract_is_in_the_reference(folder: str) -> None:
    names = [p.name.split(".")[0] for p in sorted((ROOT / folder).iterdir()) if not p.name.startswith(("_", "."))]
    assert names
    assert [n for n in names if f"`{n}`" not in REFERENCE] == []


def test_every_stack_is_in_the_reference() -> None:
    manifest = json.loads((ROOT / "cdk.out" / "dev" / "manifest.json").read_text())
    stacks = [n.rsplit("-", 1)[1] for n, a in manifest["artifacts"].items() if a["type"] == "aws:cloudformation:stack"]
    assert len(stacks) >= 10
    assert [s for s in stacks if f"`{s}`" not in REFERENCE] == []


def test_every_configuration_key_is_in_the_reference() -> None:
    def keys(node: object) -> set[str]:
        return set(node) | {x for v in node.values() for x in keys(v)} if isinstance(node, dict) else set()

    known = {k for f in (ROOT / "config").glob("*.yaml") for k in keys(yaml.safe_load(f.read_text()))}
    assert known
    assert sorted(k for k in known if f"`{k}`" not in REFERENCE) == []


@pytest.mark.parametrize(
    "module",
    [
        "scripts.data_dictionary",
        "scripts.lineage",
        "embedded_aws.table",
        "gates.networks",
        "gates.cost",
        "scripts.iam.document",
    ],
)
def test_generated_documents_are_fresh(module: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", module, "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr + "\nRun `make docs`."


def test_every_decision_is_listed() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text()
    assert [p.name for p in (ROOT / "docs/decisions").glob("[0-9]*.md") if p.name not in index] == []


def test_every_link_in_the_documents_leads_somewhere() -> None:
    broken = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []
