"""The job that reads databases: what its template says of them, and what a private one adds to dev."""

import json
from typing import Any

import pytest
from other_settings import synthesized_with

from gates.assembly import Assembly, flat
from gates.iam import least_privilege
from gates.networks import paths as networks
from gates.templates.guard import cfn_guard
from solvent import naming
from stacks import config


def test_the_job_knows_where_the_databases_are_and_not_their_passwords(assembly: Any) -> None:
    names = naming.Names(assembly.environment)
    job = assembly.one("AWS::Glue::Job", Name=names.extract_job)
    given = json.loads(job["DefaultArguments"]["--databases"])
    assert set(given["core"]) == {"url", "secret", "tls"}
    assert given["core"]["secret"] == names.database_secret("core") and given["core"]["tls"] == "verify"
    assert len(job["DefaultArguments"]["--extra-py-files"]["Fn::Join"][1]) > 1
    readable = [s for s in assembly.statements("extract") if s["Action"] == "secretsmanager:GetSecretValue"]
    [secret] = readable
    assert flat(secret["Resource"]).endswith(f":secret:{names.database_secret('core')}-??????")
    assert not assembly.of("AWS::SecretsManager::Secret"), "its value would pass through a template"


def test_in_prod_the_job_runs_in_the_network_and_reaches_the_database_alone(prod: Any) -> None:
    job = prod.one("AWS::Glue::Job", Name="solvent-prod-extract")
    assert job["Connections"]["Connections"] == ["solvent-prod-extract"]
    group = prod.one("AWS::EC2::SecurityGroup", GroupName="solvent-prod-extract")
    to_database = [rule for rule in group["SecurityGroupEgress"] if rule["Description"].startswith("Database")]
    assert [(r["CidrIp"], r["FromPort"], r["ToPort"]) for r in to_database] == [("10.80.0.0/16", 5432, 5432)]


@pytest.fixture(scope="module")
def private_dev(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """dev with every switch of extraction: private, a compiled driver, a schedule, a secret of the bank's own."""
    given = config.load("dev")
    databases = [
        {"name": "core", "url": "mysql+pymysql://db:3306/core", "cidr": "192.168.7.0/24"},
        {"name": "old", "url": "db2+ibm_db://db/core", "cidr": "10.1.0.0/16", "wheels": "db2.gluewheels.zip"},
    ]
    switched = config.Extraction(
        **{
            **given.extraction.model_dump(),
            "private": True,
            "databases": databases,
            "schedules": [{"extraction": "lending", "cron": "cron(0 1 * * ? *)"}],
        }
    )
    return synthesized_with("dev", tmp_path_factory.mktemp("private"), extraction=switched)


@pytest.mark.parametrize("gate", [least_privilege.check, networks.check, cfn_guard])
def test_a_private_extraction_in_dev_passes_the_gates(private_dev: Assembly, gate: Any) -> None:
    assert gate(private_dev).findings == []


def test_a_private_extraction_adds_its_endpoints_its_drivers_and_its_schedule(private_dev: Assembly, dev: Any) -> None:
    def endpoints(assembly: Any) -> int:
        return sum(e["VpcEndpointType"] == "Interface" for e in assembly.of("AWS::EC2::VPCEndpoint").values())

    assert (endpoints(dev), endpoints(private_dev)) == (0, len(config.EXTRACTION_ENDPOINTS))
    arguments = private_dev.one("AWS::Glue::Job", Name="solvent-dev-extract")["DefaultArguments"]
    assert flat(arguments["--additional-python-modules"]).endswith("/wheels/db2.gluewheels.zip")
    assert arguments["--python-modules-installer-option"] == "--no-index"
    trigger = private_dev.one("AWS::Glue::Trigger")
    assert (trigger["Schedule"], trigger["Actions"]) == (
        "cron(0 1 * * ? *)",
        [{"JobName": "solvent-dev-extract", "Arguments": {"--extraction": "lending"}}],
    )
