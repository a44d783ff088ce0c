"""Reading AWS calls from sources: what is reached counts, however it is called; what is not reached does not."""

from pathlib import Path

import pytest

from gates.assembly import ROOT, Assembly
from gates.iam.calls import action, calls
from gates.iam.sources import Program, UnreadableCall

SHELF = """
from botocore.exceptions import ClientError


class Shelf:
    def __init__(self, s3):
        self._s3 = s3

    def fill(self, body):
        {fill}

    def empty(self):
        self._s3.delete_object(Bucket="b", Key="k")


class Cellar:
    def fill(self, body):
        body.delete_bucket(Bucket="b")


def wipe(s3):
    s3.delete_objects(Bucket="b", Delete={{}})
"""
HANDLER = """
import boto3

from solvent.shelf import Shelf

shelf = Shelf(boto3.client("s3"))


def handler(event, context):
    shelf.fill(event)
"""


def _operations(tmp_path: Path, fill: str, handler: str = HANDLER) -> set[tuple[str, str]]:
    package = tmp_path / "src" / "solvent"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "shelf.py").write_text(SHELF.format(fill=fill))
    entry = tmp_path / "handler.py"
    entry.write_text(handler)
    return Program(entry, tmp_path / "src").operations()


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("self._s3.put_object(Bucket='b', Key='k', Body=body)", {"PutObject"}),
        ("self._s3.upload_fileobj(body, 'b', 'k')", {"PutObject", "AbortMultipartUpload"}),
        ("self._s3.get_paginator('list_objects_v2').paginate(Bucket='b')", {"ListObjectsV2"}),
        ("self._s3.get_waiter('object_exists').wait(Bucket='b', Key='k')", {"HeadObject"}),
        ("getattr(self._s3, 'copy_object')(Bucket='b')", {"CopyObject"}),
        ("list(map(self._s3.get_object, body))", {"GetObject"}),
        ("[self._s3.put_object_tagging(**x) for x in body]", {"PutObjectTagging"}),
        ("from solvent.shelf import wipe; wipe(self._s3)", {"DeleteObjects"}),
        ("pass", set()),
    ],
)
def test_what_the_handler_reaches_is_found_however_it_is_called(tmp_path: Path, call: str, found: set[str]) -> None:
    assert _operations(tmp_path, call) == {("s3", operation) for operation in found}


def test_a_name_that_is_put_together_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableCall, match="write the operation out"):
        _operations(tmp_path, "getattr(self._s3, f'put_{body}')()")


def test_a_client_whose_service_is_a_variable_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableCall, match="service"):
        _operations(tmp_path, "pass", HANDLER.replace('boto3.client("s3")', "boto3.client(name)"))


def test_an_operation_counts_only_for_services_that_the_program_uses(tmp_path: Path) -> None:
    assert _operations(tmp_path, "self._s3.put_item(Item={})") == set()


def test_operations_get_the_names_that_iam_has_for_them() -> None:
    assert action("s3", "HeadObject") == "s3:GetObject"
    assert action("sagemaker-runtime", "InvokeEndpoint") == "sagemaker:InvokeEndpoint"
    assert action("stepfunctions", "DescribeExecution") == "states:DescribeExecution"


def test_code_states_and_triggers_are_read_for_every_role(prod: Assembly) -> None:
    """One role of each kind of user; people as our client of the Data API calls."""
    found = calls(prod)
    assert found["solvent-prod-api"] == {"sagemaker:InvokeEndpoint"}
    loading = {"redshift-data:BatchExecuteStatement", "redshift-data:ExecuteStatement", "s3:GetObject", "s3:PutObject"}
    assert found["solvent-prod-warehouse-load"] > loading
    assert found["solvent-prod-etl"] == {"s3:AbortMultipartUpload", "s3:GetObject", "s3:ListBucket", "s3:PutObject"}
    assert found["solvent-prod-pipeline"] == {"lambda:InvokeFunction", "states:StartExecution"}
    assert found["solvent-prod-nightly"] == found["solvent-prod-delivery-arrived"] == {"states:StartExecution"}
    assert found["solvent-prod-training"] == found["solvent-prod-model"] == set()  # isolated: no call leaves them
    assert found["solvent-prod-analyst"] == found["solvent-prod-migrate"] > {"redshift-data:ExecuteStatement"}


def test_what_a_property_forbids_is_not_called(dev: Assembly, prod: Assembly) -> None:
    """Model packages are deleted only where everything may go."""
    packages = {"sagemaker:DeleteModelPackage", "sagemaker:ListModelPackages"}
    assert packages <= calls(dev)["solvent-dev-endpoint-cleanup"]
    assert not packages & calls(prod)["solvent-prod-endpoint-cleanup"]


def test_each_function_of_the_checkout_is_read(prod: Assembly) -> None:
    folders = {path.parent.name.replace("_", "-") for path in (ROOT / "lambdas").glob("*/handler.py")}
    assert folders and all(calls(prod)[f"solvent-prod-{name}"] for name in folders)
