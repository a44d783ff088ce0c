"""All gates, by the name under which they report. Each runs on each environment."""

from gates.assembly import Assembly
from gates.outcome import Gate, Outcome
from gates.state_machines import asl_validator
from gates.templates import built_in, cfn_lint


def _cdk_nag(assembly: Assembly) -> Outcome:
    from gates import nag  # not above: importing CDK starts Node, and `__main__` says first which one

    return nag.check(assembly)


GATES: dict[str, Gate] = {
    "cdk-nag": _cdk_nag,
    "built-in": built_in,
    "cfn-lint": cfn_lint,
    "asl-validator": asl_validator,
}
