"""What the role of each machine may do: the calls of its own states, on the platform's own names."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from solvent import naming
from stacks.constructs.base import SolventStack
from stacks.constructs.permissions import allow
from stacks.serving import SAGEMAKERS_TARGETS, TARGETS_HAVE_NO_NAMES, rollback_alarms
from stacks.state_machines.parts import Parts

NAMED_AFTER_RUNS = "jobs, models and endpoint configurations of this platform: their names hold a run id"


def grant(phase: str, role: iam.Role, stack: SolventStack, parts: Parts) -> None:
    """Give a machine's role what its states call."""
    _invoke(role, parts.run_control)
    {"ingest": _ingest, "train": _train, "score": _score, "pipeline": _pipeline}[phase](role, stack, parts)


def _ingest(role: iam.Role, stack: SolventStack, parts: Parts) -> None:
    _invoke(role, parts.warehouse_load)
    job = stack.arn("glue", f"job/{stack.names.etl_job}")
    allow(role, "glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun", on=[job])
    _describe_statements(role)


def _train(role: iam.Role, stack: SolventStack, parts: Parts) -> None:
    _invoke(role, parts.model_gate)
    _invoke(role, parts.experiment_log)
    _invoke(role, parts.warehouse_load)
    _describe_statements(role)
    _sync_jobs(role, stack, "Training")
    _pass_role(role, parts.training_role)
    if parts.config.training.tuning:
        _sync_jobs(role, stack, "HyperParameterTuning", arn="hyper-parameter-tuning-job", rule="Tuning")
    if parts.autopilot_role:
        _pass_role(role, parts.autopilot_role)
        jobs = stack.arn("sagemaker", f"automl-job/{naming.automl_prefix(stack.names.prefix)}*")
        allow(role, "sagemaker:CreateAutoMLJobV2", "sagemaker:DescribeAutoMLJobV2", on=[jobs], why=NAMED_AFTER_RUNS)
    _pass_role(role, parts.model_role)
    sagemaker, prefix = stack.arn, stack.names.prefix
    groups = sagemaker("sagemaker", f"model-package-group/{prefix}-*")
    packages = sagemaker("sagemaker", f"model-package/{prefix}-*")
    allow(role, "sagemaker:CreateModelPackage", on=[groups, packages], why=NAMED_AFTER_RUNS)
    allow(role, "sagemaker:DescribeModelPackage", on=[packages], why=NAMED_AFTER_RUNS)
    model, config, endpoint = (
        sagemaker("sagemaker", f"{kind}/{prefix}-*") for kind in ("model", "endpoint-config", "endpoint")
    )
    allow(role, "sagemaker:CreateModel", on=[model], why=NAMED_AFTER_RUNS)
    allow(role, "sagemaker:CreateEndpointConfig", on=[config], why=NAMED_AFTER_RUNS)
    allow(role, "sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint", on=[endpoint, config], why=NAMED_AFTER_RUNS)
    allow(role, "sagemaker:DescribeEndpoint", on=[endpoint], why=NAMED_AFTER_RUNS)
    _change_targets(role, stack, "DeregisterScalableTarget")
    if parts.config.serving.scales:
        _scale(role, stack, config)
    alarms = [
        stack.arn("cloudwatch", f"alarm:{name}") for p in naming.PORTFOLIOS for name in rollback_alarms(stack.names, p)
    ]
    allow(role, "cloudwatch:DescribeAlarms", on=alarms)  # UpdateEndpoint looks at its rollback alarms as the caller
    _encrypted_volumes(role, parts)


def _scale(role: iam.Role, stack: SolventStack, configurations: str) -> None:
    """Targets and policies. Application Auto Scaling tries what it will do as the caller, and makes its role once."""
    allow(role, "sagemaker:DescribeEndpointConfig", on=[configurations], why=NAMED_AFTER_RUNS)
    endpoints = [stack.arn("sagemaker", f"endpoint/{stack.names.endpoint(p)}") for p in naming.PORTFOLIOS]
    allow(role, "sagemaker:UpdateEndpointWeightsAndCapacities", on=endpoints)
    allow(
        role,
        "cloudwatch:DeleteAlarms",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:PutMetricAlarm",
        on=[stack.arn("cloudwatch", f"alarm:TargetTracking-endpoint/{stack.names.prefix}-*")],
        why="alarms of a scaling policy: Application Auto Scaling ends their names itself",
    )
    service = "sagemaker.application-autoscaling.amazonaws.com"
    allow(
        role,
        "iam:CreateServiceLinkedRole",
        on=[
            f"arn:aws:iam::{Aws.ACCOUNT_ID}:role/aws-service-role/{service}/"
            "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
        ],
        conditions={"StringEquals": {"iam:AWSServiceName": service}},
    )
    _change_targets(role, stack, "PutScalingPolicy", "RegisterScalableTarget")


def _change_targets(role: iam.Role, stack: SolventStack, *verbs: str) -> None:
    allow(
        role,
        *(f"application-autoscaling:{verb}" for verb in verbs),
        on=[stack.arn("application-autoscaling", "scalable-target/*")],
        conditions=SAGEMAKERS_TARGETS,
        why=TARGETS_HAVE_NO_NAMES,
    )


def _score(role: iam.Role, stack: SolventStack, parts: Parts) -> None:
    _invoke(role, parts.warehouse_load)
    _sync_jobs(role, stack, "Transform")
    _describe_statements(role)
    _encrypted_volumes(role, parts)
    allow(role, "sns:Publish", on=[parts.topic])
    allow(role, "kms:Decrypt", "kms:GenerateDataKey", on=[parts.key])  # the topic is encrypted


def _pipeline(role: iam.Role, stack: SolventStack, parts: Parts) -> None:
    children = [phase for phase in parts.machines if phase != "pipeline"]
    allow(role, "states:StartExecution", on=[parts.machines[phase] for phase in children])
    executions = [stack.arn("states", f"execution:{stack.names.state_machine(phase)}:*") for phase in children]
    allow(
        role, "states:DescribeExecution", "states:StopExecution", on=executions, why="executions are named at run time"
    )
    # `.sync:2` reads the children's output, which is encrypted under their names.
    context = [parts.machines[phase] for phase in children]
    reading = {"StringEquals": {"kms:EncryptionContext:aws:states:stateMachineArn": context}}
    allow(role, "kms:Decrypt", on=[parts.key], conditions=reading)
    _managed_rule(role, stack, "StepFunctionsGetEventsForStepFunctionsExecutionRule")


def _invoke(role: iam.Role, function: str) -> None:
    allow(role, "lambda:InvokeFunction", on=[function])


def _sync_jobs(role: iam.Role, stack: SolventStack, kind: str, *, arn: str = "", rule: str = "") -> None:
    """`.sync`: Step Functions starts the job, tags it as its own, follows it, and stops it when it is stopped.

    `arn` and `rule`: what ARNs and Step Functions' own rule call the kind, where it is not by its name.
    """
    jobs = stack.arn("sagemaker", f"{arn or f'{kind.lower()}-job'}/{stack.names.prefix}-*")
    actions = [f"sagemaker:{verb}{kind}Job" for verb in ("Create", "Describe", "Stop")]
    allow(role, *actions, "sagemaker:AddTags", on=[jobs], why=NAMED_AFTER_RUNS)
    asked_first = "Step Functions calls sagemaker:ListTags on all resources, as its page says, before the job exists"
    allow(role, "sagemaker:ListTags", on=["*"], why=asked_first)
    _managed_rule(role, stack, f"StepFunctionsGetEventsForSageMaker{rule or kind}JobsRule")


def _managed_rule(role: iam.Role, stack: SolventStack, rule: str) -> None:
    """The rule that Step Functions keeps to hear of the end of a job or a child."""
    allow(role, "events:DescribeRule", "events:PutRule", "events:PutTargets", on=[stack.arn("events", f"rule/{rule}")])


def _pass_role(role: iam.Role, passed: str) -> None:
    service = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    allow(role, "iam:PassRole", on=[passed], conditions=service)


def _describe_statements(role: iam.Role) -> None:
    # Without a condition on the owner: the statement was submitted by the function warehouse_load.
    allow(role, "redshift-data:DescribeStatement", on=["*"], why="a statement of the Data API has no ARN")


def _encrypted_volumes(role: iam.Role, parts: Parts) -> None:
    """SageMaker makes the grants for encrypted volumes as the caller."""
    grants = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    allow(role, "kms:CreateGrant", on=[parts.key], conditions=grants)
    allow(role, "kms:DescribeKey", on=[parts.key])
