"""Each call that leaves the VPC, and the endpoint that serves it: by `com.amazonaws` name, name resolution, security
groups and routes, as the templates give them.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gates.assembly import Assembly
from gates.networks import gateways
from gates.networks.callers import TABLE, Caller, Callers, owners, strangers
from gates.outcome import Finding, Outcome

HTTPS = 443


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
    findings = [*network.outside(), *strangers(assembly), *gateways.check(assembly)]
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
    leaving = sum(not call.elsewhere for call in calls)
    text = f"{len(network.callers)} callers in the VPC, {leaving} services called, {len(network.endpoints)} endpoints"
    return Outcome(text, sorted(set(findings)))


class Network:
    """The VPC of an assembly: who is in it, and its endpoints."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly, self._everybody = assembly, Callers(assembly).everybody

    @cached_property
    def callers(self) -> list[Caller]:
        """All that runs in the VPC, functions first."""
        return sorted(
            (c for c in self._everybody if c.subnets), key=lambda c: (c.kind != "function", c.kind.lower(), c.name)
        )

    def outside(self) -> Iterator[Finding]:
        """Where any function is in the VPC, everything must be; the warehouse must be in any environment."""
        private = any(caller.kind == "function" for caller in self.callers)
        for caller in self._everybody:
            if not caller.subnets and (private or caller.kind == "warehouse"):
                yield Finding("outside-the-vpc", caller.where, f"{caller.name} calls past the VPC and its endpoints")

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
            found[text.removeprefix("com.amazonaws.").removeprefix("aws.sagemaker.").partition(".")[2]] = (
                where,
                endpoint,
            )
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
            tables = owners(self._assembly, where, endpoint.get("RouteTableIds", []))
            for subnet in sorted(caller.subnets):
                if self._route_tables.get(subnet) not in tables:
                    yield Finding("no-route", at, f"the route table of {subnet} has no route to {where}")
            if not any(self._open_egress(group, None) for group in caller.groups):
                yield Finding("closed-egress-to-gateway", at, "no security group of the caller lets HTTPS out")
            return
        yield from self._names(where, endpoint, at)
        for subnet in sorted(caller.subnets - owners(self._assembly, where, endpoint.get("SubnetIds", []))):
            yield Finding("no-interface", at, f"{where} has no interface in {subnet}")
        groups = owners(self._assembly, where, endpoint.get("SecurityGroupIds", []))
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


def _way(caller: Caller, action: str) -> tuple[str | None, dict[str, str]]:
    """The endpoint that serves an action, or who makes the call instead; neither where the table does not know."""
    service = action.partition(":")[0]
    others = TABLE["elsewhere"].get(caller.kind, {})
    other = others.get(action, others.get(service))
    services = {each.partition(":")[0] for each in caller.actions}
    if action not in caller.own and other and other.get("if", "") in {"", *caller.traits, *services}:
        return None, other
    return TABLE["endpoints"].get(action, TABLE["endpoints"].get(service)), {}


def _https(rule: dict[str, Any]) -> bool:
    if str(rule["IpProtocol"]) == "-1":
        return True
    return rule["IpProtocol"] == "tcp" and rule["FromPort"] <= HTTPS <= rule["ToPort"]
