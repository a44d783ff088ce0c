"""The Glue catalog of the lake, from the contracts: no crawler, no partition call; a run is found by its id."""

from typing import Any

from aws_cdk import Aws
from aws_cdk import aws_glue as glue

from solvent import naming
from solvent.contracts import Contract, dqdl
from solvent.contracts.glue import columns, table_name
from stacks.constructs.base import SolventStack

PARQUET_INPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
PARQUET_OUTPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


def database(scope: SolventStack) -> glue.CfnDatabase:
    return glue.CfnDatabase(
        scope,
        "Database",
        catalog_id=Aws.ACCOUNT_ID,
        database_input=glue.CfnDatabase.DatabaseInputProperty(
            name=scope.names.glue_database, description="The published tables of the lake"
        ),
    )


def table(scope: SolventStack, owner: glue.CfnDatabase, *, portfolio: str, contract: Contract) -> glue.CfnTable:
    """A Parquet table partitioned by run; a query must name its `run_id` (injected projection)."""
    name, zone = contract.name, contract.zone
    template = f"s3://{scope.bucket_name(zone)}/{naming.table_prefix(portfolio, name, '${run_id}')}"
    created = glue.CfnTable(
        scope,
        "Table" + "".join(part.capitalize() for part in table_name(contract, portfolio).split("_")),
        catalog_id=Aws.ACCOUNT_ID,
        database_name=scope.names.glue_database,
        table_input=glue.CfnTable.TableInputProperty(
            name=table_name(contract, portfolio),
            description=contract.description,
            table_type="EXTERNAL_TABLE",
            parameters=_parameters(template),
            partition_keys=[
                glue.CfnTable.ColumnProperty(name="run_id", type="string", comment="Hash of delivery and code")
            ],
            storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                location=f"s3://{scope.bucket_name(zone)}/{portfolio}/{name}/",
                input_format=PARQUET_INPUT,
                output_format=PARQUET_OUTPUT,
                serde_info=glue.CfnTable.SerdeInfoProperty(serialization_library=PARQUET_SERDE),
                # A column that is the partition key as well may stand in a table only once.
                columns=[
                    glue.CfnTable.ColumnProperty(name=c["Name"], type=c["Type"], comment=c.get("Comment"))
                    for c in columns(contract)
                    if c["Name"] != "run_id"
                ],
            ),
        ),
    )
    created.node.add_dependency(owner)
    return created


def quality_ruleset(
    scope: SolventStack, table: glue.CfnTable, *, portfolio: str, contract: Contract
) -> glue.CfnDataQualityRuleset:
    """The contract's rules as a Glue Data Quality ruleset on its table; the ETL itself has checked them row by row."""
    created = glue.CfnDataQualityRuleset(
        scope,
        table.node.id.replace("Table", "Quality", 1),
        name=scope.names.ruleset(portfolio, contract.name),
        description=f"What the contract of {contract.name} asks of its rows",
        ruleset=dqdl.ruleset(contract),
        target_table=glue.CfnDataQualityRuleset.DataQualityTargetTableProperty(
            database_name=scope.names.glue_database, table_name=table_name(contract, portfolio)
        ),
    )
    created.node.add_dependency(table)
    return created


def _parameters(template: str) -> dict[str, Any]:
    return {
        "classification": "parquet",
        "EXTERNAL": "TRUE",
        "projection.enabled": "true",
        "projection.run_id.type": "injected",
        "storage.location.template": template,
    }
