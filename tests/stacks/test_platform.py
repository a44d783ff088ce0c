"""What each part must have for the code that runs in it: names, settings, tables, retries."""

import json
import re
from typing import Any

import pytest

from scripts import assemblies
from solvent import contracts, naming
from solvent.contracts import glue
from stacks import bundling, config

LAMBDAS = sorted(path.parent.name for path in (bundling.ROOT / "lambdas").glob("*/handler.py"))


def test_every_lambda_directory_is_deployed_under_its_name(assembly: Any) -> None:
    names = {p["FunctionName"] for p in assembly.of("AWS::Lambda::Function").values() if "FunctionName" in p}
    assert names == {f"solvent-{assembly.environment}-{name.replace('_', '-')}" for name in LAMBDAS}


@pytest.mark.parametrize("name", LAMBDAS)
def test_a_function_gets_every_variable_that_its_settings_read(assembly: Any, name: str) -> None:
    source = (bundling.ROOT / "lambdas" / name / "settings.py").read_text()
    read = set(re.findall(r'environ\["(\w+)"\]', source))
    function = assembly.one(
        "AWS::Lambda::Function", FunctionName=f"solvent-{assembly.environment}-{name.replace('_', '-')}"
    )
    assert read
    assert read - {"AWS_REGION"} <= set(function["Environment"]["Variables"])


def test_a_bad_event_cannot_block_the_stream(assembly: Any) -> None:
    """The defaults of an event source mapping retry for ever and read no partial answers."""
    mapping = assembly.one("AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert 0 < mapping["MaximumRetryAttempts"] < 100
    assert 60 <= mapping["MaximumRecordAgeInSeconds"] <= 86_400
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"]


def test_only_the_landing_bucket_sends_events(assembly: Any) -> None:
    sending = [name for name, bucket in assembly.of("AWS::S3::Bucket").items() if "NotificationConfiguration" in bucket]
    assert len(sending) == 1 and "/Landing" in sending[0]


def test_each_zone_has_its_bucket_under_the_name_that_the_code_uses(assembly: Any) -> None:
    names = {assemblies.flat(bucket["BucketName"]) for bucket in assembly.of("AWS::S3::Bucket").values()}
    expected = {naming.Names(assembly.environment).bucket(zone, "111111111111", "eu-west-1") for zone in naming.ZONES}
    assert expected <= names


def test_the_catalog_has_the_columns_of_the_contracts(assembly: Any) -> None:
    tables = {t["TableInput"]["Name"]: t["TableInput"] for t in assembly.of("AWS::Glue::Table").values()}
    wanted = {
        c.name: c for c in contracts.load().values() if c.kind == "published" and c.zone in ("cleaned", "training")
    }
    assert set(tables) == set(wanted) != set()
    for name, contract in wanted.items():
        table = tables[name]
        found = [(c["Name"], c["Type"]) for c in table["StorageDescriptor"]["Columns"]]
        assert found == [(c["Name"], c["Type"]) for c in glue.columns(contract) if c["Name"] != "run_id"]
        assert table["Parameters"]["projection.run_id.type"] == "injected"
        template = assemblies.flat(table["Parameters"]["storage.location.template"])
        assert template.endswith("/" + naming.table_prefix("lending", name, "${run_id}"))


def test_the_glue_job_runs_as_the_code_expects(assembly: Any) -> None:
    job = assembly.one("AWS::Glue::Job")
    assert (job["Command"]["Name"], job["GlueVersion"], job["Name"]) == (
        "glueetl",
        "5.1",
        naming.Names(assembly.environment).etl_job,
    )
    arguments = job["DefaultArguments"]
    for zone in naming.ZONES:
        assert assemblies.flat(arguments[f"--{zone}_bucket"]).startswith(f"solvent-{assembly.environment}-{zone}-")
    assert assemblies.flat(arguments["--extra-py-files"]).endswith(".zip")
    security = assembly.one("AWS::Glue::SecurityConfiguration", Name=job["SecurityConfiguration"])
    modes = json.dumps(security["EncryptionConfiguration"])
    assert all(
        mode in modes
        for mode in ('"S3EncryptionMode": "SSE-KMS"', '"CSE-KMS"', '"CloudWatchEncryptionMode": "SSE-KMS"')
    )


def test_a_changed_migration_calls_the_function_again(assembly: Any) -> None:
    migrations = assembly.one("Custom::WarehouseMigrations")
    assert migrations["Migrations"] == bundling.build().migrations
    assert migrations["ServiceTimeout"] == "900"


def test_the_admin_secret_is_named_as_redshift_names_it(assembly: Any) -> None:
    prefix = f"solvent-{assembly.environment}"
    function = assembly.one("AWS::Lambda::Function", FunctionName=f"{prefix}-migrate")
    secret = function["Environment"]["Variables"]["ADMIN_SECRET_ARN"]
    namespace = assembly.one("AWS::RedshiftServerless::Namespace")
    assert secret == f"redshift!{namespace['NamespaceName']}-{namespace['AdminUsername']}"
    readable = [s["Resource"] for s in assembly.statements("migrate") if s["Action"] == "secretsmanager:GetSecretValue"]
    assert [assemblies.flat(resource).rsplit(":", 1)[-1] for resource in readable] == [f"{secret}-??????"]


def test_destroying_the_platform_leaves_no_endpoint(assembly: Any) -> None:
    cleanup = assembly.one("Custom::EndpointCleanup")
    removable = config.load(assembly.environment).removable
    assert cleanup["DeleteModelPackages"] == str(removable).lower()
    assert {"sagemaker:DeleteEndpoint", "sagemaker:DeleteModel"} <= assembly.actions("endpoint-cleanup")
    assert ("sagemaker:DeleteModelPackage" in assembly.actions("endpoint-cleanup")) is removable


def test_failures_are_heard_of(assembly: Any) -> None:
    alarms = {a["AlarmName"]: a for a in assembly.of("AWS::CloudWatch::Alarm").values()}
    prefix = f"solvent-{assembly.environment}"
    wanted = [f"{phase}-failed" for phase in naming.PHASES] + [
        "stream-late",
        "events-failed-waiting",
        "triggers-failed-waiting",
    ]
    for name in wanted:
        assert alarms[f"{prefix}-{name}"]["AlarmActions"], name
    for name, alarm in alarms.items():
        assert alarm["TreatMissingData"] == "notBreaching", name
