"""An extraction: tables, queries or exported files of a database become a delivery in the landing zone.

The story: begin, or go on with what was begun; read each source chunk by chunk; write each chunk as one file, then note
it in the state; put the manifest, which starts `ingest`; remember the watermarks. Whatever moment a job is killed at,
the next one goes on behind the last chunk that was noted: no row is lost, and none is delivered twice.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from solvent import contracts, delivery, naming
from solvent.delivery import DeliveredFile, Manifest
from solvent.extraction import databases, definition, exports, values
from solvent.extraction.databases import Database
from solvent.extraction.definition import Definition, Source
from solvent.extraction.errors import DatabaseUnreachable, InvalidExtraction
from solvent.extraction.reading import Reader
from solvent.extraction.state import COMPLETED, DELIVERED, RUNNING, Chunk, Delivered, Progress, State, Store
from solvent.extraction.statements import Window

PAUSES = (1, 5, 15)  # seconds, before a page is asked again of a database that went away


@dataclass(frozen=True)
class Job:
    """One start of the job. `source`: only this one. `full`: everything, whatever the watermarks say.

    `as_of`: the day of the delivery (ISO), today without it. `landing`, `artifacts`: buckets.
    """

    name: str
    databases: Mapping[str, Database]
    landing: str
    artifacts: str
    source: str | None = None
    full: bool = False
    as_of: str | None = None


@dataclass(frozen=True)
class _Work:
    """What the steps share."""

    job: Job
    definition: Definition
    store: Store
    state: State
    s3: Any
    heard: Callable[[dict[str, Any]], None]


def run(
    job: Job,
    *,
    s3: Any,
    secrets: Any,
    work: Path,
    now: datetime,
    heard: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """Extract, and return {"extraction", "mode", "manifest", "rows": {source: rows}}; `manifest` is None without news.

    `work` is a folder for files under way; `heard` is told of each chunk. Raises ExtractionError by name.
    """
    found = definition.load(job.name)
    sources = _in_order(found, job.source)
    store = Store(s3, job.artifacts, job.name)
    state = store.load()
    request = {"definition": found.checksum, "source": job.source, "full": job.full, "as_of": job.as_of}
    if state and state.status == DELIVERED:  # the job was ended after the manifest: its watermarks come first
        _remember(found, store, state)
        if state.request == request:
            return _report(job, found, state)
    if state is None or state.status != RUNNING or state.request != request:
        state = _begun(job, found, sources, store, request, now)
        store.save(state)
    shared = _Work(job, found, store, state, s3, heard)
    waiting = [source for source in sources if not state.sources[source.name].done]
    if found.export:
        for source in waiting:
            _read_export(shared, source, work)
    elif waiting:
        _read_database(shared, waiting, secrets)
    if state.chunks:
        _put_manifest(shared)
    state.status = DELIVERED
    store.save(state)
    _remember(found, store, state)
    return _report(job, found, state)


def _in_order(found: Definition, only: str | None) -> list[Source]:
    """A source before those it refers to: whoever is referred to is there by then, in a database that goes on."""
    if only:
        return [found.source(only)]
    names = [contract.name for contract in contracts.load().sources(found.portfolio)]
    return sorted(found.sources, key=lambda source: -names.index(source.name))


def _begun(
    job: Job, found: Definition, sources: list[Source], store: Store, request: dict[str, Any], now: datetime
) -> State:
    before = {source.name: _before(store, source) for source in sources}
    increments = [name for name, delivered in before.items() if delivered and not job.full]
    as_of = job.as_of or now.date().isoformat()
    identity = hashlib.sha256(f"{job.name} {now.isoformat()} {request}".encode()).hexdigest()[:12]
    return State(
        request=request,
        delivery_id=f"{as_of}-{identity}",
        as_of=as_of,
        mode="changes" if increments or job.source else "snapshot",
        sources={
            name: Progress(low=before[name].watermark if name in increments else None)  # type: ignore[union-attr]
            for name in before
        },
    )


def _before(store: Store, source: Source) -> Delivered | None:
    """The last delivery of a source, if an increment can follow it."""
    delivered = store.delivered(source.name)
    usable = delivered and source.watermark and delivered.watermark and delivered.checksum == source.checksum
    return delivered if usable else None


def _read_database(shared: _Work, waiting: list[Source], secrets: Any) -> None:
    name = shared.definition.database or ""
    if name not in shared.job.databases:
        known = ", ".join(sorted(shared.job.databases)) or "none"
        raise InvalidExtraction(
            f"{shared.job.name} reads the database {name!r}, and extraction.databases in config/ has: {known}. "
            "Add it there and deploy; nothing was read."
        )
    engine = databases.connected(shared.job.databases[name], secrets)
    try:
        for source in waiting:
            _read_source(shared, source, Reader(engine, source, contracts.load()[source.name]))
    finally:
        engine.dispose()


def _read_source(shared: _Work, source: Source, reader: Reader) -> None:
    progress, overlap = shared.state.sources[source.name], shared.definition.overlap
    delivered = shared.store.delivered(source.name)
    increment = progress.low is not None
    if not progress.begun:
        newest, before = reader.newest(), values.decoded(progress.low)
        progress.high = values.encoded(max((w for w in (newest, before) if w is not None), default=None))
        progress.begun = True
        shared.store.save(shared.state)
    low, high = values.decoded(progress.low), values.decoded(progress.high)
    window = Window(values.back(low, overlap), high) if increment else Window()
    near = values.back(high, overlap)  # what lies behind this the next increment reads again, and knows again
    known = shared.store.seen(delivered) if increment else frozenset()
    while not progress.done:
        after = None if progress.last is None else [values.decoded(value) for value in progress.last]
        rows = _page(reader, after, window, source.chunk_rows)
        fresh, seen = [], set()
        for row in rows:
            mark = reader.watermark_of(row)
            print_ = values.fingerprint(reader.key_of(row), mark) if mark is not None else ""
            if print_ not in known:
                fresh.append(reader.delivered(row))
            if mark is not None and mark >= near:
                seen.add(print_)
        progress.done = len(rows) < source.chunk_rows
        progress.last = [values.encoded(value) for value in reader.key_of(rows[-1])] if rows else progress.last
        if fresh or _owes_a_file(shared.state, progress):
            body = values.csv(reader.headers, fresh, reader.delimiter)
            _put_chunk(shared, source, body, len(fresh))
        if seen:
            progress.pages += 1
            progress.seen.append(shared.store.save_seen(shared.state, f"{source.name}-{progress.pages}", seen))
        _note(shared, source)


def _page(reader: Reader, after: list[Any] | None, window: Window, rows: int) -> list[Any]:
    """A page; a database that went away is asked again, after a pause."""
    for pause in PAUSES:
        try:
            return reader.page(after, window, rows)
        except DatabaseUnreachable:
            time.sleep(pause)
    return reader.page(after, window, rows)


def _read_export(shared: _Work, source: Source, work: Path) -> None:
    export, progress = shared.definition.export, shared.state.sources[source.name]
    assert export is not None
    files = exports.find(shared.s3, shared.job.landing, export, source)
    exports.check_unchanged(source, progress.exported, files)
    progress.exported, progress.last, progress.begun = files, progress.last or 0, True
    reading = exports.Reading(shared.s3, shared.job.landing, export, source, contracts.load()[source.name])
    bodies = reading.chunks(sorted(files), work=work, skip=progress.last)
    for body, rows in bodies:
        _put_chunk(shared, source, body, rows)
        progress.last += rows
        _note(shared, source)
    progress.done = True
    _note(shared, source)


def _owes_a_file(state: State, progress: Progress) -> bool:
    """A complete state says so even of a source without rows."""
    return state.mode == "snapshot" and progress.done and not progress.chunks


def _put_chunk(shared: _Work, source: Source, body: bytes, rows: int) -> None:
    progress = shared.state.sources[source.name]
    name = f"{source.name}-{len(progress.chunks) + 1}.csv"
    key = _manifest_key(shared.definition, shared.state).replace("manifest.json", name)
    shared.s3.put_object(Bucket=shared.job.landing, Key=key, Body=body, ContentType="text/csv")
    progress.chunks.append(Chunk(name, rows, len(body), hashlib.sha256(body).hexdigest()))


def _note(shared: _Work, source: Source) -> None:
    shared.store.save(shared.state)
    chunks = shared.state.sources[source.name].chunks
    shared.heard({"source": source.name, "chunks": len(chunks), "rows": sum(chunk.rows for chunk in chunks)})


def _put_manifest(shared: _Work) -> None:
    """The last object of a delivery. One that is there already is this very one: its job was ended behind it."""
    body = _manifest(shared.definition, shared.state).to_bytes()
    delivery.parse(body)
    key = _manifest_key(shared.definition, shared.state)
    try:
        shared.s3.put_object(
            Bucket=shared.job.landing, Key=key, Body=body, ContentType="application/json", IfNoneMatch="*"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise


def _manifest(found: Definition, state: State) -> Manifest:
    files = tuple(
        DeliveredFile(source=name, name=chunk.name, bytes=chunk.bytes, sha256=chunk.sha256)
        for name in sorted(state.sources)
        for chunk in state.sources[name].chunks
    )
    return Manifest(
        portfolio=found.portfolio,
        dataset=found.dataset,
        delivery_id=state.delivery_id,
        as_of=state.as_of,
        files=files,
        mode=state.mode,
    )


def _manifest_key(found: Definition, state: State) -> str:
    return naming.manifest_key(found.portfolio, state.delivery_id)


def _remember(found: Definition, store: Store, state: State) -> None:
    """The watermarks, now that the manifest has landed; then the extraction is complete."""
    for name, progress in state.sources.items():
        source = found.source(name)
        if source.watermark:
            store.save_delivered(name, Delivered(source.checksum, progress.high, progress.seen))
    state.status = COMPLETED
    store.save(state)


def _report(job: Job, found: Definition, state: State) -> dict[str, Any]:
    landed = f"s3://{job.landing}/{_manifest_key(found, state)}" if state.chunks else None
    rows = {name: sum(chunk.rows for chunk in state.sources[name].chunks) for name in sorted(state.sources)}
    return {"extraction": job.name, "mode": state.mode, "manifest": landed, "rows": rows}
