"""Every fault that we could think of is seeded into a copy of our own assembly, and some gate must name it.

That the gates find nothing in the assembly as it is, is `make check`, a minute of its own.
"""

import json
from collections import Counter
from collections.abc import Callable
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
from gates.outcome import Finding, Outcome
from gates.templates import guard


@pytest.fixture(scope="module")
def caught(synthesized: dict[str, Assembly], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Caught]:
    clean = {environment: suite.nothing_found(assembly) for environment, assembly in synthesized.items()}
    found = suite.run_all(FAULTS, synthesized, clean, tmp_path_factory.mktemp("faults"))
    return {one.fault.name: one for one in found}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_fault_is_named(fault: Fault, caught: dict[str, Caught]) -> None:
    assert not caught[fault.name].missed


def test_there_are_enough_faults_and_each_is_another() -> None:
    assert len(FAULTS) >= 60
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_the_document_is_what_the_gates_say(synthesized: dict[str, Assembly]) -> None:
    document = security.DOCUMENT.read_text()
    fresh = security.rewritten(document, list(synthesized.values()))
    assert document == fresh, "docs/security.md is not what the gates say: run `make docs`"


class TestSuite:
    """The suite itself, over made-up gates: one that asks how long the stream remembers, two that count shards."""

    SHARDS, STREAM = "shards too-many", "Ingestion/Events"

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
        """How often each of the made-up gates was asked."""
        asked: Counter[str] = Counter()

        def judging(name: str, rule: str, wrong: Callable[[dict[str, Any]], bool]) -> Callable[[Assembly], Outcome]:
            def gate(assembly: Assembly) -> Outcome:
                asked[name] += 1
                streams = assembly.of("AWS::Kinesis::Stream").items()
                return Outcome("streams", [Finding(rule, where) for where, stream in streams if wrong(stream)])

            return gate

        def breaking(assembly: Assembly) -> Outcome:
            raise KeyError("Resources")

        made_up = {
            "shards": judging("shards", "too-many", lambda stream: stream["ShardCount"] > 8),
            "all-shards": judging("all-shards", "too-many", lambda stream: stream["ShardCount"] > 8),
            "memory": judging("memory", "too-short", lambda stream: stream["RetentionPeriodHours"] < 48),
            "breaking": breaking,
        }
        monkeypatch.setattr(suite, "GATES", made_up)
        monkeypatch.setattr(suite, "ONE_BY_ONE", ("all-shards",))
        return asked

    def shards(self, number: int = 9, caught_by: str = SHARDS) -> Fault:
        return Fault(f"{number} shards", self.STREAM, changes.put("ShardCount", number), caught_by)

    def known(self, **findings: list[Finding]) -> dict[str, list[Finding]]:
        return {"shards": [], "all-shards": [], "memory": [], "breaking": [], "release": []} | findings

    def test_a_fault_that_is_named_is_put_to_its_own_gate_alone(
        self, prod: Assembly, asked: Counter[str], tmp_path: Path
    ) -> None:
        (one,) = suite.run([self.shards()], prod, self.known(), tmp_path)
        assert (one.missed, one.names, asked) == ("", {self.SHARDS}, {"shards": 1})

    def test_a_fault_that_nobody_names_is_missed(self, prod: Assembly, asked: Counter[str], tmp_path: Path) -> None:
        (one,) = suite.run([self.shards(7)], prod, self.known(), tmp_path)
        assert one.missed == (
            "7 shards (Ingestion/Events): shards too-many does not name it; nobody does; "
            "broken on it: breaking (KeyError('Resources'))"
        )

    @pytest.mark.parametrize("caught_by", ["memory too-short", "shards too-few", "shrads too-many"])
    def test_a_fault_that_others_name_is_missed_and_says_who(
        self, prod: Assembly, asked: Counter[str], tmp_path: Path, caught_by: str
    ) -> None:
        (one,) = suite.run([self.shards(caught_by=caught_by)], prod, self.known(), tmp_path)
        assert f"{caught_by} does not name it; all-shards too-many, shards too-many;" in one.missed

    @pytest.mark.parametrize("gate", ["shards", "all-shards"])
    def test_what_the_clean_assembly_shows_already_names_no_fault(
        self, prod: Assembly, asked: Counter[str], tmp_path: Path, gate: str
    ) -> None:
        (where,) = prod.of("AWS::Kinesis::Stream")
        known = self.known(**{gate: [Finding("too-many", where)]})
        (one,) = suite.run([self.shards(caught_by=f"{gate} too-many")], prod, known, tmp_path)
        assert f"{gate} too-many does not name it" in one.missed

    def test_faults_that_are_judged_at_once_are_told_apart(
        self, prod: Assembly, asked: Counter[str], tmp_path: Path
    ) -> None:
        faults = [self.shards(number, "all-shards too-many") for number in (9, 7, 10)]
        caught = suite.run(faults, prod, self.known(), tmp_path)
        assert [bool(one.missed) for one in caught] == [False, True, False]
        assert {finding.where for one in caught for finding in one.findings["all-shards"]} == set(
            prod.of("AWS::Kinesis::Stream")
        )
        assert asked["all-shards"] == 2  # once for all, and once more to say who names the missed one

    def test_a_finding_that_belongs_to_no_fault_is_no_answer(
        self, prod: Assembly, asked: Counter[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken = Outcome("nothing", [Finding("not-run", "all-shards")])
        monkeypatch.setitem(suite.GATES, "all-shards", lambda assembly: broken)
        with pytest.raises(RuntimeError, match="not-run"):
            suite.run([self.shards(caught_by="all-shards too-many")], prod, self.known(), tmp_path)

    def test_cfn_guard_is_asked_with_the_file_of_the_rule_and_of_a_missed_fault_with_all(
        self, prod: Assembly, asked: Counter[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files: list[str | None] = []

        def blind(assembly: Assembly, file: str | None = None) -> Outcome:
            files.append(file)
            return Outcome("nothing")

        monkeypatch.setattr(guard, "cfn_guard", blind)
        monkeypatch.setattr(suite, "ONE_BY_ONE", ("cfn-guard",))
        monkeypatch.setitem(suite.GATES, "cfn-guard", blind)
        known = self.known() | {"cfn-guard": []}
        (one,) = suite.run([self.shards(caught_by="cfn-guard WAREHOUSE_IS_PRIVATE")], prod, known, tmp_path)
        assert files == ["warehouse.guard", None]
        assert f"WAREHOUSE_IS_PRIVATE does not name it; all-shards too-many, {self.SHARDS};" in one.missed

    def test_a_release_is_compared_with_the_clean_assembly(
        self, prod: Assembly, asked: Counter[str], tmp_path: Path
    ) -> None:
        fault = Fault("another name", "Lake/Raw", changes.put("BucketName", "raw"), "release resource-replaced")
        (one,) = suite.run([fault], prod, self.known(), tmp_path)
        assert (one.missed, asked) == ("", {})


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
