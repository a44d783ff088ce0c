"""What an environment costs: at rest for a month, and for one run of each phase, from its templates and a dated table
of prices (prices.yaml). The gate `cost` fails when a month, with the use assumed there or without any, exceeds
`monthly_budget_usd`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gates.assembly import Assembly
from gates.cost.at_rest import PRICED, endpoints
from gates.cost.prices import TABLE, Assumed, Line, UnpricedError, assumptions, price, total
from gates.cost.run import COMPACTION, DPU, compaction, function, nested, phases, run
from gates.outcome import Finding, Outcome
from solvent.naming import Names
from stacks import config


@dataclass
class Bill:
    """USD a month at rest, USD for one run of each phase, and for a month as assumed."""

    idle: list[Line]
    runs: dict[str, list[Line]]
    usage: list[Line]
    findings: list[Finding] = field(default_factory=list)

    @property
    def idle_usd(self) -> float:
        """Of a month in which nothing runs."""
        return total(self.idle)

    @property
    def month_usd(self) -> float:
        """Of a month with the use assumed."""
        return self.idle_usd + total(self.usage)

    @property
    def dearest(self) -> Line:
        """The line that costs most in a month with its use."""
        return max(_merged(self.idle + self.usage), key=lambda line: line.usd)


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
    if assembly.region != TABLE["region"]:
        text = (
            f"it lies in {assembly.region}; the prices in gates/cost/prices.yaml are of {TABLE['region']}: replace them"
        )
        findings.append(Finding("other-region", assembly.environment, text))
    idle: list[Line] = []
    for where, resource in assembly.everything():
        pricing = PRICED.get(resource["Type"])
        if pricing is None and resource["Type"] not in TABLE["free"]:
            text = f"{resource['Type']}: gates/cost/at_rest.py does not price it, prices.yaml does not call it free"
            findings.append(Finding("unpriced", where, text))
        elif pricing is not None:
            idle += _priced(where, findings, pricing(resource.get("Properties", {}), assumed))
    idle += _priced("endpoints", findings, endpoints(assembly))
    idle += [
        Line("objects in the lake", assumed["lake_gb"], "lake-gb", "`lake`: days of each zone"),
        Line("logs kept", assumed["stored_logs_gb"], "stored-log-gb", "`log_retention_days`"),
    ]
    own = {phase: _priced(phase, findings, run(assembly, phase, assumed)) for phase in phases(assembly)}
    runs = {phase: _merged(lines + nested(assembly, phase, own)) for phase, lines in own.items()}
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


def _usage(assembly: Assembly, runs: Mapping[str, list[Line]], assumed: Assumed) -> list[Line]:
    """A month of use as assumed: deliveries, nights, events, scores."""
    targets = [
        str(p["Target"]["Arn"]) for p in assembly.of("AWS::Scheduler::Schedule").values() if p.get("State") == "ENABLED"
    ]
    compactions = targets.count(COMPACTION)
    lines = [
        *_times(runs["pipeline"], assumed["runs_a_month"]),
        *_times(runs["score"], (len(targets) - compactions) * assumed["nights_a_month"]),
        *_times(list(compaction(assembly, assumed)), compactions * assumed["nights_a_month"]),
        *_extraction(assembly, assumed),
        Line("events into the stream", assumed["events_a_month"], "put-unit", "none"),
        Line("REST API", assumed["scores_a_month"], "http-request", "none"),
        *function(assembly, assumed["scores_a_month"], assumed),
        Line("logs written", assumed["written_logs_gb"], "log-gb", "none"),
        Line("data through interface endpoints", assumed["endpoint_gb"], "endpoint-gb", "none"),
    ]
    return _merged(lines)


def _extraction(assembly: Assembly, assumed: Assumed) -> Iterator[Line]:
    """The job that nobody's state machine starts, and the secrets that are made by hand."""
    job = assembly.one("AWS::Glue::Job", Name=Names(assembly.environment).extract_job)
    dpus = job["NumberOfWorkers"] * DPU[job["WorkerType"]]
    hours = dpus * max(1, assumed["extract_minutes"]) / 60  # Glue bills a minute at least
    yield Line("extractions", assumed["extractions_a_month"] * hours, "dpu-hour", "`extraction.worker_type`")
    yield Line("secrets of databases", assumed["database_secrets"], "secret", "none: one for each database")


def _times(lines: list[Line], times: float) -> list[Line]:
    return [Line(line.what, line.quantity * times, line.unit, line.switch) for line in lines]
