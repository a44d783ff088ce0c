"""`python -m gates.networks` writes docs/networks.md: each call that leaves the VPC, and who else calls what."""

from pathlib import Path

from gates.assembly import ENVIRONMENTS, ROOT, Assembly
from gates.networks.callers import TABLE
from gates.networks.paths import Call, Network

DOCUMENT = ROOT / "docs" / "networks.md"
TEMPLATE = Path(__file__).parent / "document.md"


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
