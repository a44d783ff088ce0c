"""Rows in quarantine: look at them, and deliver them again after a fix.

A replay is a delivery of changes made of the rows as they came (a malformed line as the text that it was). It goes the
way of every delivery: what passes now becomes good, the rest returns to quarantine under the new run. The same rows
with the same corrections are the same delivery, so a second replay finds a completed run.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from solvent import delivery, landing, naming
from solvent.contracts import Contract

MASK = "***"
# Columns of a corrections file that say which row is meant; all others are the contract's.
_PLACE = ("source_file", "row_number")


class QuarantineError(Exception):
    """There is nothing to show or to replay, or corrections do not fit; the message says what to change."""


@dataclass(frozen=True)
class Row:
    """A row in quarantine. `payload`: its fields as delivered, as JSON; of a malformed line its text."""

    run_id: str
    source: str
    source_file: str
    row_number: int
    kind: str
    reason: str
    record_key: str | None
    payload: str

    @property
    def place(self) -> tuple[str, int]:
        return self.source_file, self.row_number

    def fields(self) -> dict[str, str]:
        """Column -> text; of a malformed line nothing is known."""
        if self.kind == "malformed":
            return {}
        return {name: "" if value is None else str(value) for name, value in json.loads(self.payload).items()}


class Quarantine:
    """What a data steward does in the lake of one environment; `buckets` maps each zone to its bucket.

    The role `solvent-<environment>-data-steward` allows exactly what is called here.
    """

    def __init__(self, s3: Any, buckets: Mapping[str, str]) -> None:
        self._s3, self._buckets = s3, buckets

    def rows(self, portfolio: str, sources: Iterable[Contract], run_id: str, reason: str | None = None) -> list[Row]:
        """The rows that a run put into quarantine, by source, file and position; `reason`: only what mentions it.

        Rows of erased persons are not among them: only their position was kept. Raises QuarantineError when there are
        none.
        """
        import pyarrow.parquet as pq

        found: list[Row] = []
        for contract in sources:
            prefix = naming.table_prefix(portfolio, contract.name, run_id)
            for key in self._keys("quarantine", prefix):
                table = pq.read_table(io.BytesIO(self._body("quarantine", key)))
                found += [Row(**row) for row in table.to_pylist() if row["kind"] != "erased"]
        chosen = [row for row in found if reason is None or reason in row.reason]
        if not chosen:
            about = f" with {reason!r} in their reason" if found else ""
            raise QuarantineError(
                f"Run {run_id} of {portfolio} has no rows in quarantine{about} in s3://{self._buckets['quarantine']}/. "
                "`solvent quarantine list` shows the runs that have."
            )
        return sorted(chosen, key=lambda row: (row.source, row.source_file, row.row_number))

    def copy_errors(self, portfolio: str) -> list[Row]:
        """The lines that COPY refused when a run was loaded; of that attempt nothing is in the warehouse.

        They have no payload: the cleaned row, or the prediction, lies where the file is.
        """
        keys = self._keys("quarantine", naming.copy_errors_prefix(portfolio))
        return [Row(**json.loads(line)) for key in keys for line in self._body("quarantine", key).splitlines()]

    def replay(
        self,
        portfolio: str,
        sources: Mapping[str, Contract],
        run_id: str,
        folder: Path,
        *,
        reason: str | None = None,
        fixes: Mapping[tuple[str, int], Mapping[str, str]] | None = None,
    ) -> tuple[str, list[Row]]:
        """Deliver a run's rows again, by way of an empty folder; the manifest's address, and the rows.

        Raises QuarantineError for corrections that fit no row, and when there is no row.
        """
        rows = self.rows(portfolio, sources.values(), run_id, reason)
        original, as_of = self._manifest(portfolio, run_id), self._latest(portfolio)
        delivery_of(rows, sources, fixes or {}, folder, original=original, run_id=run_id, as_of=as_of)
        return landing.put(self._s3, self._buckets["landing"], folder, delivery.build(folder)), rows

    def _manifest(self, portfolio: str, run_id: str) -> delivery.Manifest:
        """The manifest of a run, by the report of its ingest. It is kept as long as deliveries are (`landing_days`)."""
        report = json.loads(self._body("artifacts", naming.report_key(portfolio, run_id, "ingest")))
        bucket, _, key = str(report["run"]["manifest"]).removeprefix("s3://").partition("/")
        if bucket != self._buckets["landing"]:
            raise QuarantineError(f"The report of run {run_id} names no manifest of the landing zone.")
        return delivery.parse(self._body("landing", key))

    def _latest(self, portfolio: str) -> str:
        """The date of the latest ingest that completed: an older state of affairs would be refused."""
        prefix = naming.reports_prefix(portfolio)
        found = [o for o in self._listed("artifacts", prefix) if o["Key"].endswith("/ingest.json")]
        for listed in sorted(found, key=lambda o: o["LastModified"], reverse=True):
            report = json.loads(self._body("artifacts", listed["Key"]))
            if report["status"] == "completed":
                return str(report["run"]["as_of"])
        raise QuarantineError(f"No ingest of {portfolio} has completed: there is nothing that a replay could change.")

    def _listed(self, zone: str, prefix: str) -> list[dict[str, Any]]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._buckets[zone], Prefix=prefix)
        return [found for page in pages for found in page.get("Contents", [])]

    def _keys(self, zone: str, prefix: str) -> list[str]:
        return [str(found["Key"]) for found in self._listed(zone, prefix)]

    def _body(self, zone: str, key: str) -> bytes:
        """Raises QuarantineError when it is gone."""
        try:
            return bytes(self._s3.get_object(Bucket=self._buckets[zone], Key=key)["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
                raise
            raise QuarantineError(
                f"s3://{self._buckets[zone]}/{key} is not there (any more): the run is unknown, or older than what the "
                "zone keeps. Deliver the corrected rows as a file of changes. Nothing was delivered."
            ) from error


def shown(row: Row, contract: Contract, *, reveal: bool) -> dict[str, Any]:
    """A row for the screen; without `reveal` nothing of it that may concern a person: direct, indirect, protected."""
    personal = {column.name for column in contract.columns if column.pii != "none"}
    fields: dict[str, str] | str = row.fields() if row.kind != "malformed" else row.payload
    key = row.record_key
    if not reveal:
        if isinstance(fields, str):
            fields = f"{MASK} ({len(fields)} characters)"  # nobody knows which of them are whose
        else:
            fields = {name: MASK if name in personal and value else value for name, value in fields.items()}
        key = MASK if key and personal.intersection(contract.key) else key
    return {**asdict(row), "record_key": key, "payload": fields}


def corrections(text: str) -> dict[tuple[str, int], dict[str, str]]:
    """(file, row) -> column -> new text, from a CSV with `source_file`, `row_number` and columns of the contract.

    An empty cell leaves the field as it was; `n/a` says that there is no value. Raises QuarantineError.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    lacking = [name for name in _PLACE if name not in (reader.fieldnames or [])]
    if lacking:
        raise QuarantineError(f"The corrections lack the column(s) {', '.join(lacking)}. Nothing was delivered.")
    found: dict[tuple[str, int], dict[str, str]] = {}
    for number, line in enumerate(reader, 2):
        if None in line or None in line.values() or not str(line["row_number"]).isdigit():
            raise QuarantineError(
                f"Record {number} of the corrections has not one field per column, or no row number. "
                "Nothing was delivered."
            )
        place = (str(line["source_file"]), int(line["row_number"]))
        if place in found:
            raise QuarantineError(f"The corrections name row {place[1]} of {place[0]} twice. Nothing was delivered.")
        found[place] = {name: value for name, value in line.items() if name not in _PLACE and value}
    return found


def delivery_of(
    rows: Sequence[Row],
    contracts: Mapping[str, Contract],
    fixes: Mapping[tuple[str, int], Mapping[str, str]],
    folder: Path,
    *,
    original: delivery.Manifest,
    run_id: str,
    as_of: str,
) -> None:
    """Write the files of a replay and its delivery.json into an empty folder, ready for `Platform.load`.

    Generated columns stay marked as such: `original` is the manifest of the run. Raises QuarantineError for a
    correction that fits no row or no column.
    """
    _check(rows, contracts, fixes)
    for name, contract in contracts.items():
        records = [_record(row, contract, fixes.get(row.place)) for row in rows if row.source == name]
        whole = [record for record in records if isinstance(record, list)]
        lines = [record for record in records if isinstance(record, str)]
        if whole:
            _write(folder / f"{name}-1.csv", contract, whole, [])
        if lines:
            # A file of its own: whatever is wrong with a line that is no record, it can spoil no other row.
            _write(folder / f"{name}-2.csv", contract, [], lines)
    settings = {
        "portfolio": original.portfolio,
        "dataset": original.dataset,
        "as_of": as_of,
        "mode": "changes",
        "provenance": original.provenance,
        "replay_of": run_id,
    }
    (folder / delivery.SETTINGS).write_text(json.dumps(settings, sort_keys=True, indent=1) + "\n")


def _check(
    rows: Sequence[Row], contracts: Mapping[str, Contract], fixes: Mapping[tuple[str, int], Mapping[str, str]]
) -> None:
    sources = {row.place: row.source for row in rows}
    strangers = sorted(set(fixes) - set(sources))
    if strangers:
        file, number = strangers[0]
        raise QuarantineError(
            f"{len(strangers)} correction(s) are for rows that are not among the {len(rows)} to replay, the first for "
            f"row {number} of {file}. Nothing was delivered."
        )
    for place, fields in fixes.items():
        contract = contracts[sources[place]]
        unknown = sorted(set(fields) - {*contract.column_names, delivery.DELETED})
        if unknown:
            raise QuarantineError(
                f"The corrections have {len(unknown)} column(s) that {contract.name} has not; it has "
                f"{', '.join(contract.column_names)}. Nothing was delivered."
            )


def _record(row: Row, contract: Contract, fix: Mapping[str, str] | None) -> list[str] | str:
    """The fields in the order of the header; the text of a malformed line that nobody has corrected."""
    if row.kind == "malformed" and fix is None:
        return row.payload
    fields = {**row.fields(), **(fix or {})}
    return [fields.get(name, "") for name in (*contract.column_names, delivery.DELETED)]


def _write(path: Path, contract: Contract, records: list[list[str]], lines: list[str]) -> None:
    """The header, then records as CSV and lines as they are."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=contract.delimiter, lineterminator="\n")
        writer.writerow([*contract.headers, delivery.DELETED])
        writer.writerows(records)
        file.writelines(f"{line}\n" for line in lines)
