"""A warehouse of the embedded Redshift with portfolios of any size.

Lending is loaded once, then multiplied inside. Companies are generated as many as are wanted: their keys have no room.
"""

import itertools
import string
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from moto import mock_aws

from benchmarks.behaviour import transforms
from embedded_aws.redshift.engine import Database, Roles
from solvent import contracts, etl
from solvent.datasets import bankruptcy, synthetic
from solvent.etl.duckdb_engine import DuckDbEngine
from solvent.naming import DATABASE
from solvent.warehouse import load, upgrade
from solvent.warehouse.statements import identifier, table

ADMIN = "admin"
ROLE = "arn:aws:iam::000000000000:role/bench"
TABLES = ("customers", "loans", "repayments", "application_events", "application_features", "predictions")
# A copy's keys: the letter, the copy's two digits of base 36, the last digits of the original's. As long as these.
KEYS = {"customer_id": 4, "loan_id": 4, "payment_id": 7, "event_id": 7}
DIGITS = string.digits + string.ascii_uppercase
_HERE = Path(__file__).parent


class Warehouse:
    """A database in `folder` and what a measurement does with it."""

    def __init__(self, folder: Path) -> None:
        self._lake = folder / "lake"
        self._database = Database(
            folder / f"{DATABASE}.duckdb", storage=lambda role: _Folder(self._lake), roles=lambda: Roles(ROLE, (ROLE,))
        )

    def run(self, *statements: str, parameters: Mapping[str, str] | None = None) -> pa.Table | None:
        """One transaction; the rows of its last statement."""
        found: list[pa.Table | None] = []
        self._database.run(
            statements, user=ADMIN, parameters=parameters, finished=lambda _, outcome: found.append(outcome.table)
        )
        return found[-1]

    def value(self, sql: str) -> object:
        rows = self.run(sql)
        assert rows is not None
        return rows.column(0)[0].as_py()

    def fill(self, folder: Path, payments: int, companies: int) -> None:
        """Make the schema and the marts, load clean synthetic deliveries of at least so many payments and companies."""
        for statements in upgrade.whole("solvent-bench"):
            self.run(*statements)
        size = transforms.customers_of(payments)
        synthetic.generate(folder / "lending", customers=size, loans=size, mess=0)
        self._load("lending", folder / "lending", folder / "work")
        self.companies(folder, companies)

    def companies(self, folder: Path, size: int) -> None:
        """Load a synthetic delivery of so many companies; it replaces the one before."""
        delivery = folder / f"companies-{size}"
        bankruptcy.generate(delivery, size=size, mess=0)
        self.run("DELETE FROM bankruptcy.company_predictions")
        self._load("bankruptcy", delivery, folder / "work")

    def _load(self, portfolio: str, delivery: Path, work: Path) -> None:
        with mock_aws():
            s3 = transforms.in_memory()
            job = transforms.deliver(s3, delivery)
            work.mkdir(exist_ok=True)
            engine = DuckDbEngine(work=work)
            report = etl.run(job, engine=engine, s3=s3, work=work)
            engine.close()
            for zone in ("cleaned", "training"):
                bucket = transforms.BUCKETS[zone]
                for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                    for listed in page.get("Contents", []):
                        path = self._lake / bucket / listed["Key"]
                        path.parent.mkdir(parents=True, exist_ok=True)
                        s3.download_file(bucket, listed["Key"], str(path))
        batch = load.ingest(
            contracts.load(), portfolio=portfolio, run_id=job.run_id, buckets=transforms.BUCKETS, report=report
        )
        self.run(*batch)
        self.run((_HERE / f"{portfolio}_predictions.sql").read_text())

    def multiply(self, payments: int) -> None:
        """Copy customers, loans and all of theirs under new keys until there are so many payments, or a few more."""
        rows = int(str(self.value("SELECT COUNT(*) FROM lending.repayments")))
        copies = -(-payments // rows) - 1
        suffixes = ["".join(pair) for pair in itertools.product(DIGITS, repeat=2)][1 : copies + 1]
        assert len(suffixes) == copies, "two digits of base 36 do not count so far"
        values = ", ".join(f"('{suffix}')" for suffix in suffixes)
        self.run("CREATE TABLE ops.copies (suffix VARCHAR(2))", f"INSERT INTO ops.copies VALUES {values}")  # noqa: S608
        for name in TABLES:
            contract = contracts.load()[name]
            columns = ", ".join(identifier(c) for c in contract.column_names)
            copied = ", ".join(_copied(c) for c in contract.column_names)
            self.run(
                f"INSERT INTO {table(contract)} ({columns}) "  # noqa: S608  names of our contracts
                f"SELECT {copied} FROM {table(contract)} AS t CROSS JOIN ops.copies AS c"
            )

    def close(self) -> None:
        self._database.close()


@contextmanager
def opened(folder: Path) -> Iterator[Warehouse]:
    warehouse = Warehouse(folder)
    try:
        yield warehouse
    finally:
        warehouse.close()


def _copied(column: str) -> str:
    name = f"t.{identifier(column)}"
    if column not in KEYS:
        return name
    return f"LEFT({name}, 1) || c.suffix || RIGHT({name}, {KEYS[column]})"


class _Folder:
    """S3 as `<root>/<bucket>/<key>`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def keys(self, bucket: str, prefix: str) -> list[tuple[str, int]]:
        folder = self._root / bucket
        found = [(p.relative_to(folder).as_posix(), p.stat().st_size) for p in folder.rglob("*") if p.is_file()]
        return sorted(item for item in found if item[0].startswith(prefix))

    def download(self, bucket: str, key: str, path: Path) -> None:
        path.write_bytes((self._root / bucket / key).read_bytes())

    def upload(self, path: Path, bucket: str, key: str) -> None:
        raise NotImplementedError("the benchmark unloads nothing")
