"""The CDK app: `cdk synth -c environment=dev` (the default) or `-c environment=prod`. Needs no account."""

import sys

from aws_cdk import App

from stacks.config import ConfigurationError
from stacks.synthesis import build

if __name__ == "__main__":
    try:
        build(App()).synth()
    except ConfigurationError as error:
        sys.exit(str(error))
