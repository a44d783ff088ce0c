"""The security configuration of a Glue job: objects, logs and bookmarks under the platform's key."""

from aws_cdk import aws_glue as glue
from aws_cdk import aws_kms as kms

from stacks.constructs.base import SolventStack


def security_configuration(scope: SolventStack, *, name: str, key: kms.IKey) -> glue.CfnSecurityConfiguration:
    """The configuration `solvent-<environment>-<name>`."""
    properties = glue.CfnSecurityConfiguration
    return properties(
        scope,
        "Security",
        name=scope.names.named(name),
        encryption_configuration=properties.EncryptionConfigurationProperty(
            s3_encryptions=[properties.S3EncryptionProperty(s3_encryption_mode="SSE-KMS", kms_key_arn=key.key_arn)],
            cloud_watch_encryption=properties.CloudWatchEncryptionProperty(
                cloud_watch_encryption_mode="SSE-KMS", kms_key_arn=key.key_arn
            ),
            job_bookmarks_encryption=properties.JobBookmarksEncryptionProperty(
                job_bookmarks_encryption_mode="CSE-KMS", kms_key_arn=key.key_arn
            ),
        ),
    )
