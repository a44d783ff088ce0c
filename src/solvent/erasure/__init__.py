"""Erasing a person: every row of theirs out of every zone, version and table, and a proof of it without their data.

A request names the person; the job finds the person's keys, notes them in the request, keeps them out of later
deliveries, goes through the zones and the warehouse, looks everything through once more, and writes the proof. Killed
anywhere and started again, it completes: each step finds what is left to do.
"""

import json
import secrets
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solvent import contracts, naming
from solvent.contracts.people import person_source
from solvent.erasure import landing, request
from solvent.erasure.keys import Finder
from solvent.erasure.objects import Journal, Stored, Zone, remove_all
from solvent.erasure.person import Person
from solvent.erasure.request import ErasureError, Request
from solvent.erasure.warehouse import Warehouse
from solvent.etl import suppression

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["ErasureError", "Job", "run"]

ZONES = naming.ZONES
# Artifacts that hold no person by what they are: models are figures of a model, the others are this module's own.
NOT_LOOKED_AT = ("models/", "erasures/")
NOT_REACHED = (
    "Trained models: figures about groups of loans; retrain to leave the person out.",
    "Endpoints' and jobs' logs: by design they hold counts and run ids only.",
    "S3 access logs and CloudTrail: object keys, which hold no personal data; they expire by lake.access_log_days.",
    "Redshift: its snapshots and recovery points (24 hours), the Data API's history (24 hours) and its activity log "
    "(log_retention_days), in which the person's keys may stand.",
    "The stream: events on it stay for stream.retention_hours and may still arrive; erase again after that.",
    "What extraction, compaction of the stream, a load or a replay writes after the last look: erase again.",
    "DynamoDB's point-in-time recovery: the ledger holds no personal data.",
    "Objects under an Object Lock or legal hold; the platform sets none.",
    "Copies that people or systems have taken out of the platform.",
)


@dataclass(frozen=True)
class Job:
    """What the Glue job is asked to do. `buckets` maps each zone to its bucket; `at_once` is objects at a time."""

    erasure_id: str
    buckets: dict[str, str]
    decision_years: int
    at_once: int = 8


def run(
    job: Job,
    *,
    s3: "S3Client",
    warehouse: Callable[[str], Warehouse],
    locked: Callable[[str], AbstractContextManager[None]],
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Carry out one erasure and return its proof.

    `warehouse(portfolio)` gives the portfolio's tables, `locked(portfolio)` a context in which no run works on it.
    Raises ErasureError when there is no such request, or when something of the person is still there at the end.
    """
    artifacts = job.buckets["artifacts"]
    asked = request.get(s3, artifacts, job.erasure_id)
    proof = _proof_of(s3, artifacts, job.erasure_id)
    if asked is None and proof is None:
        raise ErasureError(f"There is no erasure {job.erasure_id}. Start it with `solvent erase`; nothing was erased.")
    if asked is None or proof is not None:
        _forget(s3, artifacts, job.erasure_id)  # it had ended but for this
        return proof or {}
    alone = nullcontext() if asked.dry_run else locked(asked.portfolio)
    with alone, tempfile.TemporaryDirectory(prefix="solvent-erase-") as folder:
        return _Erasure(job, asked, s3, warehouse(asked.portfolio), Path(folder), say).run()


class _Erasure:
    def __init__(
        self, job: Job, asked: Request, s3: "S3Client", tables: Warehouse, work: Path, say: Callable[[str], None]
    ) -> None:
        self._job, self._asked, self._s3, self._tables, self._work = job, asked, s3, tables, work
        self._say = self._told(say)
        self._artifacts = job.buckets["artifacts"]
        self._prefix = naming.erasure_work(job.erasure_id)
        self._journal = Journal(s3, self._artifacts, self._prefix)
        self._begun = _now()

    def run(self) -> dict[str, Any]:
        person = self._whom()
        if self._asked.dry_run:
            return self._looked(person)
        if self._asked.known:  # an id that nobody has is no person: a slip of the pen must not bar the next customer
            self._suppress(person)
        self._say("warehouse")
        self._note_rows(self._tables.count(person.keys))
        self._tables.erase(person.keys, self._asked.pseudonyms, self._job.decision_years)
        for zone in ZONES:
            self._say(f"zone {zone}")
            self._erase(zone, person)
        self._say("verification")
        scanned = self._verified(person)
        return self._prove(scanned)

    def _told(self, say: Callable[[str], None]) -> Callable[[str], None]:
        """Say a step, and put it where who waits for the job sees it."""

        def told(step: str) -> None:
            say(step)
            _put_json(self._s3, self._artifacts, f"{self._prefix}step.json", {"step": step})

        return told

    def _whom(self) -> Person:
        """The person's keys: noted before anything is erased, as nothing could find them afterwards."""
        if self._asked.person is not None:
            return Person.from_data(self._asked.person)
        self._say("looking for the person's keys")
        finder = Finder(
            self._s3,
            self._job.buckets,
            self._asked.portfolio,
            contracts.load(),
            self._work,
            lambda source, known: self._tables.keys(source, known),
        )
        person, self._asked.known = finder.find(self._asked.customer)
        self._asked.person = person.to_data()
        decided = person.keys.get(self._tables.decided(), set())
        self._asked.pseudonyms = {key: secrets.token_hex(16) for key in sorted(decided)}
        request.put(self._s3, self._artifacts, self._asked)
        return person

    def _suppress(self, person: Person) -> None:
        listed = suppression.read(self._s3, self._artifacts)
        salt = listed.salt
        hashes = {
            source: [suppression.hashed(salt, source, key) for key in keys] for source, keys in person.keys.items()
        }
        suppression.write(self._s3, self._artifacts, self._job.erasure_id, salt, hashes)

    def _zone(self, zone: str, person: Person) -> Zone:
        return Zone(self._s3, zone, self._job.buckets[zone], person, self._work, at_once=self._job.at_once)

    def _holding(self, looked: Zone, zone: str) -> list[Stored]:
        return looked.holding(
            lambda key: zone == "artifacts" and key.startswith(NOT_LOOKED_AT),
            lambda key: landing.delimiter(key) if zone == "landing" else ",",
        )

    def _erase(self, zone: str, person: Person) -> None:
        looked = self._zone(zone, person)
        for at in self._holding(looked, zone):
            if zone == "landing" and at.key.endswith(f"/{naming.MANIFEST}"):
                raise ErasureError(
                    f"The manifest s3://{at.bucket}/{at.key} names the person, and is a run's identity: it cannot be "
                    "changed. Delete that delivery, then start the erasure again."
                )

            def before(treated: Any, sha256: str, at: Stored = at) -> None:
                self._journal.enter(treated)
                if zone == "landing" and treated.done == "rewritten":
                    landing.note(self._s3, at.bucket, at.key, sha256)

            looked.erase(at, landing.delimiter(at.key) if zone == "landing" else ",", before)

    def _verified(self, person: Person) -> dict[str, Any]:
        """A full look at every version and table, which must find nothing."""
        scanned: dict[str, Any] = {}
        left: list[str] = []
        for zone in ZONES:
            looked = self._zone(zone, person)
            left += [f"s3://{at.bucket}/{at.key}" for at in self._holding(looked, zone)]
            scanned[zone] = {"objects": looked.objects, "versions": looked.versions}
        rows = self._tables.count(person.keys)
        left += [f"{table} ({n} rows)" for table, n in rows.items() if n]
        if left:
            raise ErasureError(
                f"{len(left)} places have something of the person again, which arrived meanwhile: {', '.join(left[:5])}"
                ". Start the erasure again; what is done stays done."
            )
        return {"zones": scanned, "tables": sorted(rows), "found": 0}

    def _looked(self, person: Person) -> dict[str, Any]:
        """What an erasure would do; nothing stays of the question."""
        zones: dict[str, Any] = {}
        for zone in ZONES:
            looked = self._zone(zone, person)
            holding = self._holding(looked, zone)
            zones[zone] = {"objects": len(holding), "versions": sum(len(at.versions) for at in holding)}
        report = {
            **self._about(),
            "dry_run": True,
            "keys": {source: len(keys) for source, keys in person.keys.items()} if self._asked.known else {},
            "zones": zones,
            "warehouse": self._tables.count(person.keys),
        }
        _put_json(self._s3, self._artifacts, naming.proof_key(self._job.erasure_id), report)
        _forget(self._s3, self._artifacts, self._job.erasure_id)
        return report

    def _prove(self, scanned: dict[str, Any]) -> dict[str, Any]:
        entries = self._journal.entries()
        proof = {
            **self._about(),
            "zones": {zone: _of_zone(entries, zone) for zone in ZONES},
            "warehouse": self._rows_noted(),
            "decisions": {
                "retained": self._tables.kept(self._asked.pseudonyms),
                "years": self._job.decision_years,
                "pseudonyms": "random; what led from a pseudonym to its loan was destroyed with the request",
            },
            "verification": {**scanned, "at": _now()},
            "not_reached": list(NOT_REACHED),
        }
        _put_json(self._s3, self._artifacts, naming.proof_key(self._job.erasure_id), proof)
        _forget(self._s3, self._artifacts, self._job.erasure_id)
        return proof

    def _about(self) -> dict[str, Any]:
        root = person_source(contracts.load(), self._asked.portfolio)
        salt = suppression.read(self._s3, self._artifacts).salt
        assert root is not None
        return {
            "erasure_id": self._job.erasure_id,
            "portfolio": self._asked.portfolio,
            "subject": {"salt": salt, "sha256": suppression.hashed(salt, root.name, self._asked.customer)},
            "known": self._asked.known,
            "requested_by": self._asked.requested_by,
            "requested_at": self._asked.requested_at,
            "reason": self._asked.reason,
            "begun_at": self._begun,
            "finished_at": _now(),
            "proof": f"s3://{self._artifacts}/{naming.proof_key(self._job.erasure_id)}",
        }

    def _note_rows(self, rows: dict[str, int]) -> None:
        """Before they are deleted; what an earlier attempt has counted stays."""
        noted = self._rows_noted()
        merged = {table: max(n, noted.get(table, 0)) for table, n in rows.items()}
        _put_json(self._s3, self._artifacts, f"{self._prefix}warehouse.json", merged)

    def _rows_noted(self) -> dict[str, int]:
        return _get_json(self._s3, self._artifacts, f"{self._prefix}warehouse.json") or {}


def _of_zone(entries: list[dict[str, Any]], zone: str) -> dict[str, Any]:
    own = [{k: v for k, v in e.items() if k != "zone"} for e in entries if e["zone"] == zone]
    counts = {done: sum(e["done"] == done for e in own) for done in ("rewritten", "deleted", "old versions removed")}
    return {
        **{done.replace(" ", "_"): n for done, n in counts.items()},
        "rows": sum(e["rows"] for e in own),
        "versions_removed": sum(e["versions_removed"] for e in own),
        "objects": own,
    }


def _proof_of(s3: "S3Client", bucket: str, erasure_id: str) -> dict[str, Any] | None:
    return _get_json(s3, bucket, naming.proof_key(erasure_id))


def _forget(s3: "S3Client", bucket: str, erasure_id: str) -> None:
    """What the erasure noted on its way, then the request: with it goes the last place that holds the id."""
    remove_all(s3, bucket, naming.erasure_work(erasure_id))
    remove_all(s3, bucket, naming.request_key(erasure_id))


def _put_json(s3: "S3Client", bucket: str, key: str, body: dict[str, Any]) -> None:
    text = json.dumps(body, indent=1, sort_keys=True) + "\n"
    s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json")


def _get_json(s3: "S3Client", bucket: str, key: str) -> dict[str, Any] | None:
    from botocore.exceptions import ClientError

    try:
        return dict(json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
            return None
        raise


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
