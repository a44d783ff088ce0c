"""`python -m gates.cost`: see report.py."""

import sys

from gates.cost.report import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
