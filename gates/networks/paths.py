"""Each call that leaves the VPC, and the endpoint that serves it: by `com.amazonaws` name, name resolution, security
groups and routes, as the templates give them. `python -m gates.networks` writes docs/networks.md.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from gates.assembly import ENVIRONMENTS, ROOT, Assembly, as_list, flat
from gates.iam.calls import calls as called_by_code
from gates.outcome import Finding, Outcome

TABLE = yaml.safe_load((Path(__file__).parent / "networks.yaml").read_text())
DOCUMENT = ROOT / "docs" / "networks.md"
TEMPLATE = Path(__file__).parent / "document.md"
HTTPS = 443
WAYS_OUT = (
    "AWS::EC2::CarrierGateway",
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::VPCPeeringConnection",
    "AWS::EC2::VPNGateway",
)


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


@dataclass(frozen=True)
class Call:
    """A service that a caller calls: through the endpoint of that name, or (`elsewhere`) somebody else for it."""

    caller: Caller
    service: str
    actions: tuple[str, ...]
    endpoint: str | None = None
    elsewhere: dict[str, str] = field(default_factory=dict, compare=False)


def check(assembly: Assembly) -> Outcome:
    """All callers in the VPC, each call of theirs, and each endpoint."""
    network = Network(assembly)
    findings = [*network.ways_out(), *network.outside()]
    calls = network.calls()
    for call in calls:
        if call.elsewhere:
            continue
        if call.endpoint is None:
            text = "gates/networks/networks.yaml does not say which endpoint serves it, nor who else calls it"
            findings.append(Finding("unmapped-call", f"{call.caller.name} {call.service}", text))
        else:
            findings += network.served(call.caller, call.endpoint)
    used = {call.endpoint for call in calls}
    for name, (where, endpoint) in network.endpoints.items():
        if name not in used and endpoint["VpcEndpointType"] == "Interface":
            findings.append(Finding("idle-endpoint", where, f"nothing in the VPC calls {name}, and it costs money"))
        if endpoint["VpcEndpointType"] == "Gateway" and not _guarded(endpoint.get("PolicyDocument")):
            text = "its policy lets data out to resources of any account (aws:ResourceAccount)"
            findings.append(Finding("open-gateway", where, text))
    leaving = sum(not call.elsewhere for call in calls)
    text = f"{len(network.callers)} callers in the VPC, {leaving} services called, {len(network.endpoints)} endpoints"
    return Outcome(text, sorted(set(findings)))


class Network:
    """The VPC of an assembly: who is in it, and its endpoints."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly

    @cached_property
    def callers(self) -> list[Caller]:
        return sorted(
            (c for c in self._everybody if c.subnets), key=lambda c: (c.kind != "function", c.kind.lower(), c.name)
        )

    @cached_property
    def _everybody(self) -> list[Caller]:
        return [*self._functions(), *self._glue_jobs(), *self._sagemaker(), *self._warehouses()]

    def outside(self) -> Iterator[Finding]:
        """Where any function is in the VPC, everything must be; the warehouse must be in any environment."""
        private = any(caller.kind == "function" for caller in self.callers)
        for caller in self._everybody:
            if not caller.subnets and (private or caller.kind == "warehouse"):
                yield Finding("outside-the-vpc", caller.where, f"{caller.name} calls past the VPC and its endpoints")

    def ways_out(self) -> Iterator[Finding]:
        for where, resource in self._assembly.everything():
            if resource["Type"] in WAYS_OUT:
                yield Finding("way-out", where, f"{resource['Type']}: there is a way out of the VPC past its endpoints")

    def calls(self) -> list[Call]:
        """One for each caller and service; where actions of a service go different ways, one for each way."""
        found: dict[tuple[Caller, str, str], list[str]] = {}
        ways: dict[tuple[Caller, str, str], tuple[str | None, dict[str, str]]] = {}
        for caller in self.callers:
            for action in sorted(caller.actions):
                endpoint, elsewhere = _way(caller, action)
                key = (caller, action.partition(":")[0], endpoint or elsewhere.get("why", ""))
                found.setdefault(key, []).append(action)
                ways[key] = (endpoint, elsewhere)
        return [Call(key[0], key[1], tuple(actions), *ways[key]) for key, actions in found.items()]

    @cached_property
    def endpoints(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """End of the service name -> where, and properties."""
        found = {}
        for where, endpoint in self._assembly.of("AWS::EC2::VPCEndpoint").items():
            name = endpoint["ServiceName"]
            parts = name["Fn::Join"][1] if isinstance(name, dict) else [name]
            text = "".join(part if isinstance(part, str) else "REGION" for part in parts)
            found[text.removeprefix("com.amazonaws.").partition(".")[2]] = (where, endpoint)
        return found

    def served(self, caller: Caller, name: str) -> Iterator[Finding]:
        """What keeps a caller from an endpoint."""
        at = f"{caller.name} -> {name}"
        if name not in self.endpoints:
            yield Finding("no-endpoint", at, "the VPC has no endpoint of this service, and no other way out")
            return
        where, endpoint = self.endpoints[name]
        gateway = endpoint["VpcEndpointType"] == "Gateway"
        if gateway:
            tables = self._owners(where, endpoint.get("RouteTableIds", []))
            for subnet in sorted(caller.subnets):
                if self._route_tables.get(subnet) not in tables:
                    yield Finding("no-route", at, f"the route table of {subnet} has no route to {where}")
            if not any(self._open_egress(group, None) for group in caller.groups):
                yield Finding("closed-egress", at, "no security group of the caller lets HTTPS out")
            return
        yield from self._names(where, endpoint, at)
        for subnet in sorted(caller.subnets - self._owners(where, endpoint.get("SubnetIds", []))):
            yield Finding("no-interface", at, f"{where} has no interface in {subnet}")
        groups = self._owners(where, endpoint.get("SecurityGroupIds", []))
        if not any(self._open_ingress(group, caller) for group in groups):
            yield Finding("closed-ingress", at, f"no security group of {where} lets the caller's HTTPS in")
        if not any(self._open_egress(own, group) for own in caller.groups for group in groups):
            yield Finding("closed-egress", at, f"no security group of the caller lets HTTPS out to {where}")

    def _names(self, where: str, endpoint: dict[str, Any], at: str) -> Iterator[Finding]:
        vpc = self._assembly.of("AWS::EC2::VPC")[self._assembly.owner(where, endpoint["VpcId"])]
        if not (endpoint.get("PrivateDnsEnabled") and vpc.get("EnableDnsSupport") and vpc.get("EnableDnsHostnames")):
            text = "the service's name leads past the endpoint: PrivateDnsEnabled, and both DNS switches of the VPC"
            yield Finding("no-private-dns", at, text)

    # --- security groups and routes

    @cached_property
    def _route_tables(self) -> dict[str, str]:
        """Subnet -> route table."""
        owner = self._assembly.owner
        found = self._assembly.of("AWS::EC2::SubnetRouteTableAssociation")
        return {owner(where, p["SubnetId"]): owner(where, p["RouteTableId"]) for where, p in found.items()}

    def _rules(self, group: str, direction: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """`(where, rule)` of a security group, written inside it or beside it."""
        inside = self._assembly.of("AWS::EC2::SecurityGroup")[group]
        yield from ((group, rule) for rule in inside.get(f"SecurityGroup{direction}", []))
        for where, rule in self._assembly.of(f"AWS::EC2::SecurityGroup{direction}").items():
            if self._assembly.owner(where, rule["GroupId"]) == group:
                yield where, rule

    def _open_ingress(self, group: str, caller: Caller) -> bool:
        for where, rule in self._rules(group, "Ingress"):
            source = rule.get("SourceSecurityGroupId")
            known = source is not None and self._assembly.owner(where, source) in caller.groups
            if _https(rule) and (known or self._covers(rule, caller.subnets)):
                return True
        return False

    def _open_egress(self, group: str, target: str | None) -> bool:
        """To a security group; to a gateway endpoint (None), whose addresses are public ones."""
        for where, rule in self._rules(group, "Egress"):
            to = rule.get("DestinationSecurityGroupId")
            known = target is not None and to is not None and self._assembly.owner(where, to) == target
            if _https(rule) and (known or rule.get("CidrIp") == "0.0.0.0/0"):
                return True
        return False

    def _covers(self, rule: dict[str, Any], subnets: frozenset[str]) -> bool:
        known = self._assembly.of("AWS::EC2::Subnet")
        cidr = rule.get("CidrIp")
        return isinstance(cidr, str) and all(
            ipaddress.ip_network(known[subnet]["CidrBlock"]).subnet_of(ipaddress.ip_network(cidr))  # type: ignore[arg-type]
            for subnet in subnets
        )

    def _owners(self, where: str, references: Any) -> frozenset[str]:
        return frozenset(self._assembly.owner(where, reference) for reference in as_list(references))

    # --- who runs where

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
            role = self._assembly.owner(where, p["Role"])
            more = frozenset(action for trait in has for action in TABLE["without_permission"].get(trait, []))
            yield Caller(
                p.get("FunctionName", where.partition("/")[2]),
                "function",
                where,
                self._owners(where, vpc.get("SubnetIds", [])),
                self._owners(where, vpc.get("SecurityGroupIds", [])),
                self._actions(role) | more,
                has,
                frozenset(self._called_by_code.get(self._assembly.of("AWS::IAM::Role")[role].get("RoleName", ""), ())),
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
                subnets |= self._owners(at, place["SubnetId"])
                groups |= self._owners(at, place["SecurityGroupIdList"])
            role = self._actions(self._assembly.owner(where, p["Role"]))
            yield Caller(p["Name"], "Glue job", where, subnets, groups, role)

    def _sagemaker(self) -> Iterator[Caller]:
        """Jobs and models, which the state machines make; a transform job runs where its model does."""
        for where, p in self._assembly.of("AWS::StepFunctions::StateMachine").items():
            references = {flat(part): part for part in p["DefinitionString"]["Fn::Join"][1] if isinstance(part, dict)}
            for name, state in _tasks(self._assembly.definitions[p["StateMachineName"]]):
                given = state.get("Parameters", {})
                role = given.get("RoleArn", given.get("ExecutionRoleArn"))
                if role is None or "sagemaker" not in state["Resource"]:
                    continue
                vpc = given.get("VpcConfig", {})
                yield Caller(
                    f"{p['StateMachineName']} {name}",
                    "SageMaker",
                    f"{where} {name}",
                    self._owners(where, [references[text] for text in vpc.get("Subnets", [])]),
                    self._owners(where, [references[text] for text in vpc.get("SecurityGroupIds", [])]),
                    self._actions(self._assembly.owner(where, references[role])),
                    frozenset({"network isolation"} if given.get("EnableNetworkIsolation") is True else ()),
                )

    def _warehouses(self) -> Iterator[Caller]:
        roles = frozenset(
            self._assembly.owner(where, role)
            for where, p in self._assembly.of("AWS::RedshiftServerless::Namespace").items()
            for role in p.get("IamRoles", [])
        )
        actions = frozenset(action for role in roles for action in self._actions(role))
        for where, p in self._assembly.of("AWS::RedshiftServerless::Workgroup").items():
            routed = p.get("EnhancedVpcRouting", False)
            subnets = self._owners(where, p["SubnetIds"]) if routed else frozenset()
            groups = self._owners(where, p["SecurityGroupIds"])
            yield Caller(p["WorkgroupName"], "warehouse", where, subnets, groups, actions)

    def _actions(self, role: str) -> frozenset[str]:
        template, _, logical_id = role.partition("/")
        properties = self._assembly.of("AWS::IAM::Role")[role]
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        documents += [
            policy["PolicyDocument"]
            for where, policy in self._assembly.of("AWS::IAM::Policy").items()
            if where.startswith(f"{template}/") and {"Ref": logical_id} in policy["Roles"]
        ]
        return frozenset(
            action
            for document in documents
            for statement in document["Statement"]
            if statement["Effect"] == "Allow"
            for action in as_list(statement["Action"])
        )


def _way(caller: Caller, action: str) -> tuple[str | None, dict[str, str]]:
    """The endpoint that serves an action, or who makes the call instead; neither where the table does not know."""
    service = action.partition(":")[0]
    others = TABLE["elsewhere"].get(caller.kind, {})
    other = others.get(action, others.get(service))
    services = {each.partition(":")[0] for each in caller.actions}
    if action not in caller.own and other and other.get("if", "") in {"", *caller.traits, *services}:
        return None, other
    return TABLE["endpoints"].get(action, TABLE["endpoints"].get(service)), {}


def _guarded(policy: dict[str, Any] | None) -> bool:
    """Outside this account only reading, and what is named."""
    if policy is None:
        return False
    return all(
        "aws:ResourceAccount" in statement.get("Condition", {}).get("StringEquals", {})
        or set(as_list(statement["Action"])) <= {"s3:GetObject"}
        or "*" not in as_list(statement["Resource"])
        for statement in policy["Statement"]
        if statement["Effect"] == "Allow"
    )


def _https(rule: dict[str, Any]) -> bool:
    if str(rule["IpProtocol"]) == "-1":
        return True
    return rule["IpProtocol"] == "tcp" and rule["FromPort"] <= HTTPS <= rule["ToPort"]


def _tasks(node: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """`(name, state)` of every Task of a definition, inside Map and Parallel, too."""
    if isinstance(node, list):
        for each in node:
            yield from _tasks(each, name)
    elif isinstance(node, dict):
        if node.get("Type") == "Task":
            yield name, node
        else:
            for key, value in node.items():
                yield from _tasks(value, key)


# --- the document


def render(environments: dict[str, Assembly]) -> str:
    """docs/networks.md."""
    parts = []
    for environment, assembly in environments.items():
        network = Network(assembly)
        calls = network.calls()
        parts.append(f"## {environment}\n\n{_intro(network)}\n\n### Calls that leave the VPC\n")
        rows = [(c, network.endpoints[c.endpoint]) for c in calls if c.endpoint in network.endpoints and c.endpoint]
        lines = [
            f"| {call.caller.kind} `{call.caller.name}` | {_actions(call)} | {endpoint['VpcEndpointType'].lower()} "
            f"`com.amazonaws.*.{call.endpoint}` | {_remark(call)} |"
            for call, (_, endpoint) in rows
        ]
        parts.append("\n".join(["| caller | calls | through the endpoint | remark |", "|---|---|---|---|", *lines]))
        parts.append("\n### Made by AWS on its own side, with the caller's role\n")
        others: dict[tuple[str, str, str], dict[str, str]] = {}
        for call in calls:
            if call.elsewhere:
                others[(call.caller.kind, call.service, call.elsewhere["why"])] = call.elsewhere
        lines = [
            f"| {kind} | `{service}` | {way['who']} | {way['why']} ([AWS]({way['source']})) |"
            for (kind, service, _), way in others.items()
        ]
        parts.append("\n".join(["| caller | service | who calls | what for |", "|---|---|---|---|", *lines]) + "\n")
    return TEMPLATE.read_text().format(environments="\n".join(parts))


def _intro(network: Network) -> str:
    kinds = [caller.kind for caller in network.callers]
    inside = ", ".join(f"{kinds.count(kind)} × {kind}" for kind in dict.fromkeys(kinds))
    interfaces = [e for _, e in network.endpoints.values() if e["VpcEndpointType"] == "Interface"]
    zones = sum(len(endpoint["SubnetIds"]) for endpoint in interfaces)
    paid = (
        f"{len(interfaces)} interface endpoints ({zones} interfaces, paid by the hour)" if interfaces else "none paid"
    )
    free = len(network.endpoints) - len(interfaces)
    return f"In the VPC: {inside}. Endpoints: {free} gateways (free), {paid}."


def _remark(call: Call) -> str:
    kinds = (*sorted(call.caller.traits), call.caller.kind)
    return next((TABLE["remarks"][key] for k in kinds if (key := f"{k} {call.service}") in TABLE["remarks"]), "")


def _actions(call: Call) -> str:
    return ", ".join(f"`{action}`" for action in call.actions)


def main(arguments: list[str]) -> int:
    """Write docs/networks.md; with `--check`, only say whether it is fresh."""
    text = render({environment: Assembly.synthesized(environment) for environment in ENVIRONMENTS})
    if "--check" not in arguments:
        DOCUMENT.write_text(text)
        print(f"wrote {DOCUMENT.name}")
        return 0
    if DOCUMENT.exists() and DOCUMENT.read_text() == text:
        return 0
    print(f"{DOCUMENT.name} is stale: the templates have changed. Run `make docs`.")
    return 1
