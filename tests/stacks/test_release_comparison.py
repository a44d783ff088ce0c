"""What a release would take away from the last one is found by name, and passes only when it is acknowledged."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gates import assembly as assemblies
from gates.assembly import ROOT, Assembly
from gates.delivery import release
from gates.delivery.last_release import NoComparison, last_release
from gates.outcome import Finding

Template = dict[str, Any]


@pytest.fixture
def after(synthesized: dict[str, Assembly], tmp_path: Path) -> Callable[..., list[Finding]]:
    """The findings of a release in which one thing of an environment's last release has changed."""

    def compared(environment: str, part: str, change: Callable[[Template], object]) -> list[Finding]:
        old, folder = synthesized[environment], tmp_path / environment
        shutil.copytree(old.folder, folder, ignore=shutil.ignore_patterns("asset.*"))
        path = folder / f"Solvent-{environment}-{part}.template.json"
        template = json.loads(path.read_text())
        change(template)
        path.write_text(json.dumps(template))
        return release.compare(old, Assembly(environment, folder))

    return compared


def only(template: Template, kind: str, **properties: object) -> tuple[str, dict[str, Any]]:
    """The one resource of a type whose properties say this."""
    found = [
        (logical_id, resource)
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == kind and properties.items() <= resource.get("Properties", {}).items()
    ]
    assert len(found) == 1, found
    return found[0]


def rename(template: Template, kind: str) -> str:
    logical_id, resource = only(template, kind)
    del template["Resources"][logical_id]
    template["Resources"][f"{logical_id}Again"] = resource
    return logical_id


def test_nothing_changed_nothing_found(synthesized: dict[str, Assembly]) -> None:
    for assembly in synthesized.values():
        assert release.compare(assembly, assembly) == []


def test_an_output_that_another_stack_reads_must_stay_for_one_release(after: Any) -> None:
    def remove(template: Template) -> None:
        name = next(output for output in template["Outputs"] if "Key" in output and "Arn" in output)
        del template["Outputs"][name]

    (finding,) = after("prod", "Lake", remove)
    assert finding.rule == "output-removed" and finding.where.startswith("Lake/PublishOutput")
    assert "Ingestion" in finding.text and "Warehouse" in finding.text and "one release" in finding.text


def test_an_output_for_people_is_missed(after: Any) -> None:
    (finding,) = after("dev", "Api", lambda t: t["Outputs"].pop("Url"))
    assert (finding.rule, finding.where) == ("output-removed", "Api/Url")


def test_an_export_that_changes_its_name(synthesized: dict[str, Assembly], tmp_path: Path) -> None:
    versions = []
    for export in ("address", "url"):
        folder = tmp_path / export
        shutil.copytree(synthesized["dev"].folder, folder, ignore=shutil.ignore_patterns("asset.*"))
        path = folder / "Solvent-dev-Api.template.json"
        template = json.loads(path.read_text())
        template["Outputs"]["Url"]["Export"] = {"Name": export}
        path.write_text(json.dumps(template))
        versions.append(Assembly("dev", folder))
    assert [(f.rule, f.where) for f in release.compare(*versions)] == [("export-removed", "Api/Url")]


def test_another_bucket_name_replaces_the_bucket(after: Any) -> None:
    def change(template: Template) -> None:
        next(r for n, r in template["Resources"].items() if n.startswith("Raw") and r["Type"] == "AWS::S3::Bucket")[
            "Properties"
        ]["BucketName"] = "other"

    (finding,) = after("prod", "Lake", change)
    assert finding.rule == "resource-replaced" and finding.where.startswith("Lake/Raw")
    assert "BucketName changes" in finding.text and "stays in the account, outside the platform" in finding.text


def test_in_dev_a_replaced_bucket_is_deleted_and_the_finding_says_so(after: Any) -> None:
    def change(template: Template) -> None:
        next(r for r in template["Resources"].values() if r["Type"] == "AWS::S3::Bucket")["Properties"][
            "BucketName"
        ] = "x"

    (finding,) = after("dev", "Lake", change)
    assert "the old one is deleted" in finding.text


def test_what_refers_to_a_replaced_resource_at_creation_is_replaced_with_it(after: Any) -> None:
    findings = after(
        "prod", "Network", lambda t: only(t, "AWS::EC2::VPC")[1]["Properties"].update(CidrBlock="10.9.0.0/16")
    )
    assert {f.rule for f in findings} == {"resource-replaced"}
    assert sum("CidrBlock changes" in f.text for f in findings) == 1
    assert sum("VpcId refers to Vpc" in f.text for f in findings) == 3, "its three subnets"


def test_such_a_reference_is_followed_into_another_stack(tmp_path: Path) -> None:
    versions = []
    for cidr in ("10.1.0.0/16", "10.2.0.0/16"):
        folder = tmp_path / cidr[:4]
        folder.mkdir()
        network = {
            "Resources": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}}},
            "Outputs": {"VpcId": {"Value": {"Ref": "Vpc"}}},
        }
        vpc = {"Fn::GetStackOutput": {"StackName": "Solvent-dev-Network", "OutputName": "VpcId"}}
        other = {"Resources": {"Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": vpc}}}}
        for part, template in {"Network": network, "Other": other}.items():
            (folder / f"Solvent-dev-{part}.template.json").write_text(json.dumps(template))
        artifacts = {
            f"Solvent-dev-{part}": {"type": "aws:cloudformation:stack", "properties": {}}
            for part in ("Network", "Other")
        }
        (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
        versions.append(Assembly("dev", folder))
    assert [f.where for f in release.compare(*versions)] == ["Network/Vpc", "Other/Subnet"]


def test_a_key_under_another_logical_id_is_a_lost_key(after: Any) -> None:
    findings = after("prod", "Lake", lambda t: rename(t, "AWS::KMS::Key"))
    assert [f.rule for f in findings] == ["resource-removed"]
    assert findings[0].where.startswith("Lake/Key") and "encrypted" in findings[0].text


def test_another_type_under_the_same_logical_id(after: Any) -> None:
    def change(template: Template) -> None:
        groups = [r for r in template["Resources"].values() if r["Type"] == "AWS::SageMaker::ModelPackageGroup"]
        groups[0].update(Type="AWS::SQS::Queue")

    (finding,) = after("dev", "Training", change)
    assert finding.rule == "resource-replaced" and "its type changes" in finding.text


@pytest.mark.parametrize("policy", ["DeletionPolicy", "UpdateReplacePolicy"])
@pytest.mark.parametrize("now", ["Delete", None])
def test_data_that_would_no_longer_be_retained(after: Any, policy: str, now: str | None) -> None:
    def change(template: Template) -> None:
        _, key = only(template, "AWS::KMS::Key")
        assert key.pop(policy) == "Retain"
        if now:
            key[policy] = now

    (finding,) = after("prod", "Lake", change)
    assert finding.rule == "policy-weakened" and f"{policy} was Retain and is Delete" in finding.text


def test_termination_protection_that_is_dropped(synthesized: dict[str, Assembly], tmp_path: Path) -> None:
    folder = tmp_path / "prod"
    shutil.copytree(synthesized["prod"].folder, folder, ignore=shutil.ignore_patterns("asset.*"))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["artifacts"]["Solvent-prod-Lake"]["properties"]["terminationProtection"] = False
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (finding,) = release.compare(synthesized["prod"], Assembly("prod", folder))
    assert (finding.rule, finding.where) == ("protection-dropped", "Lake")


def test_a_stack_that_is_gone(synthesized: dict[str, Assembly], tmp_path: Path) -> None:
    folder = tmp_path / "dev"
    shutil.copytree(synthesized["dev"].folder, folder, ignore=shutil.ignore_patterns("asset.*", "*Etl.template.json"))
    assert ("stack-removed", "Etl") in {
        (f.rule, f.where) for f in release.compare(synthesized["dev"], Assembly("dev", folder))
    }


def test_changes_that_lose_nothing_pass(after: Any) -> None:
    def change(template: Template) -> None:
        _, stream = only(template, "AWS::Kinesis::Stream")
        stream["Properties"]["ShardCount"] = 4
        rename(template, "AWS::Lambda::EventSourceMapping")  # holds nothing
        template["Outputs"]["New"] = {"Value": "x"}
        template["Resources"]["New"] = {"Type": "AWS::SQS::Queue"}

    assert after("prod", "Ingestion", change) == []


def test_every_type_that_an_update_could_replace_has_a_schema(synthesized: dict[str, Assembly]) -> None:
    """A type that cfn-lint does not know would make the comparison fail, not pass."""
    from gates.delivery import replacement

    kinds = {r["Type"] for a in synthesized.values() for _, r in a.everything()}
    paths = {kind: replacement._create_only(kind) for kind in kinds}
    assert paths["AWS::S3::Bucket"] and paths["AWS::DynamoDB::GlobalTable"]
    assert not any("*" in part for found in paths.values() for path in found for part in path)


# Acknowledgments


LOST = Finding("resource-removed", "Ingestion/Queue", "gone")


def accepted(name: str) -> list[release.Acknowledgment]:
    return [release.Acknowledgment(finding=name, reason="the queue was emptied by hand")]


def test_an_acknowledged_finding_passes_in_both_environments() -> None:
    found = {"dev": [LOST], "prod": [LOST]}
    assert release.unexplained(found, accepted("resource-removed Ingestion/Queue")) == ({"dev": [], "prod": []}, [])


def test_an_acknowledgment_covers_one_finding_only() -> None:
    other = Finding("resource-replaced", "Ingestion/Queue", "replaced")
    left, _ = release.unexplained({"prod": [LOST, other]}, accepted("resource-removed Ingestion/Queue"))
    assert left == {"prod": [other]}


def test_an_acknowledgment_that_nothing_needs_is_a_finding() -> None:
    _, stale = release.unexplained({"dev": [], "prod": []}, accepted("resource-removed Ingestion/Queue"))
    assert [(f.rule, f.where) for f in stale] == [("stale-acknowledgment", "resource-removed Ingestion/Queue")]


def test_an_acknowledgment_without_a_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "next.yaml"
    path.write_text(yaml.safe_dump({"acknowledged": [{"finding": "stack-removed Etl", "reason": "yes"}]}))
    with pytest.raises(ValueError, match="reason"):
        release.acknowledgments(path)


def test_the_committed_acknowledgments_can_be_read() -> None:
    assert isinstance(release.acknowledgments(), list)


def test_every_finding_is_explained_in_the_document() -> None:
    sources = (ROOT / "gates" / "delivery" / "release.py").read_text()
    rules = set(re.findall(r'Finding\("([a-z-]+)"', sources)) - {"stale-acknowledgment"}
    page = (ROOT / "docs" / "delivery.md").read_text()
    assert len(rules) >= 7
    assert [rule for rule in rules if f"| `{rule}` |" not in page] == []


# The command, and where the last release comes from


@pytest.fixture
def folders(synthesized: dict[str, Assembly], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """(the last release, what `make synth` wrote now): two equal folders."""
    for name in ("released", "now"):
        for environment, assembly in synthesized.items():
            shutil.copytree(assembly.folder, tmp_path / name / environment, ignore=shutil.ignore_patterns("asset.*"))
    monkeypatch.setattr(assemblies, "OUT", tmp_path / "now")
    return tmp_path / "released", tmp_path / "now"


def test_the_command_stops_at_a_loss_and_passes_when_it_is_acknowledged(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    released, now = folders
    note = tmp_path / "next.yaml"
    note.write_text("acknowledged: []\n")
    command = ["--against", str(released), "--acknowledged", str(note)]
    assert release.main(command) == 0

    path = now / "prod" / "Solvent-prod-Api.template.json"
    template = json.loads(path.read_text())
    del template["Outputs"]["Url"]
    path.write_text(json.dumps(template))
    assert release.main(command) == 1
    said = capsys.readouterr().out
    assert "FAIL release          prod  1 findings" in said and "output-removed Api/Url" in said

    entry = {"finding": "output-removed Api/Url", "reason": "nobody has used the address yet"}
    note.write_text(yaml.safe_dump({"acknowledged": [entry]}))
    assert release.main(command) == 0
    shutil.rmtree(now)
    shutil.copytree(released, now)
    assert release.main(command) == 1
    assert "stale-acknowledgment" in capsys.readouterr().out


def git(folder: Path, *arguments: str) -> None:
    person = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.com",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "tag.gpgsign=false",
    ]
    subprocess.run(["git", *person, *arguments], cwd=folder, check=True, capture_output=True)


APP = """
import os
from aws_cdk import App, Environment, Stack, aws_s3 as s3
from solvent import NAME

app = App()
environment = app.node.try_get_context("environment")
stack = Stack(app, f"Solvent-{environment}-Lake", env=Environment(region="eu-west-1"))
s3.CfnBucket(stack, "Raw", bucket_name=f"{NAME}-{environment}")
app.synth()
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A platform of one bucket, whose name lies in a package that is installed here under the same name."""
    folder = tmp_path / "repository"
    package = folder / "src" / "solvent"
    package.mkdir(parents=True)
    (folder / "app.py").write_text(APP)
    (folder / "cdk.json").write_text('{"context": {}}')
    (folder / "requirements.txt").write_text("aws-cdk-lib==1.0\n")
    (package / "__init__.py").write_text('NAME = "first"\n')
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


def test_the_last_tag_is_synthesized_from_its_own_sources(repository: Path, tmp_path: Path) -> None:
    git(repository, "tag", "v1")
    (repository / "src" / "solvent" / "__init__.py").write_text('NAME = "second"\n')
    (repository / "requirements.txt").write_text("aws-cdk-lib==2.0\n")
    git(repository, "commit", "--quiet", "-a", "-m", "second")
    found = last_release("", tmp_path / "out", repository)
    assert found is not None and found.name.startswith("v1 ")
    assert "with CDK 2.0 instead of 1.0" in found.name
    names = {e: a.one("AWS::S3::Bucket")["BucketName"] for e, a in found.assemblies.items()}
    assert names == {"dev": "first-dev", "prod": "first-prod"}


def test_what_make_release_tags_is_the_last_release(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "origin")
    git(repository, "remote", "add", "origin", str(tmp_path / "origin"))
    subprocess.run(["make", "--silent", "-f", ROOT / "Makefile", "release"], cwd=repository, check=True)
    pushed = subprocess.run(["git", "tag"], cwd=tmp_path / "origin", capture_output=True, text=True, check=True).stdout
    found = last_release("", tmp_path / "out", repository)
    assert found is not None and found.name == pushed.strip()


def test_without_a_tag_there_is_nothing_to_compare(repository: Path, tmp_path: Path) -> None:
    assert last_release("", tmp_path / "out", repository) is None


def test_a_clone_without_history_does_not_pass_for_a_first_release(repository: Path, tmp_path: Path) -> None:
    git(repository, "tag", "v1")
    git(repository, "commit", "--quiet", "--allow-empty", "-m", "second")
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{repository}", "shallow")
    with pytest.raises(NoComparison, match="fetch --unshallow"):
        last_release("", tmp_path / "out", tmp_path / "shallow")


def test_a_release_that_does_not_synthesize_says_why(repository: Path, tmp_path: Path) -> None:
    (repository / "app.py").write_text("raise SystemExit('no such environment')")
    git(repository, "commit", "--quiet", "-a", "-m", "broken")
    with pytest.raises(NoComparison, match="(?s)does not synthesize for dev.*no such environment"):
        last_release("HEAD", tmp_path / "out", repository)


def test_neither_folder_nor_ref(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(NoComparison, match="'v9' is neither"):
        last_release("v9", tmp_path / "out", repository)
    with pytest.raises(NoComparison, match="holds no assembly"):
        last_release(str(tmp_path), tmp_path / "out", repository)
