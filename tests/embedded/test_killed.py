"""kill -9 in the middle of a run: `up` says what was lost, the same delivery then comes out exact, and nothing stays.

Each point has a copy of one deployed home of its own.
"""

import csv
import json
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import wait

from embedded_aws import lifecycle
from solvent import contracts, datasets, deployment
from solvent.client import Platform, query
from solvent.target import Target

pytestmark = pytest.mark.embedded
ROOT = Path(__file__).parents[2]
PORT = 4920
PHASES = ("pipeline", "ingest", "train", "score")


def at(running: lifecycle.Running) -> Platform:
    return Platform(Target.at(running.url, "dev"))


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    folder = tmp_path / "delivery"
    folder.mkdir()
    datasets.write("synthetic", folder, size=400, seed=2)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Of an embedded AWS in which `dev` is deployed."""
    home = tmp_path / "home"
    assembly = shutil.copytree(ROOT / "cdk.out" / "dev", tmp_path / "dev")  # the CDK CLI locks the one it deploys
    target = Target.at(lifecycle.up(home, port=PORT).url, "dev")
    try:
        deployment.bootstrap(target, assembly, tmp_path / "bootstrap.log")
        deployment.deploy(target, assembly, tmp_path / "deploy.log")
        lifecycle.down(home)  # saved whole: a kill may lose seconds, and the deploy was seconds ago
        yield home
    finally:
        lifecycle.down(home)


def executions(platform: Platform) -> dict[str, str]:
    """Status by "<state machine>:<name>"."""
    states, found = platform.target.client("stepfunctions"), {}
    for phase in PHASES:
        for execution in states.list_executions(stateMachineArn=platform.machine_arn(phase))["executions"]:
            found[execution["executionArn"].split(":", 6)[-1]] = execution["status"]
    return found


def glue_runs(platform: Platform) -> list[str]:
    glue = platform.target.client("glue")
    jobs = [job["Name"] for job in glue.get_jobs()["Jobs"]]
    return [run["JobRunState"] for job in jobs for run in glue.get_job_runs(JobName=job)["JobRuns"]]


def loads(platform: Platform) -> list[str]:
    """States of the Data API's statements that load what `ingest` published."""
    found = platform.target.client("redshift-data").list_statements(Status="ALL", RoleLevel=False)["Statements"]
    return [s["Status"] for s in found if "COPY" in json.dumps(s, default=str)]


def training_jobs(platform: Platform) -> list[str]:
    found = platform.target.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    return [job["TrainingJobStatus"] for job in found]


def endpoints(platform: Platform) -> list[str]:
    return [e["EndpointStatus"] for e in platform.target.client("sagemaker").list_endpoints()["Endpoints"]]


POINTS: dict[str, Callable[[Platform], Any]] = {
    "during the Glue job": lambda p: "RUNNING" in glue_runs(p),
    "during the load": lambda p: {"STARTED", "FINISHED"} & set(loads(p)),
    "during the training": lambda p: "InProgress" in training_jobs(p),
    "while the endpoint is created": lambda p: "Creating" in endpoints(p),
}


def test_a_run_that_is_killed_again_and_again_comes_out_exact(home: Path, delivery: Path) -> None:
    running = lifecycle.up(home, port=PORT)
    manifest, notices = at(running).load(delivery), ""
    for point, reached in POINTS.items():
        platform = at(running)
        request = {"stateMachineArn": platform.machine_arn("pipeline"), "input": json.dumps({"manifest": manifest})}
        platform.target.client("stepfunctions").start_execution(**request)
        wait(lambda reached=reached, platform=platform: reached(platform), 120)
        os.kill(running.pid, signal.SIGKILL)
        running = lifecycle.up(home, port=running.port)
        assert "ended without a last save: it is as it was at " in running.notice, point
        notices += running.notice
        assert_nothing_seems_to_run(at(running), notices)

    done = at(running).run("pipeline", {"manifest": manifest}, timeout=120)
    assert done.status == "SUCCEEDED", f"{done.error}: {done.cause}"
    assert_exact(at(running), delivery)
    assert any("embedded_aws" in command for command in processes_of(home)) and listening(running.port)
    assert lifecycle.down(home)
    wait(lambda: not processes_of(home), 5)
    assert not listening(running.port)


def assert_nothing_seems_to_run(platform: Platform, notices: str) -> None:
    """What ran has failed, and `up` named it, at this crash or at one before."""
    known = executions(platform)
    assert "RUNNING" not in known.values()
    assert [name for name, status in known.items() if status == "FAILED" and name not in notices] == []
    assert "RUNNING" not in glue_runs(platform)
    assert "InProgress" not in training_jobs(platform)


def assert_exact(platform: Platform, delivery: Path) -> None:
    """Every delivered row is accounted for once, no key is there twice, and nobody holds the portfolio."""
    delivered = sum(sum(1 for _ in csv.reader(path.open())) - 1 for path in delivery.glob("*.csv"))
    sums = "SUM(rows_in), SUM(rows_good) + SUM(rows_quarantined) + SUM(rows_duplicate)"
    assert query(platform.target, f"SELECT {sums} FROM ops.load_log")[1] == [[delivered, delivered]]
    for contract in contracts.load().values():
        if contract.kind == "published":
            table, key = f"{contract.schema}.{contract.name}", ", ".join(contract.key)
            sql = f"SELECT COUNT(*), (SELECT COUNT(*) FROM (SELECT DISTINCT {key} FROM {table}) AS k) FROM {table}"
            ((rows, keys),) = query(platform.target, sql)[1]
            assert rows == keys, contract.name
    table = platform.target.client("dynamodb").get_item(
        TableName=platform.names.runs_table, Key={"pk": {"S": "lock#lending"}}
    )
    assert "Item" not in table


def processes_of(home: Path) -> list[str]:
    """Processes of this machine that name the home in command line, environment or working directory (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        if int(entry.name) == os.getpid():
            continue
        try:
            texts = [
                (entry / "cmdline").read_bytes(),
                (entry / "environ").read_bytes(),
                os.fsencode((entry / "cwd").readlink()),
            ]
        except OSError:
            continue
        if any(os.fsencode(home) in text for text in texts):
            found.append(texts[0].replace(b"\0", b" ").decode(errors="replace"))
    return found


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
