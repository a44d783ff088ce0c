"""Serving: everything about an endpoint that can exist before the first training, and its clean-up at the end.

The endpoint itself is made and updated by the state machine `train`; it finds roles and alarms here by their names.
"""

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

from solvent import naming
from stacks.config import Config
from stacks.constructs.base import SolventStack
from stacks.constructs.function import CALLED_BY_CLOUDFORMATION, Function
from stacks.constructs.log_group import LogGroup
from stacks.constructs.permissions import OBJECTS, UPLOAD, allow
from stacks.constructs.sagemaker_role import sagemaker_role
from stacks.lake import LakeStack
from stacks.network import NetworkStack

SAGEMAKERS_TARGETS = {
    "StringEquals": {
        "application-autoscaling:service-namespace": "sagemaker",
        "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
    }
}
TARGETS_HAVE_NO_NAMES = (
    "a scaling target's id is random and names no endpoint; the conditions allow SageMaker's instance counts only, but "
    "those of any endpoint in the account"
)
MODEL_LATENCY_BOUND = 500_000  # microseconds, the unit of ModelLatency


def rollback_alarms(names: naming.Names, portfolio: str) -> list[str]:
    """Names of the alarms that roll an endpoint update back: errors and latency of each variant, the champion's first.

    They exist before the endpoint, and before a challenger: a variant without requests is no error.
    """
    kinds = ("errors", "latency")
    return [names.named(f"{portfolio}-{variant}-endpoint-{kind}") for variant in naming.VARIANTS for kind in kinds]


class ServingStack(SolventStack):
    def __init__(self, scope: Construct, *, config: Config, lake: LakeStack, network: NetworkStack) -> None:
        super().__init__(scope, "Serving", config=config, description="model role, rollback alarms, endpoint clean-up")
        self.role = self._model_role(lake, network)
        for portfolio in naming.PORTFOLIOS:
            LogGroup(
                self,
                f"Logs{portfolio.capitalize()}",
                name=f"/aws/sagemaker/Endpoints/{self.names.endpoint(portfolio)}",
                key=lake.key,
            )
            self._rollback_alarms(portfolio)
        self._cleanup(lake, network)

    def _model_role(self, lake: LakeStack, network: NetworkStack) -> iam.Role:
        role = sagemaker_role(
            self,
            "Role",
            name="model",
            description="SageMaker models: endpoints and batch transform",
            key=lake.key,
            network=network,
            log_groups=[*(f"Endpoints/{self.names.endpoint(name)}" for name in naming.PORTFOLIOS), "TransformJobs"],
        )
        allow(
            role, "s3:ListBucket", on=[f"arn:aws:s3:::{self.bucket_name(zone)}" for zone in ("training", "artifacts")]
        )
        allow(role, "s3:GetObject", on=self.objects("artifacts", "models/"), why=OBJECTS)
        allow(role, "s3:GetObject", on=self.objects("training"), why=OBJECTS)
        written = (
            "predictions/",
            *(map(naming.captured_prefix, naming.PORTFOLIOS) if self.config.serving.capture_percent else ()),
        )
        allow(role, *UPLOAD, on=self.objects("artifacts", *written), why=OBJECTS)
        return role

    def _rollback_alarms(self, portfolio: str) -> None:
        metrics = (("Invocation5XXErrors", "Sum", 1.0), ("ModelLatency", "p95", float(MODEL_LATENCY_BOUND)))
        watched = [(variant, *metric) for variant in naming.VARIANTS for metric in metrics]
        for name, (variant, metric, statistic, threshold) in zip(
            rollback_alarms(self.names, portfolio), watched, strict=True
        ):
            cloudwatch.Alarm(
                self,
                "".join(part.capitalize() for part in name.split("-")),
                alarm_name=name,
                alarm_description=f"Rolls an update of endpoint {self.names.endpoint(portfolio)} back: its {variant}",
                metric=cloudwatch.Metric(
                    namespace="AWS/SageMaker",
                    metric_name=metric,
                    dimensions_map={"EndpointName": self.names.endpoint(portfolio), "VariantName": variant},
                    statistic=statistic,
                    period=Duration.minutes(1),
                ),
                threshold=threshold,
                evaluation_periods=1,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,  # no traffic is no error
            )

    def _cleanup(self, lake: LakeStack, network: NetworkStack) -> None:
        cleanup = Function(
            self,
            "EndpointCleanup",
            name="endpoint-cleanup",
            description="On `cdk destroy`: deletes endpoints, configurations, models and scaling targets",
            key=lake.key,
            network=network,
            no_dead_letters=CALLED_BY_CLOUDFORMATION,
            timeout_seconds=900,
        )
        role, prefix = cleanup.own_role, self.names.prefix
        why = "the endpoints, configurations and models of this platform all start with its name"
        actions = {
            "endpoint": ("sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint"),
            "endpoint-config": ("sagemaker:DeleteEndpointConfig",),
            "model": ("sagemaker:DeleteModel",),
            **({"model-package": ("sagemaker:DeleteModelPackage",)} if self.config.removable else {}),
        }
        for kind, allowed in actions.items():
            allow(role, *allowed, on=[self.arn("sagemaker", f"{kind}/{prefix}-*")], why=why)
        allow(
            role,
            "application-autoscaling:DeregisterScalableTarget",
            on=[self.arn("application-autoscaling", "scalable-target/*")],
            conditions=SAGEMAKERS_TARGETS,
            why=TARGETS_HAVE_NO_NAMES,
        )
        allow(
            role,
            "application-autoscaling:DescribeScalableTargets",
            "sagemaker:ListEndpointConfigs",
            "sagemaker:ListModels",
            on=["*"],
            why="these List and Describe actions know no resources",
        )
        if self.config.removable:
            allow(
                role,
                "sagemaker:ListModelPackages",
                on=["*"],
                why="sagemaker:ListModelPackages asks for the packages of a group before any of their ARNs is known",
            )
        CustomResource(
            self,
            "Cleanup",
            resource_type="Custom::EndpointCleanup",
            service_token=cleanup.function_arn,
            service_timeout=Duration.minutes(15),
            # Model packages are the audit trail: they go only where everything may go.
            properties={"DeleteModelPackages": str(self.config.removable).lower()},
        )
