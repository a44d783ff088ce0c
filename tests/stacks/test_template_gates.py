"""The gates catch: each is given a fault that it must name, and through `app.synth()`, where cdk-nag really runs."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts import assemblies, gates, node


@pytest.fixture
def on_disk(synthesized: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of dev's assembly to damage, where the gates look."""
    copy = tmp_path / "dev"
    shutil.copytree(synthesized["dev"].folder, copy, ignore=shutil.ignore_patterns("asset.*"))
    monkeypatch.setattr(assemblies, "folder", lambda environment: tmp_path / environment)
    return copy


def _damage(assembly: Path, part: str, kind: str, change: Any) -> None:
    path = assembly / f"Solvent-dev-{part}.template.json"
    template = json.loads(path.read_text())
    resource = next(r for r in template["Resources"].values() if r["Type"] == kind)
    change(resource["Properties"])
    path.write_text(json.dumps(template))


def test_the_clean_assembly_raises_nothing(on_disk: Path) -> None:
    for name, gate in gates.GATES.items():
        assert gate("dev").findings == [], name


def test_cfn_lint_names_an_unknown_property(on_disk: Path) -> None:
    _damage(on_disk, "Ingestion", "AWS::Kinesis::Stream", lambda p: p.update(Shards=3))
    assert any("E3002" in finding and "Shards" in finding for finding in gates.cfn_lint("dev").findings)


def test_asl_validator_names_a_transition_to_nowhere(on_disk: Path) -> None:
    def change(properties: dict[str, Any]) -> None:
        text = json.dumps(properties["DefinitionString"])
        properties["DefinitionString"] = json.loads(
            text.replace('\\"Next\\": \\"UseRun\\"', '\\"Next\\": \\"Nowhere\\"')
        )

    _damage(on_disk, "Orchestration", "AWS::StepFunctions::StateMachine", change)
    assert any("Nowhere" in finding for finding in gates.state_machines("dev").findings)


def test_a_warning_of_the_built_in_validation_is_an_error(on_disk: Path) -> None:
    report = on_disk / "validation-report.json"
    content = json.loads(report.read_text())
    plugin = content["pluginReports"][0]
    plugin["violations"] = plugin["suppressedViolations"][:1]
    assert plugin["violations"][0]["severity"] == "warning"
    report.write_text(json.dumps(content))
    assert any("W3010" in finding for finding in gates.built_in("dev").findings)


def test_a_stale_assembly_is_noticed(on_disk: Path) -> None:
    _damage(on_disk, "Ingestion", "AWS::Kinesis::Stream", lambda p: p.update(ShardCount=9))
    assert any("make synth" in finding for finding in gates.cdk_nag("dev").findings)


def test_a_missing_assembly_says_how_to_make_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(assemblies, "ROOT", tmp_path)
    with pytest.raises(FileNotFoundError, match="make synth"):
        gates.cfn_lint("dev")


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
    environment["PYTHONPATH"] = f"{assemblies.ROOT}:{environment['PYTHONPATH']}"
    run = subprocess.run(line, cwd=assemblies.ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode != 0
    assert "AwsSolutions-S1" in run.stdout + run.stderr and "Solvent-dev-Training/Open" in run.stdout + run.stderr


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_nothing_is_acknowledged_in_vain(environment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An acknowledgment that no finding needs is a hole for the next one."""
    from aws_cdk import Validations

    from scripts import nag
    from stacks import synthesis

    accepted = {
        (path, rule) for path, rule, _ in nag.acknowledgments(synthesis.in_process(environment, tmp_path / "a"))
    }
    monkeypatch.setattr(Validations, "acknowledge", lambda self, *rules: None)
    raw = [finding.rpartition(": ") for finding in nag.violations(synthesis.in_process(environment, tmp_path / "b"))]
    found = {(path, rule) for rule, _, path in raw}
    needed = {
        (path, rule) for path, rule in accepted if any(r == rule and f"{p}/".startswith(f"{path}/") for p, r in found)
    }
    assert accepted - needed == set()
    assert len(found) >= len(accepted) > 0
