"""The gates catch: each is given a fault that it must name, and through `app.synth()`, where cdk-nag really runs."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gates import assembly as assemblies
from gates import nag, state_machines, templates
from gates.assembly import ROOT, Assembly
from gates.registry import GATES
from scripts import node


@pytest.fixture
def on_disk(synthesized: Any, tmp_path: Path) -> Assembly:
    """A copy of dev's assembly to damage. It is read when a gate looks, so damage first."""
    copy = tmp_path / "dev"
    shutil.copytree(synthesized["dev"].folder, copy, ignore=shutil.ignore_patterns("asset.*"))
    return Assembly("dev", copy)


def _damage(assembly: Assembly, part: str, kind: str, change: Any) -> None:
    path = assembly.folder / f"Solvent-dev-{part}.template.json"
    template = json.loads(path.read_text())
    resource = next(r for r in template["Resources"].values() if r["Type"] == kind)
    change(resource["Properties"])
    path.write_text(json.dumps(template))


def test_the_clean_assembly_raises_nothing(on_disk: Assembly) -> None:
    for name, gate in GATES.items():
        assert gate(on_disk).findings == [], name


def test_cfn_lint_names_an_unknown_property(on_disk: Assembly) -> None:
    _damage(on_disk, "Ingestion", "AWS::Kinesis::Stream", lambda p: p.update(Shards=3))
    assert any(f.rule == "E3002" and "Shards" in f.text for f in templates.cfn_lint(on_disk).findings)


def test_asl_validator_names_a_transition_to_nowhere(on_disk: Assembly) -> None:
    def change(properties: dict[str, Any]) -> None:
        text = json.dumps(properties["DefinitionString"])
        properties["DefinitionString"] = json.loads(
            text.replace('\\"Next\\": \\"UseRun\\"', '\\"Next\\": \\"Nowhere\\"')
        )

    _damage(on_disk, "Orchestration", "AWS::StepFunctions::StateMachine", change)
    assert any("Nowhere" in str(finding) for finding in state_machines.asl_validator(on_disk).findings)


def test_a_warning_of_the_built_in_validation_is_an_error(on_disk: Assembly) -> None:
    report = on_disk.folder / "validation-report.json"
    content = json.loads(report.read_text())
    plugin = content["pluginReports"][0]
    plugin["violations"] = plugin["suppressedViolations"][:1]
    assert plugin["violations"][0]["severity"] == "warning"
    report.write_text(json.dumps(content))
    assert any("W3010" in finding.rule for finding in templates.built_in(on_disk).findings)


def test_a_stale_assembly_is_noticed(on_disk: Assembly) -> None:
    _damage(on_disk, "Ingestion", "AWS::Kinesis::Stream", lambda p: p.update(ShardCount=9))
    assert any(finding.rule == "stale-assembly" for finding in nag.check(on_disk).findings)


def test_a_missing_assembly_says_how_to_make_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(assemblies, "OUT", tmp_path)
    with pytest.raises(FileNotFoundError, match="make synth"):
        Assembly.synthesized("dev")


APP = """
from aws_cdk import App, aws_s3 as s3
from stacks.synthesis import build

app = build(App())
s3.Bucket(app.node.find_child("Solvent-dev-Training"), "Open")
app.synth()
"""


def test_cdk_nag_stops_a_synth(tmp_path: Path) -> None:
    """On templates or a Stage the plug-in does not run, and such a test would pass whatever it is given."""
    program = tmp_path / "faulty.py"
    program.write_text(APP)
    line = node.command("cdk", "synth", "--quiet", "--app", f"python {program}", "-o", str(tmp_path / "out"))
    environment = node.environment()
    environment["PYTHONPATH"] = f"{ROOT}:{environment['PYTHONPATH']}"
    run = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode != 0
    assert "AwsSolutions-S1" in run.stdout + run.stderr and "Solvent-dev-Training/Open" in run.stdout + run.stderr


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_nothing_is_acknowledged_in_vain(environment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An acknowledgment that no finding needs is a hole for the next one."""
    from aws_cdk import Validations

    from stacks import synthesis

    accepted = {
        (path, rule) for path, rule, _ in nag.acknowledgments(synthesis.in_process(environment, tmp_path / "a"))
    }
    monkeypatch.setattr(Validations, "acknowledge", lambda self, *rules: None)
    raw = nag.violations(synthesis.in_process(environment, tmp_path / "b"))
    found = {(finding.where, finding.rule) for finding in raw}
    needed = {
        (path, rule) for path, rule in accepted if any(r == rule and f"{p}/".startswith(f"{path}/") for p, r in found)
    }
    assert accepted - needed == set()
    assert len(found) >= len(accepted) > 0
