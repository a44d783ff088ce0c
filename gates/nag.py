"""cdk-nag's AwsSolutions on the whole construct tree, after a real synth of that tree."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aws_cdk import App, CfnResource, Validations
from cdk_nag import AwsSolutionsChecks

from gates.assembly import Assembly
from gates.outcome import Finding, Outcome
from stacks import synthesis

SHORTEST_REASON = 20


def check(assembly: Assembly) -> Outcome:
    """The construct tree that the sources give now. The assembly on disk must be what it synthesizes to."""
    with tempfile.TemporaryDirectory() as scratch:
        app = synthesis.in_process(assembly.environment, Path(scratch))
        app.synth()
        fresh = Assembly(assembly.environment, Path(scratch)).templates == assembly.templates
    findings = list(violations(app))
    if not fresh:
        text = "not what the sources give now: run `make synth`"
        findings.append(Finding("stale-assembly", f"cdk.out/{assembly.environment}", text))
    accepted = list(acknowledgments(app))
    for path, rule, reason in accepted:
        if len(reason) < SHORTEST_REASON:
            findings.append(Finding(rule, path, "acknowledged without a reason"))
        if "/" not in path:
            findings.append(Finding(rule, path, "acknowledged for a whole stack, not for the resource it concerns"))
    checked = sum(CfnResource.is_cfn_resource(construct) for construct in app.node.find_all())
    return Outcome(f"{checked} resources, {len(accepted)} findings acknowledged with a reason", findings)


def violations(app: App) -> Iterator[Finding]:
    """Errors and warnings alike, by construct path."""
    for violation in AwsSolutionsChecks(app).validate_scope(app).violations:
        for resource in violation.violating_resources:
            yield Finding(violation.rule_name, resource.construct_path or "", violation.description)


def acknowledgments(app: App) -> Iterator[tuple[str, str, str]]:
    """`(construct path, rule, reason)` of every AwsSolutions finding that the stacks accept."""
    key = Validations.ACKNOWLEDGED_RULES_METADATA_KEY
    for construct in app.node.find_all():
        for entry in construct.node.metadata:
            rules: dict[str, Any] = entry.data if entry.type == key else {}
            for rule, reason in rules.items():
                if "AwsSolutions-" in rule:
                    yield construct.node.path, rule[rule.index("AwsSolutions-") :], str(reason)
