"""Every physical name and every object key of the platform, in one place.

The stacks create resources under these names and the code that runs finds them by the same names, so neither needs
the other's outputs. `account` may be a CDK token.
"""

import hashlib
from dataclasses import dataclass

ZONES = ("landing", "raw", "cleaned", "training", "quarantine", "artifacts")
PORTFOLIOS = ("lending", "bankruptcy")
PHASES = ("ingest", "train", "score", "pipeline")
DATABASE = "solvent"
# Prefixes: of the state of extractions (artifacts), and of files that a database exported for one (landing).
EXTRACTIONS, EXPORTS = "extractions/", "exports/"
NO_BASE = "none"  # said of the first run of a data set; an argument of a Glue job cannot be empty
# The events of the stream (source contracts), and where they lie in the raw zone.
EVENTS = ("application_event",)
PEOPLE = ("analyst", "risk_officer")  # the warehouse's roles for people
ADMIN = "admin"  # the warehouse's role for emergencies
ASSUMED = (*PEOPLE, "service", ADMIN)  # roles of the warehouse that come with an IAM role, which somebody assumes
VARIANTS = CHAMPION, CHALLENGER = "champion", "challenger"  # of an endpoint
STEWARD = "data-steward"  # the role of people who look after quarantine
STREAM, COMPACTED = "stream/", "stream-compacted/"


@dataclass(frozen=True)
class Names:
    """Physical names of one environment (`dev`, `prod`)."""

    environment: str

    @property
    def prefix(self) -> str:
        return f"solvent-{self.environment}"

    def named(self, suffix: str) -> str:
        """The name of a function, role, queue, topic, alarm...: `solvent-dev-<suffix>`."""
        return f"{self.prefix}-{suffix}"

    def person(self, role: str) -> str:
        """The IAM role that somebody assumes to be the warehouse's `role`, such as one of ASSUMED."""
        return self.named(role.replace("_", "-"))

    def regional(self, group: str) -> str:
        """The IAM role of a group of analysts who see some regions only (`warehouse.row_level_security`)."""
        return f"{self.person('regional_analyst')}-{group}"

    def bucket(self, zone: str, account: str, region: str) -> str:
        """A zone's bucket; account and region make it globally unique."""
        return f"{self.prefix}-{zone}-{account}-{region}"

    def state_machine(self, phase: str) -> str:
        return self.named(phase)

    def endpoint(self, portfolio: str) -> str:
        """The SageMaker endpoint of a portfolio; models, configurations and jobs start with this name."""
        return self.named(portfolio)

    model_package_group = endpoint

    @property
    def stream(self) -> str:
        return self.named("events")

    @property
    def runs_table(self) -> str:
        return self.named("runs")

    @property
    def etl_job(self) -> str:
        return self.named("etl")

    @property
    def compact_job(self) -> str:
        return self.named("compact")

    @property
    def erase_job(self) -> str:
        return self.named("erase")

    @property
    def extract_job(self) -> str:
        return self.named("extract")

    def database_secret(self, database: str) -> str:
        """The secret with user and password of a database that extractions read."""
        return self.named(f"database-{database}")

    @property
    def workgroup(self) -> str:
        return self.prefix

    @property
    def glue_database(self) -> str:
        return self.prefix.replace("-", "_")

    def ruleset(self, portfolio: str, table: str) -> str:
        """The Glue Data Quality ruleset of a published table."""
        return self.named(f"{portfolio}-{table.replace('_', '-')}")

    @property
    def api(self) -> str:
        return self.named("api")

    def stack(self, part: str) -> str:
        """`stack("Lake")` -> `Solvent-dev-Lake`."""
        return f"Solvent-{self.environment}-{part}"


# Object keys. Buckets are zones, so a key never repeats its zone.


def manifest_key(portfolio: str, delivery_id: str) -> str:
    """landing: the object whose arrival starts `ingest`; the delivery's files lie beside it."""
    return f"{portfolio}/{delivery_id}/manifest.json"


def table_prefix(portfolio: str, table: str, run_id: str) -> str:
    """raw, cleaned, training, quarantine: one table of one run."""
    return f"{portfolio}/{table}/run_id={run_id}/"


def stream_key(event: str, day: str, shard: str, first_sequence: str) -> str:
    """raw, quarantine: one micro-batch of the stream; the same batch always gets the same key."""
    return f"{stream_prefix(event)}dt={day}/{shard}-{first_sequence}.jsonl"


def stream_prefix(event: str) -> str:
    """raw, quarantine: all micro-batches of an event."""
    return f"{STREAM}{event}/"


def compacted_prefix(event: str) -> str:
    """raw: the compacted days of an event."""
    return f"{COMPACTED}{event}/"


def compacted_key(event: str, day: str, inputs: str) -> str:
    """raw: micro-batches of a closed day as one object; `inputs` is a hash of their keys."""
    return f"{compacted_prefix(event)}dt={day}/{inputs}.parquet"


def copy_errors_key(portfolio: str, run_id: str, phase: str, attempt: int) -> str:
    """quarantine: the lines that COPY refused when an attempt loaded a phase of a run."""
    return f"{copy_errors_prefix(portfolio)}run_id={run_id}/{phase}-{attempt}.jsonl"


def copy_errors_prefix(portfolio: str) -> str:
    """quarantine: what COPY refused, of all runs."""
    return f"{portfolio}/copy_errors/"


def report_key(portfolio: str, run_id: str, phase: str) -> str:
    """artifacts: what a phase of a run did, as JSON."""
    return f"{reports_prefix(portfolio)}{run_id}/{phase}.json"


def model_report_key(portfolio: str, run_id: str, job: str, name: str) -> str:
    """artifacts: what is said of the model of a training job: `gate.json`, `evidence/model_card.html`, ...

    Not of a run: a challenger is trained on the run of the champion, whose documents stay.
    """
    return f"{reports_prefix(portfolio)}{run_id}/{job}/{name}"


def reports_prefix(portfolio: str) -> str:
    """artifacts: the reports of all runs."""
    return f"runs/{portfolio}/"


def automl_prefix(prefix: str) -> str:
    """How the names of an environment's Autopilot jobs begin, and of what they make; nothing else is called so."""
    return f"{prefix}-auto-"


def automl_job(prefix: str, job: str) -> str:
    """The Autopilot job beside a training job. AWS allows it 32 characters: a hash stands for the rest."""
    return f"{automl_prefix(prefix)}{hashlib.sha256(job.encode()).hexdigest()[:8]}"


def tuning_prefix(prefix: str) -> str:
    """How the names of an environment's tuning jobs begin, and of their trials; nothing else is called so."""
    return f"{prefix}-tune-"


def tuning_job(prefix: str, job: str) -> str:
    """The tuning job before a training job, in 32 characters at most, as `automl_job`."""
    return f"{tuning_prefix(prefix)}{hashlib.sha256(job.encode()).hexdigest()[:8]}"


def models_prefix(portfolio: str) -> str:
    """artifacts: where SageMaker puts `<training job>/output/model.tar.gz`."""
    return f"models/{portfolio}/"


def predictions_prefix(portfolio: str, run_id: str, model: str) -> str:
    """artifacts: the batch transform output of one run by one model."""
    return f"predictions/{portfolio}/run_id={run_id}/model={model}/"


def captured_prefix(portfolio: str) -> str:
    """artifacts: requests to the endpoint and its answers; below it SageMaker puts `<endpoint>/<variant>/<hour>/`."""
    return f"captured/{portfolio}/"


# Erasure (artifacts unless said otherwise).

SUPPRESSED = "erasures/suppressed/"  # whose rows must not come back, hashed
REQUESTS = "erasures/requests/"  # pending erasures; the only place where the id stands, gone when the erasure ends
MANIFEST = "manifest.json"
ERASED = "erased.json"  # landing: beside a manifest, the hashes of what erasures left of its files


def request_key(erasure_id: str) -> str:
    """artifacts: what an erasure is asked to do, and how far it knows the person's keys."""
    return f"{REQUESTS}{erasure_id}.json"


def erasure_work(erasure_id: str) -> str:
    """artifacts: prefix of an erasure's notes while it is at work."""
    return f"erasures/work/{erasure_id}/"


def proof_key(erasure_id: str) -> str:
    """artifacts: the proof of an erasure."""
    return f"erasures/{erasure_id}.json"


def extraction_key(extraction: str, name: str) -> str:
    """artifacts: how far an extraction has come, and what it delivered before (`name` is an object among these)."""
    return f"{EXTRACTIONS}{extraction}/{name}"


def export_prefix(prefix: str) -> str:
    """landing: where files that a database exported wait for their extraction."""
    return f"{EXPORTS}{prefix}/"
