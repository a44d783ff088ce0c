"""A load is there whole or not at all: killed at any statement and run again, run twice, and looked at meanwhile.

The statements of the procedures that a load calls stand in their place here, so that it can be killed between them.
"""

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from load_cases import (
    KNOWN,
    LOADER,
    Lake,
    ask,
    deleted,
    fill,
    ingest,
    inlined,
    marker,
    migrated,
    prediction,
    scoring,
    snapshot,
)

from embedded_aws.redshift.engine import Database
from solvent.warehouse import merging

ROWS = 20
LATER = "f" * 16


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "solvent.db"
    with migrated(path, Lake(path.parent)):
        return path


@contextmanager
def loaded(template: Path, folder: Path, portfolio: str) -> Iterator[tuple[Database, Lake]]:
    """A warehouse with one run in it."""
    lake = Lake(folder / "s3", portfolio)
    fill(lake, version=1)
    with migrated(Path(shutil.copy(template, folder)), lake) as database:
        ingest(database, lake)
        yield database, lake


def checksums(database: Database, portfolio: str) -> dict[str, str]:
    return {t: hashlib.sha256(repr(r).encode()).hexdigest() for t, r in snapshot(database, portfolio).items()}


def kill(database: Database, batch: list[str], at: int, *, before: bool) -> None:
    """Run a batch whose process dies before or after a statement."""

    def die(index: int, _: object) -> None:
        if index == at:
            raise Killed

    hook: Callable[..., None] = die
    with pytest.raises(Killed):
        if before:
            database.run(batch, user=LOADER, started=hook)
        else:
            database.run(batch, user=LOADER, finished=hook)


def next_ingest(lake: Lake) -> list[str]:
    """Another run, with new rows, changed ones, and a deletion in every source."""
    fill(lake, rows=3, first=1, run_id=LATER, version=2)
    sources = {c.source: "|".join(["0"] * len(c.key)) for c in lake.published if c.source}
    deleted(lake, LATER, {source: [key] for source, key in sources.items()})
    return inlined(lake, LATER, deleted=tuple(sources))


def next_score(lake: Lake) -> list[str]:
    lake.put_predictions([prediction("0"), prediction("1")])
    return scoring()


@pytest.mark.parametrize(
    ("portfolio", "phase"), [("lending", next_ingest), ("bankruptcy", next_ingest), ("lending", next_score)]
)
def test_killed_at_every_statement_and_run_again_the_tables_are_the_same(
    tmp_path: Path, template: Path, portfolio: str, phase: Callable[[Lake], list[str]]
) -> None:
    with loaded(template, tmp_path, portfolio) as (database, lake):
        batch = phase(lake)
        states = [checksums(database, portfolio)]
        kill(database, batch, 0, before=True)
        for step in (1, 6):  # first nothing of the run is there, then all of it: by then a kill takes nothing away
            for at in range(0, len(batch), step):
                kill(database, batch, at, before=False)
                assert checksums(database, portfolio) == states[-1], batch[at]
            database.run(batch, user=LOADER)
            states.append(checksums(database, portfolio))
    assert states[0] != states[1] == states[2]


# What a reader sees.

TABLES = merging.tables(KNOWN, "lending")
RUNS = "SELECT COUNT(DISTINCT run_id), 0, 0 FROM ops.load_log"
LOOK = [
    f"SELECT COUNT(*), MIN(CAST({marker(c).name} AS INTEGER)), MAX(CAST({marker(c).name} AS INTEGER)) FROM {c.table}"
    for c in TABLES
]


def look(database: Database) -> tuple[int, list[tuple[int, ...]]]:
    """One snapshot: how many runs the load log has; of each table the rows, and the versions of its oldest and newest.

    One transaction on a connection of its own.
    """
    found: list[tuple[int, ...]] = []

    def seen(_: int, outcome: object) -> None:
        table = outcome.table  # type: ignore[attr-defined]
        found.append(tuple(table.to_pylist()[0].values()))

    database.run([LOOK[0], RUNS, *LOOK[1:]], user="admin", finished=seen)
    return found[1][0], [found[0], *found[2:]]


def torn(seen: tuple[int, list[tuple[int, ...]]]) -> bool:
    """Version n is in every row of every table, and the load log has n runs: or the snapshot is of several runs."""
    runs, tables = seen
    return any(found != (ROWS, runs, runs) for found in tables)


def run_of(version: int) -> str:
    return f"{version:016x}"


def test_a_reader_would_notice_a_table_of_another_run(tmp_path: Path, template: Path) -> None:
    lake = Lake(tmp_path / "s3")
    fill(lake, rows=ROWS, version=1)
    with migrated(Path(shutil.copy(template, tmp_path)), lake) as database:
        ingest(database, lake)
        assert not torn(look(database))
        for table in TABLES:
            column = marker(table)
            value = "'2'" if column.type == "string" else "2"
            key = table.key[0]
            one = f"{key} = (SELECT MIN({key}) FROM {table.table})"
            database.run([f"UPDATE {table.table} SET {column.name} = {value} WHERE {one}"], user="admin")
            assert torn(look(database)), table.name
            value = "'1'" if column.type == "string" else "1"
            database.run([f"UPDATE {table.table} SET {column.name} = {value}"], user="admin")
            assert not torn(look(database))


def test_concurrent_readers_never_see_a_part_of_a_load(tmp_path: Path, template: Path) -> None:
    lake, versions, ended = Lake(tmp_path / "s3"), range(1, 9), threading.Event()
    for version in versions:
        fill(lake, rows=ROWS, version=version, run_id=run_of(version))
    seen: list[list[tuple[int, list[tuple[int, ...]]]]] = [[], [], []]

    def read(into: list[tuple[int, list[tuple[int, ...]]]]) -> None:
        while not ended.is_set():
            into.append(look(database))

    with migrated(Path(shutil.copy(template, tmp_path)), lake) as database:
        ingest(database, lake, run_of(1))
        readers = [threading.Thread(target=read, args=(into,)) for into in seen]
        for reader in readers:
            reader.start()
        try:
            for version in versions[1:]:
                batch = inlined(lake, run_of(version))
                kill(database, batch, len(batch) - version, before=version % 2 == 0)  # among the last, with all merged
                database.run(batch, user=LOADER)
        finally:
            ended.set()
            for reader in readers:
                reader.join()
        assert not torn(look(database)), ask(database, RUNS)
    for observed in seen:
        assert [s for s in observed if torn(s)] == []
        assert len({runs for runs, _ in observed}) > len(versions) / 2, "the reader was not there while it happened"
        assert [runs for runs, _ in observed] == sorted(runs for runs, _ in observed), "a load that went again"
