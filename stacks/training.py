"""Training: the role of training jobs, their source archive, and the model registry."""

from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from solvent import naming
from stacks import bundling
from stacks.config import Config
from stacks.constructs.base import SolventStack
from stacks.constructs.permissions import OBJECTS, UPLOAD, allow
from stacks.constructs.sagemaker_role import sagemaker_role
from stacks.lake import LakeStack
from stacks.network import NetworkStack


class TrainingStack(SolventStack):
    def __init__(self, scope: Construct, *, config: Config, lake: LakeStack, network: NetworkStack) -> None:
        super().__init__(scope, "Training", config=config, description="training role, source archive, model registry")
        self.source = assets.Asset(self, "Source", path=str(bundling.build().training_source))
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
        allow(self.role, "s3:GetObject", on=[f"arn:aws:s3:::{self.source.s3_bucket_name}/{self.source.s3_object_key}"])
        allow(self.role, "s3:GetObject", on=self.objects("training"), why=OBJECTS)
        allow(self.role, *UPLOAD, on=self.objects("artifacts", "models/"), why=OBJECTS)
        for portfolio in naming.PORTFOLIOS:
            group = sagemaker.CfnModelPackageGroup(
                self,
                f"Models{portfolio.capitalize()}",
                model_package_group_name=self.names.model_package_group(portfolio),
                model_package_group_description=f"Models of the {portfolio} portfolio that passed the gates",
            )
            group.apply_removal_policy(self.removal_policy)
