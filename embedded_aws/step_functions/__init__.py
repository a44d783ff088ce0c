"""Step Functions: the integrations that ministack lacks, the execution role checked, errors named as AWS names them."""

from embedded_aws.step_functions import creation, history, integrations, paths


def install() -> None:
    """Install all of it."""
    paths.install()
    history.install()
    integrations.install()
    creation.install()
