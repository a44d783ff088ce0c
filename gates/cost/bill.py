"""What an environment costs: at rest for a month, and for one run of each phase, from its templates and a dated table
of prices (prices.yaml). The gate `cost` fails when a month, with the use assumed there or without any, exceeds
`monthly_budget_usd`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gates.assembly import Assembly
from gates.outcome import Finding, Outcome
from stacks import config

TABLE: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "prices.yaml").read_text())
HOURS = TABLE["hours_a_month"]
PREFIX = "solvent"
DPU = {"G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8}  # a worker's DPUs
# What Wait states wait for, by their names: it sets how often their loop goes round.
AWAITED = {"WaitApproval": "approval_minutes", "WaitEndpoint": "rollout_minutes", "WaitLoad": "load_minutes"}


class UnpricedError(Exception):
    """Something that the table of prices does not know."""


@dataclass(frozen=True)
class Line:
    """So much of a priced unit, and the configuration key that makes it more or less."""

    what: str
    quantity: float
    unit: str
    switch: str

    @property
    def usd(self) -> float:
        return self.quantity * price(self.unit)["usd"]


@dataclass
class Bill:
    """USD a month at rest, USD for one run of each phase, and for a month as assumed."""

    idle: list[Line]
    runs: dict[str, list[Line]]
    usage: list[Line]
    findings: list[Finding] = field(default_factory=list)

    @property
    def idle_usd(self) -> float:
        return total(self.idle)

    @property
    def month_usd(self) -> float:
        return self.idle_usd + total(self.usage)

    @property
    def dearest(self) -> Line:
        """Of a month with its use."""
        return max(_merged(self.idle + self.usage), key=lambda line: line.usd)


def total(lines: list[Line]) -> float:
    return sum(line.usd for line in lines)


def price(unit: str) -> dict[str, Any]:
    """`{usd, unit, page, checked}` of a unit, or of an hour of an instance type; raises UnpricedError."""
    if unit in TABLE["instances"]:
        hour = {"unit": f"{unit} hour", "page": TABLE["instances"]["page"]}
        return {**hour, **TABLE["instances"][unit]}
    if unit not in TABLE["prices"]:
        raise UnpricedError(f"gates/cost/prices.yaml has no price of {unit}")
    found: dict[str, Any] = TABLE["prices"][unit]
    return found


def assumptions(environment: str, changed: Mapping[str, float] | None = None) -> dict[str, float]:
    """What no template says; `changed` replaces by name. An environment beyond dev and prod is taken for a dev."""
    known = {name: entry.get(environment, entry["dev"]) for name, entry in TABLE["assumptions"].items()}
    unknown = sorted(set(changed or {}) - set(known))
    if unknown:
        raise UnpricedError(f"There is no assumption {', '.join(unknown)}. There are: {', '.join(known)}.")
    return {**known, **(changed or {})}


def check(assembly: Assembly) -> Outcome:
    """Every resource type priced or free, and a month at rest, and with its use, within the budget."""
    found = bill(assembly)
    budget = config.load(assembly.environment).monthly_budget_usd
    findings = list(found.findings)
    if found.month_usd > budget:
        most = found.dearest
        text = (
            f"{found.idle_usd:.2f} USD a month at rest, {found.month_usd:.2f} with its use; monthly_budget_usd is "
            f"{budget:.2f}. Most of it: {most.what}, {most.usd:.2f} USD ({most.switch})"
        )
        findings.append(Finding("over-budget", assembly.environment, text))
    costs = f"{found.idle_usd:.2f} USD a month at rest, {found.month_usd:.2f} with its use, of {budget:.2f}"
    return Outcome(costs, findings)


def bill(assembly: Assembly, changed: Mapping[str, float] | None = None) -> Bill:
    """The whole bill, the dearest line first. What has no price is a finding `unpriced`, and counts nothing."""
    assumed = assumptions(assembly.environment, changed)
    findings: list[Finding] = []
    idle: list[Line] = []
    for where, resource in assembly.everything():
        pricing = PRICED.get(resource["Type"])
        if pricing is None and resource["Type"] not in TABLE["free"]:
            text = f"{resource['Type']}: gates/cost/bill.py does not price it, prices.yaml does not call it free"
            findings.append(Finding("unpriced", where, text))
        elif pricing is not None:
            idle += _priced(where, findings, pricing(resource.get("Properties", {}), assumed))
    idle += _priced("endpoints", findings, _endpoints(assembly))
    idle += [
        Line("objects in the lake", assumed["lake_gb"], "lake-gb", "`lake`: days of each zone"),
        Line("logs kept", assumed["stored_logs_gb"], "stored-log-gb", "`log_retention_days`"),
    ]
    own = {phase: _priced(phase, findings, _run(assembly, phase, assumed)) for phase in _phases(assembly)}
    runs = {phase: _merged(lines + _nested(assembly, phase, own)) for phase, lines in own.items()}
    return Bill(_merged(idle), runs, _usage(assembly, runs, assumed), findings)


def _priced(where: str, findings: list[Finding], lines: Iterator[Line]) -> list[Line]:
    """The lines that have a price; the first that has none ends them with a finding."""
    kept: list[Line] = []
    try:
        for line in lines:
            price(line.unit)
            kept.append(line)
    except UnpricedError as error:
        findings.append(Finding("unpriced", where, str(error)))
    return kept


def _merged(lines: list[Line]) -> list[Line]:
    quantities: dict[tuple[str, str, str], float] = {}
    for line in lines:
        key = (line.what, line.unit, line.switch)
        quantities[key] = quantities.get(key, 0) + line.quantity
    merged = [Line(what, quantity, unit, switch) for (what, unit, switch), quantity in quantities.items() if quantity]
    return sorted(merged, key=lambda line: (-line.usd, line.what))


# --- at rest: what each type of resource costs in a month in which nothing runs

Properties = Mapping[str, Any]
Assumed = Mapping[str, float]


def _alarm(p: Properties, _: Assumed) -> Iterator[Line]:
    yield Line("alarms", len(p.get("Metrics", [None])), "alarm", "none: one for each thing that is watched")


def _dashboard(_: Properties, __: Assumed) -> Iterator[Line]:
    yield Line("dashboard", 1, "dashboard", "none: one for an environment")


def _table(p: Properties, assumed: Assumed) -> Iterator[Line]:
    if p.get("BillingMode") != "PAY_PER_REQUEST":
        raise UnpricedError("a table with provisioned capacity")
    yield Line("table of runs", assumed["ledger_gb"], "table-gb", "none: it is small")
    for replica in p["Replicas"]:
        if replica.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled"):
            yield Line(
                "table of runs, recovery to any second", assumed["ledger_gb"], "recovery-gb", "none: it is small"
            )


def _flow_log(_: Properties, assumed: Assumed) -> Iterator[Line]:
    yield Line("flow logs", assumed["flow_logs_gb"], "log-gb", "`network.private_compute`: more runs in the VPC")


def _vpc_endpoint(p: Properties, _: Assumed) -> Iterator[Line]:
    if p.get("VpcEndpointType") == "Interface":
        hours = len(p["SubnetIds"]) * HOURS
        yield Line(
            "interface endpoints", hours, "endpoint-hour", "`network.private_compute`, `network.interface_endpoints`"
        )


def _key(p: Properties, _: Assumed) -> Iterator[Line]:
    # A rotated key keeps its old material: AWS bills that of the first two rotations. We count the full price at once.
    kept = 3 if p.get("EnableKeyRotation") else 1
    yield Line("KMS key with two rotations", kept, "key", "none: one key encrypts everything")


def _stream(p: Properties, _: Assumed) -> Iterator[Line]:
    if p.get("StreamModeDetails", {}).get("StreamMode") == "ON_DEMAND":
        raise UnpricedError("a stream on demand")
    hours = p["ShardCount"] * HOURS
    yield Line("stream", hours, "shard-hour", "`stream.shards`")
    if p["RetentionPeriodHours"] > 168:
        raise UnpricedError("a stream that keeps records for more than seven days")
    if p["RetentionPeriodHours"] > 24:
        yield Line("stream, records kept longer than a day", hours, "extended-shard-hour", "`stream.retention_hours`")


def _namespace(p: Properties, assumed: Assumed) -> Iterator[Line]:
    yield Line("warehouse storage", assumed["warehouse_gb"], "warehouse-gb", "none: what is loaded")
    if p.get("ManageAdminPassword"):
        yield Line("administrator's password", 1, "secret", "none: Redshift keeps and rotates it")


def _nothing_of_its_own(_: Properties, __: Assumed) -> Iterator[Line]:
    """Buckets and log groups: their content is assumed for all of them together."""
    return iter(())


PRICED: dict[str, Callable[[Properties, Assumed], Iterator[Line]]] = {
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::DynamoDB::GlobalTable": _table,
    "AWS::EC2::FlowLog": _flow_log,
    "AWS::EC2::VPCEndpoint": _vpc_endpoint,
    "AWS::KMS::Key": _key,
    "AWS::Kinesis::Stream": _stream,
    "AWS::Logs::LogGroup": _nothing_of_its_own,
    "AWS::RedshiftServerless::Namespace": _namespace,
    "AWS::S3::Bucket": _nothing_of_its_own,
}


def _endpoints(assembly: Assembly) -> Iterator[Line]:
    """The first `train` of a portfolio makes its endpoint, and from then on it costs by the hour."""
    portfolios = len(assembly.of("AWS::SageMaker::ModelPackageGroup"))
    for _, state in _states(assembly):
        for variant in state.get("Parameters", {}).get("ProductionVariants", []):
            hours = portfolios * variant["InitialInstanceCount"] * HOURS
            yield Line(
                "real-time endpoint", hours, variant["InstanceType"], "`serving.instance_type`, `serving.instances`"
            )


# --- a run: what the states of a machine start


def _phases(assembly: Assembly) -> list[str]:
    return [name.removeprefix(f"{PREFIX}-{assembly.environment}-") for name in assembly.definitions]


def _definition(assembly: Assembly, phase: str) -> dict[str, dict[str, Any]]:
    states: dict[str, dict[str, Any]] = assembly.definitions[f"{PREFIX}-{assembly.environment}-{phase}"]["States"]
    return states


def _states(assembly: Assembly) -> Iterator[tuple[str, dict[str, Any]]]:
    for phase in _phases(assembly):
        yield from _definition(assembly, phase).items()


def _run(assembly: Assembly, phase: str, assumed: Assumed) -> Iterator[Line]:
    """One run of a phase, without the phases that it starts. Each state counts once, and each round of a poll."""
    states = _definition(assembly, phase)
    yield Line(
        "state transitions", len(states) + _rounds(states, assumed), "transition", "`orchestration`: `..._poll_seconds`"
    )
    for state in states.values():
        resource = state.get("Resource", "").removeprefix("arn:aws:states:::")
        given = state.get("Parameters", {})
        if resource.startswith("glue:startJobRun"):
            yield _etl(assembly.one("AWS::Glue::Job", Name=given["JobName"]), assumed)
        elif resource.startswith("sagemaker:createTrainingJob"):
            yield from _training(given["ResourceConfig"], assumed)
        elif resource.startswith("sagemaker:createTransformJob"):
            used = given["TransformResources"]
            hours = used["InstanceCount"] * assumed["transform_minutes"] / 60
            yield Line("batch transform", hours, used["InstanceType"], "`serving.transform_instance_type`")
        elif resource.startswith("lambda:invoke"):
            yield from _function(assembly, 1, assumed)
    if any("redshiftdata:" in state.get("Resource", "") for state in states.values()):
        (workgroup,) = assembly.of("AWS::RedshiftServerless::Workgroup").values()
        hours = workgroup["BaseCapacity"] * max(1, assumed["load_minutes"]) / 60  # Redshift bills a minute at least
        yield Line("warehouse load", hours, "rpu-hour", "`warehouse.base_capacity`")


def _rounds(states: Mapping[str, Properties], assumed: Assumed) -> int:
    """Transitions of the loops that begin in a Wait state."""
    found = 0
    for name, state in states.items():
        if state["Type"] == "Wait":
            if name not in AWAITED:
                raise UnpricedError(f"nobody says for how long {name} waits")
            rounds = int(assumed[AWAITED[name]] * 60 // state["Seconds"])
            found += 4 * rounds  # Wait, Describe, Check, Count
    return found


def _etl(job: Properties, assumed: Assumed) -> Line:
    dpus = job["NumberOfWorkers"] * DPU[job["WorkerType"]]
    hours = dpus * max(1, assumed["etl_minutes"]) / 60  # Glue bills a minute at least
    return Line("Glue job", hours, "dpu-hour", "`etl.workers`, `etl.worker_type`")


def _training(used: Properties, assumed: Assumed) -> Iterator[Line]:
    hours = used["InstanceCount"] * assumed["training_minutes"] / 60
    yield Line("training job", hours, used["InstanceType"], "`training.instance_type`")
    yield Line("its volume", used["VolumeSizeInGB"] * hours / HOURS, "ml-storage-gb", "`training.volume_gb`")


def _function(assembly: Assembly, invocations: float, assumed: Assumed) -> Iterator[Line]:
    """Of all functions the largest one's memory: they cost next to nothing."""
    largest = max(p.get("MemorySize", 128) for p in assembly.of("AWS::Lambda::Function").values()) / 1024
    yield Line("functions", invocations * largest * assumed["function_seconds"], "gb-second", "none")
    yield Line("functions, invoked", invocations, "invocation", "none")


def _nested(assembly: Assembly, phase: str, own: Mapping[str, list[Line]]) -> list[Line]:
    """What the machines cost that a machine starts and waits for."""
    machines = [
        state["Parameters"]["StateMachineArn"].rpartition(f"{PREFIX}-{assembly.environment}-")[2]
        for state in _definition(assembly, phase).values()
        if "states:startExecution" in state.get("Resource", "")
    ]
    return [line for machine in machines for line in own[machine]]


def _usage(assembly: Assembly, runs: Mapping[str, list[Line]], assumed: Assumed) -> list[Line]:
    """A month of use as assumed: deliveries, nights, events, scores."""
    nights = sum(p.get("State") == "ENABLED" for p in assembly.of("AWS::Scheduler::Schedule").values())
    lines = [
        *_times(runs["pipeline"], assumed["runs_a_month"]),
        *_times(runs["score"], nights * assumed["nights_a_month"]),
        Line("events into the stream", assumed["events_a_month"], "put-unit", "none"),
        Line("REST API", assumed["scores_a_month"], "http-request", "none"),
        *_function(assembly, assumed["scores_a_month"], assumed),
        Line("logs written", assumed["written_logs_gb"], "log-gb", "none"),
        Line("data through interface endpoints", assumed["endpoint_gb"], "endpoint-gb", "none"),
    ]
    return _merged(lines)


def _times(lines: list[Line], times: float) -> list[Line]:
    return [Line(line.what, line.quantity * times, line.unit, line.switch) for line in lines]
