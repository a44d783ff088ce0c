"""Building the app of one environment: for the CDK CLI, for the gates and for the tests, always the same way."""

import json
from pathlib import Path
from typing import Any

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from stacks import config
from stacks.delivery import DeliveryStack, identity
from stacks.platform import Platform

DEFAULT = "dev"
# What the CLI adds to the context of cdk.json; with it, an app built in process gives the CLI's templates.
_CLI_CONTEXT = {"aws:cdk:enable-path-metadata": True, "aws:cdk:enable-asset-metadata": True}


def build(app: App) -> App:
    """Fill an app with the environment that its context names, or with the delivery stack (`-c delivery=...`).

    Raises ConfigurationError before anything is made.
    """
    # Stack traces in the assembly would hold paths of this machine, and cost time.
    app.node.set_context("aws:cdk:disable-stack-trace", True)
    if app.node.try_get_context("delivery"):
        DeliveryStack(app, identity=identity(app.node))
    else:
        Platform(app, config.load(app.node.try_get_context("environment") or DEFAULT))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    return app


def in_process(environment: str, outdir: Path, **context: Any) -> App:
    """The app as the CLI would build it (`-c environment=...`), not yet synthesized."""
    settings = json.loads((config.DIRECTORY.parent / "cdk.json").read_text())["context"]
    given = {**settings, **_CLI_CONTEXT, "environment": environment, **context}
    return build(App(outdir=str(outdir), context=given, analytics_reporting=False))
