"""Data must not leave by a property that nobody reads: every bucket, account, region, image, layer, key and role that
a template or a state machine names is the platform's, CDK's bucket of assets, or in foreign.yaml with its reason.

What a state takes from its input (`$.run`) is known at run time only and is not judged here.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from gates.assembly import ACCOUNT, Assembly
from gates.iam.roles import text
from gates.outcome import SHORTEST_REASON, Finding, Outcome
from gates.ownership import Platform, strings

LISTED: dict[str, dict[str, str]] = yaml.safe_load((Path(__file__).parent / "foreign.yaml").read_text())

ACCOUNT_ID = re.compile(r"(?<![0-9A-Za-z])\d{12}(?![0-9A-Za-z])")
SIDES = "north|south|east|west|central|northeast|northwest|southeast|southwest"
REGION = re.compile(rf"(?<![a-z0-9])[a-z]{{2}}(?:-gov|-iso[a-z]?)?-(?:{SIDES})-\d(?=[a-z]?(?![a-z0-9]))")
ARN = re.compile(r"arn:aws[a-z-]*:(?P<service>[a-z0-9-]+):(?P<region>[^:\s\"']*):(?P<account>[^:\s\"']*):")
BUCKETS = (
    re.compile(r"s3[an]?://([^/'\"\s,]*)"),
    re.compile(r"arn:aws[a-z-]*:s3:::([^/'\"\s,]*)"),
    # A service's own name has this form, too: the one that delivers access logs.
    re.compile(r"(?<![a-z0-9.-])(?!logging\.s3\.amazonaws\.com)([a-z0-9.-]+)\.s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com"),
)
# A text of the input that is known at run time only: a path, a place in States.Format, a variable of an input template.
AT_RUN_TIME = re.compile(r"\$.*|\{\}|<[a-z-]+>|States\..*")
IMAGE = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/.+")

BUCKET_KEY = re.compile(r"(?i)(.*bucket(_?name|arn)?|bucket\.name)")
KEY_KEY = re.compile(r"(?i)(.*kms.*key(id|arn)?|keyid|targetkeyid|.*keyarn)")
ROLE_KEY = re.compile(r"(?i)(role|.*rolearn|iamroles|deliverlogspermissionarn)")
IMAGE_KEY = re.compile(r"(?i)(.*image|imageuri)")

# They give data to others, or copy it elsewhere, and need no name to do so. The platform uses none of them.
GIVING = ("ReplicationConfiguration", "ResourcePolicy", "NamespaceResourcePolicy", "SnapshotCopyConfigurations")
GIVING_KINDS = (
    "AWS::DynamoDB::ResourcePolicy",
    "AWS::Kinesis::ResourcePolicy",
    "AWS::Lambda::LayerVersionPermission",
    "AWS::Logs::Destination",
    "AWS::Logs::ResourcePolicy",
    "AWS::RAM::ResourceShare",
    "AWS::Redshift::EndpointAuthorization",
    "AWS::SecretsManager::ResourcePolicy",
)


def check(assembly: Assembly) -> Outcome:
    """Every text of the resources, the outputs and the definitions; counts the texts."""
    judge, looked_at = _Judge(Platform(assembly)), 0
    findings: set[Finding] = set()
    for where, kind, content in _contents(assembly):
        if kind in GIVING_KINDS:
            findings.add(Finding("gives-to-others", where, f"{kind} lets others at what is ours"))
        for name in sorted(set(GIVING) & _keys(content)):
            findings.add(Finding("gives-to-others", where, f"{name} copies data elsewhere, or lets others at it"))
        for path, value in strings(content):
            looked_at += 1
            findings |= {Finding(rule, where, f"{'.'.join(path)}: {said}") for rule, said in judge.of(path, value)}
    findings |= set(judge.unused()) if assembly.environment == "prod" else set()
    return Outcome(f"{looked_at} texts", sorted(findings))


def _contents(assembly: Assembly) -> Iterator[tuple[str, str, Any]]:
    """Where, type and resolved properties of each resource, its definition read; then the outputs."""
    for where, resource in assembly.everything():
        properties = text(assembly, where, resource.get("Properties", {}))
        if isinstance(properties.get("DefinitionString"), str):
            properties = {**properties, "DefinitionString": json.loads(properties["DefinitionString"])}
        yield where, str(resource["Type"]), properties
    for name, template in assembly.templates.items():
        for output, value in template.get("Outputs", {}).items():
            yield f"{name}/{output}", "Output", text(assembly, f"{name}/{output}", value)


def _keys(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(_keys, value)) if value else set()
    if isinstance(value, dict):
        return set(value).union(*map(_keys, value.values()))
    return set()


class _Judge:
    """Judges one text after the other and remembers which entries of foreign.yaml were needed."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._needed: set[str] = set()

    def of(self, path: tuple[str, ...], value: str) -> Iterator[tuple[str, str]]:
        """`(rule, what is wrong)` of a text under the keys of `path`."""
        yield from self._anywhere(value)
        key = path[-1].removesuffix(".$") if path else ""
        if AT_RUN_TIME.fullmatch(value):
            return
        if BUCKET_KEY.fullmatch(key) or BUCKET_KEY.fullmatch(".".join(path[-2:])):
            bucket = re.sub(r"^(s3[an]?://|arn:aws[a-z-]*:s3:::)", "", value).partition("/")
            name = value if value.startswith("<") else bucket[0]
            if not self._known_bucket(name):
                yield "foreign-bucket", f"{name} is no bucket of this platform"
        if KEY_KEY.fullmatch(key) and not self._ours(value, "AWS::KMS::Key", f"alias/{self._platform.prefix}"):
            yield "foreign-key", f"{value} is not the platform's key"
        if ROLE_KEY.fullmatch(key) and not self._ours(
            value, "AWS::IAM::Role", f"arn:aws:iam::{ACCOUNT}:role/{self._platform.prefix}-"
        ):
            yield "foreign-role", f"{value} is no role of this platform"
        if "Layers" in path and not self._ours(
            value,
            "AWS::Lambda::LayerVersion",
            f"arn:aws:lambda:{self._platform.region}:{ACCOUNT}:layer:{self._platform.prefix}-",
        ):
            yield "foreign-layer", f"{value} is no layer of this platform"
        if IMAGE_KEY.fullmatch(key) and not IMAGE.fullmatch(value):
            yield "foreign-image", f"{value} is in no registry of AWS's"

    def _anywhere(self, value: str) -> Iterator[tuple[str, str]]:
        for account in ACCOUNT_ID.findall(value):
            if account != ACCOUNT and not self._listed("accounts", account):
                yield "foreign-account", f"{account} is not this account"
        for region in REGION.findall(value):
            if region != self._platform.region:
                yield "foreign-region", f"{region} is not this region"
        for arn in ARN.finditer(value):
            if "*" in arn["region"] or "*" in arn["account"]:
                yield "any-account", f"{value} may be in any account or region"
        for form in BUCKETS:
            for bucket in form.findall(value):
                if not AT_RUN_TIME.fullmatch(bucket) and not self._known_bucket(_reference(bucket, value)):
                    yield "foreign-bucket", f"{bucket or 'no bucket'} is no bucket of this platform"

    def _known_bucket(self, name: str) -> bool:
        return self._platform.is_bucket(name) or self._listed("buckets", name)

    def _ours(self, value: str, kind: str, beginning: str) -> bool:
        return self._platform.kinds.get(value) == kind or value.startswith(beginning)

    def _listed(self, group: str, name: str) -> bool:
        reason = LISTED[group].get(name, "")
        self._needed |= {name} if reason else set()
        return len(reason) >= SHORTEST_REASON

    def unused(self) -> Iterator[Finding]:
        """An entry that nothing needs would wait there for the next foreign name."""
        for name in sorted({name for group in LISTED.values() for name in group} - self._needed):
            yield Finding("stale-entry", "foreign.yaml", f"nothing names {name}")


def _reference(bucket: str, value: str) -> str:
    """A reference holds a slash itself: `s3://<template/Bucket>/key`."""
    if not bucket.startswith("<"):
        return bucket
    return value[value.index(bucket) :].partition(">")[0] + ">"
