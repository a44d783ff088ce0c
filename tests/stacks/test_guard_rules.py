"""Our cfn-guard rules: each accepts what it should, refuses what it should, and each of its messages is heard."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from gates.assembly import Assembly
from gates.machines import state_resources
from gates.templates import guard, texts
from stacks.config import Config

CASES = guard.RULES / "tests"
FILES = [path.relative_to(guard.RULES) for path in guard.rule_files()]


def _cases(file: Path) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = yaml.safe_load((CASES / file.with_suffix(".yaml")).read_text())
    return cases


@pytest.mark.parametrize("file", FILES, ids=str)
def test_rules_judge_their_cases(file: Path) -> None:
    arguments = ["--rules-file", str(guard.RULES / file), "--test-data", str(CASES / file.with_suffix(".yaml"))]
    run = subprocess.run([str(guard.binary()), "test", *arguments], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("file", FILES, ids=str)
def test_every_rule_has_a_compliant_and_a_non_compliant_case(file: Path) -> None:
    expected = [pair for case in _cases(file) for pair in case["expectations"]["rules"].items()]
    names = {rule.id for rule in guard.rules() if rule.file == file.as_posix()}
    for outcome in ("PASS", "FAIL"):
        assert {name for name, wanted in expected if wanted == outcome} == names, outcome


@pytest.mark.parametrize("file", FILES, ids=str)
def test_every_message_is_heard(file: Path, tmp_path: Path) -> None:
    """A check that can never object, for a misspelled property, say, would not be missed otherwise."""
    documents = []
    for number, case in enumerate(_cases(file)):
        documents.append(tmp_path / f"{number}.json")
        documents[-1].write_text(json.dumps(case["input"]))
    run = guard._validate([guard.RULES / file], documents)
    heard = {finding.text for report in json.loads(run.stdout) for finding in guard._findings(report)}
    assert set(re.findall(r"<<(.+?)>>", (guard.RULES / file).read_text())) - heard == set()


def test_every_rule_says_what_it_asks_and_has_a_name_of_its_own() -> None:
    names = [name for path in guard.rule_files() for name in re.findall(r"^rule (\w+)", path.read_text(), re.M)]
    assert [rule.id for rule in guard.rules()] == names
    assert len(names) == len(set(names)) > 50


def test_the_tested_glue_versions_are_those_of_the_configuration() -> None:
    [listed] = re.findall(r"let tested_versions = \[(.+)\]", (guard.RULES / "etl.guard").read_text())
    etl = Config.model_fields["etl"].annotation
    assert etl is not None
    assert re.findall(r"'([\d.]+)'", listed) == list(get_args(etl.model_fields["glue_version"].annotation))


# the gate


def test_a_finding_names_rule_resource_cause_and_fix(prod: Assembly, tmp_path: Path) -> None:
    damaged = _damaged(prod, tmp_path, "Warehouse", '"PubliclyAccessible": false', '"PubliclyAccessible": true')
    outcome = guard.cfn_guard(damaged)
    assert outcome.looked_at.startswith(f"{len(guard.rules('prod'))} rules, ")
    assert [str(finding) for finding in outcome.findings] == [
        "WAREHOUSE_IS_PRIVATE Solvent-prod-Warehouse.template.json/Workgroup: "
        "the warehouse has a public address; set PubliclyAccessible to false"
    ]


def test_a_fault_in_a_definition_is_found_at_its_state(prod: Assembly, tmp_path: Path) -> None:
    damaged = _damaged(
        prod, tmp_path, "Orchestration", '\\"InitialInstanceCount\\": 2', '\\"InitialInstanceCount\\": 1'
    )
    found = [(finding.rule, finding.where) for finding in guard.cfn_guard(damaged, "prod/sagemaker.guard").findings]
    states = ("CreateChallengerConfig", "CreateEndpointConfig")
    assert found == [("PROD_ENDPOINTS_HAVE_TWO_INSTANCES", f"solvent-prod-train.{state}") for state in states]


def test_a_rule_that_matches_nothing_is_a_finding(prod: Assembly, tmp_path: Path) -> None:
    damaged = _damaged(prod, tmp_path, "Warehouse", "AWS::RedshiftServerless::Workgroup", "AWS::Other::Workgroup")
    found = {finding.rule: finding.text for finding in guard.cfn_guard(damaged).findings}
    workgroup = {"IS_PRIVATE", "ROUTES_THROUGH_THE_VPC", "REQUIRES_SSL", "CAPACITY_IS_BOUNDED", "LOGS_STATEMENTS"}
    assert set(found) == {f"WAREHOUSE_{name}" for name in workgroup} | {"LIMITS_OF_WAREHOUSE"}
    assert all("matches nothing" in text for text in found.values())


def test_an_unprotected_stack_is_found(prod: Assembly, tmp_path: Path) -> None:
    shutil.copytree(prod.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("asset.*"))
    path = tmp_path / "copy" / "manifest.json"
    path.write_text(path.read_text().replace('"terminationProtection": true', '"terminationProtection": false', 1))
    [finding] = guard.cfn_guard(Assembly("prod", tmp_path / "copy"), "prod/retention.guard").findings
    assert finding.rule == "PROD_STACKS_ARE_PROTECTED" and finding.where.startswith("Solvent-prod-")


def _damaged(assembly: Assembly, tmp_path: Path, stack: str, old: str, new: str) -> Assembly:
    shutil.copytree(assembly.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("asset.*"))
    path = tmp_path / "copy" / f"Solvent-{assembly.environment}-{stack}.template.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return Assembly(assembly.environment, tmp_path / "copy")


def test_a_rule_that_cannot_be_read_is_no_success(prod: Assembly, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "broken.guard").write_text("rule BROKEN when { ")
    monkeypatch.setattr(guard, "RULES", tmp_path)
    assert [finding.rule for finding in guard.cfn_guard(prod).findings] == ["not-run"]


def test_a_machine_without_a_binary_is_told_so(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(guard, "BINARIES", tmp_path)
    with pytest.raises(FileNotFoundError, match="make setup-dev"):
        guard.binary()
    monkeypatch.setattr(guard.platform, "system", lambda: "Windows")
    with pytest.raises(FileNotFoundError, match="does not exist for Windows"):
        guard.binary()


# what state machines make, as resources


def _task(resource: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "End": True, **fields}


def test_a_call_becomes_a_resource() -> None:
    parameters = {"ModelName.$": "$.name", "Containers": [{"Image.$": "$.image", "Mode": "SingleModel"}]}
    states = {
        "Make": _task("aws-sdk:sagemaker:createModel", Parameters=parameters),
        "Ask": _task("sagemaker:describeModel", Parameters=parameters),
        "Publish": _task("sns:publish", Parameters={"TopicArn": "t"}),
    }
    made = state_resources.template({"m": {"StartAt": "Make", "States": states}})
    assert made == {
        "Resources": {
            "m.Make": {
                "Type": "AWS::SageMaker::Model",
                "Metadata": {"Operation": "createModel"},
                "Properties": {"ModelName": "$.name", "Containers": [{"Image": "$.image", "Mode": "SingleModel"}]},
            }
        }
    }


def test_calls_inside_of_parallel_and_map_and_in_jsonata_are_seen() -> None:
    job = _task("sagemaker:createTrainingJob.sync", Arguments={"TrainingJobName": "{% $name %}"})
    branch = {"StartAt": "Job", "States": {"Job": job}}
    each = {"Type": "Map", "ItemProcessor": branch, "End": True}
    states = {"Both": {"Type": "Parallel", "Branches": [branch, {"StartAt": "Each", "States": {"Each": each}}]}}
    made = state_resources.template({"m": {"StartAt": "Both", "States": states}})["Resources"]
    assert set(made) == {"m.Both.0.Job", "m.Both.1.Each.0.Job"}
    assert {resource["Type"] for resource in made.values()} == {"AWS::SageMaker::TrainingJob"}
    assert made["m.Both.0.Job"]["Properties"] == {"TrainingJobName": "{% $name %}"}


# the texts of templates


def test_every_text_is_seen_however_deep_and_joined() -> None:
    url = {"Fn::Join": ["", ["postgres://admin:hunter2@", {"Ref": "AWS::AccountId"}]]}
    function = {
        "Type": "AWS::Lambda::Function",
        "Metadata": {"aws:cdk:path": "for people"},
        "Properties": {"Environment": {"Variables": {"A": [url, 1]}}},
    }
    outputs = {"Name": {"Value": "text", "Description": "for people"}, "F": {"Value": {"Fn::GetAtt": ["F", "Arn"]}}}
    made = texts.template({"Resources": {"F": function}, "Outputs": outputs})["Resources"]
    assert {where: resource["Properties"] for where, resource in made.items()} == {
        "F": {"Texts": ["AWS::Lambda::Function\npostgres://admin:hunter2@111111111111"]},
        "Outputs.Name": {"Texts": ["text"], "Output": "Name"},
        "Outputs.F": {"Texts": ["F\nArn"]},
    }
