"""Who may take which role, and whom keys, topics, queues, buckets and functions let in (doors.py, deliveries.py)."""

from collections.abc import Iterator

from gates.assembly import Assembly, as_list
from gates.iam import deliveries, denials, people
from gates.iam.doors import FOR_US, ROOT, Door, doors, judge
from gates.iam.roles import Role, roles
from gates.outcome import Finding, Outcome

# Which service takes the role of what works with it.
TAKEN_BY = {
    "AWS::EC2::FlowLog": {"vpc-flow-logs.amazonaws.com"},
    "AWS::Events::Rule": {"events.amazonaws.com"},
    "AWS::Glue::Job": {"glue.amazonaws.com"},
    "AWS::Lambda::Function": {"lambda.amazonaws.com"},
    # https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-serverless-iam.html
    "AWS::RedshiftServerless::Namespace": {"redshift-serverless.amazonaws.com", "redshift.amazonaws.com"},
    "AWS::SageMaker::MlflowApp": {"sagemaker.amazonaws.com"},
    "AWS::Scheduler::Schedule": {"scheduler.amazonaws.com"},
    "AWS::StepFunctions::StateMachine": {"states.amazonaws.com"},
    "PassedRole": {"sagemaker.amazonaws.com"},
}
# They say for which account they act, so a stranger's machine or rule cannot use our role. Lambda and Redshift do not:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
SAY_FOR_WHOM = {
    "events.amazonaws.com",
    "glue.amazonaws.com",
    "sagemaker.amazonaws.com",
    "scheduler.amazonaws.com",
    "states.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
}


def check(assembly: Assembly) -> Outcome:
    """Trust policies, resource policies, and every delivery between services."""
    known = roles(assembly)
    opened = list(doors(assembly))
    findings = [finding for role in known.values() for finding in _trust(role)]
    findings += [*judge(assembly, opened, known), *denials.check(assembly), *people.check(known, assembly.environment)]
    count, undelivered = deliveries.judge(assembly, opened)
    findings += undelivered
    looked_at = f"{len(known)} trust policies, {len(opened)} doors, {count} deliveries"
    return Outcome(looked_at, sorted(set(findings)))


def _trust(role: Role) -> Iterator[Finding]:
    """A role is taken by the service that uses it, for this account; a person's role by this account's principals."""
    expected = set().union(*(TAKEN_BY.get(user.kind, set()) for user in role.users))
    for service in sorted(role.trusted_services ^ expected):
        verb = "nothing of this role runs in" if service in role.trusted_services else "the role is not open to"
        yield Finding("trust-service", role.name, f"{verb} {service}")
    for statement in role.trusted:
        door = Door("trust", role.where, (), statement)
        assumed = any(user.kind in ("People", "DataSteward") for user in role.users)
        for principal in door.principals.get("AWS", []):
            if principal == "*":
                yield Finding("trust-anybody", role.name, "anybody may take it")
            elif principal != ROOT or not assumed:
                yield Finding("trust-stranger", role.name, f"{principal} may take it")
        for kind in sorted(set(door.principals) - {"AWS", "Service"}):
            yield Finding("trust-stranger", role.name, f"{kind} {door.principals[kind]} may take it")
        if SAY_FOR_WHOM & set(door.principals.get("Service", [])):
            if not door.asks(FOR_US):
                yield Finding("trust-source-account", role.name, "the service may take it for another account")
        elif "Condition" in statement and not (assumed and statement["Condition"] == people.SECOND_FACTOR):
            yield Finding("trust-condition", role.name, f"who it trusts cannot fulfil {statement['Condition']}")
        if as_list(statement.get("Action")) != ["sts:AssumeRole"] or "NotPrincipal" in statement:
            yield Finding("trust-action", role.name, "a trust policy says who may sts:AssumeRole, nothing else")
