"""The warehouse's options: what each adds to dev, that the gates hold with it, and that prod's train reports it."""

import json
from typing import Any

import pytest
from other_settings import synthesized_with

from gates.assembly import Assembly, flat
from gates.iam import least_privilege, policies
from gates.iam.roles import roles
from gates.machines import data_flow
from gates.networks import paths as networks
from gates.templates.guard import cfn_guard
from solvent import naming
from solvent.warehouse import options
from stacks import config

GROUPS = {"north": ("North", "Midlands")}


@pytest.fixture(scope="module")
def switched(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """dev with every option on."""
    given = config.load("dev")
    every = dict.fromkeys(config.OPTION_ENDPOINTS, True) | {"row_level_security": GROUPS}
    on = given.warehouse.model_copy(update=every)
    return synthesized_with("dev", tmp_path_factory.mktemp("options"), warehouse=on)


GATES = (least_privilege.check, policies.check, networks.check, cfn_guard, data_flow.check)


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.__module__)
def test_dev_with_every_option_passes_the_gates(switched: Assembly, gate: Any) -> None:
    assert gate(switched).findings == []


def test_each_option_adds_its_paid_endpoint_which_the_warehouse_may_enter(switched: Assembly, dev: Any) -> None:
    def endpoints(assembly: Any) -> set[str]:
        found = assembly.of("AWS::EC2::VPCEndpoint").values()
        return {flat(e["ServiceName"]) for e in found if e["VpcEndpointType"] == "Interface"}

    region = config.load("dev").region
    assert endpoints(dev) == set()
    assert endpoints(switched) == {f"com.amazonaws.{region}.{name}" for name in config.OPTION_ENDPOINTS.values()}
    [rule] = switched.of("AWS::EC2::SecurityGroupIngress").values()
    assert "warehouse" in rule["Description"].lower()


def test_the_deploy_is_told_the_options_and_knows_them(switched: Assembly, dev: Any) -> None:
    def told(assembly: Any) -> str:
        function = assembly.one("AWS::Lambda::Function", FunctionName="solvent-dev-migrate")
        resource = assembly.one("Custom::WarehouseMigrations")
        assert resource["Options"] == function["Environment"]["Variables"]["OPTIONS"]
        return str(resource["Options"])

    assert told(dev) == ""
    assert set(told(switched).split(",")) == {*config.OPTION_ENDPOINTS, "row_level_security"} == set(options.read())


def test_a_group_of_analysts_has_its_role_and_the_deploy_is_told_its_regions(switched: Assembly, dev: Any) -> None:
    role = switched.one("AWS::IAM::Role", RoleName="solvent-dev-regional-analyst-north")
    assert [tag["Value"] for tag in role["Tags"] if tag["Key"] == "RedshiftDbRoles"] == ["regional_analyst"]
    function = switched.one("AWS::Lambda::Function", FunctionName="solvent-dev-migrate")
    resource = switched.one("Custom::WarehouseMigrations")
    for told in (function["Environment"]["Variables"]["REGIONS"], resource["Regions"]):
        assert json.loads(told) == {"north": ["North", "Midlands"]}
    names = {flat(role.get("RoleName", "")) for role in dev.of("AWS::IAM::Role").values()}
    assert not any("regional" in name for name in names)


def test_the_warehouse_may_ask_the_portfolios_endpoints_and_no_other(switched: Assembly) -> None:
    statements = roles(switched)["solvent-dev-warehouse-copy"].statements
    [asking] = [s for s in statements if "sagemaker:InvokeEndpoint" in s.actions]
    assert {r.rpartition("/")[2] for r in asking.resources} == {f"solvent-dev-{p}" for p in naming.PORTFOLIOS}


def test_train_makes_the_function_once_the_endpoint_serves_and_completes_without_it(prod: Any, dev: Any) -> None:
    states = prod.definitions["solvent-prod-train"]["States"]
    before = {name for name, state in states.items() if state.get("Next") == "MakeSqlModel"}
    assert before == {"TidyConfigurations", "TidyFailed"}  # after the endpoint serves
    assert {n for n, s in states.items() if s.get("Next") == "CompleteRun"} == {"MakeSqlModel", "SqlModelFailed"}
    assert states["MakeSqlModel"]["Next"] == states["SqlModelFailed"]["Next"] == "CompleteRun"
    assert [c["Next"] for c in states["MakeSqlModel"]["Catch"]] == ["SqlModelFailed"]
    assert states["CompleteRun"]["Parameters"]["Payload"]["result"]["sql_model.$"] == "$.sql_model.text"
    assert "MakeSqlModel" not in dev.definitions["solvent-dev-train"]["States"]
