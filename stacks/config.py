"""Typed configuration of one environment. A wrong value fails before synth, with the key and the cause."""

from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from solvent.extraction import databases
from solvent.extraction.errors import InvalidDatabase
from solvent.naming import Names
from solvent.warehouse import regions

DIRECTORY = Path(__file__).resolve().parents[1] / "config"

Days = Annotated[int, Field(ge=1, le=3653)]
Seconds = Annotated[int, Field(ge=1, le=300)]
Minutes = Annotated[int, Field(ge=1, le=2880)]
Instance = Annotated[str, Field(pattern=r"^ml\.[a-z0-9]+\.[a-z0-9]+$")]
Regions = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=160)], ...], Field(min_length=1)]
_PRIVATE = r"10|172\.(1[6-9]|2\d|3[01])|192\.168"  # how private addresses begin
LogRetention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3653
]


# What a Glue job in the VPC calls (docs/networks.md), and where the database's password comes from.
EXTRACTION_ENDPOINTS = ("glue", "kms", "logs", "monitoring", "secretsmanager")

AUTOPILOT_POLL_SECONDS = 120

# What the warehouse calls for an option, where it calls anything: with enhanced VPC routing it has no other way.
OPTION_ENDPOINTS = {"sql_model": "sagemaker.runtime", "streaming_view": "kinesis-streams"}


class ConfigurationError(Exception):
    """A configuration file is missing or wrong; nothing was synthesized."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Network(_Section):
    cidr: str = Field(pattern=r"^10\.\d{1,3}\.\d{1,3}\.0/(16|17|18|19|20)$")
    private_compute: bool
    interface_endpoints: tuple[str, ...]

    @model_validator(mode="after")
    def _endpoints_follow_compute(self) -> Self:
        if self.interface_endpoints and not self.private_compute:
            raise ValueError("interface_endpoints cost money and serve nobody while private_compute is false")
        if self.private_compute and not self.interface_endpoints:
            raise ValueError(
                "private_compute needs interface_endpoints: code in the VPC has no other way to AWS services"
            )
        return self


class Lake(_Section):
    landing_days: Days
    raw_days: Days
    cleaned_days: Days
    training_days: Days
    quarantine_days: Days
    predictions_days: Days
    captured_days: int = Field(ge=1, le=28)  # erasures do not search it: it is gone within the month that they have
    reports_days: Days
    temporary_days: Days
    noncurrent_days: Days
    incomplete_upload_days: Days
    infrequent_access_days: int = Field(ge=30, le=3653)  # S3 refuses an earlier transition
    access_log_days: Days

    @model_validator(mode="after")
    def _objects_move_before_they_go(self) -> Self:
        for zone in ("raw_days", "cleaned_days", "training_days"):
            if getattr(self, zone) <= self.infrequent_access_days:
                raise ValueError(f"{zone} is no longer than infrequent_access_days: objects would expire unmoved")
        return self


class Retention(_Section):
    decision_years: int = Field(ge=1, le=30)
    erase_timeout_minutes: Minutes


class Stream(_Section):
    shards: int = Field(ge=1, le=200)
    retention_hours: int = Field(ge=24, le=8760)
    batch_size: int = Field(ge=1, le=10_000)
    batch_window_seconds: int = Field(ge=0, le=300)
    retry_attempts: int = Field(ge=0, le=10_000)
    maximum_record_age_minutes: Minutes
    compaction_schedule: str = Field(pattern=r"^(cron|rate)\(.+\)$")
    compaction_enabled: bool

    @model_validator(mode="after")
    def _record_is_retried_while_it_exists(self) -> Self:
        if self.maximum_record_age_minutes > self.retention_hours * 60:
            raise ValueError("maximum_record_age_minutes is longer than the stream keeps its records (retention_hours)")
        return self


class Etl(_Section):
    glue_version: Literal["5.1"]
    worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X"]
    workers: int = Field(ge=2, le=299)
    timeout_minutes: Minutes
    concurrent_runs: int = Field(ge=1, le=100)


class Database(_Section):
    """A database that extractions read. `secret`: ARN of a secret of yours; without it the one named after `name`.

    `cidr`: the private addresses that it has, where the job runs in the network. `wheels`: of a driver that is
    compiled, the archive below wheels/ in the artifacts zone (docs/extraction.md).
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,20}$")
    url: str
    secret: str | None = Field(
        default=None, pattern=r"^arn:aws:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+-[A-Za-z0-9]{6}$"
    )
    secret_key: str | None = Field(default=None, pattern=r"^arn:aws:kms:[a-z0-9-]+:\d{12}:key/.+$")
    tls: databases.Tls = "verify"
    wheels: str | None = Field(default=None, pattern=r"^[a-z0-9._-]+\.gluewheels\.zip$")
    cidr: str | None = Field(
        default=None, pattern=r"^(10|172\.(1[6-9]|2\d|3[01])|192\.168)\.[0-9.]+/(1[6-9]|2\d|3[0-2])$"
    )

    @model_validator(mode="after")
    def _url_is_safe(self) -> Self:
        try:
            databases.checked(self.url)
        except InvalidDatabase as error:
            raise ValueError(str(error)) from None
        if databases.kind(self.url).native and not self.wheels:
            raise ValueError("its driver is compiled: put its wheels into the artifacts zone, and name them in wheels")
        return self


class Schedule(_Section):
    extraction: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    cron: str = Field(pattern=r"^cron\(.+\)$")


class Extraction(_Section):
    """The job `extract`. `private`: in the VPC, with the paid endpoints that it then needs."""

    private: bool
    worker_type: Literal["G.1X", "G.2X"]
    timeout_minutes: Minutes
    concurrent_runs: int = Field(ge=1, le=20)
    databases: tuple[Database, ...]
    schedules: tuple[Schedule, ...]

    @model_validator(mode="after")
    def _databases(self) -> Self:
        names = [database.name for database in self.databases]
        if len(set(names)) != len(names):
            raise ValueError("two databases have the same name")
        hidden = [database.name for database in self.databases if database.cidr is None]
        if self.private and hidden:
            raise ValueError(f"private: say the cidr of {', '.join(hidden)}, or the network lets nothing out to it")
        return self


class Warehouse(_Section):
    """`sql_model`, `streaming_view`: options (sql/warehouse/options), each with the paid endpoint that it needs.

    `row_level_security`, an option too: group of analysts -> the regions whose customers it sees.
    """

    base_capacity: int = Field(ge=4, le=1024)
    maximum_capacity: int = Field(ge=4, le=1024)
    query_timeout_seconds: int = Field(ge=60, le=86_400)
    snapshot_on_delete: bool
    sql_model: bool
    streaming_view: bool
    row_level_security: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,29}$")], Regions]

    @property
    def options(self) -> tuple[str, ...]:
        """The options that are on."""
        return tuple(name for name in (*OPTION_ENDPOINTS, regions.OPTION) if getattr(self, name))

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The endpoints that they need."""
        return tuple(OPTION_ENDPOINTS[name] for name in self.options if name in OPTION_ENDPOINTS)

    @model_validator(mode="after")
    def _capacity(self) -> Self:
        if self.base_capacity != 4 and self.base_capacity % 8:
            raise ValueError("base_capacity is 4 or a multiple of 8 RPU")
        if self.maximum_capacity < self.base_capacity:
            raise ValueError("maximum_capacity is below base_capacity")
        return self


class Autopilot(_Section):
    """SageMaker Autopilot beside the training job: what it may try, and for how long (docs/decisions/0021)."""

    maximum_candidates: int = Field(ge=1, le=250)
    maximum_runtime_minutes: int = Field(ge=30, le=1440)

    @property
    def wait_minutes(self) -> int:
        """How long `train` waits: the job's own limit, and what AWS takes to end it."""
        return self.maximum_runtime_minutes + 30


class Tuning(_Section):
    """SageMaker's tuning job before the training job: how many trials, and for how long (docs/decisions/0021)."""

    maximum_jobs: int = Field(ge=2, le=500)
    parallel_jobs: int = Field(ge=1, le=10)
    maximum_runtime_minutes: int = Field(ge=15, le=1440)

    @property
    def wait_minutes(self) -> int:
        """How long `train` waits: the job's own limit, and what AWS takes to end it."""
        return self.maximum_runtime_minutes + 30

    @model_validator(mode="after")
    def _parallel(self) -> Self:
        if self.parallel_jobs > self.maximum_jobs:
            raise ValueError("parallel_jobs is above maximum_jobs")
        return self


class Training(_Section):
    """`autopilot` and `tuning`: options, null where they are off."""

    instance_type: Instance
    volume_gb: int = Field(ge=1, le=1024)
    timeout_minutes: Minutes
    approval: Literal["Approved", "PendingManualApproval"]
    autopilot: Autopilot | None
    tuning: Tuning | None


class Serving(_Section):
    """`maximum_instances` above `instances`: the endpoint scales, towards so many requests a minute and instance.

    `capture_percent`: the share of requests kept with their answers. `kept_configurations`: how far back one can go.
    """

    instance_type: Instance
    instances: int = Field(ge=1, le=100)
    maximum_instances: int = Field(ge=1, le=100)
    requests_per_instance_minute: int = Field(ge=1, le=1_000_000)
    kept_configurations: int = Field(ge=2, le=100)
    capture_percent: int = Field(ge=0, le=100)
    transform_instance_type: Instance
    transform_timeout_minutes: Minutes
    rollout: Literal["all_at_once", "canary"]
    canary_percent: int | None = Field(default=None, ge=1, le=50)
    bake_seconds: int = Field(ge=0, le=3600)
    rollout_timeout_minutes: int = Field(ge=10, le=480)

    @property
    def scales(self) -> bool:
        """Whether the endpoint has a scaling target."""
        return self.maximum_instances > self.instances

    @model_validator(mode="after")
    def _scaling(self) -> Self:
        if self.maximum_instances < self.instances:
            raise ValueError("maximum_instances is below instances")
        if self.scales and self.instance_type.startswith("ml.t"):
            raise ValueError("SageMaker does not scale burstable instances: take another instance_type")
        return self

    @model_validator(mode="after")
    def _rollout(self) -> Self:
        if (self.rollout == "canary") != (self.canary_percent is not None):
            raise ValueError("canary_percent belongs to rollout: canary, and only to it")
        if self.rollout == "canary" and self.instances < 2:
            raise ValueError("rollout: canary needs two or more instances; a canary is at most half of them")
        return self


class Orchestration(_Section):
    load_poll_seconds: Seconds
    endpoint_poll_seconds: Seconds
    approval_poll_seconds: Seconds
    approval_timeout_minutes: int = Field(ge=1, le=10_080)
    busy_poll_seconds: Seconds
    busy_wait_minutes: Minutes
    timeout_hours: int = Field(ge=1, le=720)
    score_schedule: str = Field(pattern=r"^(cron|rate)\(.+\)$")
    schedule_time_zone: str
    schedule_enabled: bool


class Api(_Section):
    burst: int = Field(ge=1, le=5000)
    requests_per_second: int = Field(ge=1, le=10_000)


class Config(_Section):
    """Everything in which two environments may differ."""

    environment: str = Field(pattern=r"^[a-z][a-z0-9]{1,9}$")
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    availability_zones: tuple[str, str, str]
    removable: bool
    log_retention_days: LogRetention
    monthly_budget_usd: float = Field(gt=0)
    alarm_email: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$")
    network: Network
    lake: Lake
    retention: Retention
    stream: Stream
    etl: Etl
    extraction: Extraction
    warehouse: Warehouse
    training: Training
    serving: Serving
    orchestration: Orchestration
    api: Api

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.availability_zones)) != 3:
            raise ValueError("availability_zones must be three different zones (Redshift Serverless wants three)")
        strangers = [zone for zone in self.availability_zones if not zone.startswith(self.region)]
        if strangers:
            raise ValueError(f"availability_zones {strangers} are not in region {self.region}")
        if not self.removable and not self.warehouse.snapshot_on_delete:
            raise ValueError("removable is false, so warehouse.snapshot_on_delete must be true: no data may be lost")
        return self

    @model_validator(mode="after")
    def _extraction_is_where_the_code_is(self) -> Self:
        if self.network.private_compute and not self.extraction.private:
            raise ValueError("network.private_compute puts all code into the VPC: set extraction.private to true, too")
        return self

    @model_validator(mode="after")
    def _histories_have_room(self) -> Self:
        """An execution may write 25,000 events; a round of polling writes about 12, a retry about 5."""
        orchestration, serving, warehouse = self.orchestration, self.serving, self.warehouse
        waiting = orchestration.busy_wait_minutes * 60 / orchestration.busy_poll_seconds * 5
        load = warehouse.query_timeout_seconds / orchestration.load_poll_seconds * 12
        endpoint = serving.rollout_timeout_minutes * 60 / orchestration.endpoint_poll_seconds * 12
        approval = orchestration.approval_timeout_minutes * 60 / orchestration.approval_poll_seconds * 12
        autopilot = self.training.autopilot.wait_minutes if self.training.autopilot else 0
        approval += autopilot * 60 / AUTOPILOT_POLL_SECONDS * 12
        # `train` may wait for others twice: before it begins, and when its model package has been approved.
        for phase, events in {"ingest, score": waiting + load, "train": 2 * waiting + endpoint + approval}.items():
            if events > 24_000:
                raise ValueError(
                    f"orchestration: {phase} could write {events:.0f} events, and Step Functions ends an execution at "
                    "25,000: poll less often (..._poll_seconds) or give up earlier (..._minutes, query_timeout_seconds)"
                )
        hours = (
            orchestration.approval_timeout_minutes
            + serving.rollout_timeout_minutes
            + 2 * orchestration.busy_wait_minutes
            + autopilot
            + (self.training.tuning.wait_minutes if self.training.tuning else 0)
        ) / 60
        if hours > orchestration.timeout_hours:
            raise ValueError(
                f"orchestration.timeout_hours is shorter than the waits inside `train` ({hours:.1f} hours)"
            )
        return self

    @property
    def interface_endpoints(self) -> tuple[str, ...]:
        """The paid endpoints of the VPC: those listed, and those that a private extraction and options add."""
        extraction = EXTRACTION_ENDPOINTS if self.extraction.private else ()
        listed = (*self.network.interface_endpoints, *extraction, *self.warehouse.endpoints)
        return tuple(dict.fromkeys(listed))

    @property
    def names(self) -> Names:
        return Names(self.environment)


def load(environment: str, directory: Path = DIRECTORY) -> Config:
    """The configuration of an environment; raises ConfigurationError that names file, key and cause."""
    path = directory / f"{environment}.yaml"
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in directory.glob("*.yaml")))
        raise ConfigurationError(
            f"There is no environment '{environment}'. config/ has: {known}. Use -c environment=NAME."
        )
    try:
        return Config(environment=environment, **yaml.safe_load(path.read_text()))
    except (ValidationError, TypeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"config/{path.name}: {_explain(error)}") from error


def _explain(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    lines = [".".join(map(str, item["loc"])) + ": " + item["msg"] for item in error.errors()]
    return "\n  ".join(["nothing was synthesized.", *lines])
