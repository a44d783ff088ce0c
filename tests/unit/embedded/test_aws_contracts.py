"""Every correction, every private name and every service we add is held by a test that names AWS's page.

Sentences of AWS's API reference are compared with botocore, which carries the same text.
"""

import html
import json
import re
from pathlib import Path

import botocore.session
import pytest

from embedded_aws import adapter, contracts

FOUND = contracts.found()
# The packages of embedded_aws that keep behaviours of AWS, and the services that their contracts are of.
PACKAGES = {
    "autoscaling": {"auto-scaling"},
    "cloudformation": {"cloudformation"},
    "functions": {"lambda", "kinesis"},
    "glue": {"glue"},
    "redshift": {"redshift"},
    "sagemaker": {"sagemaker"},
    "step_functions": {"step-functions"},
}
NO_BEHAVIOUR = {"sandbox", "service"}  # what a job may not reach, and what our own services share
API_REFERENCES = {
    "/AmazonS3/": "s3",
    "/autoscaling/application/": "application-autoscaling",
    "/glue/": "glue",
    "/lambda/": "lambda",
    "/redshift-data/": "redshift-data",
    "/redshift-serverless/": "redshift-serverless",
    "/sagemaker/": "sagemaker",
    "/scheduler/": "scheduler",
}


def test_every_private_name_says_what_would_break_without_it() -> None:
    known = {*FOUND, adapter.PLUMBING}
    unheld = {f"{hook.module}.{hook.name}": hook.holds for hook in adapter.HOOKS if not set(hook.holds) & known}
    assert unheld == {}
    assert {held for hook in adapter.HOOKS for held in hook.holds} <= known


def test_every_package_that_keeps_behaviour_has_contracts() -> None:
    folder = Path(contracts.__file__).parent
    packages = {path.parent.name for path in folder.glob("*/*.py")}
    assert packages - NO_BEHAVIOUR == set(PACKAGES)
    held = {contract.service for contract in FOUND.values()}
    assert {package for package, services in PACKAGES.items() if not services <= held} == set()


def test_every_service_has_a_contract() -> None:
    assert {contract.service for contract in FOUND.values()} == set(contracts.SERVICES)


def documentation(service: str) -> str:
    """All documentation in botocore's model of a service, as plain text."""
    loader = botocore.session.get_session().get_component("data_loader")
    model = json.dumps(loader.load_service_model(service, "service-2"), ensure_ascii=False)
    text = re.sub(r"<[^>]+>", "", html.unescape(model.replace('\\"', '"')))
    return re.sub(r"\s+", " ", text)


QUOTED = [c for c in FOUND.values() if c.quoted and "/API_" in c.page]


@pytest.mark.parametrize("contract", QUOTED, ids=lambda contract: contract.name)
def test_a_quotation_of_an_api_reference_is_word_for_word(contract: contracts.Contract) -> None:
    service = next(name for part, name in API_REFERENCES.items() if part in contract.page)
    assert contract.sentence.rstrip(".") in documentation(service), contract.page


def test_every_test_that_the_document_names_exists() -> None:
    document = (contracts.ROOT / "docs" / "embedded-aws.md").read_text()
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", document))
    assert named and [path for path in named if not (contracts.ROOT / path).exists()] == []


@pytest.mark.parametrize(
    "mark",
    [
        'pytest.mark.contract("lambda.x", says="no page")',
        'pytest.mark.contract("lambda.x", page="https://docs.aws.amazon.com/x", quote="a", says="b")',
        'pytest.mark.contract("moon.x", page="https://docs.aws.amazon.com/x", says="no such service")',
        'pytest.mark.contract("lambda.x", page="https://example.com/x", says="not a page of AWS")',
    ],
)
def test_a_mark_that_does_not_say_enough_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str) -> None:
    path = tmp_path / "test_x.py"
    path.write_text(f"@{mark}\ndef test_y() -> None: ...\n")
    monkeypatch.setattr(contracts, "ROOT", tmp_path)
    with pytest.raises(contracts.ContractError, match=r"test_x.py::test_y"):
        contracts._of(path)


def test_a_name_stands_for_one_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = '@pytest.mark.contract("lambda.x", page="https://docs.aws.amazon.com/x", says="s")'
    (tmp_path / "test_x.py").write_text(f"{mark}\ndef test_y(): ...\n\n{mark}\ndef test_z(): ...\n")
    monkeypatch.setattr(contracts, "ROOT", tmp_path)
    monkeypatch.setattr(contracts, "FOLDERS", (".",))
    with pytest.raises(contracts.ContractError, match=r"lambda.x: .*test_z and .*test_y"):
        contracts.found.__wrapped__()
