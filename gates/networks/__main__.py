"""`python -m gates.networks`: see paths.py."""

import sys

from gates.networks.paths import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
