"""Which resources an update would replace, and what would be lost with them, by CloudFormation's own schemas."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from gates.assembly import SUFFIX, Assembly

REGION = "us-east-1"  # of the schemas: the region that knows every type
# Beside cfn-lint's list of stateful types: what people or data would miss, too.
HOLDS = {
    "AWS::ApiGatewayV2::Api": "the address that applications call",
    "AWS::EC2::Subnet": "everything that runs in it",
    "AWS::EC2::VPC": "everything that runs in it",
    "AWS::Glue::Database": "the definitions of its tables",
    "AWS::KMS::Key": "all that is encrypted with it, which nobody can read any more",
    "AWS::RedshiftServerless::Namespace": "the data of the warehouse",
    "AWS::RedshiftServerless::Workgroup": "the address of the warehouse",
    "AWS::SNS::Topic": "the subscriptions that people have confirmed",
    "AWS::SageMaker::ModelPackageGroup": "the registered models",
}


@cache
def _stateful() -> frozenset[str]:
    return frozenset(load_resource(AdditionalSpecs, "StatefulResources.json")["ResourceTypes"])


def holds(kind: str) -> str | None:
    """What is lost with a resource of this type; None where CloudFormation makes an equal one."""
    return HOLDS.get(kind) or ("the data in it" if kind in _stateful() else None)


def replaced(old: Assembly, new: Assembly) -> dict[str, str]:
    """`<template>/<logical id>` -> cause, of each resource of both that cannot be updated in place.

    A resource is replaced when a property changes that is set at creation only, or when such a property refers to a
    resource that is replaced itself.
    """
    both = {
        f"{name}/{logical_id}": (resource, new.templates[name]["Resources"][logical_id])
        for name, template in old.templates.items()
        if name in new.templates
        for logical_id, resource in template["Resources"].items()
        if logical_id in new.templates[name]["Resources"]
    }
    causes: dict[str, str] = {}
    for where, (before, after) in both.items():
        if before["Type"] != after["Type"]:
            causes[where] = f"its type changes from {before['Type']} to {after['Type']}"
            continue
        was, now = before.get("Properties", {}), after.get("Properties", {})
        changed = [path for path in _create_only(before["Type"]) if _at(was, path) != _at(now, path)]
        if changed:
            causes[where] = f"{', '.join('.'.join(path) for path in changed)} changes, which is set at creation only"
    while more := _dependent(new, both, causes):
        causes |= more
    return causes


def _dependent(new: Assembly, both: dict[str, Any], causes: dict[str, str]) -> dict[str, str]:
    found = {}
    for where, (_, after) in both.items():
        if where in causes:
            continue
        for path in _create_only(after["Type"]):
            value = _at(after.get("Properties", {}), path)
            if gone := [target for target in _references(new, where.partition("/")[0], value) if target in causes]:
                found[where] = f"{'.'.join(path)} refers to {gone[0].partition('/')[2]}, which is replaced"
    return found


@cache
def _create_only(kind: str) -> tuple[tuple[str, ...], ...]:
    """Paths of the properties whose change replaces the resource, always or (`conditional`) in some cases."""
    if kind.startswith(("Custom::", "AWS::CloudFormation::CustomResource")):
        return ()
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    pointers = [*schema.get("createOnlyProperties", []), *schema.get("conditionalCreateOnlyProperties", [])]
    # A pointer into the elements of a list (`*`) stands for the list.
    parts = [pointer.split("/*")[0].split("/") for pointer in pointers]
    return tuple(tuple(part for part in path if part not in ("", "properties")) for path in parts)


def _at(properties: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        properties = properties.get(part) if isinstance(properties, dict) else None
    return properties


def _references(assembly: Assembly, template: str, value: Any) -> Iterator[str]:
    """`<template>/<logical id>` of everything that a value refers to, across stacks, too."""
    for node in _nodes(value):
        if isinstance(node.get("Ref"), str):
            yield f"{template}/{node['Ref']}"
        if isinstance(node.get("Fn::GetAtt"), list):
            yield f"{template}/{node['Fn::GetAtt'][0]}"
    for output in stack_outputs(value):
        other = output["StackName"] + SUFFIX
        declared = assembly.templates.get(other, {}).get("Outputs", {}).get(output["OutputName"])
        if declared:
            yield from _references(assembly, other, declared["Value"])


def stack_outputs(value: Any) -> Iterator[dict[str, Any]]:
    """Every `Fn::GetStackOutput` in a value: `{"StackName": ..., "OutputName": ...}`."""
    for node in _nodes(value):
        if isinstance(node.get("Fn::GetStackOutput"), dict):
            yield node["Fn::GetStackOutput"]


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)
