"""The Data API's look into the catalog: ListDatabases, ListSchemas, ListTables, DescribeTable."""

import re
from typing import Any

from embedded_aws.redshift import callers, submission
from embedded_aws.redshift.databases import databases
from embedded_aws.redshift.errors import SqlError
from embedded_aws.redshift.outcome import Outcome
from embedded_aws.service import ApiError

Json = dict[str, Any]


def list_databases(request: Json) -> Json:
    """ListDatabases."""
    return {"Databases": [submission.endpoint(request)[1]["dbName"]]}


def _rows(request: Json, sql: str, **parameters: str) -> list[list[Any]]:
    workgroup, namespace = submission.endpoint(request)
    user = callers.authenticate(workgroup, namespace, request.get("SecretArn"))
    rows: list[list[Any]] = []

    def keep(index: int, outcome: Outcome) -> None:
        if outcome.table is not None:
            rows.extend(list(row.values()) for row in outcome.table.to_pylist())

    try:
        databases.get(namespace, request["Database"]).run([sql], user=user, parameters=parameters, finished=keep)
    except SqlError as error:
        raise ApiError("ValidationException", str(error)) from error
    return rows


def list_schemas(request: Json) -> Json:
    """ListSchemas."""
    sql = """SELECT DISTINCT schema_name FROM information_schema.schemata
             WHERE catalog_name = current_database() ORDER BY 1"""
    pattern = request.get("SchemaPattern", "%")
    hidden = ("_redshift", "main")
    names = [row[0] for row in _rows(request, sql) if row[0] not in hidden]
    return {"Schemas": [name for name in names if _like(name, pattern)]}


def list_tables(request: Json) -> Json:
    """ListTables."""
    sql = "SELECT table_schema, table_name, table_type FROM svv_tables ORDER BY 1, 2"
    return {
        "Tables": [
            {"schema": schema, "name": name, "type": "TABLE" if kind == "BASE TABLE" else kind}
            for schema, name, kind in _rows(request, sql)
            if _like(schema, request.get("SchemaPattern", "%")) and _like(name, request.get("TablePattern", "%"))
        ]
    }


def describe_table(request: Json) -> Json:
    """DescribeTable."""
    sql = """SELECT column_name, data_type, is_nullable, column_default, character_maximum_length FROM svv_columns
             WHERE table_schema = :schema AND table_name = :table ORDER BY ordinal_position"""
    schema, table = request.get("Schema", "public"), request.get("Table", "")
    return {
        "TableName": table,
        "ColumnList": [
            {"name": name, "label": name, "typeName": kind, "nullable": int(nullable == "YES"), "length": length or 0,
             "schemaName": schema, "tableName": table} | ({"columnDefault": default} if default else {})
            for name, kind, nullable, default, length in _rows(request, sql, schema=schema, table=table)
        ],
    }  # fmt: skip


def _like(text: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace("%", ".*").replace("_", "."), text) is not None
