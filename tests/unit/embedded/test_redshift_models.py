"""CREATE MODEL: an endpoint as a function of SQL, the same probabilities as InvokeEndpoint's."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import ROOT, small_scorecard
from redshift_fixtures import ROLE, SECRET_ROLE, Warehouse

from embedded_aws.redshift.errors import SqlError
from embedded_aws.sagemaker import server
from solvent.modelling import export

CREATE = (
    "CREATE MODEL risk.application FUNCTION probability (float8, int, varchar) RETURNS float8 "
    "SAGEMAKER 'lending' IAM_ROLE default"
)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path)
    made.run("CREATE SCHEMA risk", "CREATE TABLE t (id INT, amount FLOAT8, score INT, purpose VARCHAR(40))")
    return made


def fields(body: bytes) -> bytes:
    """An endpoint that answers with the number of commas of each line."""
    return b"".join(b"%d\n" % line.count(b",") for line in body.splitlines())


class Container:
    """The repository's own inference code in the embedded SageMaker's serving process."""

    def __init__(self, folder: Path) -> None:
        inference = ROOT / "sagemaker" / "inference" / "inference.py"
        export.write(folder, small_scorecard(), evaluation={}, inference=inference)
        command = [sys.executable, server.__file__, str(folder), str(folder / "code"), "inference.py"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.port = int(self.process.stdout.readline().split()[1])

    def post(self, body: bytes, kind: str = "text/csv") -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("POST", "/invocations", body, {"Content-Type": kind, "Accept": kind})
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        if response.status != 200:
            raise SqlError(f"SageMaker endpoint lending answered ModelError: {answer.decode()}")
        return answer


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    made = Container(tmp_path_factory.mktemp("model"))
    yield made
    made.process.kill()
    made.process.wait()


@pytest.mark.contract(
    "redshift.remote-inference",
    page="https://docs.aws.amazon.com/redshift/latest/dg/r_create_model_use_cases.html",
    says="The function of a model for remote inference asks a SageMaker endpoint with the model's IAM role.",
)
def test_the_function_returns_the_probability_that_invoke_endpoint_returns(
    warehouse: Warehouse, container: Container
) -> None:
    warehouse.endpoints.known["lending"] = container.post
    applicants: list[tuple[Any, ...]] = [
        (1, 9000.0, 700, "repairs"),
        (2, None, None, None),
        (3, 1000.0000001, None, 'other, "quoted"'),
        (4, 0.1 + 0.2, 1, "it's\na car"),
    ]
    for row in applicants:
        names = ("id", "amount", "score", "purpose")
        values = {name: str(value) for name, value in zip(names, row, strict=True) if value is not None}
        listed = ", ".join(values)
        warehouse.run(f"INSERT INTO t ({listed}) VALUES ({', '.join(f':{name}' for name in values)})", **values)
    warehouse.run(CREATE)
    rows = warehouse.rows("SELECT id, risk.probability(amount, score, purpose) AS p FROM t ORDER BY id")
    for (number, amount, score, purpose), (found, probability) in zip(applicants, rows, strict=True):
        asked = json.dumps({"amount": amount, "credit_score": score, "purpose": purpose}).encode()
        answer = json.loads(container.post(asked, "application/json"))
        assert found == number
        assert probability == pytest.approx(answer["probability"], abs=1e-12)
    assert {role for role, _, _ in warehouse.endpoints.requests} == {ROLE}


def test_the_endpoints_refusal_is_the_statements_error(warehouse: Warehouse, container: Container) -> None:
    warehouse.endpoints.known["lending"] = container.post
    warehouse.run(CREATE)
    with pytest.raises(
        SqlError, match=r"^ERROR: SageMaker endpoint lending .*line 1: amount: must be a number between"
    ):
        warehouse.run("SELECT risk.probability(1e300, 1, 'x')")


def test_rows_are_sent_in_batches(warehouse: Warehouse) -> None:
    warehouse.endpoints.known["lending"] = fields
    warehouse.run("INSERT INTO t SELECT n, n, n, 'x' FROM generate_series(1, 25) AS g(n)")
    warehouse.run(f"{CREATE} SETTINGS (MAX_BATCH_ROWS 10)")
    assert warehouse.value("SELECT SUM(risk.probability(amount, score, purpose)) FROM t") == 50
    assert [body.count(b"\n") for _, _, body in warehouse.endpoints.requests] == [10, 10, 5]
    assert warehouse.endpoints.requests[0][2].startswith(b"1.0,1,x\n2.0,2,x\n")


def test_calls_work_wherever_an_expression_does(warehouse: Warehouse) -> None:
    warehouse.endpoints.known["lending"] = fields
    warehouse.run(CREATE.replace("risk.application", "application"), "INSERT INTO t VALUES (1, 2, 3, 'x')")
    warehouse.run("CREATE VIEW v AS SELECT id, probability(amount, score, purpose) AS p FROM t")
    warehouse.run("UPDATE t SET score = probability(amount, score, purpose) WHERE probability(1, 2, NULL) = 2")
    assert warehouse.rows("SELECT v.p, score FROM v JOIN t ON v.id = t.id WHERE p > 1") == [(2.0, 2)]
    warehouse.run("DROP MODEL application")
    with pytest.raises(SqlError, match="its model was dropped"):
        warehouse.run("SELECT p FROM v")
    with pytest.raises(SqlError, match="function probability does not exist"):
        warehouse.run("SELECT probability(1, 2, 'x')")


def test_super_is_the_whole_answer_of_a_line(warehouse: Warehouse) -> None:
    warehouse.endpoints.known["lending"] = lambda body: b'{"p": 0.25, "why": ["a", "b"]}\n' * body.count(b"\n")
    warehouse.run(CREATE.replace("RETURNS float8", "RETURNS super"))
    assert warehouse.rows("SELECT j.p, j.why[1] FROM (SELECT risk.probability(1, 2, 'x') AS j) AS x") == [
        ("0.25", '"b"')
    ]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"0.5\n0.5\n", "answered 1 rows with 2 lines"),
        (b"0.5,0.6\n", "answered more than one value: 0.5,0.6"),
        (b"high\n", "invalid input syntax for type double precision"),
    ],
)
def test_an_answer_that_is_no_value_a_line_is_refused(warehouse: Warehouse, answer: bytes, error: str) -> None:
    warehouse.endpoints.known["lending"] = lambda body: answer
    warehouse.run(CREATE)
    with pytest.raises(SqlError, match=error):
        warehouse.run("SELECT risk.probability(1, 2, 'x')")


def test_a_role_without_the_permission_is_refused_when_it_asks(warehouse: Warehouse) -> None:
    warehouse.endpoints.known["lending"] = fields
    warehouse.run(CREATE.replace("default", f"'{SECRET_ROLE}'"))
    with pytest.raises(SqlError, match="^ERROR: SageMaker endpoint lending answered AccessDeniedException"):
        warehouse.run("SELECT risk.probability(1, 2, 'x')")


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (CREATE.replace("'lending'", "'none'"), "SageMaker endpoint none does not exist"),
        (
            CREATE.replace("'lending'", "'lending':'one'"),
            "does not implement CREATE MODEL on one model of a multi-model",
        ),
        (CREATE.replace("default", "'arn:aws:iam::1:role/x'"), "not authorized to assume IAM Role"),
        (CREATE.replace("risk.", "no."), 'schema "no" does not exist'),
        (CREATE.replace("varchar", "super"), "does not implement SUPER as an argument"),
        (CREATE.replace("float8, int", ", ".join(["int"] * 256)), "takes 1 to 256 arguments, not 257"),
        (f"{CREATE} SETTINGS (MAX_BATCH_ROWS 0)", "MAX_BATCH_ROWS must be between 1 and 2147483647"),
        (f"{CREATE} SETTINGS (S3_BUCKET 'b')", "does not implement the setting S3_BUCKET"),
        ("CREATE MODEL m FROM t TARGET id FUNCTION f IAM_ROLE default", "does not implement CREATE MODEL ... FROM"),
        (CREATE, 'model "application" already exists'),
        (CREATE.replace("risk.application", "risk.another"), 'function "probability" already exists'),
    ],
)
def test_what_create_model_refuses(warehouse: Warehouse, statement: str, error: str) -> None:
    warehouse.endpoints.known["lending"] = fields
    if statement == CREATE or "another" in statement:
        warehouse.run(CREATE)
    with pytest.raises(SqlError, match=error):
        warehouse.run(statement)


def test_a_wrong_number_of_arguments_is_named(warehouse: Warehouse) -> None:
    warehouse.endpoints.known["lending"] = fields
    warehouse.run(CREATE)
    with pytest.raises(SqlError, match="risk.probability takes 3: DOUBLE PRECISION, INTEGER, VARCHAR"):
        warehouse.run("SELECT risk.probability(1)")


def test_models_are_shown_and_survive_a_restart(warehouse: Warehouse) -> None:
    warehouse.endpoints.known["lending"] = fields
    warehouse.run(CREATE)
    warehouse.database.close()
    warehouse.open()
    shown = dict(warehouse.rows("SHOW MODEL risk.application"))
    assert (shown["Endpoint"], shown["Return Type"], shown["Owner"]) == ("lending", "DOUBLE PRECISION", "admin")
    assert warehouse.rows("SHOW MODEL ALL") == [("risk", "application")]
    assert warehouse.rows("SELECT model_name, model_state FROM stv_ml_model_info") == [("application", "READY")]
    assert warehouse.value("SELECT risk.probability(1, 2, 'x')") == 2
    with pytest.raises(SqlError, match="must be owner of model application"):
        warehouse.run("DROP MODEL risk.application", user="somebody")
    warehouse.run("DROP MODEL IF EXISTS risk.application", "DROP MODEL IF EXISTS risk.application")
    with pytest.raises(SqlError, match='model "risk.application" does not exist'):
        warehouse.run("DROP MODEL risk.application")
