"""What an erasure has to do with: a lake with versions, a warehouse, and a person who is everywhere in both."""

import base64
import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse import BUCKETS, Lakehouse
from moto import mock_aws
from reading import readable, records
from redshift_fixtures import Warehouse as Redshift
from warehouse_cases import copied, migrated

from solvent import contracts, datasets, erasure, naming
from solvent.contracts.people import person_source
from solvent.erasure import request
from solvent.erasure.warehouse import Warehouse
from solvent.etl import Job
from solvent.warehouse import load
from solvent.warehouse.data_api import Result

SIZE = 60
LOADER, ERASER = "IAMR:solvent-test-warehouse-load", "IAMR:solvent-test-erase"


class Api:
    """The Data API's two verbs on the embedded Redshift, as the job's own role calls them."""

    def __init__(self, redshift: Redshift) -> None:
        self.redshift = redshift
        self._rows: list[list[Any]] = []

    def execute(self, sql: str, parameters: Mapping[str, str] | None = None, **_: Any) -> dict[str, Any]:
        [outcome] = self.redshift.run(sql, user=ERASER, **(parameters or {}))
        self._rows = [list(row.values()) for row in outcome.table.to_pylist()] if outcome.table is not None else []
        return {"Id": "last"}

    def rows(self, statement_id: str) -> Result:
        return Result([], self._rows)

    def batch(self, statements: Sequence[str], parameters: Mapping[str, str] | None = None, **_: Any) -> dict[str, Any]:
        self.redshift.run(*statements, user=ERASER, **(parameters or {}))
        return {}


@dataclass(frozen=True)
class Delivered:
    """What every bank begins with: a delivery that has been through, as objects and as a warehouse that holds it."""

    files: Path
    job: Job
    objects: Mapping[tuple[str, str], bytes]  # (zone, key) -> content
    redshift: Redshift


def delivered(folder: Path) -> Delivered:
    """Made once, with an AWS of its own: delivering and loading take longer than a test."""
    (folder / "work").mkdir()
    with mock_aws():
        lake = Lakehouse(folder / "work")
        files = datasets.write("synthetic", folder / "files", size=SIZE)
        job = lake.deliver(files)
        report = lake.run(job)
        objects = {(zone, key): body for zone in BUCKETS for key, body in lake.objects(zone).items()}
    redshift = migrated(folder)
    _load(redshift, job, report, objects)
    return Delivered(files, job, objects, redshift)


def _load(redshift: Redshift, job: Job, report: dict[str, Any], objects: Mapping[tuple[str, str], bytes]) -> None:
    """What the warehouse load of a run does."""
    for (zone, key), body in objects.items():
        if zone in ("cleaned", "training"):
            redshift.storage.put(BUCKETS[zone], key, body)
    batch = load.ingest(contracts.load(), portfolio="lending", run_id=job.run_id, buckets=BUCKETS, report=report)
    redshift.run(*batch, user=LOADER)


class Bank:
    """`customer` has several loans; `marks` are texts that must be found nowhere once they are erased."""

    def __init__(self, folder: Path, delivered: Delivered) -> None:
        (folder / "work").mkdir()
        self.lake = Lakehouse(folder / "work")
        self.s3 = self.lake.s3
        for bucket in BUCKETS.values():
            self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        self.files, self.job = delivered.files, delivered.job
        for (zone, key), body in delivered.objects.items():
            self.s3.put_object(Bucket=BUCKETS[zone], Key=key, Body=body)
        self.redshift = copied(delivered.redshift, folder / "warehouse")
        self.customer, self.loans, self.marks = self._somebody()
        self._events_and_predictions()

    def refresh(self) -> None:
        """What follows a load: the marts are refreshed."""
        self.redshift.run("CALL ops.refresh_marts()", user=LOADER)

    def _somebody(self) -> tuple[str, list[str], list[str]]:
        """(customer, loans in the warehouse, marks). A loan of theirs is in quarantine: only the raw zone knows it."""
        people = self.lake.table(self.job, "cleaned", "customers").to_pylist()
        names = [p["full_name"] for p in people]
        cleaned = self.rows("cleaned", "loans")
        for person in (p for p in people if p["email"] and names.count(p["full_name"]) == 1):
            customer = person["customer_id"]
            good = [r["loan_id"] for r in cleaned if r["customer_id"] == customer]
            every = {r["loan_id"] for r in self.rows("raw", "loan_application") if r["customer_id"] == customer}
            if len(good) > 1 and len(every) > len(good):
                of_loans = ("repayment_history", "payment_id"), ("application_event", "event_id")
                ends = {r[key] for name, key in of_loans for r in self.rows("raw", name) if r["loan_id"] in every}
                return customer, good, [customer, person["full_name"], person["email"], *every, *ends]
        raise AssertionError("the synthetic portfolio has nobody with several loans, one of them in quarantine")

    def rows(self, zone: str, table: str) -> list[dict[str, Any]]:
        return list(self.lake.table(self.job, zone, table).to_pylist())

    def _events_and_predictions(self) -> None:
        mine, other = self.loans[0], "L999999"
        event = {"event_id": "E1", "stage": "submitted", "team": None, "occurred_at": "2026-06-30T09:00:00"}
        lines = [json.dumps({**event, "loan_id": loan}) for loan in (mine, other)]
        self.put("raw", "stream/application_event/dt=2026-06-30/s-1.jsonl", "\n".join(lines) + "\n")
        poison = {"reason": "x", "payload_base64": base64.b64encode(f'{{"loan_id": "{mine}"'.encode()).decode()}
        self.put("quarantine", "stream/application_event/dt=2026-06-30/s-1.jsonl", json.dumps(poison) + "\n")
        prediction = {"as_of": "2026-06-30", "model_version": "1", "probability": 0.1, "score": 500, "band": "A"}
        prediction |= {
            "decision": "approve",
            "reasons": [{"code": "AMOUNT", "text": "Amount of the loan: 5000 or more"}],
        }
        prefix = naming.predictions_prefix("lending", self.job.run_id, "m")
        everyone = [*self.loans, *self.others_loans()[:3]]
        body = "".join(json.dumps({**prediction, "loan_id": loan}) + "\n" for loan in everyone)
        self.put("artifacts", f"{prefix}part-00000.jsonl.out", body)
        self.put("artifacts", "runs/lending/x/score.json", json.dumps({"worst": mine, "rows": 3}))
        self.put("artifacts", "glue-temporary/spill.bin", f"\x00\x01{self.customer}\x02")
        self.redshift.storage.put(BUCKETS["artifacts"], f"{prefix}part-00000.jsonl.out", body.encode())
        batch = load.predictions(
            contracts.load(),
            portfolio="lending",
            run_id=self.job.run_id,
            prefix=f"s3://{BUCKETS['artifacts']}/{prefix}",
        )
        self.redshift.run(*batch, user=LOADER)

    def others_loans(self) -> list[str]:
        rows = self.lake.table(self.job, "cleaned", "loans").to_pylist()
        return [r["loan_id"] for r in rows if r["customer_id"] != self.customer]

    def put(self, zone: str, key: str, body: str) -> None:
        self.s3.put_object(Bucket=BUCKETS[zone], Key=key, Body=body.encode())

    def ask(self, customer: str | None = None, *, dry_run: bool = False) -> str:
        """Put a request as `solvent erase` does; returns the erasure's id."""
        source = person_source(contracts.load(), "lending")
        assert source
        asked = request.new(
            portfolio="lending",
            source=source,
            customer=customer or self.customer,
            requested_by="arn:aws:iam::123456789012:user/officer",
            reason="asked for it",
            dry_run=dry_run,
        )
        request.put(self.s3, BUCKETS["artifacts"], asked)
        return asked.erasure_id

    def erase(self, erasure_id: str, s3: Any = None) -> dict[str, Any]:
        job = erasure.Job(erasure_id, BUCKETS, decision_years=7, at_once=1 if s3 else 4)
        return erasure.run(
            job,
            s3=s3 or self.s3,
            warehouse=lambda portfolio: Warehouse(Api(self.redshift), contracts.load(), portfolio),  # type: ignore[arg-type]
            locked=lambda portfolio: nullcontext(),
        )

    def versions(self) -> dict[tuple[str, str, str], bytes]:
        """(zone, key, version id) -> content, of every version of every object."""
        found = {}
        for zone, bucket in BUCKETS.items():
            for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                for version in page.get("Versions", []):
                    at = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
                    found[zone, version["Key"], version["VersionId"]] = self.s3.get_object(**at)["Body"].read()
        return found

    def leftovers(self, *marks: str) -> list[str]:
        """Where one of the marks stands, in any version or table."""
        wanted = marks or tuple(self.marks)
        texts = ((f"{zone}/{key}", readable(key, body)) for (zone, key, _), body in self.versions().items())
        found = [where for where, text in texts if any(mark in text for mark in wanted)]
        for table in self.tables():
            text = json.dumps(self.redshift.rows(f"SELECT * FROM {table}"), default=str)  # noqa: S608
            found += [table for m in wanted if m in text]
        return found

    def tables(self) -> list[str]:
        """The tables, and the marts that are materialized, but for those of options."""
        return [
            c.table for c in contracts.load().values() if c.kind == "published" or (c.materialized and not c.option)
        ]

    def others(self) -> dict[str, Any]:
        """What is not the person's: rows of every current table and file, and the warehouse."""
        found: dict[str, Any] = {}
        for zone in ("raw", "cleaned", "training", "landing"):
            for key, body in self.lake.objects(zone).items():
                if not key.endswith(naming.ERASED):
                    found[f"{zone}/{key}"] = [r for r in records(key, body) if not any(m in r for m in self.marks)]
        for table in (c.table for c in contracts.load().values() if c.kind == "published"):
            rows = [json.dumps(r, default=str) for r in self.redshift.rows(f"SELECT * FROM {table}")]  # noqa: S608
            found[table] = sorted(r for r in rows if not any(m in r for m in self.marks))
        return found
