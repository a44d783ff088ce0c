"""The live model called from SQL, on dev with its switch `warehouse.sql_model` put on by hand.

dev has it off. What the switch changes is taken from the assembly of prod, which has it on: the permission of the
warehouse's role, the option of the function `migrate`, the states of `train`.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import EmbeddedAws

from gates.assembly import ACCOUNT, Assembly
from gates.iam.roles import roles
from solvent import datasets
from solvent.client import Execution, Platform, query, saved_query
from solvent.specification import load
from solvent.target import Target
from solvent.warehouse.data_api import DataApiError
from solvent.warehouse.models import SqlModel

pytestmark = pytest.mark.embedded
MODEL = SqlModel(load("lending"), "solvent-dev-lending")
COPY_ROLE = "solvent-dev-warehouse-copy"


@pytest.fixture(scope="module")
def run(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Execution:
    """A delivery loaded, a model trained on it and put live, every open loan scored."""
    folder = datasets.write("synthetic", tmp_path_factory.mktemp("delivery"), size=400, seed=2)
    done = platform.run("pipeline", {"manifest": platform.load(folder)}, timeout=300)
    assert done.status == "SUCCEEDED", f"{done.error}: {done.cause}"
    return done


@pytest.fixture(scope="module")
def analyst(aws: EmbeddedAws, platform: Platform) -> Target:
    role = f"arn:aws:iam::{aws.account}:role/solvent-dev-analyst"
    credentials = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="somebody")["Credentials"]
    return Target(platform.names, aws.region, aws.session(credentials), aws.url)


def make(aws: EmbeddedAws) -> str:
    """What the states of prod's `train` write into the run's report, with dev's function in the place of prod's."""
    machine = Assembly.synthesized("prod").definitions["solvent-prod-train"]
    states = {name: dict(machine["States"][name]) for name in ("MakeSqlModel", "SqlModelFailed")}
    function = aws.client("lambda").get_function(FunctionName="solvent-dev-warehouse-load")
    arn = function["Configuration"]["FunctionArn"]
    states["MakeSqlModel"]["Parameters"] = {**states["MakeSqlModel"]["Parameters"], "FunctionName": arn}
    states["CompleteRun"] = {"Type": "Succeed"}
    role = aws.role({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn})
    done = aws.execute(states, role=role, given={"run": {"portfolio": "lending"}}, timeout=60)
    assert done["status"] == "SUCCEEDED", done.get("cause")
    return str(json.loads(done["output"])["sql_model"]["text"])


@pytest.fixture(scope="module")
def switched(aws: EmbeddedAws, run: Execution) -> Iterator[str]:
    """What the report of `train` says while the option is on."""
    assert aws.switch("sql_model") == ["sql_model"]
    try:
        yield make(aws)
    finally:
        assert aws.switch() == ["sql_model"]


@pytest.fixture(scope="module")
def allowed(aws: EmbeddedAws, switched: str) -> Iterator[None]:
    """The warehouse's role may ask the endpoint, in the words of prod's template."""
    role = roles(Assembly.synthesized("prod"))["solvent-prod-warehouse-copy"]
    [statement] = [s for s in role.statements if "sagemaker:InvokeEndpoint" in s.actions]
    resources = [r.replace(ACCOUNT, aws.account).replace("-prod-", "-dev-") for r in statement.resources]
    document = {"Effect": "Allow", "Action": list(statement.actions), "Resource": resources}
    policy = {"RoleName": COPY_ROLE, "PolicyName": "sql-model"}
    iam = aws.client("iam")
    iam.put_role_policy(**policy, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [document]}))
    yield
    iam.delete_role_policy(**policy)


def test_a_function_that_cannot_be_made_is_reported_and_stops_nothing(aws: EmbeddedAws, run: Execution) -> None:
    assert make(aws).startswith("not made; the model is live: ")


def test_the_state_machine_makes_the_function_once(aws: EmbeddedAws, switched: str) -> None:
    assert switched == "ml.probability_of_default was made"
    assert make(aws) == "ml.probability_of_default is as it was"


def test_without_the_permission_of_the_switch_the_function_asks_nobody(analyst: Target, switched: str) -> None:
    with pytest.raises(DataApiError, match=r"solvent-dev-lending answered AccessDenied"):
        saved_query(analyst, "score_with_the_live_model", limit="1")


def test_sql_and_invoke_endpoint_give_every_open_loan_the_same_probability(
    platform: Platform, analyst: Target, allowed: None
) -> None:
    open_loans = "FROM lending.application_features WHERE loan_id IN (SELECT loan_id FROM lending.predictions)"
    columns, applicants = query(analyst, f"SELECT loan_id, {', '.join(MODEL.features)} {open_loans}")
    _, scored = query(analyst, f"SELECT loan_id, {MODEL.call()} {open_loans}")
    asked = platform.score([dict(zip(columns, row, strict=True)) for row in applicants])
    invoked = {answer["loan_id"]: answer["probability"] for answer in asked}
    from_sql: dict[Any, float] = dict(scored)
    assert len(from_sql) == len(invoked) > 50
    assert from_sql == pytest.approx(invoked, abs=1e-6)


def test_the_saved_query_scores_as_many_loans_as_are_asked_for(
    platform: Platform, analyst: Target, allowed: None
) -> None:
    columns, rows = saved_query(analyst, "score_with_the_live_model", limit="5")
    found = {
        row["loan_id"]: row["probability_of_default"] for row in (dict(zip(columns, r, strict=True)) for r in rows)
    }
    names, everybody = query(analyst, f"SELECT loan_id, {', '.join(MODEL.features)} FROM lending.application_features")
    applicants = [dict(zip(names, row, strict=True)) for row in everybody]
    asked = platform.score([applicant for applicant in applicants if applicant["loan_id"] in found])
    assert len(found) == 5
    assert found == pytest.approx({answer["loan_id"]: answer["probability"] for answer in asked}, abs=1e-6)
