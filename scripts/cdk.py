"""The CDK CLI with the Node and the Python of this checkout: `python -m scripts.cdk synth -c environment=dev`."""

import sys

from scripts.node import main

if __name__ == "__main__":
    sys.exit(main(["cdk", *sys.argv[1:]]))
