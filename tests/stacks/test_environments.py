"""The two environments are one platform: the same parts under other names, no account needed, wired without exports."""

import json
import re
from collections import Counter
from typing import Any

from stacks import config

# What configuration switches on or off, and nothing else may differ.
SWITCHED = {
    "AWS::EC2::VPCEndpoint",  # network.interface_endpoints
    "AWS::EC2::SecurityGroup",  # network.private_compute
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::Glue::Connection",
    "Custom::S3AutoDeleteObjects",  # removable
    "AWS::IAM::Role",  # the helper of S3AutoDeleteObjects
    "AWS::Lambda::Function",
}
PARTS = {
    "Network", "Lake", "Ingestion", "Etl", "Extraction", "Warehouse", "Erasure", "Training",
    "Serving", "Orchestration", "Api", "Observability",
}  # fmt: skip


def _counts(assembly: Any) -> Counter[str]:
    return Counter(resource["Type"] for _, resource in assembly.everything())


def test_the_stacks_are_flat_under_the_app(assembly: Any) -> None:
    """Inside a Stage plain `cdk deploy --all` would find nothing."""
    names = {name.removesuffix(".template.json") for name in assembly.templates}
    assert names == {f"Solvent-{assembly.environment}-{part}" for part in PARTS}


def test_dev_and_prod_differ_by_configuration_alone(dev: Any, prod: Any) -> None:
    different = {kind for kind in _counts(dev) | _counts(prod) if _counts(dev)[kind] != _counts(prod)[kind]}
    assert different <= SWITCHED


def test_no_account_is_in_the_templates_and_none_is_needed(assembly: Any) -> None:
    """Literal account ids are only those of AWS's own image registry."""
    from stacks.constructs.images import ACCOUNTS

    for name, template in assembly.templates.items():
        text = json.dumps(template)
        for account in ("000000000000", "111111111111", "123456789012"):
            assert account not in text, name
    manifest = json.loads((assembly.folder / "manifest.json").read_text())
    places = {a["environment"] for a in manifest["artifacts"].values() if a["type"] == "aws:cloudformation:stack"}
    assert places == {f"aws://unknown-account/{config.load(assembly.environment).region}"}
    assert ACCOUNTS[config.load(assembly.environment).region] in json.dumps(assembly.definitions)


def test_stacks_refer_to_each_other_without_exports(assembly: Any) -> None:
    """An export that is in use cannot change: a weak reference can."""
    text = json.dumps(assembly.templates)
    assert "Fn::ImportValue" not in text
    assert "Fn::GetStackOutput" in text
    assert not any("Export" in o for t in assembly.templates.values() for o in t.get("Outputs", {}).values())


def test_subnets_lie_in_the_three_configured_zones(assembly: Any) -> None:
    zones = {subnet["AvailabilityZone"] for subnet in assembly.of("AWS::EC2::Subnet").values()}
    assert zones == set(config.load(assembly.environment).availability_zones)


def test_dev_pays_for_no_endpoint_and_prod_has_one_for_every_service(dev: Any, prod: Any) -> None:
    def interfaces(assembly: Any) -> set[str]:
        endpoints = assembly.of("AWS::EC2::VPCEndpoint").values()
        found = [e["ServiceName"] for e in endpoints if e["VpcEndpointType"] == "Interface"]
        return {re.sub(r"^(com\.amazonaws|aws\.sagemaker)\.eu-west-1\.", "", name) for name in found}

    assert interfaces(dev) == set()
    # boto3 clients of the functions -> endpoint service; S3 and DynamoDB have gateway endpoints.
    called = {"states", "redshift-data", "sagemaker.api", "sagemaker.runtime", "application-autoscaling"}
    assert called <= interfaces(prod) == set(config.load("prod").interface_endpoints)


def test_functions_are_in_the_network_of_prod_only(dev: Any, prod: Any) -> None:
    def placed(assembly: Any) -> list[bool]:
        functions = {n: p for n, p in assembly.of("AWS::Lambda::Function").items() if "CustomS3" not in n}
        return ["VpcConfig" in properties for properties in functions.values()]

    assert set(placed(dev)) == {False} and set(placed(prod)) == {True}
    assert len(placed(prod)) == 8
