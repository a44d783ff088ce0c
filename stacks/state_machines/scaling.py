"""Autoscaling of the champion: a scaling target from the moment that its variant is in service, never before.

SageMaker refuses an update that changes the instance type of a variant with a target, so the target goes first then;
and where scaling is off, before every update: it may have been on. The challenger does not scale.
https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html
"""

from typing import Any

from solvent.naming import CHAMPION
from stacks.state_machines.live import note_failure
from stacks.state_machines.parts import Parts
from stacks.state_machines.states import ANY, Machine

POLICY = "requests-per-instance"
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    "ResourceId.$": f"States.Format('endpoint/{{}}/variant/{CHAMPION}', $.run.endpoint)",
}
SERVICE = "aws-sdk:applicationautoscaling"


def before_update(parts: Parts, machine: Machine, *, then: str) -> None:
    """From the first of DescribeInstances, SameInstances, StopScaling, which is their order, to `then`.

    Where scaling is on, a target stays unless the instance type changes; where it is off, none stays.
    """
    if parts.config.serving.scales:
        _unless_same(parts, machine, then=then)
    missing = {"ErrorEquals": ["ApplicationAutoScaling.ObjectNotFoundException"], "ResultPath": None, "Next": then}
    machine.task(
        "StopScaling",
        f"{SERVICE}:deregisterScalableTarget",
        TARGET,
        then=then,
        caught=[missing, {**ANY, "Next": "RecordFailure"}],
    )


def _unless_same(parts: Parts, machine: Machine, *, then: str) -> None:
    machine.task(
        "DescribeInstances",
        "aws-sdk:sagemaker:describeEndpointConfig",
        {"EndpointConfigName.$": "$.live.config"},
        select={"type.$": "$.ProductionVariants[0].InstanceType"},
        keep="$.instances",
        then="SameInstances",
    )
    same = {"Variable": "$.instances.type", "StringEquals": parts.config.serving.instance_type}
    machine.choose("SameInstances", [(same, then)], otherwise="StopScaling")


def after_service(parts: Parts, machine: Machine, *, then: str) -> None:
    """RegisterScaling and PutScalingPolicy: of whatever is in service, after a rollback, too."""
    serving = parts.config.serving
    _try(
        machine,
        "RegisterScaling",
        "registerScalableTarget",
        {**TARGET, "MinCapacity": serving.instances, "MaxCapacity": serving.maximum_instances},
        then="PutScalingPolicy",
    )
    tracking = {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "TargetValue": serving.requests_per_instance_minute,
        "ScaleInCooldown": 300,
        "ScaleOutCooldown": 60,
    }
    policy = {
        "PolicyName": POLICY,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": tracking,
    }
    _try(machine, "PutScalingPolicy", "putScalingPolicy", {**TARGET, **policy}, then="NoteScaling")
    limits = f"{serving.instances} to {serving.maximum_instances} instances"
    machine.states["NoteScaling"] = {
        "Type": "Pass",
        "Result": {"text": limits},
        "ResultPath": "$.scaling",
        "Next": then,
    }
    note_failure(machine, "ScalingFailed", "the endpoint does not scale", keep="$.scaling", then=then)


def _try(machine: Machine, name: str, operation: str, parameters: dict[str, Any], *, then: str) -> None:
    caught = [{**ANY, "ResultPath": "$.scaling_error", "Next": "ScalingFailed"}]
    machine.task(name, f"{SERVICE}:{operation}", parameters, then=then, caught=caught)
