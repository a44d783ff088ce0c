"""Whatever moment a job is killed at, the next one delivers every row once."""

import json
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from landing import NOW, Lake, contract
from servers import Server

from solvent import contracts
from solvent.extraction import extract
from solvent.extraction.errors import ExtractionBusy

EVENTS = contract("application_event", "event_id", "note", key="event_id")
LOANS = contract("loan_application", "loan_id", key="loan_id")


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


class Dying:
    """A client of S3 whose process dies right before or after its n-th put."""

    def __init__(self, s3: Any, n: int, *, after: bool) -> None:
        self._s3, self._left, self._after = s3, n, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def put_object(self, **given: Any) -> Any:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Killed
        answer = self._s3.put_object(**given)
        if self._left == 0:
            raise Killed
        return answer


def deliveries(lake: Lake) -> int:
    return sum(key.endswith("/manifest.json") for key in lake.objects())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_any_write_loses_no_row_and_doubles_none(
    lake: Lake, postgres: Server, declare: Any, tmp_path: Path, after: bool
) -> None:
    engine = postgres.engine()
    name, loans = f"kill_{after}".lower(), f"kill_loans_{after}".lower()
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE TABLE {name} (event_id TEXT PRIMARY KEY, note TEXT, changed TIMESTAMPTZ)"))
        connection.execute(sa.text(f"CREATE TABLE {loans} (loan_id TEXT PRIMARY KEY)"))
        connection.execute(sa.text(f"INSERT INTO {name} SELECT 'E' || n, 'n', now() FROM generate_series(1, 10) n"))
        connection.execute(sa.text(f"INSERT INTO {loans} VALUES ('L1')"))
    sources = {
        "application_event": {"table": name, "key": "event_id", "watermark": "changed", "chunk_rows": 4},
        "loan_application": {"table": loans, "key": "loan_id"},
    }
    lake.tell(postgres)
    deaths = 0
    for n in range(1, 40):
        # Another definition for each kill: it starts anew, while the objects of the one before lie around.
        declare(sources, EVENTS, LOANS, dataset=f"d{n}")
        before = deliveries(lake)
        try:
            report = lake.run(
                lake.job("test", postgres, full=True), tmp_path, s3=Dying(lake.client("s3"), n, after=after)
            )
        except Killed:
            deaths += 1
            report = lake.run(lake.job("test", postgres, full=True), tmp_path)
        else:
            assert report["rows"] == {"application_event": 10, "loan_application": 1}
            break
        found = Counter(r["event_id"] for r in lake.rows(report["manifest"], "application_event"))
        assert found == Counter(f"E{i}" for i in range(1, 11)), n
        assert lake.rows(report["manifest"], "loan_application") == [{"loan_id": "L1"}]
        assert deliveries(lake) == before + 1, f"killed at put {n}: one delivery, and nothing half"
        kept = json.loads(lake.body("extractions/test/sources/application_event.json", lake.artifacts))
        assert kept["watermark"] is not None
    assert deaths >= 12
    engine.dispose()


def _payments(server: Server, rows: int) -> None:
    """The four tables of the shipped extraction `lending`; as many instalments as asked for, and nothing else."""
    engine = server.engine()
    with engine.begin() as connection:
        for source in contracts.load().sources("lending"):
            names = [name for name in source.column_names if name != "updated_at"]
            columns = ", ".join(f"{name} VARCHAR(60)" for name in names)
            time_of_change = "recorded_at" if source.name == "application_event" else "updated_at"
            connection.execute(sa.text(f"DROP TABLE IF EXISTS {source.name}"))
            connection.execute(
                sa.text(
                    f"CREATE TABLE {source.name} ({columns}, {time_of_change} TIMESTAMP, "
                    f"PRIMARY KEY ({', '.join(source.key)}))"
                )
            )
        into = "INSERT INTO repayment_history (payment_id, loan_id, amount_due, updated_at) VALUES "
        for start in range(0, rows, 10_000):
            batch = [f"('P{n:09d}', 'L1', '1.5', '2026-01-01')" for n in range(start, min(start + 10_000, rows))]
            connection.execute(sa.text(into + ", ".join(batch)))
    engine.dispose()


def test_kill_9_of_the_real_job_in_the_middle_and_a_resume(lake: Lake, server: Server) -> None:
    rows = 130_000  # seven chunks of 20,000
    _payments(server, rows)
    lake.tell(server)
    kills, chunks = 0, 0
    while True:
        job = lake.process(server)
        if kills < 3:
            chunks = _wait_for_chunk(lake, job, chunks + 1)
            time.sleep(0.15 * kills)  # into the next chunk, each time further
            job.send_signal(signal.SIGKILL)
            job.wait()
            assert lake.manifests() == [], "nothing is delivered before all of it is there"
            kills += 1
            continue
        output = job.communicate()[0]
        assert job.returncode == 0, output
        break
    [manifest] = lake.manifests()
    assert manifest.mode == "snapshot"
    address = f"s3://{lake.landing}/lending/{manifest.delivery_id}/manifest.json"
    found = Counter(r["payment_id"] for r in lake.rows(address, "repayment_history"))
    assert len(found) == rows and set(found.values()) == {1}
    assert [f.name for f in manifest.files_of("repayment_history")] == [
        f"repayment_history-{n}.csv" for n in range(1, 8)
    ]
    first = json.loads(output.splitlines()[0])
    assert first["chunks"] > chunks, "the resumed job goes on where the killed one stopped"


def _wait_for_chunk(lake: Lake, job: Any, number: int) -> int:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert job.poll() is None, job.communicate()[0]
        if "extractions/lending/state.json" in lake.objects(lake.artifacts):
            state = json.loads(lake.body("extractions/lending/state.json", lake.artifacts))
            done = len(state["sources"]["repayment_history"]["chunks"])
            if done >= number:
                return done
        time.sleep(0.02)
    raise AssertionError(f"no chunk {number} within 120 s")


def test_a_second_job_cannot_move_the_same_extraction_on(
    lake: Lake, postgres: Server, declare: Any, tmp_path: Path
) -> None:
    engine = postgres.engine()
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE IF NOT EXISTS twice (event_id TEXT PRIMARY KEY, note TEXT)"))
        connection.execute(
            sa.text("INSERT INTO twice SELECT n, 'n' FROM generate_series(1, 9) n ON CONFLICT DO NOTHING")
        )
    engine.dispose()
    declare({"application_event": {"table": "twice", "key": "event_id", "chunk_rows": 4}}, EVENTS)
    lake.tell(postgres)
    real = lake.client("s3")

    class Overtaken(Dying):
        def put_object(self, **given: Any) -> Any:
            if given["Key"].endswith("-2.csv"):  # meanwhile the other job does all of it
                lake.run(lake.job("test", postgres), tmp_path, s3=real)
            return self._s3.put_object(**given)

    with pytest.raises(ExtractionBusy, match="Another job"):
        lake.run(lake.job("test", postgres), tmp_path, s3=Overtaken(real, 0, after=False))
    [manifest] = lake.manifests()
    address = f"s3://{lake.landing}/lending/{manifest.delivery_id}/manifest.json"
    assert Counter(r["event_id"] for r in lake.rows(address, "application_event")) == Counter(
        str(n) for n in range(1, 10)
    )


def test_a_connection_that_breaks_is_made_again(
    lake: Lake, postgres: Server, declare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = postgres.engine()
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE IF NOT EXISTS broken (event_id TEXT PRIMARY KEY, note TEXT)"))
        connection.execute(
            sa.text("INSERT INTO broken SELECT n, 'n' FROM generate_series(1, 9) n ON CONFLICT DO NOTHING")
        )
    declare({"application_event": {"table": "broken", "key": "event_id", "chunk_rows": 2}}, EVENTS)
    lake.tell(postgres)
    monkeypatch.setattr(extract, "PAUSES", (0.01, 0.01))
    cut = []

    class Cutting(Dying):
        def put_object(self, **given: Any) -> Any:
            if given["Key"].endswith("-2.csv") and not cut:
                cut.append(1)
                with engine.begin() as connection:
                    others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'core'"
                    connection.execute(sa.text(f"SELECT pg_terminate_backend(pid) {others}"))
            return self._s3.put_object(**given)

    report = lake.run(lake.job("test", postgres), tmp_path, s3=Cutting(lake.client("s3"), 0, after=False), now=NOW)
    assert cut and report["rows"] == {"application_event": 9}
    engine.dispose()
