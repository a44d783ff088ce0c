"""What each part must have for the code that runs in it: names, settings, tables, retries."""

import dataclasses
import re
import runpy
from typing import Any

import pytest

from gates.assembly import flat
from solvent import contracts, naming
from solvent import settings as solvent_settings
from solvent.contracts import dqdl, glue
from stacks import bundling, config

LAMBDAS = sorted(path.parent.name for path in (bundling.ROOT / "lambdas").glob("*/handler.py"))


def test_every_lambda_directory_is_deployed_under_its_name(assembly: Any) -> None:
    names = {p["FunctionName"] for p in assembly.of("AWS::Lambda::Function").values() if "FunctionName" in p}
    assert names == {f"solvent-{assembly.environment}-{name.replace('_', '-')}" for name in LAMBDAS}


@pytest.mark.parametrize("name", LAMBDAS)
def test_a_function_gets_every_variable_that_its_settings_read(assembly: Any, name: str) -> None:
    own = bundling.ROOT / "lambdas" / name / "settings.py"
    settings = runpy.run_path(str(own))["Settings"] if own.exists() else solvent_settings.Settings
    read = {field.metadata.get("variable", field.name.upper()) for field in dataclasses.fields(settings)}
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
    names = {flat(bucket["BucketName"]) for bucket in assembly.of("AWS::S3::Bucket").values()}
    expected = {naming.Names(assembly.environment).bucket(zone, "111111111111", "eu-west-1") for zone in naming.ZONES}
    assert expected <= names


def test_the_catalog_has_the_columns_of_the_contracts(assembly: Any) -> None:
    tables = {t["TableInput"]["Name"]: t["TableInput"] for t in assembly.of("AWS::Glue::Table").values()}
    wanted = {
        glue.table_name(c, portfolio): (portfolio, c)
        for portfolio in naming.PORTFOLIOS
        for c in contracts.load().in_the_lake(portfolio)
    }
    assert {"loans", "loans_history", "lending_load_log"} <= set(wanted)
    assert set(tables) == set(wanted) != set()
    for name, (portfolio, contract) in wanted.items():
        table = tables[name]
        found = [(c["Name"], c["Type"]) for c in table["StorageDescriptor"]["Columns"]]
        assert found == [(c["Name"], c["Type"]) for c in glue.columns(contract) if c["Name"] != "run_id"]
        assert table["Parameters"]["projection.run_id.type"] == "injected"
        template = flat(table["Parameters"]["storage.location.template"])
        assert template.endswith("/" + naming.table_prefix(portfolio, contract.name, "${run_id}"))


def test_each_table_of_the_catalog_has_the_rules_of_its_contract(assembly: Any) -> None:
    database = flat(next(iter(assembly.of("AWS::Glue::Table").values()))["DatabaseName"])
    tables = {t["TableInput"]["Name"] for t in assembly.of("AWS::Glue::Table").values()}
    rulesets = list(assembly.of("AWS::Glue::DataQualityRuleset").values())
    assert {r["TargetTable"]["TableName"] for r in rulesets} == tables
    wanted = {
        glue.table_name(c, portfolio): dqdl.ruleset(c)
        for portfolio in naming.PORTFOLIOS
        for c in contracts.load().in_the_lake(portfolio)
    }
    for ruleset in rulesets:
        assert flat(ruleset["TargetTable"]["DatabaseName"]) == database
        assert ruleset["Ruleset"] == wanted[ruleset["TargetTable"]["TableName"]]


def test_each_glue_script_is_a_job(assembly: Any) -> None:
    names = {job["Name"] for job in assembly.of("AWS::Glue::Job").values()}
    scripts = (bundling.ROOT / "glue_jobs").glob("*.py")
    assert names == {naming.Names(assembly.environment).named(script.stem) for script in scripts}


@pytest.mark.parametrize("name", ["etl", "erase", "compact", "extract"])
def test_the_glue_jobs_run_as_the_code_expects(assembly: Any, name: str) -> None:
    job = assembly.one("AWS::Glue::Job", Name=naming.Names(assembly.environment).named(name))
    assert (job["Command"]["Name"], job["GlueVersion"]) == ("glueetl", "5.1")
    arguments = job["DefaultArguments"]
    asked = re.findall(r'"(\w+)_bucket"', (bundling.ROOT / "glue_jobs" / f"{name}.py").read_text())
    for zone in asked or naming.ZONES:
        assert flat(arguments[f"--{zone}_bucket"]).startswith(f"solvent-{assembly.environment}-{zone}-")
    assert flat(arguments["--extra-py-files"]).endswith(".zip")


def test_the_job_that_erases_gets_every_argument_that_it_reads(assembly: Any) -> None:
    job = assembly.one("AWS::Glue::Job", Name=naming.Names(assembly.environment).erase_job)
    read = set(re.findall(r'arguments\["(\w+)"\]', (bundling.ROOT / "glue_jobs" / "erase.py").read_text()))
    given = {name.removeprefix("--") for name in job["DefaultArguments"]}
    assert read - given == {"JOB_NAME", "erasure_id"}  # Glue's own, and what the command says
    assert job["ExecutionProperty"]["MaxConcurrentRuns"] == 1


@pytest.mark.parametrize("name", ["etl", "erase"])
def test_the_glue_jobs_logs_are_where_glue_writes_them(assembly: Any, name: str) -> None:
    """Glue 5.x ignores --continuous-log-logGroup; groups that it makes itself keep their events for ever."""
    job = assembly.one("AWS::Glue::Job", Name=naming.Names(assembly.environment).named(name))
    prefix, security = job["DefaultArguments"]["--custom-logGroup-prefix"], job["SecurityConfiguration"]
    assert not [name for name in job["DefaultArguments"] if "continuous" in name]
    for end in ("error", "output"):
        group = f"{prefix}/{security}-role/solvent-{assembly.environment}-{name}/{end}"
        assert assembly.one("AWS::Logs::LogGroup", LogGroupName=group)["RetentionInDays"]
    writing = [s for s in assembly.statements(name) if "logs:PutLogEvents" in s["Action"]]
    assert len(writing) == 1 and "logs:AssociateKmsKey" in writing[0]["Action"]
    assert flat(writing[0]["Resource"]).endswith(f":log-group:{prefix}/*")


def test_the_warehouses_logs_expire_like_all_others(assembly: Any) -> None:
    """They are there before the namespace is: Redshift would make them without retention and key."""
    (where,) = assembly.of("AWS::RedshiftServerless::Namespace")
    namespace = dict(assembly.everything())[where]
    template = where.partition("/")[0]
    before = {assembly.of("AWS::Logs::LogGroup")[f"{template}/{i}"]["LogGroupName"] for i in namespace["DependsOn"]}
    properties = namespace["Properties"]
    assert {f"/aws/redshift/{properties['NamespaceName']}/{kind}" for kind in properties["LogExports"]} == before


def test_every_log_group_is_in_the_reference(assembly: Any) -> None:
    """The reference says of which groups `log_retention_days` is true."""
    reference = (bundling.ROOT / "docs" / "reference.md").read_text()
    prefix = f"solvent-{assembly.environment}"
    patterns = {
        **{f"/aws/lambda/{prefix}-{name.replace('_', '-')}": f"/aws/lambda/{prefix}-<function>" for name in LAMBDAS},
        **{f"/aws/vendedlogs/states/{prefix}-{p}": f"/aws/vendedlogs/states/{prefix}-<machine>" for p in naming.PHASES},
        **{f"/aws/sagemaker/Endpoints/{prefix}-{p}": f"/aws/sagemaker/Endpoints/{prefix}-<portfolio>"
           for p in naming.PORTFOLIOS},
    }  # fmt: skip
    names = [group["LogGroupName"] for group in assembly.of("AWS::Logs::LogGroup").values()]
    shown = {patterns.get(name, name).replace(prefix, "solvent-<environment>") for name in names}
    assert len(names) >= 18
    assert [name for name in sorted(shown) if f"`{name}`" not in reference] == []


def test_who_uploads_in_parts_may_give_up(assembly: Any) -> None:
    """Parts of an upload that nobody may abort are paid for until the life cycle removes them."""
    for role in ("etl", "erase", "training", "model"):
        writing = [s for s in assembly.statements(role) if "s3:PutObject" in s["Action"]]
        assert writing and all("s3:AbortMultipartUpload" in s["Action"] for s in writing), role


@pytest.mark.parametrize("name", ["analyst", "risk-officer", "service", "admin"])
def test_who_asks_the_warehouse_has_a_role_that_it_knows(assembly: Any, name: str) -> None:
    role = assembly.one("AWS::IAM::Role", RoleName=f"solvent-{assembly.environment}-{name}")
    tags = {tag["Key"]: tag["Value"] for tag in role["Tags"]}
    sql = "".join(path.read_text() for path in (bundling.ROOT / "sql" / "warehouse").glob("*.sql"))
    assert f"CREATE ROLE {tags['RedshiftDbRoles']};" in sql
    assert role["MaxSessionDuration"] == 3600
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert flat(trust["Principal"]["AWS"]) == "arn:aws:iam::111111111111:root"
    second_factor = {"aws:MultiFactorAuthPresent": "true"}, {"aws:MultiFactorAuthAge": "3600"}
    assert tuple(trust.get("Condition", {}).values()) == (second_factor if name == "admin" else ())
    assert {"redshift-serverless:GetCredentials", "redshift-data:ExecuteStatement"} <= assembly.actions(name)
    for statement in assembly.statements(name):
        if statement["Resource"] == "*":
            owner = {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}}
            assert statement["Condition"] == owner


def test_applications_can_be_given_the_score_and_nothing_else(assembly: Any) -> None:
    policy = assembly.one("AWS::IAM::ManagedPolicy", ManagedPolicyName=f"solvent-{assembly.environment}-score-caller")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "execute-api:Invoke"
    assert flat(statement["Resource"]).endswith("/$default/POST/v1/score")


def test_a_changed_migration_or_mart_calls_the_function_again(assembly: Any) -> None:
    migrations = assembly.one("Custom::WarehouseMigrations")
    assert migrations["Content"] == bundling.build().warehouse
    assert migrations["ServiceTimeout"] == "900"


def test_the_admin_secret_is_named_as_redshift_names_it(assembly: Any) -> None:
    prefix = f"solvent-{assembly.environment}"
    function = assembly.one("AWS::Lambda::Function", FunctionName=f"{prefix}-migrate")
    secret = function["Environment"]["Variables"]["ADMIN_SECRET_ARN"]
    namespace = assembly.one("AWS::RedshiftServerless::Namespace")
    assert secret == f"redshift!{namespace['NamespaceName']}-{namespace['AdminUsername']}"
    readable = [s["Resource"] for s in assembly.statements("migrate") if s["Action"] == "secretsmanager:GetSecretValue"]
    assert [flat(resource).rsplit(":", 1)[-1] for resource in readable] == [f"{secret}-??????"]


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
