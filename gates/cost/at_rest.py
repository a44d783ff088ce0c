"""What each type of resource costs in a month in which nothing runs."""

from collections.abc import Callable, Iterator

from gates.assembly import Assembly
from gates.cost.prices import HOURS, Assumed, Line, Properties, UnpricedError
from gates.cost.run import phases, states_of


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


def endpoints(assembly: Assembly) -> Iterator[Line]:
    """The first `train` of a portfolio makes its endpoint, and from then on it costs by the hour."""
    portfolios = len(assembly.of("AWS::SageMaker::ModelPackageGroup"))
    for state in (state for phase in phases(assembly) for state in states_of(assembly, phase)):
        variants = state.get("Parameters", {}).get("ProductionVariants", [])
        if len(variants) > 1:
            continue  # a champion with its challenger: twice as much while it lasts, and nobody has one at rest
        for variant in variants:
            hours = portfolios * variant["InitialInstanceCount"] * HOURS
            yield Line(
                "real-time endpoint", hours, variant["InstanceType"], "`serving.instance_type`, `serving.instances`"
            )
