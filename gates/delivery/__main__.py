"""`python -m gates.delivery`: see release.py."""

import sys

from gates.delivery.release import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
