"""The behaviours of AWS that the embedded AWS keeps: each stands, with AWS's page, on the test that holds it to it.

`@pytest.mark.contract("lambda.error-type", page=..., quote=...)` on a test is the only place. `quote` is the page's own
sentence; `says` is what the page says in our words. Tests are read here, not run, so the document needs no pytest.
"""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("tests/embedded", "tests/unit/embedded")
SERVICES = {
    "api-gateway": "HTTP APIs",
    "auto-scaling": "Application Auto Scaling",
    "cloudformation": "CloudFormation",
    "eventbridge": "EventBridge",
    "glue": "Glue",
    "iam": "IAM",
    "kinesis": "Kinesis event source mappings",
    "kms": "KMS",
    "lambda": "Lambda",
    "redshift": "Redshift Serverless and the Data API",
    "s3": "S3",
    "sagemaker": "SageMaker",
    "scheduler": "EventBridge Scheduler",
    "step-functions": "Step Functions",
}


class ContractError(ValueError):
    """A marker that does not say what it must."""


@dataclass(frozen=True)
class Contract:
    """One behaviour: `name` is "<service>.<behaviour>", `test` the file and function that holds it."""

    name: str
    page: str
    sentence: str
    quoted: bool
    test: str

    @property
    def service(self) -> str:
        """`s3` of `s3.<behaviour>`."""
        return self.name.partition(".")[0]


@cache
def found() -> dict[str, Contract]:
    """Every contract by its name. Raises ContractError for a marker without page or sentence, or a name used twice."""
    contracts: dict[str, Contract] = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).glob("test_*.py")):
            for contract in _of(path):
                if contract.name in contracts:
                    raise ContractError(f"{contract.name}: {contract.test} and {contracts[contract.name].test}")
                contracts[contract.name] = contract
    return dict(sorted(contracts.items()))


def _of(path: Path) -> list[Contract]:
    where = path.relative_to(ROOT).as_posix()
    functions = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
    return [
        _contract(mark, f"{where}::{function.name}")
        for function in functions
        for mark in function.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.contract"
    ]


def _contract(mark: ast.Call, test: str) -> Contract:
    try:
        (name,) = map(ast.literal_eval, mark.args)
        given = {str(word.arg): ast.literal_eval(word.value) for word in mark.keywords}
        page, (kind, sentence) = given.pop("page"), *given.items()
    except (ValueError, KeyError) as error:
        raise ContractError(f"{test}: a contract is a name, a page, and a quote or what it says") from error
    known = kind in ("quote", "says") and name.partition(".")[0] in SERVICES
    if not known or not page.startswith("https://docs.aws.amazon.com/"):
        raise ContractError(f"{test}: {name}: an unknown service, no page of AWS, or neither quote nor says")
    return Contract(name, page, sentence, kind == "quote", test)
