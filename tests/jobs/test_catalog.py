"""The catalog as others read it: awswrangler finds each table of a run by the template's own definition."""

from collections.abc import Iterator
from typing import Any

import boto3
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lakehouse import BUCKETS, Lakehouse
from moto import mock_aws

from gates.assembly import Assembly
from solvent import contracts, etl, naming
from solvent.contracts import Contract, glue
from solvent.datasets import synthetic

PUBLISHED = contracts.load().in_the_lake("lending")
DATABASE = "solvent_dev"
# What awswrangler makes of the Hive types, with pyarrow's types.
ARROW = {
    "string": pa.string(), "int": pa.int32(), "bigint": pa.int64(), "double": pa.float64(),
    "date": pa.date32(), "timestamp": pa.timestamp("us"), "boolean": pa.bool_(),
}  # fmt: skip


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lakehouse, list[etl.Job]]]:
    """Two runs in the lake, and the tables of the template in the catalog."""
    folder = tmp_path_factory.mktemp("catalog")
    (folder / "work").mkdir()
    with mock_aws():
        lakehouse, jobs = Lakehouse(folder / "work"), []
        for seed in (1, 2):
            synthetic.generate(folder / str(seed), customers=60, loans=60, seed=seed, mess=3.0)
            jobs.append(lakehouse.deliver(folder / str(seed)))
            lakehouse.run(jobs[-1])
        catalog = boto3.client("glue", region_name="eu-west-1")
        catalog.create_database(DatabaseInput={"Name": DATABASE})
        for table in Assembly.synthesized("dev").of("AWS::Glue::Table").values():
            catalog.create_table(DatabaseName=DATABASE, TableInput=in_test_buckets(table["TableInput"]))
        yield lakehouse, jobs


def in_test_buckets(value: Any) -> Any:
    """The template's table with its bucket, whose name holds the account, replaced by the test's."""
    if isinstance(value, dict):
        if "Fn::Join" in value:
            text = "".join(part if isinstance(part, str) else "" for part in value["Fn::Join"][1])
            return moved(text)
        return {k: in_test_buckets(v) for k, v in value.items()}
    if isinstance(value, list):
        return [in_test_buckets(v) for v in value]
    return moved(value) if isinstance(value, str) and value.startswith("s3://") else value


def moved(text: str) -> str:
    bucket, _, key = text.removeprefix("s3://").partition("/")
    [zone] = [z for z in BUCKETS if bucket.startswith(f"solvent-dev-{z}-")]
    return f"s3://{BUCKETS[zone]}/{key}"


@pytest.fixture
def session() -> Any:
    return boto3.Session(region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")


@pytest.mark.parametrize("contract", PUBLISHED, ids=lambda c: c.name)
def test_a_run_is_read_back_with_the_types_of_its_contract(
    contract: Contract, lake: tuple[Lakehouse, list[etl.Job]], session: Any
) -> None:
    import awswrangler as wr

    lakehouse, jobs = lake
    types = wr.catalog.get_table_types(DATABASE, glue.table_name(contract, "lending"), boto3_session=session)
    assert types == {c["Name"]: c["Type"] for c in glue.columns(contract)} | {"run_id": "string"}
    frame = wr.s3.read_parquet_table(
        glue.table_name(contract, "lending"), database=DATABASE, dtype_backend="pyarrow", boto3_session=session
    )
    for column in (c["Name"] for c in glue.columns(contract) if c["Name"] != "run_id"):
        assert arrow_type(frame[column]) == expected(types[column]), column
    with_rows = {job.run_id for job in jobs if lakehouse.table(job, contract.zone, contract.name).num_rows}
    assert {str(run) for run in frame["run_id"].unique()} == with_rows
    for job in jobs:
        read, written = frame[frame["run_id"] == job.run_id], lakehouse.table(job, contract.zone, contract.name)
        assert len(read) == written.num_rows
        assert written.num_rows or contract.name == "deletion_log"  # first deliveries delete nothing
        for column in written.column_names:
            assert read[column].isna().sum() == written[column].null_count, column


def arrow_type(series: "pd.Series[Any]") -> pa.DataType:
    assert isinstance(series.dtype, pd.ArrowDtype), series.dtype
    kind = series.dtype.pyarrow_dtype
    return pa.string() if pa.types.is_large_string(kind) else kind


def expected(hive: str) -> pa.DataType:
    if hive.startswith("decimal"):
        precision, scale = hive.removeprefix("decimal(").removesuffix(")").split(",")
        return pa.decimal128(int(precision), int(scale))
    return ARROW[hive]


@pytest.mark.parametrize("contract", PUBLISHED, ids=lambda c: c.name)
def test_columns_have_the_contracts_words_and_runs_are_projected(contract: Contract, lake: Any, session: Any) -> None:
    import awswrangler as wr

    name = glue.table_name(contract, "lending")
    comments = wr.catalog.get_columns_comments(DATABASE, name, boto3_session=session)
    for column in contract.columns:
        if column.name != "run_id":
            assert comments[column.name] and comments[column.name][:20] == column.description[:20]
    parameters = wr.catalog.get_table_parameters(DATABASE, name, boto3_session=session)
    assert parameters["projection.run_id.type"] == "injected"
    # What Athena makes of the template for a run is where that run's files are.
    _, jobs = lake
    location = parameters["storage.location.template"].replace("${run_id}", jobs[0].run_id)
    prefix = naming.table_prefix("lending", contract.name, jobs[0].run_id)
    assert location == f"s3://{BUCKETS[contract.zone]}/{prefix}"
    assert wr.s3.list_objects(location, boto3_session=session)


@pytest.mark.parametrize("contract", PUBLISHED, ids=lambda c: c.name)
def test_row_groups_tell_the_range_of_keys_and_dates(contract: Contract, lake: tuple[Lakehouse, list[etl.Job]]) -> None:
    """Without statistics an engine reads every row group to find one key or one month."""
    lakehouse, jobs = lake
    prefix = naming.table_prefix("lending", contract.name, jobs[0].run_id)
    files = [
        pq.ParquetFile(pa.BufferReader(b)) for k, b in lakehouse.objects(contract.zone).items() if k.startswith(prefix)
    ]
    wanted = {*contract.key, *(c.name for c in contract.columns if c.type in ("date", "timestamp"))}
    found = set()
    for file in files:
        for number in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(number)
            for at in range(group.num_columns):
                column = group.column(at)
                statistics = column.statistics
                if column.path_in_schema in wanted and statistics.null_count != group.num_rows:
                    assert statistics.has_min_max, column.path_in_schema
                    assert statistics.min <= statistics.max
                found.add(column.path_in_schema)
    if contract.name != "deletion_log":  # first deliveries delete nothing
        assert wanted <= found and found == set(contract.column_names)
