"""The live endpoint changes only by an update that was asked for and verified, and every change has a way back.

These are prod's own states, under its role: a person approves, a canary takes the load, the champion scales. One
training run is killed where it would update the endpoint; what each state was given then, is what the tests start from:
so each state fails, or goes on, from where the run had really come to, without training again.
"""

import hashlib
import io
import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from persons import Persons, begin, ended, item, wait

from examples import packed
from solvent.client import Platform
from solvent.rollout import Rollout

pytestmark = pytest.mark.embedded
ROOT = Path(__file__).parents[2]
APPLICANT = json.loads((ROOT / "examples" / "applicant.json").read_text())
PORTFOLIO = "lending"
CHANGES = {"CreateEndpoint", "UpdateEndpoint"}
ONLY_TOLD = {"LogExperiment"}  # whose failure stands in the report, and the run goes on
NOBODY = {"FunctionName": "solvent-prod-run-control", "Payload": {"action": "fail on purpose"}}
FAILS = {"Resource": "arn:aws:states:::lambda:invoke", "Parameters": NOBODY, "Retry": []}
OF_SAGEMAKER = {"ServiceNamespace": "sagemaker"}
KILLED = {"Type": "Fail", "Error": "Killed"}


@dataclass(frozen=True)
class Killed:
    """A run of `train` that ended at UpdateEndpoint: its definition, and the input of each state that it entered."""

    definition: dict[str, Any]
    inputs: dict[str, Any]


@pytest.fixture(scope="module")
def live(live_prod: Platform) -> Platform:
    return live_prod


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
def killed(live: Platform, persons: Persons) -> Killed:
    states = live.target.client("stepfunctions")
    machine = states.describe_state_machine(stateMachineArn=live.machine_arn("train"))
    definition = json.loads(machine["definition"])
    was, champion = endpoint(live), live.champion()["model"]
    run = f"train#{PORTFOLIO}#{item(live, f'latest#{PORTFOLIO}')['run_id']}#{champion}"
    mortal = broken(definition, "UpdateEndpoint", KILLED)
    execution = start(live, mortal, mortal["StartAt"], {"portfolio": PORTFOLIO, "challenger_weight": 0.5})
    persons.decide(wait(lambda: persons.awaited(run), 120, unless=lambda: ended(live, execution)), "Approved")
    done = finish(live, execution)
    assert (done["status"], done["error"]) == ("FAILED", "Killed"), done
    assert endpoint(live) == was  # whose time says that it has not changed in between either
    events = states.get_paginator("get_execution_history").paginate(executionArn=execution)
    entered = [
        e["stateEnteredEventDetails"] for page in events for e in page["events"] if "stateEnteredEventDetails" in e
    ]
    return Killed(definition, {state["name"]: json.loads(state["input"]) for state in entered})


def start(platform: Platform, definition: dict[str, Any], at: str, given: Any) -> str:
    """An execution of `train`, defined like this for once, that begins at a state."""
    states, arn = platform.target.client("stepfunctions"), platform.machine_arn("train")
    before = states.describe_state_machine(stateMachineArn=arn)["definition"]
    states.update_state_machine(stateMachineArn=arn, definition=json.dumps({**definition, "StartAt": at}))
    try:
        execution = begin(platform, "train", given)
        wait(lambda: len(states.get_execution_history(executionArn=execution)["events"]) > 1)  # it goes by it now
    finally:
        states.update_state_machine(stateMachineArn=arn, definition=before)
    return execution


def finish(platform: Platform, execution: str) -> dict[str, Any]:
    return dict(wait(lambda: ended(platform, execution), 120))


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
        done = finish(live, execution)
        assert done["status"] == "FAILED" and "fail on purpose" in done.get("cause", ""), (name, done)
    assert endpoint(live) == was
    assert answers(live, 20) == {"champion": 20}


def test_a_model_that_treats_women_worse_than_the_data_do_is_refused(live: Platform, killed: Killed) -> None:
    was, versions, given = endpoint(live), packages(live), killed.inputs["Train"]
    run = {**given["run"], "job_name": f"{given['run']['job_name']}-f"}
    run["training_prefix"] = made_unfair(live, run["training_prefix"])
    done = finish(live, start(live, killed.definition, "Train", {**given, "run": run}))
    assert (done["status"], done["error"]) == ("FAILED", "GateRefused"), done.get("cause")
    said = r"fairness: approval by sex has a ratio of 0\.\d+ \(female to male\), below the champion's 0\.\d+ by 0\.\d+"
    assert re.search(said + r" and below 0\.\d+ in the labels by 0\.\d+", done["cause"])
    assert packages(live) == versions
    assert endpoint(live) == was


def made_unfair(platform: Platform, prefix: str) -> str:
    """The prefix of a copy of the training data in which most women's credit lines are exhausted, and few men's.

    Nearly half of those default, whoever they are, and few others: to decline them declines eight women in ten.
    """
    s3, (bucket, folder) = platform.target.client("s3"), prefix.removeprefix("s3://").split("/", 1)
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket, Prefix=folder)["Contents"]]
    bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys if key.endswith(".parquet")]
    frame = pd.concat([pd.read_parquet(io.BytesIO(body)) for body in bodies], ignore_index=True)
    chance = np.random.default_rng(0)
    exhausted = chance.random(len(frame)) < np.where(frame["sex"] == "female", 0.8, 0.1)
    frame["utilisation"] = np.where(exhausted, 0.9, 0.1) + chance.uniform(0, 0.09, len(frame))
    defaulted = chance.random(len(frame)) < np.where(exhausted, 0.45, 0.05)
    frame["defaulted"] = frame["defaulted"].where(
        frame["defaulted"].isna(), defaulted.astype(int)
    )  # open: no label yet
    unfair = f"{folder.rstrip('/')}-unfair/"
    s3.put_object(Bucket=bucket, Key=f"{unfair}part.parquet", Body=frame.to_parquet())
    return f"s3://{bucket}/{unfair}"


def packages(platform: Platform) -> int:
    group, sagemaker = platform.names.model_package_group(PORTFOLIO), platform.target.client("sagemaker")
    return len(sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"])


def test_an_alarm_takes_the_canary_back_and_whoever_subscribed_is_told(live: Platform, killed: Killed) -> None:
    was, told = endpoint(live), Told(live)
    execution = start(live, killed.definition, "UpdateEndpoint", killed.inputs["UpdateEndpoint"])
    wait(lambda: endpoint(live)["EndpointStatus"] == "Updating", 30)
    # Nothing counts 5xx answers or failed executions here: what CloudWatch would make of them is set by hand.
    with ringing(live, f"{PORTFOLIO}-champion-endpoint-errors"):
        done = finish(live, execution)
    assert (done["status"], done["error"]) == ("FAILED", "EndpointRolledBack"), done
    now = endpoint(live)
    assert now["EndpointConfigName"] == was["EndpointConfigName"] in done["cause"]
    assert answers(live, 20) == {"champion": 20}

    report = report_of(live, killed.inputs["UpdateEndpoint"]["run"]["report"])
    assert (report["status"], report["error"]) == ("failed", "EndpointRolledBack")
    assert was["EndpointConfigName"] in report["cause"]
    with ringing(live, "train-failed"):
        assert live.names.named("train-failed") in wait(told.message, 10)


@contextmanager
def ringing(platform: Platform, name: str) -> Iterator[None]:
    cloudwatch, alarm = platform.target.client("cloudwatch"), platform.names.named(name)
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
    try:
        yield
    finally:
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="test")


class Told:
    """A subscriber of the topic of notifications."""

    def __init__(self, platform: Platform) -> None:
        self._sqs, target = platform.target.client("sqs"), platform.target
        topic = f"arn:aws:sns:{target.region}:{target.account_id}:{platform.names.named('notifications')}"
        queue = f"arn:aws:sqs:{target.region}:{target.account_id}:told"
        topics = {"Service": "sns.amazonaws.com"}
        allow = {"Effect": "Allow", "Principal": topics, "Action": "sqs:SendMessage", "Resource": queue}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        self._queue = self._sqs.create_queue(QueueName="told", Attributes={"Policy": policy})["QueueUrl"]
        target.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)

    def message(self) -> str | None:
        """What came, if something has."""
        (found, *_) = self._sqs.receive_message(QueueUrl=self._queue).get("Messages", [None])
        return str(found["Body"]) if found else None


def report_of(platform: Platform, uri: str) -> dict[str, Any]:
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    return dict(json.load(platform.target.client("s3").get_object(Bucket=bucket, Key=key)["Body"]))


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
        done = finish(live, start(live, killed.definition, "CreateModel", {**given, "run": run}))
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
    done = finish(live, start(live, killed.definition, "UpdateEndpoint", killed.inputs["UpdateEndpoint"]))
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


def test_whatever_state_fails_after_the_update_the_wanted_model_answers_and_a_redrive_ends_well(
    live: Platform, killed: Killed
) -> None:
    was = endpoint(live)["EndpointConfigName"]
    definition = killed.definition
    run = {**killed.inputs["CreateModel"]["run"], "job_name": f"{killed.inputs['CreateModel']['run']['job_name']}-r"}
    given, again = ({**killed.inputs[state], "run": run} for state in ("CreateModel", "DescribeLive"))
    broken_off = finish(live, start(live, broken(definition, "DescribeEndpoint", KILLED), "CreateModel", given))
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
        assert finish(live, execution)["status"] == expected, (name, how)
    assert endpoint(live) == now
    assert set(answers(live, 40)) == {"champion", "challenger"}

    done = finish(live, start(live, broken(definition, "MakeSqlModel", FAILS), "DescribeLive", again))
    assert done["status"] == "SUCCEEDED", done.get("cause")
    told_of = report_of(live, json.loads(done["output"])["report"])["result"]
    assert told_of["scaling"] == "2 to 4 instances"
    assert (
        told_of["sql_model"].startswith("not made; the model is live: ") and "fail on purpose" in told_of["sql_model"]
    )
    assert endpoint(live) == now
    assert rollout(live).back(PORTFOLIO, to=was) == was


def test_another_instance_type_takes_the_scaling_target_away_and_brings_one_back(
    live: Platform, killed: Killed
) -> None:
    """SageMaker refuses the update of a variant that scales to another type."""
    before = target(live)
    assert (before["MinCapacity"], before["MaxCapacity"]) == (2, 4)
    scaling = live.target.client("application-autoscaling")
    (policy,) = scaling.describe_scaling_policies(**OF_SAGEMAKER, ResourceId=before["ResourceId"])["ScalingPolicies"]
    assert policy["PolicyType"] == "TargetTrackingScaling"

    other = json.loads(json.dumps(killed.definition).replace("ml.m5.large", "ml.m5.xlarge"))
    given = killed.inputs["CreateModel"]
    given = {**given, "run": {**given["run"], "job_name": f"{given['run']['job_name']}-q", "challenger_weight": 0}}
    done = finish(live, start(live, other, "CreateModel", given))
    assert done["status"] == "SUCCEEDED", done.get("cause")
    assert endpoint(live)["EndpointConfigName"] == given["run"]["job_name"]
    assert target(live)["ScalableTargetARN"] != before["ScalableTargetARN"]


def target(platform: Platform) -> dict[str, Any]:
    """The scaling target of the champion."""
    scaling = platform.target.client("application-autoscaling")
    resource = f"endpoint/{platform.names.endpoint(PORTFOLIO)}/variant/champion"
    (found,) = scaling.describe_scalable_targets(**OF_SAGEMAKER, ResourceIds=[resource])["ScalableTargets"]
    return dict(found)
