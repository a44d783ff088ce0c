"""The data lake: one key, one bucket per zone, and the Glue catalog of the published tables."""

from typing import cast

from aws_cdk import Aws, CfnResource, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from solvent import contracts, naming
from stacks.config import Config
from stacks.constructs import catalog
from stacks.constructs.base import SolventStack
from stacks.constructs.function import CALLED_BY_CLOUDFORMATION
from stacks.constructs.permissions import OBJECTS, UPLOAD, acknowledge, allow, only_logs, use_key

TIERED = ("raw", "cleaned", "training")
# (zone, prefix, setting of `lake`): what expires and when. Models and proofs of erasures do not.
EXPIRES = (
    ("landing", "", "landing_days"),
    ("raw", "", "raw_days"),
    ("cleaned", "", "cleaned_days"),
    ("training", "", "training_days"),
    ("quarantine", "", "quarantine_days"),
    ("artifacts", "predictions/", "predictions_days"),
    ("artifacts", "captured/", "captured_days"),
    ("artifacts", "runs/", "reports_days"),
    ("artifacts", "glue-temporary/", "temporary_days"),
)


class LakeStack(SolventStack):
    def __init__(self, scope: Construct, *, config: Config) -> None:
        super().__init__(scope, "Lake", config=config, description="data lake: key, zones, catalog")
        self.key = self._key()
        self.access_logs = self._access_log_bucket()
        self.buckets = {zone: self._zone_bucket(zone) for zone in naming.ZONES}
        self._settle_emptying()
        self._catalog()
        self._data_steward()

    def _key(self) -> kms.Key:
        key = kms.Key(
            self,
            "Key",
            alias=f"alias/{self.names.prefix}",
            description=f"Everything that {self.names.prefix} stores or logs",
            enable_key_rotation=True,
            removal_policy=self.removal_policy,
            pending_window=Duration.days(7 if self.config.removable else 30),
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LogGroupsOfThisPlatform",
                principals=[iam.ServicePrincipal(f"logs.{self.config.region}.amazonaws.com")],
                actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
                resources=["*"],
                conditions={
                    "ArnLike": {"kms:EncryptionContext:aws:logs:arn": self.arn("logs", "log-group:*")},
                },
            )
        )
        # State machines encrypt the lines that they log; the delivery decrypts them on the way to the log group.
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="DeliveryOfTheStateMachinesLogs",
                principals=[iam.ServicePrincipal("delivery.logs.amazonaws.com")],
                actions=["kms:Decrypt"],
                resources=["*"],
                conditions={"StringEquals": {"kms:EncryptionContext:SourceArn": self.arn("logs", "*")}},
            )
        )
        # Alarms publish to the encrypted topic; rules and schedules write to encrypted dead-letter queues.
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsAndEventsOfThisAccount",
                principals=[
                    iam.ServicePrincipal("cloudwatch.amazonaws.com"),
                    iam.ServicePrincipal("events.amazonaws.com"),
                ],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        return key

    def _access_log_bucket(self) -> s3.Bucket:
        return s3.Bucket(
            self,
            "AccessLogs",
            bucket_name=self.bucket_name("access-logs"),
            encryption=s3.BucketEncryption.S3_MANAGED,  # S3 delivers access logs to no bucket with a KMS key
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="expire",
                    expiration=Duration.days(self.config.lake.access_log_days),
                    noncurrent_version_expiration=Duration.days(self.config.lake.noncurrent_days),
                )
            ],
            removal_policy=self.removal_policy,
            auto_delete_objects=self.config.removable,
        )

    def _zone_bucket(self, zone: str) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            zone.capitalize(),
            bucket_name=self.bucket_name(zone),
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            server_access_logs_bucket=self.access_logs,
            server_access_logs_prefix=f"{zone}/",
            lifecycle_rules=self._lifecycle(zone),
            removal_policy=self.removal_policy,
            auto_delete_objects=self.config.removable,
        )
        if zone == "landing":
            # CloudFormation knows this property; CDK's own switch would bring a helper function with broad rights.
            cast(
                s3.CfnBucket, bucket.node.default_child
            ).notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
                event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
            )
        return bucket

    def _settle_emptying(self) -> None:
        """CDK's own function empties buckets before they go, where they may. Its code and its role are CDK's."""
        if not self.config.removable:
            return
        emptying = self.node.find_child("Custom::S3AutoDeleteObjectsCustomResourceProvider")
        only_logs(self, cast(CfnResource, emptying.node.find_child("Role")))  # bucket policies let it delete
        acknowledge(emptying, "Serverless-LambdaDLQ", CALLED_BY_CLOUDFORMATION)
        acknowledge(emptying, "Serverless-LambdaTracing", "CDK's function runs once, when a bucket of dev is deleted")
        function = cast(CfnResource, emptying.node.find_child("Handler"))
        function.add_deletion_override("DependsOn")  # its role, to which it refers anyway

    def _lifecycle(self, zone: str) -> list[s3.LifecycleRule]:
        lake = self.config.lake
        rules = [
            s3.LifecycleRule(
                id="tidy",
                abort_incomplete_multipart_upload_after=Duration.days(lake.incomplete_upload_days),
                noncurrent_version_expiration=Duration.days(lake.noncurrent_days),
            )
        ]
        for of_zone, prefix, setting in EXPIRES:
            if of_zone == zone:
                rules.append(
                    s3.LifecycleRule(
                        id=f"expire-{prefix.strip('/')}" if prefix else "expire",
                        prefix=prefix or None,
                        expiration=Duration.days(getattr(lake, setting)),
                        # Where two rules say how long old versions stay, S3 takes the shorter one.
                        noncurrent_version_expiration=Duration.days(1) if setting == "captured_days" else None,
                    )
                )
        if zone in TIERED:
            transition = s3.Transition(
                storage_class=s3.StorageClass.INTELLIGENT_TIERING,
                transition_after=Duration.days(lake.infrequent_access_days),
            )
            rules.append(s3.LifecycleRule(id="tier", transitions=[transition]))
        return rules

    def _catalog(self) -> None:
        """Every published table that is kept as Parquet, with its history, and the logs of runs; the rest is in the
        warehouse only. Each has the rules of its contract as a Glue Data Quality ruleset."""
        owner = catalog.database(self)
        for portfolio in naming.PORTFOLIOS:
            for contract in contracts.load().in_the_lake(portfolio):
                table = catalog.table(self, owner, portfolio=portfolio, contract=contract)
                catalog.quality_ruleset(self, table, portfolio=portfolio, contract=contract)

    def _data_steward(self) -> None:
        """What people assume to see rows in quarantine and to deliver them again; analysts see counts only."""
        role = iam.Role(
            self,
            "DataSteward",
            role_name=self.names.named(naming.STEWARD),
            description="Sees rows in quarantine and delivers them again",
            assumed_by=iam.AccountRootPrincipal(),  # whoever of this account may call sts:AssumeRole on it
        )
        read = ("quarantine", "artifacts", "landing")  # else what is gone looks like what is forbidden
        allow(role, "s3:ListBucket", on=[f"arn:aws:s3:::{self.bucket_name(zone)}" for zone in read])
        allow(role, "s3:GetObject", on=self.objects("quarantine"), why=OBJECTS)
        allow(role, "s3:GetObject", on=self.objects("artifacts", "runs/"), why=OBJECTS)
        allow(role, "s3:GetObject", *UPLOAD, on=self.objects("landing"), why=OBJECTS)
        use_key(role, self.key, write=True)
