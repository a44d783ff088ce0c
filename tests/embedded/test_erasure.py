"""A person erased from a deployed platform: every version of every object, every table, and what comes afterwards."""

import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from reading import readable, records
from rich.console import Console

from solvent import contracts, datasets, naming
from solvent.cli import erase as erasing
from solvent.client import Execution, Platform, query

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A delivery whose ids and names no other test has: who is erased here stays out of this platform for good."""
    folder = datasets.write("synthetic", tmp_path_factory.mktemp("erasure"), size=400, seed=2)
    for path in folder.glob("*.csv"):
        path.write_text(re.sub(r"\b([CLPE])0", r"\g<1>9", path.read_text()))
    people = folder / "customer_profile.csv"
    named = re.sub(r"\b([A-Z][a-z]+ [A-Z][a-z]+)\b", r"\1ova", people.read_text())
    people.write_text(named.replace("@example.com", "@example.org"))
    settings = json.loads((folder / "delivery.json").read_text())
    (folder / "delivery.json").write_text(json.dumps({**settings, "dataset": "erasure"}))
    return folder


@pytest.fixture(scope="module")
def loaded(platform: Platform, folder: Path) -> Execution:
    done = platform.run("pipeline", {"manifest": platform.load(folder)}, timeout=300)
    assert done.status == "SUCCEEDED", f"{done.error}: {done.cause}"
    return done


class Person:
    """A customer with several loans that were scored; `marks` must be found nowhere."""

    def __init__(self, platform: Platform) -> None:
        _, rows = query(
            platform.target,
            "SELECT c.customer_id, c.full_name, c.email, COUNT(DISTINCT l.loan_id)"
            " FROM lending.customers AS c JOIN lending.loans AS l ON l.customer_id = c.customer_id"
            " JOIN lending.predictions AS p ON p.loan_id = l.loan_id WHERE c.email IS NOT NULL"
            " AND c.full_name IN (SELECT full_name FROM lending.customers GROUP BY full_name HAVING COUNT(*) = 1)"
            " AND c.customer_id LIKE 'C9%' GROUP BY c.customer_id, c.full_name, c.email"
            " ORDER BY COUNT(DISTINCT l.loan_id) DESC, c.customer_id LIMIT 1",
        )
        self.id, name, email, self.decisions = rows[0][0], rows[0][1], rows[0][2], int(rows[0][3])
        _, loans = query(platform.target, "SELECT loan_id FROM lending.loans WHERE customer_id = :c", {"c": self.id})
        self.loans = [row[0] for row in loans]
        # A loan may be in quarantine with all that hangs on it: only the raw zone knows it.
        every = [r["loan_id"] for r in raw(platform, "loan_application") if r["customer_id"] == self.id]
        ends = {"repayment_history": "payment_id", "application_event": "event_id"}
        hanging = {r[key] for name, key in ends.items() for r in raw(platform, name) if r["loan_id"] in every}
        self.marks = [self.id, name, email, *every, *hanging]
        assert set(self.loans) <= set(every)
        assert len(self.loans) > 1


def raw(platform: Platform, table: str) -> list[dict[str, str]]:
    """The rows of a source in the raw zone, of all runs."""
    s3, bucket, found = platform.target.client("s3"), platform.target.bucket("raw"), []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"lending/{table}/"):
        for stored in page.get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=stored["Key"])["Body"].read()
            found += [json.loads(row) for row in records(stored["Key"], body)]
    return found


@pytest.fixture(scope="module")
def person(platform: Platform, loaded: Execution) -> Person:
    found = Person(platform)
    event = {"stage": "submitted", "team": "branch", "occurred_at": "2026-06-30T09:00:00"}
    platform.put_events([{**event, "event_id": f"X-{loan}", "loan_id": loan} for loan in [*found.loans, "L999999"]])
    from conftest import wait

    wait(lambda: f"X-{found.loans[-1]}" in {e["event_id"] for e in platform.stream_events()}, 30)
    return found


@pytest.fixture(scope="module")
def erased(platform: Platform, person: Person) -> dict[str, Any]:
    """What the others had before, and the proof."""
    before = others(platform, person)
    assert len(leftovers(platform, person)) > 15, "the person must be in many places, or the test shows nothing"
    target = platform.target
    again = {"portfolio": "lending", "customer": person.id, "reason": "asked for it"}
    dry = erasing.follow(target, erasing.ask(target, **again, dry_run=True), Console(quiet=True))
    assert dry["warehouse"]["lending.loans"] == len(person.loans)
    assert others(platform, person) == before
    proof = erasing.follow(target, erasing.ask(target, **again, dry_run=False), Console(quiet=True))
    return {"before": before, "proof": proof}


def versions(platform: Platform) -> dict[tuple[str, str, str], bytes]:
    """Every version of every object of every bucket of the platform."""
    s3, found = platform.target.client("s3"), {}
    for bucket in (b["Name"] for b in s3.list_buckets()["Buckets"] if b["Name"].startswith(platform.names.prefix)):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for v in page.get("Versions", []):
                at = {"Bucket": bucket, "Key": v["Key"], "VersionId": v["VersionId"]}
                found[bucket, v["Key"], v["VersionId"]] = s3.get_object(**at)["Body"].read()
    return found


def text_of(key: str, body: bytes) -> str:
    return gzip.decompress(body).decode("latin-1") if key.endswith(".gz") else readable(key, body)


def leftovers(platform: Platform, person: Person) -> list[str]:
    found = [
        f"{bucket}/{key}"
        for (bucket, key, _), body in versions(platform).items()
        if mentions(text_of(key, body), person)
    ]
    for table, rows in tables(platform).items():
        found += [table for row in rows if mentions(row, person)]
    return found


def tables(platform: Platform) -> dict[str, list[str]]:
    published = (c for c in contracts.load().values() if c.kind == "published")
    return {
        c.table: [json.dumps(row, default=str) for row in query(platform.target, f"SELECT * FROM {c.table}")[1]]  # noqa: S608
        for c in published
    }


def others(platform: Platform, person: Person) -> dict[str, list[str]]:
    """The rows of everybody else, in lake and warehouse."""
    found: dict[str, list[str]] = {}
    s3 = platform.target.client("s3")
    for zone in ("cleaned", "raw", "training"):
        bucket = platform.target.bucket(zone)
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for key in (o["Key"] for o in page.get("Contents", []) if "_log/" not in o["Key"]):
                found[f"{zone}/{key}"] = records(key, s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    found |= {t: rows for t, rows in tables(platform).items() if not t.startswith("ops.")}
    return {at: sorted(r for r in rows if not mentions(r, person)) for at, rows in found.items()}


def mentions(text: str, person: Person) -> bool:
    return any(mark in text for mark in person.marks)


def test_nothing_of_the_person_is_left_anywhere(platform: Platform, person: Person, erased: dict[str, Any]) -> None:
    assert leftovers(platform, person) == []


def test_everything_of_the_others_is_as_it_was(platform: Platform, person: Person, erased: dict[str, Any]) -> None:
    after = others(platform, person)
    assert {at for at in erased["before"] if erased["before"][at] != after[at]} == set()


def test_the_proof_tells_it_without_personal_data(platform: Platform, person: Person, erased: dict[str, Any]) -> None:
    stored = erasing.proof(platform.target, erased["proof"]["erasure_id"])
    assert stored == erased["proof"]
    assert not any(mark in json.dumps(stored) for mark in person.marks)
    assert ":root" in stored["requested_by"] or "user" in stored["requested_by"]
    assert stored["warehouse"]["lending.loans"] == len(person.loans)
    assert stored["verification"]["found"] == 0
    for zone in ("landing", "raw", "cleaned", "training", "artifacts"):
        assert stored["zones"][zone]["rewritten"] > 0, zone


def test_decisions_stay_without_the_person(platform: Platform, person: Person, erased: dict[str, Any]) -> None:
    _, rows = query(platform.target, "SELECT pseudonym, decided_on, keep_until FROM ops.retained_decisions")
    assert len(rows) == person.decisions == erased["proof"]["decisions"]["retained"]
    assert all(re.fullmatch("[0-9a-f]{32}", row[0]) for row in rows)
    assert {int(row[2][:4]) - int(row[1][:4]) for row in rows} == {7}


def test_a_second_erasure_finds_nothing(platform: Platform, person: Person, erased: dict[str, Any]) -> None:
    target = platform.target
    erasure_id = erasing.ask(target, portfolio="lending", customer=person.id, reason="", dry_run=False)
    proof = erasing.follow(target, erasure_id, Console(quiet=True))
    assert sum(zone["rows"] + zone["versions_removed"] for zone in proof["zones"].values()) == 0
    assert set(proof["warehouse"].values()) == {0}


def test_the_same_files_again_do_not_bring_the_person_back_and_decisions_go_in_time(
    platform: Platform, person: Person, erased: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    again = shutil.copytree(folder, tmp_path / "again")
    settings = json.loads((again / "delivery.json").read_text())
    (again / "delivery.json").write_text(
        json.dumps({**settings, "provenance": {"customer_profile": {"region": "generated"}}})
    )
    done = platform.run("ingest", {"manifest": platform.load(again)}, timeout=120)
    assert done.status == "SUCCEEDED", done.cause
    landing = platform.target.bucket("landing")
    assert {place.partition("/")[0] for place in leftovers(platform, person)} <= {landing}
    _, rows = query(
        platform.target,
        "SELECT source, record_key FROM ops.quarantine_log WHERE run_id = :run AND kind = 'erased'",
        {"run": done.output["run_id"]},
    )
    assert {row[0] for row in rows} >= {"customer_profile", "loan_application", "repayment_history"}
    assert {row[1] for row in rows} == {None}
    query(platform.target, "UPDATE ops.retained_decisions SET keep_until = '2026-01-01'")
    score = platform.run("score", {"portfolio": "lending"}, timeout=120)
    assert score.status == "SUCCEEDED", score.cause
    assert query(platform.target, "SELECT pseudonym FROM ops.retained_decisions")[1] == []
    assert {place.partition("/")[0] for place in leftovers(platform, person)} <= {landing}


def test_what_the_jobs_print_holds_no_personal_data(platform: Platform, person: Person, erased: dict[str, Any]) -> None:
    logs, seen = platform.target.client("logs"), 0
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in (g["logGroupName"] for g in page["logGroups"]):
            for events in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
                for event in events["events"]:
                    seen += 1
                    assert not any(mark in event["message"] for mark in person.marks), group
    assert seen > 10


def test_the_request_with_the_id_is_gone(platform: Platform, erased: dict[str, Any]) -> None:
    s3, bucket = platform.target.client("s3"), platform.target.bucket("artifacts")
    for prefix in (naming.REQUESTS, "erasures/work/"):
        assert not s3.list_object_versions(Bucket=bucket, Prefix=prefix).get("Versions")
