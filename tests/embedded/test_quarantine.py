"""A data steward mends rows in quarantine, and the stream is compacted, in the deployed platform with its own roles."""

import csv
import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import EmbeddedAws, wait

from solvent import contracts, naming, quarantine
from solvent.client import Platform, query
from solvent.datasets import synthetic
from solvent.quarantine import Quarantine
from solvent.target import Target

pytestmark = pytest.mark.embedded
SOURCES = {c.name: c for c in contracts.load().sources("lending")}


@pytest.fixture(scope="module")
def steward(aws: EmbeddedAws, platform: Platform) -> Target:
    arn = f"arn:aws:iam::{aws.account}:role/solvent-dev-data-steward"
    credentials = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="somebody")["Credentials"]
    return Target(platform.names, platform.target.region, aws.session(credentials), aws.url)


@pytest.fixture(scope="module")
def run_id(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An ingest of a clean delivery in which one income is none."""
    folder = tmp_path_factory.mktemp("delivery")
    synthetic.generate(folder, customers=60, loans=60, seed=21, mess=0.0)
    with (folder / "loan_application.csv").open(encoding="utf-8-sig", newline="") as file:
        borrower = next(csv.DictReader(file))["customer_id"]
    path = folder / "customer_profile.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    [row] = [r for r in rows if r[header.index("customer_id")] == borrower]
    row[header.index("annual_income")] = "a lot"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    settings = json.loads((folder / "delivery.json").read_text())
    (folder / "delivery.json").write_text(json.dumps({**settings, "dataset": "steward"}))  # with no run before it
    done = platform.run("ingest", {"manifest": platform.load(folder)})
    assert done.status == "SUCCEEDED", done.cause
    return str(done.output["run_id"])


def there(target: Target) -> Quarantine:
    return Quarantine(target.client("s3"), {zone: target.bucket(zone) for zone in naming.ZONES})


def rows_of(platform: Platform, run: str) -> dict[str, Any]:
    columns, rows = query(platform.target, "SELECT * FROM ops.load_log WHERE run_id = :run", {"run": run})
    return {row[columns.index("source")]: dict(zip(columns, row, strict=True)) for row in rows}


def test_a_steward_delivers_mended_rows_again_and_a_second_time_nothing_happens(
    platform: Platform, steward: Target, run_id: str, tmp_path: Path
) -> None:
    rows = there(steward).rows("lending", SOURCES.values(), run_id)
    [income] = [r for r in rows if "annual_income" in r.reason]
    assert len(rows) > 1  # what refers to the customer waits with it
    sql = (Path(__file__).parents[2] / "sql" / "analytics" / "quarantine.sql").read_text()
    columns, counted = query(platform.target, sql)
    mine = [dict(zip(columns, row, strict=True)) for row in counted if row[columns.index("run_id")] == run_id]
    assert sum(int(row["rows_quarantined"]) for row in mine) == len(rows)
    assert {row["portfolio"] for row in mine} == {"lending"}

    fixes = {income.place: {"annual_income": "41000"}}
    (tmp_path / "one").mkdir()
    manifest, _ = there(steward).replay("lending", SOURCES, run_id, tmp_path / "one", fixes=fixes)
    done = platform.run("ingest", {"manifest": manifest})
    assert done.status == "SUCCEEDED", done.cause
    log = rows_of(platform, str(done.output["run_id"]))
    assert sum(int(r["rows_good"]) for r in log.values()) == sum(int(r["rows_in"]) for r in log.values()) == len(rows)
    key = str(json.loads(income.payload)["customer_id"])
    _, [[value]] = query(
        platform.target, "SELECT annual_income FROM lending.customers WHERE customer_id = :key", {"key": key}
    )
    assert float(value) == 41000

    (tmp_path / "two").mkdir()
    again, _ = there(steward).replay("lending", SOURCES, run_id, tmp_path / "two", fixes=fixes)
    entered: list[str] = []
    repeated = platform.run("ingest", {"manifest": again}, on_state=entered.append)
    assert (again, repeated.output["run_id"]) == (manifest, done.output["run_id"])
    assert repeated.status == "SUCCEEDED" and "CompleteRun" not in entered


def test_a_steward_sees_quarantine_and_no_other_zone(platform: Platform, steward: Target, run_id: str) -> None:
    s3 = steward.client("s3")
    for zone in ("raw", "cleaned", "training"):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.list_objects_v2(Bucket=steward.bucket(zone))
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=steward.bucket("quarantine"), Key="k", Body=b"")
    [row] = there(steward).rows("lending", SOURCES.values(), run_id, "annual_income")
    shown = quarantine.shown(row, SOURCES["customer_profile"], reveal=False)
    assert shown["payload"]["full_name"] == quarantine.MASK


def put_batches(platform: Platform, day: str, count: int) -> list[dict[str, Any]]:
    s3, events = platform.target.client("s3"), []
    for number in range(count):
        event = {"event_id": f"Z{day}{number}", "loan_id": "L000001", "stage": "received", "team": "web"}
        key = naming.stream_key("application_event", day, "shard-9", f"{number:05d}")
        body = json.dumps(event).encode() + b"\n"
        s3.put_object(Bucket=platform.target.bucket("raw"), Key=key, Body=body)
        events.append(event)
    return events


def mine(platform: Platform, day: str) -> list[dict[str, Any]]:
    found = [e for e in platform.stream_events() if str(e["event_id"]).startswith(f"Z{day}")]
    return sorted(found, key=lambda e: str(e["event_id"]))


def objects(platform: Platform, prefix: str, day: str) -> int:
    listing = platform.target.client("s3").list_objects_v2(
        Bucket=platform.target.bucket("raw"), Prefix=f"{prefix}application_event/dt={day}/"
    )
    return int(listing["KeyCount"])


def test_the_job_compacts_closed_days_and_readers_see_every_event(platform: Platform) -> None:
    events = put_batches(platform, "2026-01-05", 5)
    assert mine(platform, "2026-01-05") == events
    status, cause, _ = platform.compact()
    assert status == "SUCCEEDED", cause
    assert (objects(platform, naming.STREAM, "2026-01-05"), objects(platform, naming.COMPACTED, "2026-01-05")) == (0, 1)
    assert mine(platform, "2026-01-05") == events


def soon() -> str:
    return f"at({datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=2):%Y-%m-%dT%H:%M:%S})"


@pytest.mark.contract(
    "scheduler.universal-target",
    page="https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html",
    says="A universal target calls an API operation with the schedule's role and its input as the request.",
)
def test_the_schedule_starts_the_job_with_its_own_role(aws: EmbeddedAws, platform: Platform) -> None:
    put_batches(platform, "2026-01-06", 2)
    scheduler, name = aws.client("scheduler"), aws.name("compact")
    target = scheduler.get_schedule(Name="solvent-dev-compact")["Target"]
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression=soon(),
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
    )
    wait(lambda: objects(platform, naming.COMPACTED, "2026-01-06") == 1, timeout=60)
    # Without the action nothing is started, and the schedule's dead-letter queue says why.
    queue = aws.client("sqs").create_queue(QueueName=aws.name("dead"))["QueueUrl"]
    arn = f"arn:aws:sqs:{aws.region}:{aws.account}:{queue.rsplit('/', 1)[-1]}"
    role = aws.role(
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}, service="scheduler.amazonaws.com"
    )
    scheduler.create_schedule(
        Name=aws.name("compact"),
        ScheduleExpression=soon(),
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={**target, "RoleArn": role, "DeadLetterConfig": {"Arn": arn}},
    )

    def said() -> Any:
        return aws.client("sqs").receive_message(QueueUrl=queue, MessageAttributeNames=["All"]).get("Messages")

    [message] = wait(said, timeout=60)
    assert "glue:StartJobRun" in message["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
