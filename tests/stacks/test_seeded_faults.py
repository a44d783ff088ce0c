"""Every fault that we could think of is seeded into a copy of our own assembly, and some gate must name it."""

import json
from pathlib import Path
from typing import Any

import pytest

from gates import security
from gates.assembly import Assembly, flat
from gates.faults import changes, suite
from gates.faults.all import FAULTS
from gates.faults.changes import NoTarget
from gates.faults.definition import closed, opened
from gates.faults.fault import Fault
from gates.faults.suite import Caught

HARMLESS = Fault("a friendlier description", "Warehouse/Migrate", changes.put("Description", "Hello"), "cfn-guard ANY")


@pytest.fixture(scope="module")
def clean(synthesized: dict[str, Assembly]) -> dict[str, dict[str, Any]]:
    return {environment: suite.clean_findings(assembly) for environment, assembly in synthesized.items()}


@pytest.fixture(scope="module")
def caught(synthesized: dict[str, Assembly], clean: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Caught]:
    found = suite.run_all(FAULTS, synthesized, clean, tmp_path_factory.mktemp("faults"))
    return {one.fault.name: one for one in found}


def test_the_clean_assemblies_raise_nothing(clean: dict[str, dict[str, Any]]) -> None:
    assert {f"{e} {gate}": found for e, gates in clean.items() for gate, found in gates.items() if found} == {}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_fault_is_named(fault: Fault, caught: dict[str, Caught]) -> None:
    assert not caught[fault.name].missed


def test_there_are_enough_faults_and_each_is_another() -> None:
    assert len(FAULTS) >= 60
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_the_document_says_what_was_found(caught: dict[str, Caught]) -> None:
    document = security.DOCUMENT.read_text()
    fresh = security.replaced(document, "seeded faults", security.seeded_faults(list(caught.values())))
    assert document == fresh, "docs/security.md is not what the gates find: run `make docs`"


def test_the_document_lists_rules_and_reasons_as_they_are(synthesized: dict[str, Assembly]) -> None:
    document = fresh = security.DOCUMENT.read_text()
    for section, text in security.quick_sections(synthesized).items():
        fresh = security.replaced(fresh, section, text)
    assert document == fresh, "docs/security.md is not what the gates say: run `make docs`"


# the suite itself


def test_a_fault_that_nobody_names_fails(prod: Assembly, tmp_path: Path) -> None:
    (one,) = suite.run([HARMLESS], prod, {"cfn-lint": [], "asl-validator": []}, tmp_path)
    assert one.names == set()
    assert one.missed == "a friendlier description (Warehouse/Migrate): cfn-guard ANY does not name it; nobody does"


def test_a_fault_that_another_gate_names_fails_and_says_which(prod: Assembly, tmp_path: Path) -> None:
    fault = Fault("more shards", "Ingestion/Events", changes.put("Shards", 3), "cfn-guard ANY")
    (one,) = suite.run([fault], prod, {"cfn-lint": []}, tmp_path)
    assert one.missed.endswith("cfn-guard ANY does not name it; cfn-lint E3002")


def test_what_the_clean_assembly_shows_already_names_no_fault(prod: Assembly, tmp_path: Path) -> None:
    fault = Fault("more shards", "Ingestion/Events", changes.put("Shards", 3), "cfn-lint E3002")
    (tmp_path / "again").mkdir()
    (first,) = suite.run([fault], prod, {"cfn-lint": []}, tmp_path)
    (one,) = suite.run([fault], prod, {"cfn-lint": list(first.findings["cfn-lint"])}, tmp_path / "again")
    assert first.names and one.missed


@pytest.mark.parametrize(
    ("target", "change"),
    [
        ("Warehous/Workgroup", changes.put("PubliclyAccessible", True)),
        ("Warehouse/Workgrop", changes.put("PubliclyAccessible", True)),
        ("Warehouse/Workgroup", changes.put("PubliclyAccessible", False)),  # is so already
        ("Warehouse/Workgroup", changes.put("Network.Public", True)),
        ("Warehouse/Workgroup", changes.put("ConfigParameters.9", {})),
        ("Warehouse/Workgroup", changes.drop("PublicAccess")),
        ("Warehouse/Workgroup", changes.statement(Action="*")),
        ("Warehouse", changes.without_attribute("Resources.Workgrop")),
        ("Orchestration/Train", changes.state("CreateModle", "Next", "Nowhere")),
        ("Orchestration/Train", changes.without_state_field("CreateModel", "VpcConfig")),
        ("Orchestration/RunControlRole/DefaultPolicy", changes.without_action("dynamodb:PutItm")),
        ("Orchestration/RunControlRole/DefaultPolicy", changes.another_action("s3:GetObject", beside="dynamodb:None")),
        ("Orchestration/Notifications/Policy", changes.without_statement("sns:Publish", Effect="Perhaps")),
    ],
)
def test_a_fault_without_its_target_fails_by_name(prod: Assembly, target: str, change: Any) -> None:
    with pytest.raises(NoTarget, match="a typing error: "):
        Fault("a typing error", target, change, "cfn-lint E3002").seeded(prod)


def test_a_definition_survives_being_opened_and_closed(assembly: Assembly) -> None:
    for machine in assembly.of("AWS::StepFunctions::StateMachine").values():
        text = machine["DefinitionString"]
        definition, references = opened(text)
        assert references
        again = closed(definition, references)
        assert [p for p in again["Fn::Join"][1] if isinstance(p, dict)] == list(references.values())
        assert json.loads(flat(again)) == json.loads(flat(text))
