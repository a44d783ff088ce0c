"""AWS::S3::Bucket: what ministack's own handler leaves out, applied through the S3 API itself."""

import re
from typing import Any

from embedded_aws import service
from embedded_aws.cloudformation import handlers
from embedded_aws.cloudformation.handlers import Properties


def extend() -> None:
    """Wrap ministack's handlers of the type."""
    own = handlers.all_types()["AWS::S3::Bucket"]
    inner_create, inner_update = own["create"], own["update"]

    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        name, attributes = inner_create(logical_id, properties, stack)
        apply(name, properties)
        return name, attributes

    def update(physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        name, attributes = inner_update(physical_id, old, new, stack)
        apply(name, new)
        return name, attributes

    handlers.all_types()["AWS::S3::Bucket"] = {**own, "create": create, "update": update}
    handlers.off_loop("AWS::S3::Bucket")


def apply(bucket: str, properties: Properties) -> None:
    """Encryption, life cycle, access logging, ownership, canned ACL and tags."""
    s3 = service.operator_client("s3")
    if encryption := properties.get("BucketEncryption"):
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": _encryption(encryption)})
    if rules := (properties.get("LifecycleConfiguration") or {}).get("Rules"):
        s3.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": [lifecycle_rule(r) for r in rules]}
        )
    if logging := properties.get("LoggingConfiguration"):
        target = {
            "TargetBucket": logging.get("DestinationBucketName", bucket),
            "TargetPrefix": logging.get("LogFilePrefix", ""),
        }
        s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": target})
    if ownership := properties.get("OwnershipControls"):
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=ownership)
    acl = properties.get("AccessControl", "Private")
    if acl != "Private":  # the default
        s3.put_bucket_acl(Bucket=bucket, ACL=re.sub(r"(?<=[a-z])(?=[A-Z])", "-", acl).lower())
    if tags := properties.get("Tags"):
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})


def _encryption(configuration: Properties) -> list[dict[str, Any]]:
    rules = []
    for rule in configuration["ServerSideEncryptionConfiguration"]:
        default = dict(rule["ServerSideEncryptionByDefault"])
        if default["SSEAlgorithm"] == "aws:kms":
            # Without a key S3 uses the AWS managed one; ministack would refuse every put instead.
            default.setdefault("KMSMasterKeyID", "alias/aws/s3")
        rules.append({**rule, "ApplyServerSideEncryptionByDefault": default})
        rules[-1].pop("ServerSideEncryptionByDefault")
    return rules


def lifecycle_rule(rule: Properties) -> dict[str, Any]:
    """One rule of a template as the S3 API spells it.

    Raises ValueError for a member that is not translated: a rule is never shortened in silence.
    """
    rule = dict(rule)
    out: dict[str, Any] = {"Status": rule.pop("Status"), "Filter": {"Prefix": rule.pop("Prefix", "")}}
    if "Id" in rule:
        out["ID"] = rule.pop("Id")
    if "ExpirationInDays" in rule:
        out["Expiration"] = {"Days": int(rule.pop("ExpirationInDays"))}
    if "ExpiredObjectDeleteMarker" in rule:
        out.setdefault("Expiration", {})["ExpiredObjectDeleteMarker"] = bool(rule.pop("ExpiredObjectDeleteMarker"))
    if "NoncurrentVersionExpiration" in rule:
        expiration = rule.pop("NoncurrentVersionExpiration")
        out["NoncurrentVersionExpiration"] = {k: int(v) for k, v in expiration.items()}
    if "Transitions" in rule:
        out["Transitions"] = [
            {"Days": int(t["TransitionInDays"]), "StorageClass": t["StorageClass"]} for t in rule.pop("Transitions")
        ]
    if "NoncurrentVersionTransitions" in rule:
        out["NoncurrentVersionTransitions"] = [
            {"NoncurrentDays": int(t["TransitionInDays"]), "StorageClass": t["StorageClass"]}
            for t in rule.pop("NoncurrentVersionTransitions")
        ]
    if "AbortIncompleteMultipartUpload" in rule:
        days = rule.pop("AbortIncompleteMultipartUpload")["DaysAfterInitiation"]
        out["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": int(days)}
    if rule:
        raise ValueError(f"AWS::S3::Bucket LifecycleConfiguration: {sorted(rule)} is not translated (bucket.py)")
    return out
