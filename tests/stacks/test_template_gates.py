"""The gates of known tools: each names the fault it is given, and says so when it did not run.

That the clean assemblies raise nothing is asked in test_seeded_faults.py, of all gates together.
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gates import assembly as assemblies
from gates.assembly import ROOT, Assembly
from gates.machines import validator as state_machines
from gates.outcome import Finding, Outcome
from gates.templates import checkov, nag, nist
from gates.templates import cloudformation as templates
from scripts import node

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def on_disk(synthesized: Any, tmp_path: Path) -> Assembly:
    """A copy of dev's assembly to damage. It is read when a gate looks, so damage first."""
    copy = tmp_path / "dev"
    shutil.copytree(synthesized["dev"].folder, copy, ignore=shutil.ignore_patterns("asset.*"))
    return Assembly("dev", copy)


def _damage(assembly: Assembly, part: str, kind: str, change: Change, *, named: str = "") -> str:
    """Change the first resource of a type (and name) in a stack; where it is (`<template>/<logical id>`)."""
    path = assembly.folder / f"Solvent-dev-{part}.template.json"
    template = json.loads(path.read_text())
    resources = template["Resources"].items()
    logical_id = next(name for name, r in resources if r["Type"] == kind and name.startswith(named))
    change(template["Resources"][logical_id])
    path.write_text(json.dumps(template))
    return f"{path.name}/{logical_id}"


def _properties(**values: Any) -> Change:
    return lambda resource: resource["Properties"].update(values)


def _without(name: str) -> Change:
    return lambda resource: resource["Properties"].pop(name)


def _rules(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(finding.rule, finding.where) for finding in findings}


def _cost_report(resource: dict[str, Any]) -> None:
    report = {"ReportName": "costs", "TimeUnit": "DAILY", "Format": "Parquet", "Compression": "Parquet"}
    report |= {"RefreshClosedReports": True, "ReportVersioning": "OVERWRITE_REPORT"}
    report |= {"S3Bucket": "costs", "S3Prefix": "costs", "S3Region": "eu-west-1"}
    resource.clear()
    resource |= {"Type": "AWS::CUR::ReportDefinition", "Properties": report}


def _waiting_twice(function: dict[str, Any]) -> None:
    function["DependsOn"].append(function["Properties"]["Role"]["Fn::GetAtt"][0])


def test_cfn_lint_judges_every_template_for_its_region_and_down_to_what_is_only_information(on_disk: Assembly) -> None:
    """It looks at each template by itself: one run, and a fault in each of four."""
    # Reports of costs are defined in us-east-1 only, which is where cfn-lint would look by itself.
    elsewhere = _damage(on_disk, "Observability", "AWS::CloudWatch::Dashboard", _cost_report)
    warning = _damage(on_disk, "Api", "AWS::Lambda::Function", _waiting_twice)
    information = _damage(on_disk, "Ingestion", "AWS::SQS::Queue", _without("MessageRetentionPeriod"))
    no_template = "Solvent-dev-Etl.template.json"
    (on_disk.folder / no_template).write_text('{"Resources": ')
    for path in on_disk.paths:
        if path.name.split("-")[2].partition(".")[0] not in ("Observability", "Api", "Ingestion", "Etl"):
            path.unlink()
    expected = {("E3006", elsewhere), ("W3005", warning), ("I3013", information), ("E0000", no_template)}
    assert _rules(templates.cfn_lint(on_disk).findings) == expected


def test_asl_validator_names_a_transition_to_nowhere(on_disk: Assembly) -> None:
    def change(machine: dict[str, Any]) -> None:
        text = json.dumps(machine["Properties"]["DefinitionString"])
        machine["Properties"]["DefinitionString"] = json.loads(
            text.replace('\\"Next\\": \\"UseRun\\"', '\\"Next\\": \\"Nowhere\\"')
        )

    _damage(on_disk, "Orchestration", "AWS::StepFunctions::StateMachine", change)
    assert any("Nowhere" in str(finding) for finding in state_machines.asl_validator(on_disk).findings)


class TestBuiltIn:
    def test_it_is_content_with_what_was_synthesized(self, assembly: Assembly) -> None:
        assert templates.built_in(assembly).findings == []

    def test_a_warning_is_an_error(self, on_disk: Assembly) -> None:
        report = on_disk.folder / "validation-report.json"
        content = json.loads(report.read_text())
        plugin = content["pluginReports"][0]
        plugin["violations"] = plugin["suppressedViolations"][:1]
        assert plugin["violations"][0]["severity"] == "warning"
        report.write_text(json.dumps(content))
        assert any("W3010" in finding.rule for finding in templates.built_in(on_disk).findings)


class TestUpToDate:
    def test_what_was_synthesized_is_what_the_sources_give(self, assembly: Assembly) -> None:
        assert nag.up_to_date(assembly).findings == []

    def test_a_changed_template_is_named(self, on_disk: Assembly) -> None:
        _damage(on_disk, "Ingestion", "AWS::Kinesis::Stream", _properties(ShardCount=9))
        expected = {("stale-assembly", "cdk.out/dev/Solvent-dev-Ingestion.template.json")}
        assert _rules(nag.up_to_date(on_disk).findings) == expected

    def test_a_template_that_is_left_over_is_named(self, on_disk: Assembly) -> None:
        (on_disk.folder / "Solvent-dev-Old.template.json").write_text('{"Resources": {}}')
        assert [finding.where for finding in nag.up_to_date(on_disk).findings] == [
            "cdk.out/dev/Solvent-dev-Old.template.json"
        ]


def test_a_missing_assembly_says_how_to_make_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(assemblies, "OUT", tmp_path)
    with pytest.raises(FileNotFoundError, match="make synth"):
        Assembly.synthesized("dev")


class TestNag:
    def test_aws_solutions_names_a_bucket_without_access_logs(self, on_disk: Assembly) -> None:
        where = _damage(on_disk, "Lake", "AWS::S3::Bucket", _without("LoggingConfiguration"), named="Raw")
        assert _rules(nag.aws_solutions(on_disk).findings) == {("AwsSolutions-S1", where)}

    def test_serverless_names_a_function_without_traces(self, on_disk: Assembly) -> None:
        where = _damage(on_disk, "Api", "AWS::Lambda::Function", _without("TracingConfig"))
        assert _rules(nag.serverless(on_disk).findings) == {("Serverless-LambdaTracing", where)}

    def test_an_acknowledgment_is_for_its_own_resource(self, on_disk: Assembly) -> None:
        """The route of health is acknowledged to be open."""
        where = _damage(on_disk, "Api", "AWS::ApiGatewayV2::Route", _without("AuthorizationType"), named="Score")
        assert _rules(nag.aws_solutions(on_disk).findings) == {("AwsSolutions-APIG4", where)}

    def test_an_acknowledged_wildcard_is_no_leave_for_another(self, on_disk: Assembly) -> None:
        def change(policy: dict[str, Any]) -> None:
            policy["Properties"]["PolicyDocument"]["Statement"][0]["Resource"] = "arn:aws:s3:::somebody-elses/*"

        where = _damage(on_disk, "Api", "AWS::IAM::Policy", change)
        rule = "AwsSolutions-IAM5[Resource::arn:aws:s3:::somebody-elses/*]"
        assert (rule, where) in _rules(nag.aws_solutions(on_disk).findings)

    def test_a_warning_is_an_error_unless_acknowledged(self, dev: Assembly, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(nag, "acknowledgments", lambda environment: iter(()))
        assert "AwsSolutions-KDS3" in {finding.rule for finding in nag.aws_solutions(dev).findings}

    @pytest.mark.parametrize(
        ("entry", "rule", "text"),
        [
            (("Solvent-dev-Lake/Raw", "AwsSolutions-S1", "it was noisy on that day"), "stale-acknowledgment", "S1"),
            (("Solvent-dev-Api/Health", "AwsSolutions-APIG4", "ok"), "AwsSolutions-APIG4", "without a reason"),
            (("Solvent-dev-Api", "AwsSolutions-APIG4", "it was noisy on that day"), "AwsSolutions-APIG4", "stack"),
        ],
    )
    def test_an_acknowledgment_must_be_needed_explained_and_on_one_resource(
        self, dev: Assembly, monkeypatch: pytest.MonkeyPatch, entry: nag.Acknowledged, rule: str, text: str
    ) -> None:
        real = list(nag.acknowledgments("dev"))
        monkeypatch.setattr(nag, "acknowledgments", lambda environment: iter([*real, entry]))
        (finding,) = nag.aws_solutions(dev).findings
        assert (finding.rule, finding.where) == (rule, entry[0]) and text in finding.text

    def test_both_packs_have_acknowledgments(self) -> None:
        rules = {rule.partition("-")[0] for _, rule, _ in nag.acknowledgments("prod")}
        assert rules == {"AwsSolutions", "Serverless"}

    def test_a_template_that_cannot_be_read_is_a_finding(self, on_disk: Assembly) -> None:
        _damage(on_disk, "Api", "AWS::Lambda::Function", _properties(Role={"Fn::GetAtt": ["Nowhere", "Arn"]}))
        assert ("unreadable-template", "Solvent-dev-Api.template.json") in _rules(nag.serverless(on_disk).findings)

    def test_raw_findings_may_be_asked_of_some_templates(self, dev: Assembly) -> None:
        name = "Solvent-dev-Api.template.json"
        found = nag.raw(dev, only=[name])
        assert found and found == [finding for finding in nag.raw(dev) if finding.where.startswith(name)]


APP = """
from aws_cdk import App, aws_lambda as lambda_, aws_s3 as s3
from stacks.synthesis import build

app = build(App())
training = app.node.find_child("Solvent-dev-Training")
s3.Bucket(training, "Open")
code = lambda_.Code.from_inline("def handler(event, context): ...")
lambda_.Function(training, "Untraced", runtime=lambda_.Runtime.PYTHON_3_14, handler="index.handler", code=code)
app.synth()
"""


def test_both_packs_stop_a_synth(tmp_path: Path) -> None:
    """On templates or a Stage the plug-ins do not run, and such a test would pass whatever it is given."""
    program = tmp_path / "faulty.py"
    program.write_text(APP)
    line = node.command("cdk", "synth", "--quiet", "--app", f"python {program}", "-o", str(tmp_path / "out"))
    environment = node.environment()
    environment["PYTHONPATH"] = f"{ROOT}:{environment['PYTHONPATH']}"
    run = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert "AwsSolutions-S1" in said and "Solvent-dev-Training/Open" in said
    assert "Serverless-LambdaTracing" in said and "Solvent-dev-Training/Untraced" in said


class TestNist:
    def test_it_is_counted_and_fails_nothing(self, assembly: Assembly) -> None:
        outcome = nist.check(assembly)
        assert outcome.findings and not outcome.failed

    def test_a_fault_is_counted(self, dev: Assembly, on_disk: Assembly) -> None:
        where = _damage(on_disk, "Network", "AWS::EC2::FlowLog", lambda log: log.update(Type="AWS::EC2::EIP"))
        assert where and {f.rule for f in nist.raw(on_disk)} - {f.rule for f in nist.raw(dev)} == {"VPCFlowLogsEnabled"}

    def test_every_rule_that_objects_is_explained_and_no_other(self, synthesized: dict[str, Assembly]) -> None:
        assert {f.rule for assembly in synthesized.values() for f in nist.raw(assembly)} == set(nist.REASONS)

    def test_the_table_has_the_counts_of_both(self, synthesized: dict[str, Assembly]) -> None:
        counts = [len(nist.raw(assembly)) for assembly in synthesized.values()]
        lines = nist.table(list(synthesized.values())).splitlines()
        assert lines[0] == "| rule | dev | prod | why it stands |"
        assert lines[-1] == f"| all | {counts[0]} | {counts[1]} | |"


class TestCheckov:
    """Only the first test starts checkov, which takes seconds; the others ask what is made of its answer."""

    def test_a_template_cannot_excuse_itself(self, on_disk: Assembly) -> None:
        def change(function: dict[str, Any]) -> None:
            function["Properties"].pop("KmsKeyArn")
            function["Metadata"]["checkov"] = {"skip": [{"id": "CKV_AWS_173", "comment": "it is only a test, really"}]}

        where = _damage(on_disk, "Api", "AWS::Lambda::Function", change)
        for path in on_disk.paths:
            if path.name != where.partition("/")[0]:
                path.unlink()
        # The entries of the allow-list for the other templates are stale now.
        assert {rule for rule in _rules(checkov.check(on_disk).findings) if rule[0] != "stale-entry"} == {
            ("CKV_AWS_173", where)
        }

    @pytest.fixture
    def entries(self, dev: Assembly, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
        """An allow-list of one entry, or none; checkov finds that the bucket of the access logs logs nothing."""
        (where,) = [where for where, _ in dev.everything("AWS::S3::Bucket") if "/AccessLogs" in where]
        template, _, logical_id = where.partition("/")
        failed = {"check_id": "CKV_AWS_18", "check_name": "Ensure the bucket has access logging enabled"}
        failed |= {"file_path": f"/{template}", "resource": f"AWS::S3::Bucket.{logical_id}"}
        results = {"passed_checks": [], "failed_checks": [failed], "skipped_checks": [], "parsing_errors": []}
        monkeypatch.setattr(checkov, "scan", lambda assembly: results)
        monkeypatch.setattr(checkov, "ALLOWED", tmp_path / "checkov.yaml")

        def allow(*resources: str, reason: str = "S3 delivers these logs, to itself it would for ever") -> None:
            entry = {"check": "CKV_AWS_18", "reason": reason, "resources": list(resources)}
            checkov.ALLOWED.write_text(yaml.safe_dump([entry] if resources else []))

        return allow

    def test_what_an_entry_explains_is_no_finding(self, dev: Assembly, entries: Callable[..., None]) -> None:
        entries("Lake/AccessLogs")
        assert checkov.check(dev) == Outcome("0 checks passed, 1 failed with a reason")

    def test_an_entry_that_explains_nothing_is_a_finding(self, dev: Assembly, entries: Callable[..., None]) -> None:
        entries("Lake/AccessLogs", "Lake/Raw")
        assert _rules(checkov.check(dev).findings) == {("stale-entry", "CKV_AWS_18 Lake/Raw")}

    def test_without_its_entry_a_finding_comes_back(self, dev: Assembly, entries: Callable[..., None]) -> None:
        entries()
        assert [finding.rule for finding in checkov.check(dev).findings] == ["CKV_AWS_18"]

    def test_an_entry_must_have_a_reason(self, dev: Assembly, entries: Callable[..., None]) -> None:
        entries("Lake/AccessLogs", reason="not needed")
        (finding,) = checkov.check(dev).findings
        assert finding.rule == "unreadable-entry" and "at least 20 characters" in finding.text

    def test_a_missing_environment_says_how_to_make_it(
        self, dev: Assembly, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(checkov, "TOOL", tmp_path / "bin" / "checkov")
        (finding,) = checkov.check(dev).findings
        assert finding.rule == "not-run" and "make setup-dev" in finding.text

    def test_a_tool_that_breaks_is_a_finding(
        self, dev: Assembly, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        broken = tmp_path / "checkov"
        broken.write_text("#!/bin/sh\necho no module named boto3 >&2\nexit 1\n")
        broken.chmod(0o755)
        monkeypatch.setattr(checkov, "TOOL", broken)
        (finding,) = checkov.check(dev).findings
        assert finding.rule == "not-run" and "boto3" in finding.text
