"""All gates, by the name under which they report. Each runs on each environment."""

import importlib

from gates.assembly import Assembly
from gates.cost import bill as cost
from gates.iam import least_privilege, policies
from gates.machines import data_flow
from gates.machines.asl import asl_rules
from gates.machines.validator import asl_validator
from gates.networks import paths as networks
from gates.outcome import Gate, Outcome
from gates.templates import checkov, foreign
from gates.templates.cloudformation import built_in, cfn_lint
from gates.templates.guard import cfn_guard


def _in_cdk(module: str, name: str) -> Gate:
    def gate(assembly: Assembly) -> Outcome:
        # Not imported above: importing CDK starts Node, and `__main__` says first which one.
        outcome: Outcome = getattr(importlib.import_module(module), name)(assembly)
        return outcome

    return gate


GATES: dict[str, Gate] = {
    "up-to-date": _in_cdk("gates.templates.nag", "up_to_date"),
    "cdk-nag-aws-solutions": _in_cdk("gates.templates.nag", "aws_solutions"),
    "cdk-nag-serverless": _in_cdk("gates.templates.nag", "serverless"),
    "nist-800-53-r5": _in_cdk("gates.templates.nist", "check"),
    "built-in": built_in,
    "cfn-lint": cfn_lint,
    "checkov": checkov.check,
    "cfn-guard": cfn_guard,
    "foreign-references": foreign.check,
    "asl-validator": asl_validator,
    "least-privilege": least_privilege.check,
    "policies": policies.check,
    "asl-rules": asl_rules,
    "data-flow": data_flow.check,
    "networks": networks.check,
    "cost": cost.check,
}

# They share the one Node process of CDK, so they run one after the other; all others run in threads of their own.
IN_CDK = frozenset({"up-to-date", "cdk-nag-aws-solutions", "cdk-nag-serverless", "nist-800-53-r5"})
