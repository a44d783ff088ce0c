"""COPY and UNLOAD behave as on Redshift: how columns are matched, which role reads, what an error says."""

import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from redshift_fixtures import ROLE, Warehouse

from embedded_aws.redshift.errors import SqlError

COPY = "COPY t FROM 's3://lake/in/' IAM_ROLE default"


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path)
    made.run("CREATE TABLE t (id BIGINT NOT NULL, name VARCHAR(5), at DATE)")
    return made


def parquet(**columns: pa.Array) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


@pytest.mark.contract(
    "redshift.copy-parquet",
    page="https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html",
    quote=(
        "COPY inserts values into the target table's columns in the same order as the columns occur in the "
        "columnar data files."
    ),
)
def test_parquet_is_matched_by_position_not_by_name(warehouse: Warehouse) -> None:
    content = parquet(
        whatever=pa.array([1, 2], pa.int64()), id=pa.array(["a", "b"]), name=pa.array([None, None], pa.date32())
    )
    warehouse.storage.put("lake", "in/part-0.parquet", content)
    warehouse.storage.put("lake", "in/_SUCCESS", b"")
    assert warehouse.run(f"{COPY} FORMAT AS PARQUET")[0].rows == 2
    assert warehouse.rows("SELECT id, name FROM t ORDER BY id") == [(1, "a"), (2, "b")]
    assert warehouse.roles == [ROLE], "IAM_ROLE default is the namespace's default role"


@pytest.mark.parametrize("table", ["t", "staged"])
@pytest.mark.parametrize("size", [100, 122_880, 250_000])
def test_what_was_copied_is_there_whole_for_the_same_transaction(warehouse: Warehouse, table: str, size: int) -> None:
    """DuckDB keeps 122,880 rows together; in 2.0.0 a transaction lost more of them from its joins and groups."""
    numbers = pa.array(range(size), pa.int64())
    content = parquet(id=numbers, name=pa.array(["a"] * size), at=pa.array([None] * size, pa.date32()))
    warehouse.storage.put("lake", "in/part-0.parquet", content)
    *_, grouped, unmatched = warehouse.run(
        "CREATE TEMP TABLE staged AS SELECT * FROM t WHERE 1 = 0",
        f"{COPY} FORMAT AS PARQUET".replace("COPY t", f"COPY {table}"),
        f"SELECT COUNT(*) FROM (SELECT id FROM {table} GROUP BY id) AS ids",
        f"SELECT COUNT(*) FROM {table} AS s WHERE NOT EXISTS (SELECT 1 FROM t AS o WHERE o.id = s.id AND o.name = 'b')",
    )
    assert [o.table.column(0)[0].as_py() for o in (grouped, unmatched) if o.table] == [size, size]


def test_parquet_with_a_column_too_few_is_refused(warehouse: Warehouse) -> None:
    warehouse.storage.put("lake", "in/a.parquet", parquet(id=pa.array([1], pa.int64())))
    with pytest.raises(SqlError, match=r"Unmatched number of columns .* Table columns: 3, Data columns: 1"):
        warehouse.run(f"{COPY} FORMAT AS PARQUET")


def test_parquet_with_another_type_is_refused(warehouse: Warehouse) -> None:
    content = parquet(id=pa.array([1], pa.int32()), name=pa.array(["a"]), at=pa.array([None], pa.date32()))
    warehouse.storage.put("lake", "in/a.parquet", content)
    with pytest.raises(SqlError, match="incompatible Parquet schema for column"):
        warehouse.run(f"{COPY} FORMAT AS PARQUET")


@pytest.mark.contract(
    "redshift.copy-json",
    page="https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html",
    says="COPY with JSON 'auto' matches attributes by name.",
)
def test_json_is_matched_by_name_and_keeps_nested_values_in_super(warehouse: Warehouse) -> None:
    warehouse.run("CREATE TABLE p (loan VARCHAR(9), reasons SUPER, score INT)")
    lines = [{"score": 5, "loan": "L1", "reasons": [{"code": "R1"}], "unknown": 1}, {"loan": "L2"}]
    warehouse.storage.put("lake", "p/a.jsonl", "\n".join(json.dumps(line) for line in lines).encode())
    warehouse.run("COPY p FROM 's3://lake/p/' IAM_ROLE default FORMAT AS JSON 'auto'")
    assert warehouse.rows("SELECT loan, score, reasons[0].code FROM p ORDER BY loan") == [
        ("L1", 5, '"R1"'),
        ("L2", None, None),
    ]


def test_csv_with_a_header_and_quotes(warehouse: Warehouse) -> None:
    warehouse.storage.put("lake", "in/a.csv.gz", gzip.compress(b'id,name,at\n1,"a,b",2024-01-31\n2,,\n'))
    warehouse.run(f"{COPY} CSV IGNOREHEADER 1 GZIP")
    rows = warehouse.rows("SELECT id, name, at::varchar FROM t ORDER BY id")
    assert rows == [(1, "a,b", "2024-01-31"), (2, "", None)]


@pytest.mark.contract(
    "redshift.copy-error",
    page="https://docs.aws.amazon.com/redshift/latest/dg/t_Troubleshooting_load_errors.html",
    says="A row that does not fit fails the COPY and is described in the table of load errors.",
)
def test_a_bad_row_loads_nothing_and_is_described(warehouse: Warehouse) -> None:
    warehouse.storage.put("lake", "in/a.csv", b"id,name,at\n1,a,2024-01-31\nx,b,2024-01-31\n")
    with pytest.raises(SqlError, match="Load into table 't' failed.  Check 'sys_load_error_detail'"):
        warehouse.run(f"{COPY} CSV IGNOREHEADER 1")
    assert warehouse.value("SELECT COUNT(*) FROM t") == 0
    columns = "file_name, line_number, column_name, error_code"
    assert warehouse.rows(f"SELECT {columns} FROM sys_load_error_detail") == [("s3://lake/in/a.csv", 3, "id", 1207)]


@pytest.mark.contract(
    "redshift.copy-error-own",
    page="https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html",
    says="A user who is no superuser sees the errors of his own loads.",
)
def test_load_errors_are_seen_by_whoever_loaded(warehouse: Warehouse) -> None:
    warehouse.storage.put("lake", "in/a.csv", b"x,b,2024-01-31\n")
    warehouse.run("CREATE USER u PASSWORD DISABLE", "CREATE USER other PASSWORD DISABLE", "GRANT ALL ON t TO u")
    with pytest.raises(SqlError, match="Load into table 't' failed"):
        warehouse.run(f"{COPY} CSV", user="u")
    seen = "SELECT e.error_code FROM sys_load_error_detail AS e WHERE e.file_name LIKE 's3://%'"
    assert [warehouse.rows(seen, user=user) for user in ("u", "other", "admin")] == [[(1207,)], [], [(1207,)]]


@pytest.mark.parametrize(("line", "code"), [(b",a,2024-01-31", 1213), (b"1,abcdef,2024-01-31", 1204)])
def test_missing_and_too_long_values_are_named(warehouse: Warehouse, line: bytes, code: int) -> None:
    warehouse.storage.put("lake", "in/a.csv", line + b"\n")
    with pytest.raises(SqlError, match="Load into table 't' failed"):
        warehouse.run(f"{COPY} CSV")
    assert warehouse.value("SELECT error_code FROM sys_load_error_detail") == code


def test_named_columns_take_the_files_columns_in_order(warehouse: Warehouse) -> None:
    warehouse.storage.put("lake", "in/a.csv", b"x,7\n")
    warehouse.run("COPY t (name, id) FROM 's3://lake/in/' IAM_ROLE default CSV")
    assert warehouse.rows("SELECT id, name FROM t") == [(7, "x")]


def test_a_manifest_names_the_files(warehouse: Warehouse) -> None:
    warehouse.storage.put("lake", "in/a.csv", b"1,a,\n")
    warehouse.storage.put("lake", "in/b.csv", b"2,b,\n")
    entries = [{"url": "s3://lake/in/b.csv", "mandatory": True}]
    warehouse.storage.put("lake", "m.json", json.dumps({"entries": entries}).encode())
    warehouse.run("COPY t FROM 's3://lake/m.json' IAM_ROLE default CSV MANIFEST")
    assert warehouse.rows("SELECT id FROM t") == [(2,)]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("COPY t FROM 's3://lake/none/' IAM_ROLE default CSV", "The specified S3 prefix 'none/' does not exist"),
        ("COPY t FROM 's3://secret/in/' IAM_ROLE default CSV", "S3ServiceException:Access Denied,Status 403"),
        ("COPY t FROM 's3://lake/in/' IAM_ROLE 'arn:aws:iam::1:role/other' CSV", "not authorized to assume IAM Role"),
        ("COPY t FROM 's3://lake/in/' CSV", "No credentials were supplied"),
        ("COPY u FROM 's3://lake/in/' IAM_ROLE default CSV", 'relation "u" does not exist'),
        ("COPY t FROM 's3://lake/in/' IAM_ROLE default AVRO 'auto'", "does not implement FORMAT AVRO"),
        ("COPY t FROM 's3://lake/in/' IAM_ROLE default CSV FROBNICATE", "does not implement the option FROBNICATE"),
        ("COPY t FROM 's3://lake/in/' IAM_ROLE default CSV MAXERROR 5", "does not implement MAXERROR"),
        ("COPY t FROM 's3://lake/in/' IAM_ROLE default JSON 's3://lake/paths.json'", "does not implement COPY JSON"),
    ],
)
def test_what_copy_refuses(warehouse: Warehouse, statement: str, error: str) -> None:
    with pytest.raises(SqlError) as found:
        warehouse.run(statement)
    assert error in str(found.value)


@pytest.mark.contract(
    "redshift.unload",
    page="https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html",
    quote="By default, UNLOAD fails if it finds files that it would possibly overwrite.",
)
def test_unload_writes_parquet_and_refuses_to_overwrite(warehouse: Warehouse) -> None:
    warehouse.run("INSERT INTO t VALUES (1, 'it''s', '2024-01-31')")
    unload = (
        "UNLOAD ('SELECT * FROM t WHERE name = ''it''''s''') TO 's3://lake/out/t_' IAM_ROLE default FORMAT AS PARQUET"
    )
    assert warehouse.run(unload)[0].rows == 1
    written = warehouse.storage.root / "lake/out/t_0000_part_00.parquet"
    assert pq.read_table(written).to_pylist()[0]["name"] == "it's"
    with pytest.raises(SqlError, match="Specified unload destination on S3 is not empty"):
        warehouse.run(unload)
    assert warehouse.run(f"{unload} ALLOWOVERWRITE")[0].rows == 1
