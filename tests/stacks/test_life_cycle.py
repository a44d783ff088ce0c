"""What expires, and when: the rules of the templates are those of the configuration, and docs/privacy.md tells them."""

import re
from typing import Any

from gates.assembly import flat
from stacks import bundling, config
from stacks.lake import EXPIRES, TIERED

DOCUMENT = (bundling.ROOT / "docs" / "privacy.md").read_text()


def rules(assembly: Any) -> dict[tuple[str, str], int]:
    """(zone, prefix) -> days after which objects expire."""
    found = {}
    for bucket in assembly.of("AWS::S3::Bucket").values():
        zone = re.sub(rf"solvent-{assembly.environment}-|-\d+-eu-west-1", "", flat(bucket["BucketName"]))
        for rule in bucket["LifecycleConfiguration"]["Rules"]:
            assert rule["Status"] == "Enabled"
            if "ExpirationInDays" in rule:
                found[zone, rule.get("Prefix", "")] = rule["ExpirationInDays"]
    return found


def test_every_zone_expires_as_configured(assembly: Any) -> None:
    lake = config.load(assembly.environment).lake
    expected = {(zone, prefix): getattr(lake, setting) for zone, prefix, setting in EXPIRES}
    assert rules(assembly) == {**expected, ("access-logs", ""): lake.access_log_days}


def test_every_zone_lets_old_versions_and_incomplete_uploads_go(assembly: Any) -> None:
    lake = config.load(assembly.environment).lake
    for name, bucket in assembly.of("AWS::S3::Bucket").items():
        of_bucket = bucket["LifecycleConfiguration"]["Rules"]
        assert [
            r["NoncurrentVersionExpiration"]["NoncurrentDays"]
            for r in of_bucket
            if "NoncurrentVersionExpiration" in r and r.get("Prefix") != "captured/"
        ] == [lake.noncurrent_days], name
        if "AccessLogs" not in name:
            uploads = [
                r["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
                for r in of_bucket
                if "AbortIncompleteMultipartUpload" in r
            ]
            assert uploads == [lake.incomplete_upload_days], name
        tiers = [r for r in of_bucket if "Transitions" in r]
        assert bool(tiers) == any(f"/{zone.capitalize()}" in name for zone in TIERED), name


def test_captured_requests_are_gone_within_the_month_that_an_erasure_has(assembly: Any) -> None:
    """Old versions and S3's own day included: erasures do not search them."""
    of_all = [r for b in assembly.of("AWS::S3::Bucket").values() for r in b["LifecycleConfiguration"]["Rules"]]
    (rule,) = [rule for rule in of_all if rule.get("Prefix") == "captured/"]
    assert rule["ExpirationInDays"] + rule["NoncurrentVersionExpiration"]["NoncurrentDays"] + 1 <= 30


def test_the_document_has_every_rule_with_its_setting_and_values() -> None:
    dev, prod = config.load("dev").lake, config.load("prod").lake
    written = re.findall(r"^\| ([^|]*) \| ([^|]*)\|[^|]*\| `(\w+)` \| (\d+) \| (\d+) \|$", DOCUMENT, re.M)
    table = {(zone.strip("` "), prefix.strip("` ")): (s, int(d), int(p)) for zone, prefix, s, d, p in written}
    expected = {(zone, prefix): s for zone, prefix, s in EXPIRES} | {("access logs", ""): "access_log_days"}
    every = {s for (zone, _), (s, _, _) in table.items() if zone == "every zone"} | {"noncurrent_days"}
    assert every <= {"noncurrent_days", "incomplete_upload_days"}
    for at, setting in expected.items():
        assert table[at] == (setting, getattr(dev, setting), getattr(prod, setting)), at
    for setting in ("noncurrent_days", "incomplete_upload_days"):
        assert f"| `{setting}` | {getattr(dev, setting)} | {getattr(prod, setting)} |" in DOCUMENT
    assert set(type(dev).model_fields) == {*(s for _, _, s in EXPIRES), "noncurrent_days", "incomplete_upload_days",
                                           "infrequent_access_days", "access_log_days"}  # fmt: skip
