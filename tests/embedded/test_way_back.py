"""The live endpoint changes only by an update that was asked for and verified, and every change has a way back.

One training run is killed where it would update the endpoint; what each state was given then, is what the tests start
from: so each state fails, or goes on, from where the run had really come to, without training again.
"""

import hashlib
import io
import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import wait

from examples import packed
from gates.assembly import Assembly
from solvent import datasets
from solvent.client import Execution, Platform
from solvent.rollout import Rollout

pytestmark = pytest.mark.embedded
ROOT = Path(__file__).parents[2]
APPLICANT = json.loads((ROOT / "examples" / "applicant.json").read_text())
PORTFOLIO = "lending"
CHANGES = {"CreateEndpoint", "UpdateEndpoint"}
ONLY_TOLD = {"LogExperiment"}  # whose failure stands in the report, and the run goes on
# What of prod's `train` differs from dev's between the model and the end, and has no reference in it.
AFTER_SERVICE = ("RegisterScaling", "PutScalingPolicy", "NoteScaling", "ScalingFailed")
OF_PROD = ("UpdateEndpoint", "CheckEndpoint", "LiveAlready", "DescribeInstances", "SameInstances", "StopScaling",
           *AFTER_SERVICE)  # fmt: skip
NOBODY = {"FunctionName": "solvent-dev-run-control", "Payload": {"action": "fail on purpose"}}
FAILS = {"Resource": "arn:aws:states:::lambda:invoke", "Parameters": NOBODY, "Retry": []}
TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension")
KILLED = {"Type": "Fail", "Error": "Killed"}


@dataclass(frozen=True)
class Killed:
    """A run of `train` that ended at UpdateEndpoint: its definition, and the input of each state that it entered."""

    definition: dict[str, Any]
    inputs: dict[str, Any]


@pytest.fixture(scope="module")
def live(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """With a champion."""
    folder = tmp_path_factory.mktemp("delivery")
    datasets.write("synthetic", folder, size=400, seed=2)
    done = platform.run("pipeline", {"manifest": platform.load(folder)}, timeout=300)
    assert done.status == "SUCCEEDED", f"{done.error}: {done.cause}"
    return platform


def challenge(platform: Platform, weight: float) -> Execution:
    return platform.run("train", {"portfolio": PORTFOLIO, "challenger_weight": weight}, timeout=240)


def endpoint(platform: Platform) -> dict[str, Any]:
    found = platform.target.client("sagemaker").describe_endpoint(EndpointName=platform.names.endpoint(PORTFOLIO))
    return {name: found[name] for name in ("EndpointConfigName", "LastModifiedTime", "EndpointStatus")}


def answers(platform: Platform, times: int) -> Counter[str]:
    """Who answered so many requests, by variant."""
    runtime, name = platform.target.client("sagemaker-runtime"), platform.names.endpoint(PORTFOLIO)
    request = {"EndpointName": name, "ContentType": "application/json", "Body": json.dumps(APPLICANT)}
    return Counter(runtime.invoke_endpoint(**request)["InvokedProductionVariant"] for _ in range(times))


def rollout(platform: Platform) -> Rollout:
    return Rollout(platform.target.client("sagemaker"), platform.names, patience=60, pause=0.2)


@pytest.fixture(scope="module")
def killed(live: Platform) -> Iterator[Killed]:
    states, arn = live.target.client("stepfunctions"), live.machine_arn("train")
    before = states.describe_state_machine(stateMachineArn=arn)["definition"]
    mortal = json.loads(before)
    mortal["States"]["UpdateEndpoint"] = KILLED
    states.update_state_machine(stateMachineArn=arn, definition=json.dumps(mortal))
    was = endpoint(live)
    try:
        done = challenge(live, 0.5)
    finally:
        states.update_state_machine(stateMachineArn=arn, definition=before)
    assert (done.status, done.error) == ("FAILED", "Killed"), done.cause
    assert endpoint(live) == was  # whose time says that it has not changed in between either
    events = states.get_paginator("get_execution_history").paginate(executionArn=done.arn)
    entered = [
        e["stateEnteredEventDetails"] for page in events for e in page["events"] if "stateEnteredEventDetails" in e
    ]
    yield Killed(json.loads(before), {state["name"]: json.loads(state["input"]) for state in entered})


def start(platform: Platform, definition: dict[str, Any], at: str, given: Any) -> str:
    """An execution of a machine like `train`, with its role, that begins at a state."""
    states = platform.target.client("stepfunctions")
    role = states.describe_state_machine(stateMachineArn=platform.machine_arn("train"))["roleArn"]
    text = json.dumps({**definition, "StartAt": at})
    machine = states.create_state_machine(name=f"way-back-{at}-{abs(hash(text))}", roleArn=role, definition=text)
    return str(
        states.start_execution(**{"stateMachineArn": machine["stateMachineArn"], "input": json.dumps(given)})[
            "executionArn"
        ]
    )


def ended(platform: Platform, execution: str) -> dict[str, Any]:
    states = platform.target.client("stepfunctions")

    def found() -> Any:
        described = states.describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else None

    return dict(wait(found, 120))


def broken(definition: dict[str, Any], name: str, by: dict[str, Any]) -> dict[str, Any]:
    """The definition with one state that ends the execution (KILLED), or fails and is caught as ever (FAILS)."""
    state = by if by is KILLED else {**definition["States"][name], **by}
    return {**definition, "States": {**definition["States"], name: state}}


def before_the_change(definition: dict[str, Any]) -> list[str]:
    """The Tasks that can be reached without passing a state that changes the endpoint, and those states themselves."""
    states, found, todo = definition["States"], set(), [definition["StartAt"]]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        if name not in CHANGES | {"AwaitEndpoint"}:  # which is next to them, and where the wanted one is live already
            nexts = [states[name][key] for key in ("Next", "Default") if key in states[name]]
            todo += nexts + [b["Next"] for key in ("Choices", "Catch") for b in states[name].get(key, [])]
    return sorted(
        n for n in found if states[n]["Type"] == "Task" and n not in {"RecordFailure", "CompleteRun"} | ONLY_TOLD
    )


def test_whatever_state_fails_before_the_update_the_endpoint_stays_as_it_is(live: Platform, killed: Killed) -> None:
    was, last = endpoint(live), killed.inputs["UpdateEndpoint"]
    names = before_the_change(killed.definition)
    assert CHANGES | {"BeginRun", "Train", "EvaluateModel", "RegisterModel", "CreateModel"} <= set(names)
    executions = {
        name: start(live, broken(killed.definition, name, FAILS), name, killed.inputs.get(name, last)) for name in names
    }
    for name, execution in executions.items():
        done = ended(live, execution)
        assert done["status"] == "FAILED" and "fail on purpose" in done.get("cause", ""), (name, done)
    assert endpoint(live) == was
    assert answers(live, 20) == {"champion": 20}


def test_a_model_that_a_gate_refuses_goes_nowhere(live: Platform, killed: Killed) -> None:
    was, given = endpoint(live), killed.inputs["GatePassed"]
    gate = {**given["gate"], "passed": False, "failures": ["AUC 0.61 is 0.04 below the champion's"]}
    done = ended(live, start(live, killed.definition, "GatePassed", {**given, "gate": gate}))
    assert (done["status"], done["error"]) == ("FAILED", "GateRefused")
    assert "below the champion's" in done["cause"]
    assert endpoint(live) == was


def test_an_update_that_is_rolled_back_is_noticed(live: Platform, killed: Killed) -> None:
    was = endpoint(live)
    alarm = live.names.named(f"{PORTFOLIO}-champion-endpoint-errors")
    cloudwatch = live.target.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
    try:
        done = ended(live, start(live, killed.definition, "UpdateEndpoint", killed.inputs["UpdateEndpoint"]))
    finally:
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="test")
    assert (done["status"], done["error"]) == ("FAILED", "EndpointRolledBack"), done
    now = endpoint(live)
    assert now["EndpointConfigName"] == was["EndpointConfigName"] in done["cause"]
    assert answers(live, 20) == {"champion": 20}


def touched(archive: bytes) -> bytes:
    """The archive with another scorecard or other trees, and a model.json that agrees with them."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        held = {m.name.removeprefix("./"): tar.extractfile(m).read() for m in tar if m.isfile()}  # type: ignore[union-attr]
    name = "scorecard.json" if "scorecard.json" in held else "trees.json"
    manifest = json.loads(held["model.json"])
    held[name] = json.dumps({**json.loads(held[name]), "refer": 0.0}).encode()
    manifest["files"][name] = hashlib.sha256(held[name]).hexdigest()
    return packed({**held, "model.json": json.dumps(manifest).encode()})


def test_an_archive_that_was_changed_after_it_was_judged_does_not_come_up(live: Platform, killed: Killed) -> None:
    was, given = endpoint(live), killed.inputs["CreateModel"]
    bucket, key = given["trained"]["model_artifact"].removeprefix("s3://").split("/", 1)
    s3 = live.target.client("s3")
    judged = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    run = {**given["run"], "job_name": f"{given['run']['job_name']}-t", "challenger_weight": 0}
    s3.put_object(Bucket=bucket, Key=key, Body=touched(judged))
    try:
        done = ended(live, start(live, killed.definition, "CreateModel", {**given, "run": run}))
    finally:
        s3.put_object(Bucket=bucket, Key=key, Body=judged)
    assert (done["status"], done["error"]) == ("FAILED", "EndpointRolledBack"), done
    name = live.names.endpoint(PORTFOLIO)
    described = live.target.client("sagemaker").describe_endpoint(EndpointName=name)
    assert "model.json is not the file that was exported" in described["FailureReason"]
    assert endpoint(live)["EndpointConfigName"] == was["EndpointConfigName"]
    assert answers(live, 20) == {"champion": 20}


def test_a_challenger_gets_its_share_is_promoted_and_dropped_and_the_endpoint_goes_back(
    live: Platform, killed: Killed
) -> None:
    was, champion = endpoint(live)["EndpointConfigName"], live.champion()
    done = ended(live, start(live, killed.definition, "UpdateEndpoint", killed.inputs["UpdateEndpoint"]))
    assert done["status"] == "SUCCEEDED", done.get("cause")
    by_variant = answers(live, 200)
    assert 60 < by_variant["challenger"] < 140  # 100, and five and a half standard deviations of 7.1
    assert live.champion()["model"] == champion["model"]  # of equals the one that was it before

    assert rollout(live).share(PORTFOLIO, 1.0) == {"champion": 0.0, "challenger": 1.0}
    assert answers(live, 30) == {"challenger": 30}
    assert live.champion()["version"] > champion["version"]
    rollout(live).share(PORTFOLIO, 0.0)
    assert answers(live, 30) == {"champion": 30}
    assert live.champion()["model"] == champion["model"]

    captured = wait(lambda: {"champion", "challenger"} <= captured_variants(live), 20)
    assert captured
    assert rollout(live).back(PORTFOLIO) == was
    assert endpoint(live)["EndpointConfigName"] == was
    assert answers(live, 20) == {"champion": 20}


def captured_variants(platform: Platform) -> set[str]:
    s3, bucket = platform.target.client("s3"), platform.target.bucket("artifacts")
    found = s3.list_objects_v2(Bucket=bucket, Prefix=f"captured/{PORTFOLIO}/").get("Contents", [])
    return {item["Key"].split("/")[3] for item in found}


def with_all_that_follows(definition: dict[str, Any], prod: dict[str, Any]) -> dict[str, Any]:
    """`dev`, with what prod does once an endpoint is in service; SQL cannot call the model here, so that fails."""
    own = definition["States"]
    states = {**own, **{name: prod[name] for name in ("CheckEndpoint", *AFTER_SERVICE, "TidyFailed", "SqlModelFailed")}}
    states["TidyConfigurations"] = {**own["TidyConfigurations"], "Next": "MakeSqlModel"}
    states["MakeSqlModel"] = {**prod["MakeSqlModel"], **FAILS}
    payload = own["CompleteRun"]["Parameters"]["Payload"]
    payload = {**payload, "result": prod["CompleteRun"]["Parameters"]["Payload"]["result"]}
    parameters = {**own["CompleteRun"]["Parameters"], "Payload": payload}
    return {**definition, "States": {**states, "CompleteRun": {**own["CompleteRun"], "Parameters": parameters}}}


def test_whatever_state_fails_after_the_update_the_wanted_model_answers_and_a_redrive_ends_well(
    live: Platform, killed: Killed
) -> None:
    was = endpoint(live)["EndpointConfigName"]
    # Instances that SageMaker scales, as many as the scaling target's minimum: so it changes nothing when it comes.
    text = json.dumps(with_all_that_follows(killed.definition, prods_train()))
    text = text.replace("ml.t2.medium", "ml.m5.large").replace('"InitialInstanceCount": 1', '"InitialInstanceCount": 2')
    definition = json.loads(text)
    run = {**killed.inputs["CreateModel"]["run"], "job_name": f"{killed.inputs['CreateModel']['run']['job_name']}-r"}
    given, again = ({**killed.inputs[state], "run": run} for state in ("CreateModel", "DescribeLive"))
    with_scaling(live)
    broken_off = ended(live, start(live, broken(definition, "DescribeEndpoint", KILLED), "CreateModel", given))
    assert broken_off["error"] == "Killed"
    wait(lambda: endpoint(live)["EndpointStatus"] == "InService", 60)
    now = endpoint(live)
    assert now["EndpointConfigName"] == run["job_name"] != was

    # Every one of these is the redrive of the one before: it finds the wanted configuration live, and updates nothing.
    fatal = {"DescribeEndpoint", "CompleteRun"}
    told = {"RegisterScaling", "PutScalingPolicy", "TidyConfigurations", "MakeSqlModel"}
    executions = {
        (name, by["Type"] if by is KILLED else "Fails"): start(
            live, broken(definition, name, by), "DescribeLive", again
        )
        for name in sorted(fatal | told)
        for by in (FAILS, KILLED)
    }
    for (name, how), execution in executions.items():
        expected = "SUCCEEDED" if how == "Fails" and name in told else "FAILED"
        assert ended(live, execution)["status"] == expected, (name, how)
    assert endpoint(live) == now
    assert set(answers(live, 40)) == {"champion", "challenger"}

    done = ended(live, start(live, definition, "DescribeLive", again))
    assert done["status"] == "SUCCEEDED", done.get("cause")
    report = json.loads(done["output"])["report"]
    bucket, key = report.removeprefix("s3://").split("/", 1)
    told_of = json.load(live.target.client("s3").get_object(Bucket=bucket, Key=key)["Body"])["result"]
    assert told_of["scaling"] == "2 to 4 instances"
    assert (
        told_of["sql_model"].startswith("not made; the model is live: ") and "fail on purpose" in told_of["sql_model"]
    )
    assert endpoint(live) == now
    scaling = live.target.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    scaling.deregister_scalable_target(**{name: target[name] for name in TARGET})  # else no other instance type
    assert rollout(live).back(PORTFOLIO, to=was) == was


def test_prod_shifts_by_canary_and_scales_what_is_in_service(live: Platform, killed: Killed) -> None:
    """`dev`, with the states of prod's definition: two larger instances, a canary, a scaling target."""
    prod = prods_train()
    grafted = {name: prod[name] for name in OF_PROD}
    grafted["WaitEndpoint"] = {**prod["WaitEndpoint"], "Seconds": 1}
    larger = json.loads(json.dumps(killed.definition["States"]["CreateEndpointConfig"]))
    larger["Parameters"]["ProductionVariants"] = prod["CreateEndpointConfig"]["Parameters"]["ProductionVariants"]
    definition = {
        **killed.definition,
        "States": {**killed.definition["States"], **grafted, "CreateEndpointConfig": larger},
    }
    given = killed.inputs["CreateModel"]
    given = {**given, "run": {**given["run"], "job_name": f"{given['run']['job_name']}-p", "challenger_weight": 0}}
    with_scaling(live)

    done = ended(live, start(live, definition, "CreateModel", given))

    assert done["status"] == "SUCCEEDED", done.get("cause")
    assert endpoint(live)["EndpointConfigName"] == given["run"]["job_name"]
    scaling = live.target.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["ResourceId"] == f"endpoint/{live.names.endpoint(PORTFOLIO)}/variant/champion"
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 4)
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["PolicyType"] == "TargetTrackingScaling"

    # Another instance type: SageMaker refuses the update of a variant that scales, so the target goes and comes back.
    other = json.loads(json.dumps(definition).replace("ml.m5.large", "ml.m5.xlarge"))
    given = {**given, "run": {**given["run"], "job_name": f"{given['run']['job_name']}-q"}}
    done = ended(live, start(live, other, "CreateModel", given))
    assert done["status"] == "SUCCEEDED", done.get("cause")
    (again,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert again["ScalableTargetARN"] != target["ScalableTargetARN"]
    # dev's own machine, which other tests start, knows of no scaling.
    scaling.deregister_scalable_target(**{name: again[name] for name in TARGET})


def prods_train() -> dict[str, Any]:
    """The states of prod's `train`, under dev's names."""
    states = Assembly("prod", ROOT / "cdk.out" / "prod").definitions["solvent-prod-train"]["States"]
    return dict(json.loads(json.dumps(states).replace("solvent-prod", "solvent-dev")))


def with_scaling(platform: Platform) -> None:
    """Give the role of dev's `train` what prod's has for scaling (prod's own is judged by the least-privilege gate)."""
    arn = platform.target.client("stepfunctions").describe_state_machine(stateMachineArn=platform.machine_arn("train"))
    actions = ["application-autoscaling:*", "sagemaker:DescribeEndpointConfig"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    platform.target.client("iam").put_role_policy(
        RoleName=arn["roleArn"].rsplit("/", 1)[-1], PolicyName="scaling", PolicyDocument=json.dumps(policy)
    )
