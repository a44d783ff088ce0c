"""Reading what `make synth` wrote: templates, state-machine definitions, policies."""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from solvent.naming import Names

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "cdk.out"
ENVIRONMENTS = ("dev", "prod")
SUFFIX = ".template.json"  # of a template's file, after the name of its stack
ACCOUNT = "111111111111"  # stands for AWS::AccountId in resolved texts
Template = Mapping[str, Any]
Resource = Mapping[str, Any]


class Assembly:
    """A synthesized environment. Read once: a changed file wants a new Assembly."""

    def __init__(self, environment: str, folder: Path) -> None:
        self.environment, self.folder = environment, folder

    @classmethod
    def synthesized(cls, environment: str) -> "Assembly":
        """What `make synth` wrote; raises FileNotFoundError that says how to make it."""
        folder = OUT / environment
        if not (folder / "manifest.json").exists():
            raise FileNotFoundError(f"There is no assembly in cdk.out/{environment}. Write it with `make synth`.")
        return cls(environment, folder)

    @property
    def paths(self) -> list[Path]:
        """The templates' files."""
        return sorted(self.folder.glob(f"*{SUFFIX}"))

    @cached_property
    def region(self) -> str:
        """The region of the environment, the same for all its stacks."""
        artifacts = json.loads((self.folder / "manifest.json").read_text())["artifacts"].values()
        regions = {artifact["environment"].rpartition("/")[2] for artifact in artifacts if "environment" in artifact}
        assert len(regions) == 1, f"{self.environment} lies in {regions}"
        return str(regions.pop())

    @cached_property
    def protected(self) -> dict[str, bool]:
        """Stack -> whether termination protection is on."""
        artifacts = json.loads((self.folder / "manifest.json").read_text())["artifacts"].items()
        return {
            name: bool(artifact["properties"].get("terminationProtection"))
            for name, artifact in artifacts
            if artifact["type"] == "aws:cloudformation:stack"
        }

    def part(self, name: str) -> str:
        """`Solvent-dev-Lake.template.json` -> `Lake`, `Solvent-dev-Lake/Key` -> `Lake/Key`, in dev and prod alike."""
        return name.removesuffix(SUFFIX).removeprefix(Names(self.environment).stack(""))

    @cached_property
    def templates(self) -> dict[str, Template]:
        """File name -> template."""
        return {path.name: json.loads(path.read_text()) for path in self.paths}

    @cached_property
    def definitions(self) -> dict[str, dict[str, Any]]:
        """State machine -> definition, with references replaced by ARNs of the right form."""
        machines = self.of("AWS::StepFunctions::StateMachine").values()
        return {machine["StateMachineName"]: json.loads(flat(machine["DefinitionString"])) for machine in machines}

    def everything(self, kind: str | None = None) -> Iterator[tuple[str, Resource]]:
        """`(<template>/<logical id>, resource)`, of one type where `kind` names it."""
        for name, template in self.templates.items():
            for logical_id, resource in template["Resources"].items():
                if kind in (None, resource["Type"]):
                    yield f"{name}/{logical_id}", resource

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties of every resource of a type, by `<template>/<logical id>`."""
        return {where: resource.get("Properties", {}) for where, resource in self.everything(kind)}

    def one(self, kind: str, **wanted: object) -> dict[str, Any]:
        """The properties of the one resource of a type that has these property values."""
        found = [p for p in self.of(kind).values() if all(plain(p.get(k)) == v for k, v in wanted.items())]
        assert len(found) == 1, f"{len(found)} of {kind} with {wanted} in {self.environment}"
        return found[0]

    def owner(self, where: str, reference: Any) -> str:
        """`<template>/<logical id>` of what a reference in the template of `where` points at, across stacks, too."""
        template = where.partition("/")[0]
        if "Fn::GetStackOutput" in reference:
            output = reference["Fn::GetStackOutput"]
            template = output["StackName"] + SUFFIX
            reference = self.templates[template]["Outputs"][output["OutputName"]]["Value"]
        return f"{template}/{reference['Ref'] if 'Ref' in reference else reference['Fn::GetAtt'][0]}"

    def construct_path(self, where: str) -> str:
        """The construct path of `<template>/<logical id>`, as CDK wrote it beside the resource; empty without one."""
        template, _, logical_id = where.partition("/")
        resource = self.templates[template]["Resources"].get(logical_id, {})
        return str(resource.get("Metadata", {}).get("aws:cdk:path", ""))

    def statements(self, role: str) -> list[dict[str, Any]]:
        """All policy statements of the role with this name suffix (`run-control`)."""
        name = Names(self.environment).named(role)
        ids = [where for where, p in self.of("AWS::IAM::Role").items() if p.get("RoleName") == name]
        assert len(ids) == 1, f"{len(ids)} roles are named {name}"
        template, _, logical_id = ids[0].partition("/")
        return [
            statement
            for where, policy in self.of("AWS::IAM::Policy").items()
            if where.startswith(template) and {"Ref": logical_id} in policy["Roles"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    def actions(self, role: str) -> set[str]:
        """Every action that the role's policies name."""
        return {action for statement in self.statements(role) for action in as_list(statement["Action"])}


def as_list(value: Any) -> list[Any]:
    """What CloudFormation and IAM let be one or many."""
    return value if isinstance(value, list) else [value]


def flat(value: Any) -> str:
    """A string with its references resolved: account 111111111111, else an ARN that names what is referred to."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(flat(part) for part in parts)
    if "Fn::Sub" in value:
        return str(value["Fn::Sub"]).replace("${AWS::AccountId}", ACCOUNT)
    if value.get("Ref") == "AWS::AccountId":
        return ACCOUNT
    named = next(iter(value.values()))  # Ref: a name; Fn::GetAtt: two; Fn::GetStackOutput: stack, region and output
    name = named if isinstance(named, str) else "-".join(map(str, named.values() if isinstance(named, dict) else named))
    return f"arn:aws:reference::{ACCOUNT}:" + "".join(c for c in name if c.isalnum() or c == "-")


def plain(value: Any) -> Any:
    """`flat` for what is a string or a reference; anything else as it is."""
    is_reference = isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ("Fn::Join", "Fn::Sub", "Ref")
    return flat(value) if is_reference else value
