"""Every role may do what its code, its state machine and AWS on its behalf do: nothing less, nothing more.

Compared are actions, and resources where the templates say which they are. A wildcard needs a reason in the Metadata
of its policy. What an action is and which resources it knows comes from AWS's reference, as policy-sentry ships it.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from policy_sentry.querying.actions import get_action_data

from gates.assembly import ACCOUNT, ROOT, Assembly, as_list
from gates.iam.calls import UNIVERSAL, called_by
from gates.iam.implicit import Implicit, entries
from gates.iam.own_resources import lacking, stranger
from gates.iam.roles import Role, Statement, User, managed_policies, roles, text
from gates.iam.sources import UnreadableCall
from gates.outcome import SHORTEST_REASON, Finding, Outcome
from gates.ownership import Platform
from stacks.constructs import images

# The rules that Step Functions keeps to hear of the end of what it waits for:
# https://docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html
EVENT_RULES = {
    "sagemaker:createHyperParameterTuningJob.sync": "StepFunctionsGetEventsForSageMakerTuningJobsRule",
    "sagemaker:createTrainingJob.sync": "StepFunctionsGetEventsForSageMakerTrainingJobsRule",
    "sagemaker:createTransformJob.sync": "StepFunctionsGetEventsForSageMakerTransformJobsRule",
    "states:startExecution.sync:2": "StepFunctionsGetEventsForStepFunctionsExecutionRule",
}


def check(assembly: Assembly, root: Path = ROOT) -> Outcome:
    """All roles and the policies for others. `root`: the checkout whose sources are read."""
    known, implicit = roles(assembly), Implicit(assembly, root)
    platform = Platform(assembly)
    findings: list[Finding] = []
    used: set[str] = set()
    actions = explained = 0
    for role in known.values():
        try:
            called = called_by(role, root)
        except UnreadableCall as error:
            findings.append(Finding("unreadable-call", role.name, str(error)))
            continue
        besides = implicit.of(role, called)
        used |= set(besides)
        findings += _actions(role, called.union(*besides.values()))
        findings += [f for statement in role.statements for f in _statement(role.name, statement)]
        findings += [*_resources(role, assembly, platform), *_conditions(role, assembly.region)]
        findings += [*_contexts(role, assembly), *_passed(role, known)]
        findings += [*_reasons(role), *_managed(role)]
        actions += len(role.granted)
        explained += sum(bool(statement.reason) for statement in role.statements)
    findings += _for_others(assembly)
    findings += [
        Finding("stale-entry", entry.name, "no role needs this entry of implicit_actions.yaml")
        for entry in entries()
        if assembly.environment == (entry.only or "prod") and entry.name not in used
    ]
    return Outcome(f"{len(known)} roles, {actions} actions, {explained} wildcards with a reason", sorted(set(findings)))


def _actions(role: Role, needed: set[str]) -> Iterator[Finding]:
    for action in sorted(needed - role.granted):
        yield Finding("missing-action", role.name, f"{action} is needed and not allowed")
    for action in sorted(role.granted - needed):
        yield Finding("unused-action", role.name, f"{action} is allowed and nothing needs it")
    if not role.users:
        yield Finding("unused-role", role.name, "nothing works with this role")


def _statement(where: str, statement: Statement) -> Iterator[Finding]:
    """What is wrong with a statement by itself."""
    for key in ("NotAction", "NotResource"):
        if key in statement.raw:
            yield Finding(key.lower().replace("not", "not-"), where, f"{key} allows whatever is not named")
    for action in statement.actions:
        if "*" in action or "?" in action:
            yield Finding("action-wildcard", where, f"{action}: name the actions")
        elif _knows_resources(action) is None:
            yield Finding("unknown-action", where, f"AWS knows no action {action}")
        elif "*" in statement.resources and _knows_resources(action) and action not in statement.reason:
            yield Finding("too-broad", where, f"{action} on *: name resources, or name the action in the reason")
    wild = [resource for resource in statement.resources if "*" in resource or "?" in resource]
    if wild and len(statement.reason) < SHORTEST_REASON:
        yield Finding("wildcard-unexplained", where, f"{statement.actions} on {wild} without a reason")


def _reasons(role: Role) -> Iterator[Finding]:
    """A reason for a statement that is not there, or has no wildcard, would wait there for the next one."""
    wild = {s.sid for s in role.statements if any("*" in r or "?" in r for r in s.resources)}
    for where, reasons in role.policies.items():
        for sid in sorted(set(reasons) - wild):
            yield Finding("stale-reason", where, f"{sid} is no statement with a wildcard")


def _managed(role: Role) -> Iterator[Finding]:
    for arn in role.managed:
        yield Finding(
            "managed-policy", role.name, f"{arn}: AWS changes it and it fits nobody; write the statements out"
        )


def _passed(role: Role, known: dict[str, Role]) -> Iterator[Finding]:
    """A role may be handed on to the service that the role trusts, and to no other."""
    by_marker = {f"<{other.where}>": other for other in known.values()}
    for statement in (s for s in role.statements if "iam:PassRole" in s.actions):
        services = statement.conditions.get("StringEquals", {}).get("iam:PassedToService")
        for resource in statement.resources:
            trusted = by_marker[resource].trusted_services if resource in by_marker else set()
            if not services or set(as_list(services)) != trusted:
                text_ = f"passes {resource} to {services or 'any service'}, which trusts {sorted(trusted)}"
                yield Finding("pass-role", role.name, text_)


def _resources(role: Role, assembly: Assembly, platform: Platform) -> Iterator[Finding]:
    """Missing and superfluous resources of the actions whose resources the templates tell; strangers' resources."""
    granted: dict[str, set[str]] = defaultdict(set)
    for statement in role.statements:
        for action in statement.actions:
            granted[action] |= set(statement.resources)
    expected_of_all = _expected(role, assembly.region)
    for action, expected in expected_of_all.items():
        for resource in sorted(expected - granted[action]):
            yield Finding("missing-resource", role.name, f"{action} on {resource} is needed and not allowed")
        for resource in sorted(granted[action] - expected):
            yield Finding("unused-resource", role.name, f"{action} on {resource} is allowed and nothing needs it")
    named = set().union(*(expected_of_all[action] for action in ("events:PutRule", "ecr:BatchGetImage")))
    for action, resources in granted.items():
        for resource in sorted(resources - named):  # AWS's rules and images, which states name
            if stranger(resource, platform):
                yield Finding("foreign-resource", role.name, f"{action} on {resource}, which is not of this platform")


def _conditions(role: Role, region: str) -> Iterator[Finding]:
    """Conditions without which an action reaches further than what it is for."""
    runs_statements = bool(role.granted & {"redshift-data:ExecuteStatement", "redshift-data:BatchExecuteStatement"})
    for statement in role.statements:
        for action in statement.actions:
            if words := lacking(statement, action, runs_statements, region):
                yield Finding("missing-condition", role.name, f"{action} needs the condition {words}")


def _expected(role: Role, here: str) -> dict[str, set[str]]:
    """Action -> exactly the resources that the role's users name."""
    found: dict[str, set[str]] = defaultdict(set)
    for user in role.users:
        for action, resource in _named(user, here):
            found[action].add(resource)
    return found


def _named(user: User, here: str) -> Iterator[tuple[str, str]]:
    p: Callable[[str], Any] = user.properties.get
    match user.kind:
        case "Task":
            parameters = {
                "lambda:InvokeFunction": "FunctionName",
                "states:StartExecution": "StateMachineArn",
                "sns:Publish": "TopicArn",
            }
            yield from ((action, p(name)) for action, name in parameters.items() if p(name))
            for name in ("RoleArn", "ExecutionRoleArn"):
                if p(name):
                    yield "iam:PassRole", p(name)
            if user.task.startswith("glue:startJobRun"):
                yield "glue:StartJobRun", f"arn:aws:glue:{here}:{ACCOUNT}:job/{p('JobName')}"
            if rule := EVENT_RULES.get(user.task):
                for verb in ("DescribeRule", "PutRule", "PutTargets"):
                    yield f"events:{verb}", f"arn:aws:events:{here}:{ACCOUNT}:rule/{rule}"
        case "AWS::Events::Rule":
            yield from (("states:StartExecution", target["Arn"]) for target in p("Targets"))
        case "AWS::Scheduler::Schedule":
            target = p("Target")
            if target["Arn"] == f"{UNIVERSAL}glue:startJobRun":
                job = json.loads(target["Input"])["JobName"]
                yield "glue:StartJobRun", f"arn:aws:glue:{here}:{ACCOUNT}:job/{job}"
            else:
                yield "states:StartExecution", target["Arn"]
            if dead := p("Target").get("DeadLetterConfig"):
                yield "sqs:SendMessage", dead["Arn"]
        case "AWS::Lambda::EventSourceMapping":
            yield "kinesis:GetRecords", p("EventSourceArn")
            if dead := p("DestinationConfig"):
                yield "sqs:SendMessage", dead["OnFailure"]["Destination"]
        case "PassedRole":
            for image in re.findall(
                r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([^:\"']+)", str(user.properties)
            ):
                yield "ecr:BatchGetImage", "arn:aws:ecr:{1}:{0}:repository/{2}".format(*image)
            if user.task.endswith("createAutoMLJobV2"):  # it names no image, and hands its role on to its own jobs
                yield "iam:PassRole", p("RoleArn")
                for repository in (images.REPOSITORY, images.FEATURE_PROCESSING):
                    yield "ecr:BatchGetImage", images.repository_arn(here, repository)


def _contexts(role: Role, assembly: Assembly) -> Iterator[Finding]:
    """An encrypted machine uses the key under its own name, and to read its children's output under theirs:
    https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html."""
    machines = [u for u in role.users if u.kind == "AWS::StepFunctions::StateMachine"]
    encrypted = [m for m in machines if m.properties.get("EncryptionConfiguration", {}).get("KmsKeyId")]
    if not encrypted:
        return
    prefix = f"arn:aws:states:{assembly.region}:{ACCOUNT}:stateMachine:"
    expected = {prefix + str(m.properties["StateMachineName"]) for m in encrypted}
    expected |= {
        str(u.properties["StateMachineArn"]) for u in role.users if u.task.startswith("states:startExecution.")
    }
    found = {
        str(context)
        for statement in role.statements
        if "kms:Decrypt" in statement.actions
        for context in as_list(
            statement.conditions.get("StringEquals", {}).get("kms:EncryptionContext:aws:states:stateMachineArn", [])
        )
    }
    for context in sorted(expected ^ found):
        rule, what = ("missing", "needed and not allowed") if context in expected else ("unused", "allowed in vain")
        yield Finding(f"{rule}-context", role.name, f"kms:Decrypt for {context} is {what}")


def _for_others(assembly: Assembly) -> Iterator[Finding]:
    """Policies to attach to roles of others."""
    for where, statements in managed_policies(assembly).items():
        for statement in statements:
            yield from _statement(where, statement)
            if statement.actions != ("execute-api:Invoke",):
                yield Finding(
                    "unused-action", where, f"{statement.actions}: callers of the API need execute-api:Invoke"
                )
            routes, signed = set(statement.resources), _signed_routes(assembly)
            for route in sorted(routes - signed):
                yield Finding("unused-resource", where, f"{route} is no route that asks for a signature")
            for route in sorted(signed - routes):
                yield Finding("missing-resource", where, f"{route} is not allowed")


def _signed_routes(assembly: Assembly) -> set[str]:
    """The ARN of every route with AuthorizationType AWS_IAM: `arn:...:<the API>/$default/POST/v1/score`."""
    found = set()
    for where, route in assembly.of("AWS::ApiGatewayV2::Route").items():
        if route.get("AuthorizationType") == "AWS_IAM":
            method, path = route["RouteKey"].split(" ")
            api = text(assembly, where, route["ApiId"])
            found.add(f"arn:aws:execute-api:{assembly.region}:{ACCOUNT}:{api}/$default/{method}{path}")
    return found


@cache
def _knows_resources(action: str) -> bool | None:
    """Whether AWS can limit an action to resources; None for an action that does not exist."""
    service, _, name = action.partition(":")
    described = get_action_data(service, name)
    if not described:
        return None
    return any(entry["resource_arn_format"] != "*" for entry in described[service])
