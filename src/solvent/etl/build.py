"""Write the ETL's SQL for shipping: `python -m solvent.etl.build --out DIR`.

Glue has neither sqlglot nor DuckDB; what runs there was transpiled and reviewed here.
"""

import argparse
import json
from pathlib import Path

from solvent import naming
from solvent.etl import statements

DIALECTS = ("duckdb", "spark")


def build(out: Path) -> None:
    """Write `out/<dialect>/<portfolio>/<NNN>_<table>.sql`, numbered in order, and beside them what each reads.

    The same sources give the same files.
    """
    for portfolio in naming.PORTFOLIOS:
        for dialect in DIALECTS:
            folder = out / dialect / portfolio
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.glob("*.sql"):
                old.unlink()
            derived = statements.derive(portfolio, dialect)
            for number, statement in enumerate(derived, 1):
                (folder / f"{number:03d}_{statement.table}.sql").write_text(statement.sql + "\n", encoding="utf-8")
            reads = json.dumps({s.table: s.reads for s in derived}, indent=1, sort_keys=True)
            (folder / statements.DEPENDENCIES).write_text(reads + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder to become solvent/_sql")
    build(parser.parse_args().out)


if __name__ == "__main__":
    main()
