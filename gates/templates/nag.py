"""cdk-nag on the templates of an assembly, less what the stacks acknowledge on single resources.

Templates are read back with CfnInclude. So a changed folder is judged as it lies there, and cdk-nag sees all of it: on
the construct tree itself, the function and the role of CDK's own custom resources are no typed resources, and no rule
looks at them.
"""

import json
import tempfile
from collections.abc import Collection, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from aws_cdk import App, Stack, Validations, cloudformation_include
from cdk_nag import AwsSolutionsChecks, NagPack, ServerlessChecks

from gates.assembly import SUFFIX, Assembly, Template
from gates.outcome import SHORTEST_REASON, Finding, Outcome
from stacks import synthesis

Acknowledged = tuple[str, str, str]  # construct path, rule, reason
GATED: tuple[type[NagPack], ...] = (AwsSolutionsChecks, ServerlessChecks)
_FAMILIES = ("AwsSolutions-", "Serverless-")  # how the rules of these packs begin


def aws_solutions(assembly: Assembly) -> Outcome:
    """The general rules. Warnings count as errors do."""
    return _gate(assembly, AwsSolutionsChecks, "AwsSolutions-")


def serverless(assembly: Assembly) -> Outcome:
    """The rules for functions, queues, APIs and state machines. Warnings count as errors do."""
    return _gate(assembly, ServerlessChecks, "Serverless-")


def up_to_date(assembly: Assembly) -> Outcome:
    """The assembly must be what the sources give now; all other gates trust that."""
    name, (_, fresh) = f"cdk.out/{assembly.environment}", _synthesized(assembly.environment)
    stale = [part for part in fresh | assembly.templates if fresh.get(part) != assembly.templates.get(part)]
    text = "not what the sources give now: run `make synth`"
    return Outcome(f"{len(fresh)} templates", [Finding("stale-assembly", f"{name}/{part}", text) for part in stale])


def _gate(assembly: Assembly, pack: type[NagPack], family: str) -> Outcome:
    accepted = [entry for entry in acknowledgments(assembly.environment) if entry[1].startswith(family)]
    found = {finding: _accepting(finding, assembly, accepted) for finding in raw(assembly, packs=(pack,))}
    findings = [finding for finding, acknowledged in found.items() if not acknowledged]
    needed = {entry for acknowledged in found.values() for entry in acknowledged}
    for path, rule, reason in accepted:
        if (path, rule, reason) not in needed:
            findings.append(Finding("stale-acknowledgment", path, f"there is no {rule} to accept"))
        if len(reason) < SHORTEST_REASON:
            findings.append(Finding(rule, path, "acknowledged without a reason"))
        if "/" not in path:
            findings.append(Finding(rule, path, "acknowledged for a whole stack, not for the resource it concerns"))
    checked = sum(len(template["Resources"]) for template in assembly.templates.values())
    return Outcome(f"{checked} resources, {len(accepted)} acknowledgments with a reason", findings)


def _accepting(finding: Finding, assembly: Assembly, accepted: Collection[Acknowledged]) -> list[Acknowledged]:
    """The acknowledgments of this rule on the finding's construct or on one that contains it."""
    path = assembly.construct_path(finding.where)
    return [entry for entry in accepted if finding.rule == entry[1] and f"{path}/".startswith(f"{entry[0]}/")]


def raw(
    assembly: Assembly, *, packs: Collection[type[NagPack]] = GATED, only: Collection[str] | None = None
) -> list[Finding]:
    """What the packs say of the templates, acknowledged or not; where = `<template>/<logical id>`.

    `only` names the templates to read (`Solvent-dev-Lake.template.json`); all of them without it.
    """
    names = frozenset(only) if only is not None else frozenset(assembly.templates)
    app, unreadable = _included(assembly, names)
    found = [
        Finding(violation.rule_name, _where(resource.construct_path or ""), violation.description)
        for pack in packs
        for violation in pack(app).validate_scope(app).violations
        for resource in violation.violating_resources
    ]
    return sorted([*unreadable, *found])


@lru_cache(maxsize=1)  # the packs look at the same assembly one after the other
def _included(assembly: Assembly, names: frozenset[str]) -> tuple[App, list[Finding]]:
    app, unreadable = App(analytics_reporting=False), []
    with tempfile.TemporaryDirectory() as scratch:
        for name in sorted(names):
            path = Path(scratch) / name
            path.write_text(json.dumps(_without_stack_outputs(assembly.templates[name])))
            stack = Stack(app, name.removesuffix(SUFFIX))
            try:
                cloudformation_include.CfnInclude(stack, "Template", template_file=str(path))
            except RuntimeError as error:
                unreadable.append(Finding("unreadable-template", name, str(error).partition("\n")[0]))
    return app, unreadable


def _without_stack_outputs(value: Any) -> Any:
    """CfnInclude does not know `Fn::GetStackOutput`. To the rules an import is as good: a value of another stack."""
    if isinstance(value, dict):
        if "Fn::GetStackOutput" in value:
            output = value["Fn::GetStackOutput"]
            return {"Fn::ImportValue": f"{output['StackName']}:{output['OutputName']}"}
        return {key: _without_stack_outputs(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_stack_outputs(item) for item in value]
    return value


def _where(path: str) -> str:
    """`<stack>/Template/<logical id>` of an included resource as `<template>/<logical id>`."""
    stack, _, logical_id = path.split("/")[:3]
    return f"{stack}{SUFFIX}/{logical_id}"


@cache  # one synth per environment, whoever asks: the sources do not change under a running process
def _synthesized(environment: str) -> tuple[App, dict[str, Template]]:
    with tempfile.TemporaryDirectory() as scratch:
        app = synthesis.in_process(environment, Path(scratch))
        app.synth()
        return app, Assembly(environment, Path(scratch)).templates


def acknowledgments(environment: str) -> Iterator[Acknowledged]:
    """Every finding of the gated packs that the stacks accept."""
    app, _ = _synthesized(environment)
    for construct in app.node.find_all():
        for entry in construct.node.metadata:
            rules: dict[str, Any] = entry.data if entry.type == Validations.ACKNOWLEDGED_RULES_METADATA_KEY else {}
            for rule, reason in rules.items():
                if (name := rule.removeprefix("Annotation::")).startswith(_FAMILIES):
                    yield construct.node.path, name, str(reason)
