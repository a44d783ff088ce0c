"""`make bench`: run the short measurements, or those named: `python -m benchmarks etl`."""

import importlib
import sys

SHORT = ("scoring", "demo")
MODULES = (*SHORT, "etl", "serving", "sql")

if __name__ == "__main__":
    names = sys.argv[1:] or list(SHORT)
    if unknown := sorted(set(names) - set(MODULES)):
        sys.exit(f"There is no benchmark {', '.join(unknown)}; there are: {', '.join(MODULES)}.")
    missed = [name for name in names if not importlib.import_module(f"benchmarks.{name}").measure()]
    sys.exit(f"Below the bar: {', '.join(missed)}" if missed else 0)
