"""What an environment costs: figures worked out by hand, budgets that hold, and faults that the gate names."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gates.assembly import Assembly
from gates.cost import bill as cost
from gates.cost import report as cost_report
from gates.cost.at_rest import PRICED
from gates.cost.prices import TABLE, Line, price, total
from gates.cost.switches import off
from stacks import config

# Types that only some configurations have: `alarm_email`.
OPTIONAL = {"AWS::Glue::Trigger", "AWS::SNS::Subscription"}


@pytest.fixture
def changed(dev: Assembly, tmp_path: Path) -> Callable[..., Assembly]:
    """A copy of dev with one template rewritten."""

    def copy(part: str, change: Callable[[dict[str, Any]], object]) -> Assembly:
        shutil.copytree(dev.folder, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("asset.*"))
        path = tmp_path / f"Solvent-dev-{part}.template.json"
        template = json.loads(path.read_text())
        change(template["Resources"])
        path.write_text(json.dumps(template))
        return Assembly("dev", tmp_path)

    return copy


def _of(kind: str, change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
    return lambda resources: [change(r["Properties"]) for r in resources.values() if r["Type"] == kind]


def _in_definitions(old: str, new: str) -> Callable[[dict[str, Any]], object]:
    def change(properties: dict[str, Any]) -> None:
        text = json.dumps(properties["DefinitionString"])
        properties["DefinitionString"] = json.loads(text.replace(old, new))

    return _of("AWS::StepFunctions::StateMachine", change)


def _line(lines: list[Line], what: str) -> Line:
    (found,) = [line for line in lines if line.what == what]
    return found


def test_everything_is_priced_and_within_its_budget(assembly: Assembly) -> None:
    assert cost.check(assembly).findings == []
    found = cost.bill(assembly)
    budget = config.load(assembly.environment).monthly_budget_usd
    assert 0.8 * budget < found.idle_usd < found.month_usd < budget, (
        "a budget far above the cost would not notice that the cost grows"
    )


# By hand: an hour-priced thing counts 730 hours a month.
@pytest.mark.parametrize(
    ("environment", "what", "quantity", "usd"),
    [
        ("dev", "real-time endpoint", 2 * 730, 87.60),  # one ml.t2.medium for each portfolio, at 0.06
        ("dev", "stream", 1 * 730, 12.41),  # one shard at 0.017
        ("dev", "KMS key with two rotations", 3, 3.00),
        ("dev", "administrator's password", 1, 0.40),
        ("prod", "real-time endpoint", 2 * 2 * 730, 373.76),  # two ml.m5.large for each portfolio, at 0.128
        ("prod", "interface endpoints", 12 * 3 * 730, 289.08),  # twelve in three zones at 0.011
        ("prod", "stream", 2 * 730, 24.82),
        ("prod", "stream, records kept longer than a day", 2 * 730, 33.58),  # seven days at 0.023
    ],
)
def test_at_rest_as_worked_out_by_hand(
    synthesized: dict[str, Assembly], environment: str, what: str, quantity: float, usd: float
) -> None:
    line = _line(cost.bill(synthesized[environment]).idle, what)
    assert line.quantity == pytest.approx(quantity)
    assert line.usd == pytest.approx(usd, abs=0.005)


MINUTES = {"etl_minutes": 30, "load_minutes": 12, "refresh_minutes": 3, "training_minutes": 12, "transform_minutes": 6}
MINUTES |= {"rollout_minutes": 10}


@pytest.mark.parametrize(
    ("environment", "phase", "what", "quantity"),
    [
        ("dev", "ingest", "Glue job", 2 * 0.5),  # two G.1X, half an hour
        ("dev", "ingest", "warehouse load", 4 * 0.25),  # 4 RPU, a quarter of an hour with the refresh
        ("dev", "train", "training job", 0.2),
        ("dev", "score", "batch transform", 0.1),
        ("dev", "train", "warehouse load", 4 * 0.2),  # one row, no refresh
        ("dev", "pipeline", "warehouse load", 2 * 4 * 0.25 + 4 * 0.2),  # of ingest, of score and of train
        ("prod", "ingest", "Glue job", 4 * 0.5),
        ("prod", "ingest", "warehouse load", 8 * 0.25),
        ("prod", "train", "its volume", 30 * 0.2 / 730),
    ],
)
def test_a_run_as_worked_out_by_hand(
    synthesized: dict[str, Assembly], environment: str, phase: str, what: str, quantity: float
) -> None:
    runs = cost.bill(synthesized[environment], MINUTES).runs
    assert _line(runs[phase], what).quantity == pytest.approx(quantity)


def test_transitions_are_all_states_and_the_rounds_of_the_polls(dev: Assembly) -> None:
    states = len(dev.definitions["solvent-dev-train"]["States"])
    no_other = {"approval_minutes": 0, "load_minutes": 0}
    still = cost.bill(dev, {"rollout_minutes": 0, **no_other}).runs["train"]
    assert _line(still, "state transitions").quantity == states
    moving = cost.bill(dev, {"rollout_minutes": 1, **no_other}).runs["train"]
    assert _line(moving, "state transitions").quantity == states + 4 * 30  # every 2 seconds, four states a round


def test_states_inside_of_parallel_and_map_count(dev: Assembly, changed: Callable[..., Assembly]) -> None:
    def wrap(properties: dict[str, Any]) -> None:
        if properties["StateMachineName"] != "solvent-dev-train":
            return
        parts = properties["DefinitionString"]["Fn::Join"][1]
        parts[0] = '{"StartAt":"Both","States":{"Both":{"Type":"Parallel","End":true,"Branches":[' + parts[0]
        parts[-1] += "]}}}"

    before, after = cost.bill(dev), cost.bill(changed("Orchestration", _of("AWS::StepFunctions::StateMachine", wrap)))
    assert _line(after.idle, "real-time endpoint") == _line(before.idle, "real-time endpoint")
    assert _line(after.runs["train"], "training job") == _line(before.runs["train"], "training job")
    one_more = _line(after.runs["train"], "state transitions").quantity - 1
    assert one_more == _line(before.runs["train"], "state transitions").quantity


def test_another_region_is_named(dev: Assembly, tmp_path: Path) -> None:
    shutil.copytree(dev.folder, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("asset.*"))
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace(TABLE["region"], "eu-central-1"))
    assert [finding.rule for finding in cost.check(Assembly("dev", tmp_path)).findings] == ["other-region"]


def test_glue_and_redshift_bill_a_minute_at_least(dev: Assembly) -> None:
    runs = cost.bill(dev, {"etl_minutes": 0.1, "load_minutes": 0.1, "refresh_minutes": 0.1}).runs
    assert _line(runs["ingest"], "Glue job").quantity == pytest.approx(2 / 60)
    assert _line(runs["ingest"], "warehouse load").quantity == pytest.approx(4 / 60)


def test_a_month_is_what_rests_and_what_runs(dev: Assembly) -> None:
    nothing = {"runs_a_month": 0, "nights_a_month": 0, "events_a_month": 0, "scores_a_month": 0, "written_logs_gb": 0}
    nothing |= {"extractions_a_month": 0, "database_secrets": 0}
    assert cost.bill(dev, nothing).month_usd == pytest.approx(cost.bill(dev).idle_usd)
    two = cost.bill(dev, {**nothing, "runs_a_month": 2, "nights_a_month": 3})
    portfolios = 2  # each with a schedule
    by_hand = 2 * total(two.runs["pipeline"]) + portfolios * 3 * total(two.runs["score"])
    assert total(two.usage) == pytest.approx(by_hand)


def test_each_portfolio_has_an_endpoint(changed: Callable[..., Assembly], dev: Assembly) -> None:
    def another(resources: dict[str, Any]) -> None:
        group = next(r for r in resources.values() if r["Type"] == "AWS::SageMaker::ModelPackageGroup")
        resources["Another"] = group

    found = cost.bill(changed("Training", another))
    assert _line(found.idle, "real-time endpoint").quantity == 3 * 730


def test_nights_count_only_while_the_schedule_is_on(changed: Callable[..., Assembly], dev: Assembly) -> None:
    off = changed("Orchestration", _of("AWS::Scheduler::Schedule", lambda p: p.update(State="DISABLED")))
    saved = 2 * 30.4 * total(cost.bill(dev).runs["score"])  # both portfolios
    assert cost.bill(dev).month_usd - cost.bill(off).month_usd == pytest.approx(saved)


def test_every_switch_is_a_key_of_the_configuration(assembly: Assembly) -> None:
    known = config.load(assembly.environment).model_dump()
    found = cost.bill(assembly)
    for line in [*found.idle, *(line for lines in found.runs.values() for line in lines)]:
        for name in re.findall(r"`([a-z_.]+)`", line.switch.replace("`..._poll_seconds`", "")):
            section, _, key = name.partition(".")
            assert section in known and (not key or key in known[section]), line.switch


def test_every_free_type_is_in_some_template(dev: Assembly, prod: Assembly) -> None:
    used = {resource["Type"] for assembly in (dev, prod) for _, resource in assembly.everything()}
    assert set(TABLE["free"]) - used - OPTIONAL == set()
    assert set(TABLE["free"]) & set(PRICED) == set()


def test_every_price_names_its_page_and_the_table_its_date() -> None:
    assert TABLE["date"].year >= 2026
    for name in [*TABLE["prices"], *(name for name in TABLE["instances"] if name != "page")]:
        assert price(name)["page"].startswith("https://aws.amazon.com/"), name
        assert price(name)["usd"] > 0, name
    for known in (TABLE["prices"], TABLE["assumptions"]):
        fields = {field for entry in known.values() for field in entry}
        assert fields <= {"usd", "unit", "page", "checked", "dev", "prod", "means"}, "quote a text that has a comma"


@pytest.mark.parametrize(
    ("rule", "part", "change"),
    [
        ("over-budget", "Orchestration", _in_definitions("ml.t2.medium", "ml.m5.4xlarge")),
        ("over-budget", "Ingestion", _of("AWS::Kinesis::Stream", lambda p: p.update(ShardCount=8))),
        (
            "over-budget",
            "Network",
            _of("AWS::EC2::VPCEndpoint", lambda p: p.update(VpcEndpointType="Interface", SubnetIds=[1, 2])),
        ),
        ("over-budget", "Warehouse", _of("AWS::RedshiftServerless::Workgroup", lambda p: p.update(BaseCapacity=64))),
        ("over-budget", "Etl", _of("AWS::Glue::Job", lambda p: p.update(NumberOfWorkers=100))),
        ("unpriced", "Orchestration", _in_definitions("ml.t2.medium", "ml.p9.huge")),
        ("unpriced", "Orchestration", _in_definitions("WaitLoad", "WaitSomething")),
        (
            "unpriced",
            "Ingestion",
            _of("AWS::Kinesis::Stream", lambda p: p.update(StreamModeDetails={"StreamMode": "ON_DEMAND"})),
        ),
        ("unpriced", "Ingestion", _of("AWS::Kinesis::Stream", lambda p: p.update(RetentionPeriodHours=169))),
        ("unpriced", "Orchestration", _of("AWS::DynamoDB::GlobalTable", lambda p: p.update(BillingMode="PROVISIONED"))),
        ("unpriced", "Network", lambda r: r.update(Nat={"Type": "AWS::EC2::NatGateway"})),
    ],
)
def test_each_fault_is_named(
    changed: Callable[..., Assembly], rule: str, part: str, change: Callable[[dict[str, Any]], object]
) -> None:
    assert {finding.rule for finding in cost.check(changed(part, change)).findings} == {rule}


def test_what_exceeds_the_budget_is_named_with_its_switch(changed: Callable[..., Assembly]) -> None:
    (finding,) = cost.check(changed("Orchestration", _in_definitions("ml.t2.medium", "ml.m5.4xlarge"))).findings
    assert "real-time endpoint, 1499.42 USD" in finding.text and "serving.instance_type" in finding.text


def test_a_budget_must_be_more_than_nothing(tmp_path: Path) -> None:
    settings = yaml.safe_load((config.DIRECTORY / "dev.yaml").read_text())
    (tmp_path / "dev.yaml").write_text(yaml.safe_dump({**settings, "monthly_budget_usd": 0}))
    with pytest.raises(config.ConfigurationError, match="monthly_budget_usd"):
        config.load("dev", tmp_path)


def _on_disk(monkeypatch: pytest.MonkeyPatch, synthesized: dict[str, Assembly]) -> None:
    monkeypatch.setattr(cost_report.Assembly, "synthesized", classmethod(lambda _, name: synthesized[name]))


def test_the_screen_shows_total_budget_and_what_costs_most(
    monkeypatch: pytest.MonkeyPatch, synthesized: dict[str, Assembly], capsys: pytest.CaptureFixture[str]
) -> None:
    _on_disk(monkeypatch, synthesized)
    assert cost_report.main([]) == 0
    shown = capsys.readouterr().out
    for environment, assembly in synthesized.items():
        assert f"{environment}: {cost.bill(assembly).idle_usd:.2f} USD a month at rest" in shown
    assert "What costs most: real-time endpoint, 87.60 USD a month (76%): serving.instance_type" in shown
    assert "What costs most: real-time endpoint, 373.76 USD a month" in shown


def test_an_unknown_assumption_is_refused_with_those_that_exist(
    monkeypatch: pytest.MonkeyPatch, synthesized: dict[str, Assembly], capsys: pytest.CaptureFixture[str]
) -> None:
    _on_disk(monkeypatch, synthesized)
    with pytest.raises(SystemExit):
        cost_report.main(["--set", "minutes=3"])
    assert "no assumption minutes" in capsys.readouterr().err


def test_documents_are_written_and_stale_ones_noticed(
    monkeypatch: pytest.MonkeyPatch, synthesized: dict[str, Assembly], tmp_path: Path
) -> None:
    _on_disk(monkeypatch, synthesized)
    monkeypatch.setattr(cost_report, "DOCUMENT", tmp_path / "cost.md")
    monkeypatch.setattr(cost_report, "README", tmp_path / "README.md")
    (tmp_path / "README.md").write_text(f"before\n{cost_report.BEGIN}old\n{cost_report.END}\nafter\n")
    assert cost_report.main(["--check"]) == 1
    assert cost_report.main(["--write"]) == 0
    assert cost_report.main(["--check"]) == 0
    readme = (tmp_path / "README.md").read_text()
    assert (
        readme.startswith("before\n")
        and readme.endswith("\nafter\n")
        and "old" not in readme
        and "| `prod` |" in readme
    )
    (tmp_path / "cost.md").write_text("edited by hand")
    assert cost_report.main(["--check"]) == 1


def test_a_switch_that_is_off_says_what_it_would_add(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three zones, 730 hours, 0.011 USD: 24.09 a month for an endpoint; an extraction has five."""
    said = {line.switch: round(line.usd, 2) for line in off("dev")}
    assert said == {
        "`extraction.private: true`": 120.45,
        "`warehouse.sql_model: true`": 24.09,
        "`warehouse.streaming_view: true`": 24.09,
    }
    assert [line.switch for line in off("prod")] == ["`warehouse.streaming_view: true`"]
    given = config.load("prod")  # has the endpoint already, for the API
    without = given.model_copy(update={"warehouse": given.warehouse.model_copy(update={"sql_model": False})})
    monkeypatch.setattr(config, "load", lambda _: without)
    assert {line.switch: line.usd for line in off("prod")}["`warehouse.sql_model: true`"] == 0
