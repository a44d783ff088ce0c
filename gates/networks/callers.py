"""Who may run in the VPC: functions, Glue jobs, SageMaker's jobs and models, the warehouse; where, as which role."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from gates.assembly import Assembly, as_list, flat
from gates.iam.calls import calls as called_by_code
from gates.iam.roles import Role, roles, text
from gates.machines.flows import flows
from gates.outcome import Finding

TABLE = yaml.safe_load((Path(__file__).parent / "networks.yaml").read_text())
ROLES = {  # kind of what runs in the VPC -> property with its role, or its roles
    "AWS::Glue::Job": "Role",
    "AWS::Lambda::Function": "Role",
    "AWS::RedshiftServerless::Namespace": "IamRoles",
}
NO_CALLS = {"iam:PassRole"}  # a permission that a service looks up when it is given a role


@dataclass(frozen=True)
class Caller:
    """Something that may run in the VPC: subnets and security groups by `<template>/<logical id>`, actions of its role.

    `own`: what its code calls itself, so that no AWS service calls it instead.
    """

    name: str
    kind: str
    where: str
    subnets: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    traits: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()


class Callers:
    """Of one assembly."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly

    @cached_property
    def everybody(self) -> list[Caller]:
        """In the VPC or not."""
        return [*self._functions(), *self._glue_jobs(), *self._sagemaker(), *self._warehouses()]

    @cached_property
    def _called_by_code(self) -> dict[str, set[str]]:
        """Name of a role -> what the code that has it calls."""
        return called_by_code(self._assembly)

    def _functions(self) -> Iterator[Caller]:
        mapped = {
            self._assembly.owner(where, p["FunctionName"])
            for where, p in self._assembly.of("AWS::Lambda::EventSourceMapping").items()
        }
        answering = {
            self._assembly.owner(where, resource["Properties"]["ServiceToken"])
            for where, resource in self._assembly.everything()
            if resource["Type"].startswith("Custom::")
        }
        for where, p in self._assembly.of("AWS::Lambda::Function").items():
            vpc = p.get("VpcConfig", {})
            traits = {"event source mapping": where in mapped, "custom resource": where in answering}
            has = frozenset(trait for trait, so in traits.items() if so)
            role = self._role(where, p["Role"])
            more = frozenset(action for trait in has for action in TABLE["without_permission"].get(trait, []))
            yield Caller(
                p.get("FunctionName", where.partition("/")[2]),
                "function",
                where,
                owners(self._assembly, where, vpc.get("SubnetIds", [])),
                owners(self._assembly, where, vpc.get("SecurityGroupIds", [])),
                self._actions(role) | more,
                has,
                frozenset(self._called_by_code[self._roles[role].name] if role in self._roles else ()),
            )

    def _glue_jobs(self) -> Iterator[Caller]:
        inputs = {
            p["ConnectionInput"]["Name"]: (where, p["ConnectionInput"]["PhysicalConnectionRequirements"])
            for where, p in self._assembly.of("AWS::Glue::Connection").items()
        }
        for where, p in self._assembly.of("AWS::Glue::Job").items():
            subnets: frozenset[str] = frozenset()
            groups: frozenset[str] = frozenset()
            for name in p.get("Connections", {}).get("Connections", []):
                at, place = inputs.get(name, (where, {"SubnetId": [], "SecurityGroupIdList": []}))
                subnets |= owners(self._assembly, at, place["SubnetId"])
                groups |= owners(self._assembly, at, place["SecurityGroupIdList"])
            role = self._actions(self._role(where, p["Role"]))
            yield Caller(p["Name"], "Glue job", where, subnets, groups, role)

    def _sagemaker(self) -> Iterator[Caller]:
        """Jobs and models, which the state machines make; a transform job runs where its model does."""
        for where, p in self._assembly.of("AWS::StepFunctions::StateMachine").items():
            references = {flat(part): part for part in p["DefinitionString"]["Fn::Join"][1] if isinstance(part, dict)}
            definition = self._assembly.definitions[p["StateMachineName"]]
            for name, state in (task for flow in flows(definition) for task in flow.of("Task")):
                given = state.get("Parameters", {})
                role = given.get("RoleArn", given.get("ExecutionRoleArn"))
                if role is None or "sagemaker" not in state["Resource"]:
                    continue
                vpc = given.get("VpcConfig") or given.get("SecurityConfig", {}).get("VpcConfig", {})
                yield Caller(
                    f"{p['StateMachineName']} {name}",
                    "SageMaker",
                    f"{where} {name}",
                    owners(self._assembly, where, [references[text] for text in vpc.get("Subnets", [])]),
                    owners(self._assembly, where, [references[text] for text in vpc.get("SecurityGroupIds", [])]),
                    self._actions(self._role(where, references.get(role, role))),
                    frozenset({"network isolation"} if given.get("EnableNetworkIsolation") is True else ()),
                )

    def _warehouses(self) -> Iterator[Caller]:
        actions = frozenset(
            action
            for where, p in self._assembly.of("AWS::RedshiftServerless::Namespace").items()
            for role in p.get("IamRoles", [])
            for action in self._actions(self._role(where, role))
        )
        for where, p in self._assembly.of("AWS::RedshiftServerless::Workgroup").items():
            routed = p.get("EnhancedVpcRouting", False)
            subnets = owners(self._assembly, where, p["SubnetIds"]) if routed else frozenset()
            groups = owners(self._assembly, where, p["SecurityGroupIds"])
            yield Caller(p["WorkgroupName"], "warehouse", where, subnets, groups, actions)

    def _role(self, where: str, reference: Any) -> str:
        """`<template>/<logical id>`; of a role that is not ours, whatever names it."""
        return str(text(self._assembly, where, reference)).strip("<>")

    @cached_property
    def _roles(self) -> dict[str, Role]:
        """By `<template>/<logical id>`."""
        return {role.where: role for role in roles(self._assembly).values()}

    def _actions(self, role: str) -> frozenset[str]:
        return frozenset(self._roles[role].granted - NO_CALLS if role in self._roles else ())


def owners(assembly: Assembly, where: str, references: Any) -> frozenset[str]:
    """`<template>/<logical id>` of each thing that a property of `where` refers to."""
    return frozenset(assembly.owner(where, reference) for reference in as_list(references))


def strangers(assembly: Assembly) -> Iterator[Finding]:
    """Roles that are not in the templates: what they call cannot be known."""
    known = {f"<{where}>" for where in assembly.of("AWS::IAM::Role")}
    for kind, field_ in ROLES.items():
        for where, p in assembly.of(kind).items():
            for role in as_list(text(assembly, where, p.get(field_, []))):
                if role not in known:
                    yield Finding("unknown-role", where, f"nobody knows what {role} calls: name a role of ours")
