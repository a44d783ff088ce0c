"""`python -m gates.networks`: see report.py."""

import sys

from gates.networks.report import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
