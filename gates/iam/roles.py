"""The roles of an assembly: what each may do, and everything in the templates that works with it.

References are written as `<template/logical id>`, also those into other stacks, so that what a state machine calls and
what a policy names can be compared as texts.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gates.assembly import ACCOUNT, Assembly, as_list
from gates.machines.flows import flows
from solvent.naming import STEWARD, Names
from stacks.metadata import REASONS

# They name roles, or texts that hold them, but do nothing with them.
NO_USERS = ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::KMS::Key")


@dataclass(frozen=True)
class User:
    """Something that works with a role: a resource, or a job or model that a state of a machine makes."""

    kind: str  # the resource's type, or "Task" for a state
    where: str
    properties: Mapping[str, Any]  # resolved; of a state its Parameters
    task: str = ""  # of a state: `sagemaker:createTrainingJob.sync`


@dataclass(frozen=True)
class Statement:
    """One resolved statement. `reason`: what the policy's Metadata says for its Sid."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Any]
    raw: Mapping[str, Any]
    reason: str = ""


@dataclass
class Role:
    """A role with its statements and users. `where` is `<template>/<logical id>`, `name` its physical name."""

    name: str
    where: str
    properties: Mapping[str, Any]
    statements: list[Statement] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    policies: dict[str, Mapping[str, str]] = field(default_factory=dict)  # where -> reasons by Sid
    managed: list[str] = field(default_factory=list)

    @property
    def granted(self) -> set[str]:
        """Every action that some statement allows."""
        return {action for statement in self.statements for action in statement.actions}

    @property
    def trusted_services(self) -> set[str]:
        """The services that may assume the role."""
        return {service for s in self.trusted for service in as_list(_principal(s).get("Service", []))}

    @property
    def trusted(self) -> list[dict[str, Any]]:
        """The statements that say who may assume the role."""
        return as_list(self.properties["AssumeRolePolicyDocument"]["Statement"])


def _principal(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    principal = statement.get("Principal", {})
    return principal if isinstance(principal, Mapping) else {"AWS": principal}


def text(assembly: Assembly, where: str, value: Any) -> Any:
    """A property of the resource `where` with its references resolved to texts; lists and objects likewise."""
    if isinstance(value, list):
        return [text(assembly, where, item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        match next(iter(value.items())):
            case "Ref", "AWS::AccountId":
                return ACCOUNT
            case "Ref", str(name) if name.startswith("AWS::"):
                return {"AWS::Partition": "aws", "AWS::Region": assembly.region}.get(name, name)
            case "Fn::Join", [separator, parts]:
                return str(separator).join(str(text(assembly, where, part)) for part in parts)
            case "Fn::Sub", str(template):
                return template.replace("${AWS::AccountId}", ACCOUNT).replace("${AWS::Partition}", "aws")
            case (("Ref" | "Fn::GetAtt" | "Fn::GetStackOutput"), _):
                return f"<{assembly.owner(where, value)}>"
    return {key: text(assembly, where, item) for key, item in value.items()}


def roles(assembly: Assembly) -> dict[str, Role]:
    """Every role by its physical name (its logical id where it has none)."""
    found = {}
    for where, properties in assembly.of("AWS::IAM::Role").items():
        resolved = text(assembly, where, properties)
        name = str(resolved.get("RoleName") or where.partition("/")[2])
        found[f"<{where}>"] = Role(name, where, resolved)
    for where, resource in assembly.everything("AWS::IAM::Policy"):
        reasons = resource.get("Metadata", {}).get(REASONS, {})
        for reference in text(assembly, where, resource["Properties"].get("Roles", [])):
            role = found[reference]
            role.policies[where] = reasons
            role.statements += _statements(assembly, where, resource["Properties"]["PolicyDocument"], reasons)
    users, resources = _users(assembly), dict(assembly.everything("AWS::IAM::Role"))
    for marker, role in found.items():
        reasons = resources[role.where].get("Metadata", {}).get(REASONS, {})
        for policy in role.properties.get("Policies", []):
            role.policies[role.where] = reasons
            role.statements += _statements(assembly, role.where, policy["PolicyDocument"], reasons)
        role.managed = [str(arn) for arn in role.properties.get("ManagedPolicyArns", [])]
        role.users = users[marker]
        if "RedshiftDbRoles" in {tag["Key"] for tag in role.properties.get("Tags", [])}:
            role.users.append(User("People", role.where, role.properties))
        if role.name == Names(assembly.environment).named(STEWARD):
            role.users.append(User("DataSteward", role.where, role.properties))
    return {role.name: role for role in found.values()}


def managed_policies(assembly: Assembly) -> dict[str, list[Statement]]:
    """The statements of the policies that others may attach to their roles, by `<template>/<logical id>`."""
    return {
        where: list(_statements(assembly, where, resource["Properties"]["PolicyDocument"], {}))
        for where, resource in assembly.everything("AWS::IAM::ManagedPolicy")
    }


def _statements(
    assembly: Assembly, where: str, document: Mapping[str, Any], reasons: Mapping[str, str]
) -> Iterator[Statement]:
    for statement in as_list(document["Statement"]):
        resolved = text(assembly, where, statement)
        sid = str(resolved.get("Sid", ""))
        if resolved["Effect"] != "Allow":  # gates/iam/denials.py names it
            continue
        yield Statement(
            sid=sid,
            actions=tuple(as_list(resolved.get("Action", []))),
            resources=tuple(as_list(resolved.get("Resource", []))),
            conditions=resolved.get("Condition", {}),
            raw=resolved,
            reason=str(reasons.get(sid, "")) if sid else "",
        )


def tasks(assembly: Assembly) -> dict[str, list[User]]:
    """The Task states of each machine, by `<template>/<logical id>`, also those inside Map and Parallel."""
    return {
        where: list(_tasks(where, json.loads(text(assembly, where, machine["DefinitionString"]))))
        for where, machine in assembly.of("AWS::StepFunctions::StateMachine").items()
    }


def _tasks(where: str, definition: Mapping[str, Any]) -> Iterator[User]:
    for flow in flows(definition):
        for name, state in flow.of("Task"):
            resource = str(state["Resource"]).removeprefix("arn:aws:states:::")
            yield User("Task", f"{where}/{name}", state.get("Parameters", state.get("Arguments", {})), resource)


def _users(assembly: Assembly) -> dict[str, list[User]]:
    """By role (`<template/logical id>`): what names it, what makes its function work, the tasks of its machine."""
    found: dict[str, list[User]] = defaultdict(list)
    markers = {f"<{where}>" for where in assembly.of("AWS::IAM::Role")}
    resources = [
        User(resource["Type"], where, text(assembly, where, resource.get("Properties", {})))
        for where, resource in assembly.everything()
        if not resource["Type"].startswith("AWS::IAM::") and resource["Type"] not in NO_USERS
    ]
    made = tasks(assembly)
    for user in resources:
        if user.kind == "AWS::StepFunctions::StateMachine":
            found[user.properties["RoleArn"]] += [user, *made[user.where]]
            continue
        for marker in _named_in(user.properties, markers):
            found[marker].append(user)
            if user.kind == "AWS::Lambda::Function":
                found[marker] += [u for u in resources if f"<{user.where}>" in _drivers(u)]
    for state in (state for states in made.values() for state in states):
        for marker in _named_in(state.properties, markers):
            found[marker].append(User("PassedRole", state.where, state.properties, state.task))
    return found


def _named_in(properties: Any, markers: set[str]) -> set[str]:
    return {marker for marker in re.findall(r"<[^<>]+>", json.dumps(properties)) if marker in markers}


def _drivers(user: User) -> tuple[Any, Any]:
    """The function that an event source mapping or a custom resource makes work, with the function's own role."""
    mapped = user.properties.get("FunctionName") if user.kind == "AWS::Lambda::EventSourceMapping" else None
    return mapped, user.properties.get("ServiceToken")
