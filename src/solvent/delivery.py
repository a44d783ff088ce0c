"""A delivery: the files of one portfolio, described by a manifest that lands last and starts `ingest`.

Pure and free of clocks: the same folder always gives the same manifest, byte for byte.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from solvent import contracts

MANIFEST = "manifest.json"
SETTINGS = "delivery.json"
VERSION = 1

_AS_OF = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\Z")
_ID = re.compile(r"[0-9-]{10}-[0-9a-f]{12}\Z")
_FILE = re.compile(r"([a-z_]+)(-\d+)?\.(csv|txt)\Z")
MODES = ("snapshot", "changes")
# In a delivery of changes (or a snapshot), a column of this name marks rows that were deleted.
DELETED = "_deleted"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}\Z")
_PLAIN = re.compile(r"[A-Za-z0-9_./-]{0,40}\Z")
_RUN = re.compile(r"[0-9a-f]{16}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class DeliveryError(Exception):
    """A delivery cannot be taken; the message says why and how to mend it."""


@dataclass(frozen=True)
class DeliveredFile:
    """One file; a source may come in several (`repayment_history-1.csv`, `repayment_history-2.csv`)."""

    source: str
    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What was delivered. `provenance` names the generated columns: {source: {column: "generated"}}.

    `mode`: a `snapshot` is the complete state, what it lacks is deleted; `changes` holds new and changed rows only.
    `replay_of`: the run whose rows in quarantine are delivered again.
    """

    portfolio: str
    dataset: str
    delivery_id: str
    as_of: str
    files: tuple[DeliveredFile, ...]
    provenance: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    mode: str = MODES[0]
    replay_of: str | None = None

    def to_bytes(self) -> bytes:
        """Canonical JSON: sorted keys, no spaces, no clock."""
        body = {"version": VERSION, **asdict(self)}
        if self.replay_of is None:
            del body["replay_of"]
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"

    def files_of(self, source: str) -> tuple[DeliveredFile, ...]:
        return tuple(f for f in self.files if f.source == source)

    def is_generated(self, source: str, column: str) -> bool:
        """Whether the column was generated to fill out a real data set."""
        return self.provenance.get(source, {}).get(column) == "generated"


def build(folder: Path, *, as_of: str | None = None, portfolio: str = "lending") -> Manifest:
    """The manifest of a folder of `<source>.csv` or `<source>.txt` files.

    `delivery.json` beside them may say `as_of`, `dataset`, `portfolio`, `mode`, `provenance` and `replay_of`. Raises
    DeliveryError when there is no file or no date.
    """
    if not folder.is_dir():
        raise DeliveryError(f"{folder} is not a folder. Name the folder that holds the files; nothing was loaded.")
    settings = _settings(folder / SETTINGS)
    files = tuple(
        DeliveredFile(source=match[1], name=path.name, bytes=path.stat().st_size, sha256=_sha256(path))
        for path in data_files(folder)
        if (match := _FILE.match(path.name))
    )
    if not files:
        raise DeliveryError(f"{folder} holds no <source>.csv or .txt. Put files there, named after their contracts.")
    date = as_of or settings.get("as_of")
    if not date:
        hint = '{"as_of": "2026-06-30", "dataset": "my-bank"}'
        raise DeliveryError(f"{folder} does not say as of which day it is. Add {SETTINGS} such as {hint}.")
    body = {
        "version": VERSION,
        "portfolio": settings.get("portfolio", portfolio),
        "dataset": settings.get("dataset", "files"),
        "as_of": date,
        "files": [asdict(f) for f in files],
        "provenance": settings.get("provenance", {}),
        "mode": settings.get("mode", MODES[0]),
    }
    if "replay_of" in settings:
        body["replay_of"] = settings["replay_of"]
    contents = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return _manifest({**body, "delivery_id": f"{date}-{contents[:12]}"}, str(folder / SETTINGS))


def data_files(folder: Path) -> list[Path]:
    """The files of a delivery in a folder, sorted: what is `.csv`, and a `.txt` that is named after a source."""
    sources = contracts.load()
    found = (path for path in folder.iterdir() if path.suffix == ".csv" or source_of(path.name) in sources)
    return sorted(found)


def source_of(name: str) -> str | None:
    """The source that a file's name belongs to: `repayment_history-2.csv` -> `repayment_history`."""
    matched = _FILE.match(name)
    return matched[1] if matched else None


def parse(body: bytes) -> Manifest:
    """Read a manifest. Raises DeliveryError that says what is wrong with it."""
    try:
        data = json.loads(body)
    except ValueError as error:
        raise DeliveryError(f"{MANIFEST} is not JSON ({error}). Build it with `solvent load`; nothing ran.") from error
    return _manifest(data, MANIFEST)


def run_id(manifest: bytes, code_version: str) -> str:
    """16 hex characters: the same delivery under the same code is the same run."""
    return hashlib.sha256(manifest + b"\0" + code_version.encode()).hexdigest()[:16]


def _manifest(data: Any, name: str) -> Manifest:
    def need(good: object, what: str) -> None:
        if not good:
            raise DeliveryError(f"{name}: {what}. Build it with `solvent load`; nothing ran.")

    need(isinstance(data, dict), "is not a JSON object")
    need(data.get("version") == VERSION, f"version is {_short(data.get('version'))}, this release reads {VERSION}")
    for key, pattern in (("portfolio", _NAME), ("dataset", _NAME), ("as_of", _AS_OF), ("delivery_id", _ID)):
        need(isinstance(data.get(key), str) and pattern.match(data[key]), f"{key} is {_short(data.get(key))}")
    files = data.get("files")
    need(isinstance(files, list) and files, "lists no files")
    for number, file in enumerate(files, 1):
        keys = {"source", "name", "bytes", "sha256"}
        need(isinstance(file, dict) and set(file) == keys, f"wrong file entry {number}, it has not {sorted(keys)}")
        matched = _FILE.match(str(file["name"]))
        need(matched and matched[1] == file["source"], f"file {number} is not named after its source")
        need(isinstance(file["bytes"], int) and file["bytes"] >= 0, f"bytes of {file['name']} is no size")
        need(_SHA256.match(str(file["sha256"])), f"sha256 of {file['name']} is none")
    need(len({f["name"] for f in files}) == len(files), "lists a file twice")
    provenance = data.get("provenance", {})
    mode = data.get("mode", MODES[0])
    need(mode in MODES, f"mode is {_short(mode)}, it must be {' or '.join(MODES)}")
    replay_of = data.get("replay_of")
    need(replay_of is None or _RUN.match(str(replay_of)), f"replay_of is {_short(replay_of)}, no run's id")
    need(isinstance(provenance, dict) and all(isinstance(v, dict) for v in provenance.values()), "wrong provenance")
    return Manifest(
        portfolio=data["portfolio"],
        dataset=data["dataset"],
        delivery_id=data["delivery_id"],
        as_of=data["as_of"],
        files=tuple(DeliveredFile(**f) for f in files),
        provenance=provenance,
        mode=mode,
        replay_of=replay_of,
    )


def _short(value: Any) -> str:
    """A value for a message if it may be a setting; what else somebody put there is not repeated."""
    plain = isinstance(value, (int, float, bool)) or value is None or (isinstance(value, str) and _PLAIN.match(value))
    return repr(value) if plain else "not of that form"


def _settings(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        settings = json.loads(path.read_text())
    except ValueError as error:
        raise DeliveryError(f"{path} is not JSON ({error}). Mend it; nothing was loaded.") from error
    if not isinstance(settings, dict):
        raise DeliveryError(f"{path} is not a JSON object. Mend it; nothing was loaded.")
    return settings


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
