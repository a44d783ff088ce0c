"""`make bench`: run all measurements, or those named: `python -m benchmarks demo scoring`."""

import importlib
import sys

MODULES = ("scoring", "demo")

if __name__ == "__main__":
    names = sys.argv[1:] or list(MODULES)
    if unknown := sorted(set(names) - set(MODULES)):
        sys.exit(f"There is no benchmark {', '.join(unknown)}; there are: {', '.join(MODULES)}.")
    missed = [name for name in names if not importlib.import_module(f"benchmarks.{name}").measure()]
    sys.exit(f"Below the bar: {', '.join(missed)}" if missed else 0)
