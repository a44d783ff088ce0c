"""What the policies of the gateway endpoints let through: this account's data, and by name what AWS needs."""

from collections.abc import Iterator, Mapping
from typing import Any

from gates.assembly import ACCOUNT, Assembly, as_list
from gates.iam.roles import text
from gates.outcome import Finding

OURS = {"StringEquals": {"aws:ResourceAccount": ACCOUNT}}
EVERYBODY = ("*", {"AWS": "*"})  # a role's own policy says who; the endpoint says where to
KNOWN = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}


def check(assembly: Assembly) -> Iterator[Finding]:
    """Each gateway lets all calls to this account through, and to other accounts only what cannot carry data out."""
    for where, raw in assembly.of("AWS::EC2::VPCEndpoint").items():
        if raw["VpcEndpointType"] != "Gateway":
            continue
        endpoint = text(assembly, where, raw)
        service = endpoint["ServiceName"].rpartition(".")[2]
        statements = as_list(endpoint.get("PolicyDocument", {}).get("Statement", []))
        if not statements:
            yield Finding("open-gateway", where, "without a policy it lets data out to any account")
        elif not any(_serves(statement, service) for statement in statements):
            yield Finding(
                "closed-gateway", where, f"its policy does not let {service}:* reach this account's resources"
            )
        for statement in statements:
            if not (_ours(statement) or _harmless(statement, assembly.region)):
                named = f"{statement.get('Action')} on {statement.get('Resource')}"
                yield Finding("open-gateway", where, f"{named}: not only for this account's resources")


def _ours(statement: Mapping[str, Any]) -> bool:
    return statement.get("Condition") == OURS


def _serves(statement: Mapping[str, Any], service: str) -> bool:
    return _ours(statement) and (
        set(statement) <= KNOWN
        and statement["Effect"] == "Allow"
        and statement.get("Principal") in EVERYBODY
        and f"{service}:*" in as_list(statement.get("Action", []))
        and "*" in as_list(statement.get("Resource", []))
    )


def _harmless(statement: Mapping[str, Any], region: str) -> bool:
    """Reading, as Glue reads its libraries; the answer of a custom resource, to the bucket of this region:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/vpc-interface-endpoints.html."""
    answers = f"arn:aws:s3:::cloudformation-custom-resource-response-{region.replace('-', '')}/*"
    actions, resources = as_list(statement.get("Action", [])), as_list(statement.get("Resource", []))
    plain = statement["Effect"] == "Allow" and set(statement) <= KNOWN - {"Condition"}
    return plain and (actions == ["s3:GetObject"] or (actions == ["s3:PutObject"] and resources == [answers]))
