"""Training: the role of training jobs, their source and packages, the model registry, and the log of experiments."""

from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from solvent import naming
from stacks import bundling, packages
from stacks.config import Config
from stacks.constructs.autopilot_role import autopilot_role
from stacks.constructs.base import SolventStack
from stacks.constructs.dependencies import wait_only_for_policy
from stacks.constructs.permissions import OBJECTS, UPLOAD, allow, service_role, use_key
from stacks.constructs.sagemaker_role import sagemaker_role
from stacks.lake import LakeStack
from stacks.network import NetworkStack

MLFLOW_ARTIFACTS = "mlflow/"  # in the artifacts zone


class TrainingStack(SolventStack):
    def __init__(self, scope: Construct, *, config: Config, lake: LakeStack, network: NetworkStack) -> None:
        super().__init__(
            scope, "Training", config=config, description="training role and code, model registry, experiments"
        )
        self.source = assets.Asset(self, "Source", path=str(bundling.build().training_source))
        self.packages = assets.Asset(self, "Packages", path=str(packages.archive(packages.TRAINING)))
        self.role = sagemaker_role(
            self,
            "Role",
            name="training",
            description="SageMaker training jobs",
            key=lake.key,
            network=network,
            log_groups=["TrainingJobs"],
        )
        read, written = ("training",), ("artifacts",)
        allow(self.role, "s3:ListBucket", on=[f"arn:aws:s3:::{self.bucket_name(zone)}" for zone in read + written])
        allow(self.role, "s3:ListBucket", on=[f"arn:aws:s3:::{self.source.s3_bucket_name}"])
        for asset in (self.source, self.packages):
            allow(self.role, "s3:GetObject", on=[f"arn:aws:s3:::{asset.s3_bucket_name}/{asset.s3_object_key}"])
        allow(self.role, "s3:GetObject", on=self.objects("training"), why=OBJECTS)
        allow(self.role, *UPLOAD, on=self.objects("artifacts", "models/"), why=OBJECTS)
        self.autopilot_role = autopilot_role(self, lake=lake, network=network) if config.training.autopilot else None
        for portfolio in naming.PORTFOLIOS:
            group = sagemaker.CfnModelPackageGroup(
                self,
                f"Models{portfolio.capitalize()}",
                model_package_group_name=self.names.model_package_group(portfolio),
                model_package_group_description=f"Models of the {portfolio} portfolio that passed the gates",
            )
            group.apply_removal_policy(self.removal_policy)
        self.experiments = self._experiments(lake)

    def _experiments(self, lake: LakeStack) -> sagemaker.CfnMlflowApp:
        """SageMaker's managed MLflow; what it keeps lies in the artifacts zone."""
        role = service_role(
            self,
            "ExperimentsRole",
            name="experiments",
            service="sagemaker.amazonaws.com",
            description="MLflow app: its artifacts",
        )
        bucket = self.bucket_name("artifacts")
        allow(role, "s3:ListBucket", on=[f"arn:aws:s3:::{bucket}"])
        allow(role, "s3:GetObject", *UPLOAD, on=self.objects("artifacts", MLFLOW_ARTIFACTS), why=OBJECTS)
        use_key(role, lake.key, write=True)
        app = sagemaker.CfnMlflowApp(
            self,
            "Experiments",
            name=self.names.named("experiments"),
            artifact_store_uri=f"s3://{bucket}/{MLFLOW_ARTIFACTS}",
            role_arn=role.role_arn,
            # The registry is ours: a package is registered after the gates, never by a log.
            model_registration_mode="AutoModelRegistrationDisabled",
        )
        wait_only_for_policy(app, role)
        app.apply_removal_policy(self.removal_policy)
        return app
