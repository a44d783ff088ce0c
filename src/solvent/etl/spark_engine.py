"""Spark SQL, as on AWS Glue 5.1 (Spark 3.5.6): reads and writes s3:// itself. Needs neither DuckDB nor sqlglot."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from solvent.etl.engine import Format

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # One long plan hung the optimizer for minutes in constraint propagation.
    "spark.sql.constraintPropagation.enabled": "false",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # Written tables are rebalanced to this size; what a shuffle holds is about twice what Parquet makes of it.
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": "256m",
    # Days before 1582 are written as they are; Spark asks, because Spark 2 would read them otherwise.
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    # A bad value becomes null and a reason, never an exception; the statements decide before they cast.
    "spark.sql.ansi.enabled": "false",
}


class SparkEngine:
    """`session` is for tests; on Glue the job's own session is taken. `remote=False` works on local folders."""

    dialect = "spark"

    def __init__(self, *, session: "SparkSession | None" = None, remote: bool = True) -> None:
        from pyspark.sql import SparkSession

        self.remote = remote
        self._tables: list[str] = []
        self._session = session or SparkSession.builder.getOrCreate()
        for name, value in _SETTINGS.items():
            self._session.conf.set(name, value)

    def parameters(self, values: Mapping[str, str], dates: Mapping[str, str], numbers: Mapping[str, int]) -> None:
        from pyspark.sql import functions as f

        given: dict[str, str | int] = {**values, **dates, **numbers}
        frame = self._session.createDataFrame([tuple(given.values())], list(given))
        for kind, names in (("date", dates), ("int", numbers)):
            for name in names:
                frame = frame.withColumn(name, f.col(name).cast(kind))
        self._keep("run", frame)

    def read(self, table: str, location: str | None, columns: Mapping[str, str] | None = None) -> None:
        from pyspark.sql import functions as f

        # The statements know no time zone: a TIMESTAMP of theirs is Spark's without one.
        columns = columns and {n: "timestamp_ntz" if kind == "timestamp" else kind for n, kind in columns.items()}
        if location is None:
            schema = ", ".join(f"{name} {kind}" for name, kind in (columns or {}).items())
            self._keep(table, self._session.createDataFrame([], schema))
            return
        files = self._session.read.option("mergeSchema", "true").parquet(location)
        if columns is not None:
            there = set(files.columns)
            files = files.select(
                *((f.col(n) if n in there else f.lit(None)).cast(kind).alias(n) for n, kind in columns.items())
            )
        self._keep(table, files)

    def fill(self, table: str, select: str) -> None:
        # Cut here: a plan that carries all steps before it grows until the driver dies of printing it. A lost executor
        # fails the job, and the state machine's retry starts it over.
        frame = self._session.sql(select).localCheckpoint(eager=True)
        # New names for the columns, else two tables of which one came from the other cannot be joined with a third.
        self._keep(table, frame.toDF(*frame.columns))

    def write(self, table: str, location: str, *, form: Format, order: Sequence[str]) -> None:
        # Few large files, of about 128 MB: a reader of a run lists them all.
        rows = self._session.table(table).hint("rebalance")
        writer = rows.sortWithinPartitions(*order).write.mode("overwrite")
        # No _SUCCESS object: SageMaker would take it for data.
        writer = writer.option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
        if form == "parquet":
            writer.parquet(location)
        else:
            writer.option("ignoreNullFields", "false").json(location)

    def rows(self, table: str) -> int:
        return self._session.table(table).count()

    def first(self, table: str) -> dict[str, Any]:
        found = self._session.table(table).first()
        return found.asDict() if found else {}

    def count(self, location: str) -> int:
        return self._session.read.parquet(location).count()

    def close(self) -> None:
        """Forget the tables; the session belongs to the job."""
        for table in self._tables:
            self._session.catalog.dropTempView(table)

    def _keep(self, table: str, frame: "DataFrame") -> None:
        frame.createOrReplaceTempView(table)
        self._tables.append(table)
