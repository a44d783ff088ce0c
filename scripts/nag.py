"""cdk-nag's AwsSolutions on the whole construct tree, after a real synth of that tree."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aws_cdk import App, CfnResource, Validations
from cdk_nag import AwsSolutionsChecks

from scripts import assemblies
from stacks import synthesis

SHORTEST_REASON = 20


def check(environment: str) -> tuple[str, list[str]]:
    """What was looked at, and the findings. The assembly on disk must be what the sources give now."""
    with tempfile.TemporaryDirectory() as scratch:
        app = synthesis.in_process(environment, Path(scratch))
        app.synth()
        fresh = assemblies.templates(Path(scratch)) == assemblies.templates(assemblies.folder(environment))
    findings = list(violations(app))
    if not fresh:
        findings.append(f"cdk.out/{environment} is not what the sources give now: run `make synth`")
    accepted = list(acknowledgments(app))
    for path, rule, reason in accepted:
        if len(reason) < SHORTEST_REASON:
            findings.append(f"{path}: {rule} is acknowledged without a reason")
        if "/" not in path:
            findings.append(f"{path}: {rule} is acknowledged for a whole stack, not for the resource it concerns")
    checked = sum(CfnResource.is_cfn_resource(construct) for construct in app.node.find_all())
    return f"{checked} resources, {len(accepted)} findings acknowledged with a reason", findings


def violations(app: App) -> Iterator[str]:
    """Errors and warnings alike, `<rule>: <construct path>`."""
    for violation in AwsSolutionsChecks(app).validate_scope(app).violations:
        for resource in violation.violating_resources:
            yield f"{violation.rule_name}: {resource.construct_path}"


def acknowledgments(app: App) -> Iterator[tuple[str, str, str]]:
    """`(construct path, rule, reason)` of every AwsSolutions finding that the stacks accept."""
    key = Validations.ACKNOWLEDGED_RULES_METADATA_KEY
    for construct in app.node.find_all():
        for entry in construct.node.metadata:
            rules: dict[str, Any] = entry.data if entry.type == key else {}
            for rule, reason in rules.items():
                if "AwsSolutions-" in rule:
                    yield construct.node.path, rule[rule.index("AwsSolutions-") :], str(reason)
