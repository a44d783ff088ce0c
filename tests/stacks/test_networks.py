"""No call from the VPC without an endpoint: the gate on our own templates, and on copies with one fault each."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gates.assembly import Assembly
from gates.networks import paths as networks
from gates.networks import report
from gates.networks.callers import TABLE
from gates.networks.paths import Network
from stacks import config

Resources = dict[str, Any]


@pytest.fixture
def damaged(prod: Assembly, tmp_path: Path) -> Callable[..., set[str]]:
    """Change one template of a copy of prod; the rules that the gate then names."""

    def rules(part: str, change: Callable[[Resources], object]) -> set[str]:
        shutil.copytree(prod.folder, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("asset.*"))
        path = tmp_path / f"Solvent-prod-{part}.template.json"
        template = json.loads(path.read_text())
        change(template["Resources"])
        path.write_text(json.dumps(template))
        return {finding.rule for finding in networks.check(Assembly("prod", tmp_path)).findings}

    return rules


def _endpoint(resources: Resources, service: str) -> str:
    found = [
        logical_id
        for logical_id, r in resources.items()
        if r["Type"] == "AWS::EC2::VPCEndpoint" and f".{service}" in json.dumps(r["Properties"]["ServiceName"])
    ]
    assert len(found) == 1, service
    return found[0]


def _of(resources: Resources, kind: str) -> list[dict[str, Any]]:
    found = [r["Properties"] for r in resources.values() if r["Type"] == kind]
    assert found, kind
    return found


def _change_endpoint(service: str, **properties: Any) -> Callable[[Resources], object]:
    return lambda r: r[_endpoint(r, service)]["Properties"].update(properties)


def _change_all(kind: str, **properties: Any) -> Callable[[Resources], object]:
    return lambda r: [p.update(properties) for p in _of(r, kind)]


def _drop_all(kind: str) -> Callable[[Resources], object]:
    return lambda r: [r.pop(name) for name in [name for name in r if r[name]["Type"] == kind]]


def _allow(action: str) -> Callable[[Resources], object]:
    return lambda r: _of(r, "AWS::IAM::Policy")[0]["PolicyDocument"]["Statement"].append(
        {"Effect": "Allow", "Action": action, "Resource": "*"}
    )


OWNER = "aws:ResourceAccount"
STRANGER = "arn:aws:iam::222222222222:role/x"


def _limited(sid: str, **condition: Any) -> Callable[[Resources], object]:
    """A gateway's statement under another condition."""

    def change(resources: Resources) -> None:
        documents = [p["PolicyDocument"] for p in _of(resources, "AWS::EC2::VPCEndpoint") if "PolicyDocument" in p]
        (found,) = [s for document in documents for s in document["Statement"] if s.get("Sid") == sid]
        found["Condition"] = condition

    return change


def _let_out(action: Any, resource: str = "*") -> Callable[[Resources], object]:
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": action, "Resource": resource}
    return lambda r: r[_endpoint(r, "s3")]["Properties"]["PolicyDocument"]["Statement"].append(statement)


def test_no_call_is_without_an_endpoint(assembly: Assembly) -> None:
    outcome = networks.check(assembly)
    assert outcome.findings == []
    assert "0 callers" not in outcome.looked_at and " 0 services" not in outcome.looked_at


def test_in_dev_only_the_warehouse_is_in_the_vpc_and_nothing_is_paid_for(dev: Assembly) -> None:
    network = Network(dev)
    assert [(caller.kind, caller.name) for caller in network.callers] == [("warehouse", "solvent-dev")]
    assert {endpoint["VpcEndpointType"] for _, endpoint in network.endpoints.values()} == {"Gateway"}
    assert {call.endpoint for call in network.calls() if call.endpoint} == {"s3"}


def test_in_prod_everything_that_runs_is_in_the_vpc(prod: Assembly) -> None:
    callers = Network(prod).callers
    assert {c.name for c in callers if c.kind == "function"} == {
        p["FunctionName"] for p in prod.of("AWS::Lambda::Function").values()
    }
    assert {c.name for c in callers if c.kind == "SageMaker"} == {
        "solvent-prod-train Train",
        "solvent-prod-train CreateModel",
    }
    assert {c.name for c in callers if c.kind in ("Glue job", "warehouse")} == {
        *(f"solvent-prod-{job}" for job in ("etl", "erase", "compact", "extract")), "solvent-prod",
    }  # fmt: skip
    assert all(caller.actions and caller.groups for caller in callers)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("solvent-prod-api", {"sagemaker.runtime", "xray"}),
        ("solvent-prod-run-control", {"dynamodb", "glue", "s3", "sagemaker.api", "states", "xray"}),
        ("solvent-prod-stream-ingest", {"s3", "xray"}),  # Lambda's poller reads the stream and tells the queue
        # The Data API reads the password; the answer to CloudFormation goes to S3.
        ("solvent-prod-migrate", {"redshift-data", "s3", "xray"}),
        ("solvent-prod-train Train", {"s3", "logs", "monitoring"}),
        ("solvent-prod-etl", {"s3", "glue", "kms", "logs", "monitoring"}),
        (
            "solvent-prod-erase",
            {"dynamodb", "s3", "glue", "kms", "logs", "monitoring", "redshift-data", "states"},
        ),
        ("solvent-prod", {"s3", "sagemaker.runtime"}),
    ],
)
def test_who_calls_what_from_the_vpc(prod: Assembly, name: str, expected: set[str]) -> None:
    assert {call.endpoint for call in Network(prod).calls() if call.caller.name == name and call.endpoint} == expected


def test_the_configured_endpoints_are_those_that_are_called(prod: Assembly) -> None:
    called = {call.endpoint for call in Network(prod).calls() if call.endpoint} - {"s3", "dynamodb"}
    assert called == set(config.load("prod").interface_endpoints)


def test_every_explanation_is_needed(prod: Assembly) -> None:
    calls = Network(prod).calls()
    needed = {call.elsewhere["why"] for call in calls if call.elsewhere}
    assert needed == {way["why"] for ways in TABLE["elsewhere"].values() for way in ways.values()}
    switched_off = config.OPTION_ENDPOINTS["streaming_view"]  # called in tests/stacks/test_warehouse_options.py
    called = {call.endpoint for call in calls if call.endpoint}
    assert set(TABLE["endpoints"].values()) == {*called, switched_off} != called
    shown = {f"{kind} {c.service}" for c in calls if c.endpoint for kind in (c.caller.kind, *c.caller.traits)}
    assert set(TABLE["remarks"]) - {"warehouse kinesis"} <= shown
    assert all(way["source"].startswith("https://") for ways in TABLE["elsewhere"].values() for way in ways.values())


CLOSED = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0"}]


@pytest.mark.parametrize(
    ("rule", "part", "change"),
    [
        ("unknown-role", "Warehouse", _change_all("AWS::RedshiftServerless::Namespace", IamRoles=[STRANGER])),
        ("unknown-role", "Etl", _change_all("AWS::Glue::Job", Role=STRANGER)),
        ("unknown-role", "Api", _change_all("AWS::Lambda::Function", Role=STRANGER)),
        ("open-gateway", "Network", _limited("BucketsOfThisAccount", StringEquals={OWNER: "222222222222"})),
        ("open-gateway", "Network", _limited("TablesOfThisAccount", StringNotEquals={OWNER: "111111111111"})),
        ("open-gateway", "Network", _limited("BucketsOfThisAccount", StringEqualsIfExists={OWNER: "111111111111"})),
        ("open-gateway", "Network", _let_out("s3:PutObject", "arn:aws:s3:::exfiltration/*")),
        ("open-gateway", "Network", _let_out("s3:PutObject", "arn:aws:s3:::*")),
        ("closed-gateway", "Network", _limited("BucketsOfThisAccount", StringEquals={OWNER: "222222222222"})),
        ("no-endpoint", "Network", lambda r: r.pop(_endpoint(r, "states"))),
        ("no-endpoint", "Network", lambda r: r.pop(_endpoint(r, "dynamodb"))),
        ("no-endpoint", "Network", _change_endpoint("glue", ServiceName="com.amazonaws.eu-west-1.sqs")),
        ("idle-endpoint", "Network", _change_endpoint("glue", ServiceName="com.amazonaws.eu-west-1.sqs")),
        ("no-private-dns", "Network", _change_endpoint("states", PrivateDnsEnabled=False)),
        ("no-private-dns", "Network", _change_all("AWS::EC2::VPC", EnableDnsHostnames=False)),
        ("no-interface", "Network", lambda r: r[_endpoint(r, "logs")]["Properties"]["SubnetIds"].pop()),
        ("closed-ingress", "Network", _drop_all("AWS::EC2::SecurityGroupIngress")),
        ("closed-ingress", "Network", _change_all("AWS::EC2::SecurityGroupIngress", FromPort=80, ToPort=80)),
        ("closed-egress", "Network", _change_all("AWS::EC2::SecurityGroup", SecurityGroupEgress=CLOSED)),
        ("closed-egress-to-gateway", "Network", _change_all("AWS::EC2::SecurityGroup", SecurityGroupEgress=CLOSED)),
        ("no-route", "Network", _change_endpoint("s3", RouteTableIds=[])),
        ("no-route", "Network", _drop_all("AWS::EC2::SubnetRouteTableAssociation")),
        ("outside-the-vpc", "Api", lambda r: _of(r, "AWS::Lambda::Function")[0].pop("VpcConfig")),
        ("outside-the-vpc", "Etl", lambda r: _of(r, "AWS::Glue::Job")[0].pop("Connections")),
        ("outside-the-vpc", "Warehouse", _change_all("AWS::RedshiftServerless::Workgroup", EnhancedVpcRouting=False)),
        ("open-gateway", "Network", lambda r: r[_endpoint(r, "s3")]["Properties"].pop("PolicyDocument")),
        ("open-gateway", "Network", _let_out("s3:PutObject")),
        ("open-gateway", "Network", _let_out(["s3:GetObject", "s3:*"])),
        ("unmapped-call", "Api", _allow("sqs:SendMessage")),  # no queue is called from inside
        ("unmapped-call", "Api", _allow("comprehend:DetectEntities")),
        ("unmapped-call", "Ingestion", _drop_all("AWS::Lambda::EventSourceMapping")),  # then the function reads itself
    ],
)
def test_each_fault_is_named(
    damaged: Callable[..., set[str]], rule: str, part: str, change: Callable[[Resources], object]
) -> None:
    assert rule in damaged(part, change)


def test_a_model_outside_the_vpc_is_named(damaged: Callable[..., set[str]]) -> None:
    def change(resources: Resources) -> None:
        for machine in _of(resources, "AWS::StepFunctions::StateMachine"):
            text = json.dumps(machine["DefinitionString"])
            machine["DefinitionString"] = json.loads(text.replace('\\"VpcConfig\\"', '\\"NoVpcConfig\\"'))

    assert damaged("Orchestration", change) == {"outside-the-vpc"}


def test_the_warehouse_must_be_routed_through_the_vpc_in_dev_too(dev: Assembly, tmp_path: Path) -> None:
    shutil.copytree(dev.folder, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("asset.*"))
    path = tmp_path / "Solvent-dev-Warehouse.template.json"
    path.write_text(path.read_text().replace('"EnhancedVpcRouting": true', '"EnhancedVpcRouting": false'))
    assert {f.rule for f in networks.check(Assembly("dev", tmp_path)).findings} == {"outside-the-vpc"}


def test_a_container_with_a_network_could_call_itself(prod: Assembly) -> None:
    isolated = next(caller for caller in Network(prod).callers if caller.kind == "SageMaker")
    assert "network isolation" in isolated.traits
    assert networks._way(isolated, "kms:Decrypt")[0] is None
    open_one = dataclasses.replace(isolated, traits=frozenset())
    assert networks._way(open_one, "kms:Decrypt")[0] == "kms"


def test_what_the_code_calls_itself_no_service_calls_instead(prod: Assembly) -> None:
    api = next(caller for caller in Network(prod).callers if caller.name == "solvent-prod-api")
    assert api.own == {"sagemaker:InvokeEndpoint"}
    assert networks._way(api, "kms:Decrypt")[0] is None
    assert networks._way(dataclasses.replace(api, own=frozenset({"kms:Decrypt"})), "kms:Decrypt")[0] == "kms"


def test_the_document_names_every_call(prod: Assembly) -> None:
    text = report.render({"prod": prod})
    assert all(f"`{call.caller.name}`" in text for call in Network(prod).calls() if call.endpoint)
    assert all(action in text for call in Network(prod).calls() if call.endpoint for action in call.actions)
