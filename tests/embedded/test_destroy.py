"""`cdk destroy --all` of `dev` after a pipeline leaves nothing behind that would cost anything."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embedded_aws import lifecycle
from solvent import datasets, deployment
from solvent.client import Platform
from solvent.naming import Names
from solvent.target import Target

pytestmark = pytest.mark.embedded
ASSEMBLY = Path(__file__).parents[2] / "cdk.out" / "dev"
PREFIX = Names("dev").prefix

# Service, list operation, field of the answer, field of the name ("" when the items are names).
LISTED = (
    ("sagemaker", "list_endpoints", "Endpoints", "EndpointName"),
    ("sagemaker", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
    ("sagemaker", "list_models", "Models", "ModelName"),
    ("sagemaker", "list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroupName"),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("redshift-serverless", "list_workgroups", "workgroups", "workgroupName"),
    ("redshift-serverless", "list_namespaces", "namespaces", "namespaceName"),
    ("kinesis", "list_streams", "StreamNames", ""),
    ("dynamodb", "list_tables", "TableNames", ""),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("stepfunctions", "list_state_machines", "stateMachines", "name"),
    ("glue", "get_jobs", "Jobs", "Name"),
    ("apigatewayv2", "get_apis", "Items", "Name"),
    ("scheduler", "list_schedules", "Schedules", "Name"),
    ("secretsmanager", "list_secrets", "SecretList", "Name"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("sqs", "list_queues", "QueueUrls", ""),
)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """An embedded AWS of its own, as other tests still need theirs deployed."""
    home, logs = tmp_path_factory.mktemp("destroyed"), tmp_path_factory.mktemp("logs")
    running = lifecycle.up(home, port=4890)
    try:
        target = Target.at(running.url, "dev")
        deployment.bootstrap(target, ASSEMBLY, logs / "bootstrap.log")
        deployment.deploy(target, ASSEMBLY, logs / "deploy.log")
        yield Platform(target)
    finally:
        lifecycle.down(home)


def left(target: Target) -> dict[str, list[str]]:
    """What of the platform exists, by list operation; CDK's own bootstrap resources are not the platform's."""
    found = {}
    for service, operation, field, name in LISTED:
        items = getattr(target.client(service), operation)().get(field, [])
        names = [str(item[name] if name else item) for item in items]
        found[operation] = [n for n in names if PREFIX in n.lower()]
    return found


def network(target: Target) -> list[Any]:
    """What a network is charged for, and what would keep it from being deleted."""
    ec2 = target.client("ec2")
    vpcs = [v for v in ec2.describe_vpcs()["Vpcs"] if not v.get("IsDefault")]
    gateways = [g for g in ec2.describe_nat_gateways()["NatGateways"] if g["State"] != "deleted"]
    return [*vpcs, *gateways, *ec2.describe_vpc_endpoints()["VpcEndpoints"], *ec2.describe_addresses()["Addresses"]]


def scale(platform: Platform) -> None:
    """Let the endpoint scale, as an operator may: on instances that can, as those of `dev` are burstable."""
    sagemaker, name = platform.target.client("sagemaker"), platform.names.endpoint("lending")
    used = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    variant = sagemaker.describe_endpoint_config(EndpointConfigName=used)["ProductionVariants"][0]
    larger = {**variant, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName=f"{name}-larger", ProductionVariants=[larger])
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-larger")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    platform.target.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId=f"endpoint/{name}/variant/{variant['VariantName']}",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        MinCapacity=1,
        MaxCapacity=2,
    )


def test_nothing_that_costs_is_left(platform: Platform, tmp_path: Path) -> None:
    target, delivery = platform.target, tmp_path / "delivery"
    datasets.write("synthetic", delivery, size=400, seed=2)  # fewer leave too few labelled loans to train on
    done = platform.run("pipeline", {"manifest": platform.load(delivery)}, timeout=240)
    assert done.status == "SUCCEEDED", done.cause
    before = left(target)
    assert all(before[f"list_{kind}"] for kind in ("endpoints", "endpoint_configs", "models", "buckets", "functions"))
    assert network(target)
    scale(platform)

    deployment.destroy(target, ASSEMBLY, tmp_path / "destroy.log")

    stacks = [s["StackName"] for s in target.client("cloudformation").describe_stacks()["Stacks"]]
    assert stacks == ["CDKToolkit"]
    assert {operation: names for operation, names in left(target).items() if names} == {}
    assert network(target) == []
    scaled = target.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    assert scaled["ScalableTargets"] == []
    kms = target.client("kms")
    states = {kms.describe_key(KeyId=k["KeyId"])["KeyMetadata"]["KeyState"] for k in kms.list_keys()["Keys"]}
    assert states <= {"PendingDeletion"}
