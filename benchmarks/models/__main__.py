"""`make bench-models`: all data sets, or ARGS="--only polish"; ARGS="--development 101" prints figures and keeps none.

What was measured of a data set is kept in build/bench-models until protocol, methods or code change, so that a run that
was stopped goes on where it was.
"""

import argparse
import hashlib
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from benchmarks.models import document, one
from benchmarks.report import Check, write

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build" / "bench-models"


def main() -> int:
    rules = one.protocol()
    parser = argparse.ArgumentParser(prog="bench-models")
    parser.add_argument("--only", choices=list(rules["data_sets"]), action="append")
    parser.add_argument("--candidate", choices=rules["candidates"], action="append", help="with --development")
    parser.add_argument("--development", type=int, choices=rules["development_seeds"], metavar="SEED")
    options = parser.parse_args()
    folder = Path(os.environ.get("SOLVENT_DATA", ""))
    if not os.environ.get("SOLVENT_DATA"):
        sys.exit("SOLVENT_DATA is not set: set it to the folder of the public data sets (docs/benchmarks.md).")
    if options.candidate and options.development is None:
        sys.exit("--candidate goes with --development: the protocol compares all candidates.")
    seed = options.development
    work = [
        (name, c, s, folder)
        for name in options.only or rules["data_sets"]
        for c in options.candidate or rules["candidates"]
        for s in (_seeds(rules, name) if seed is None else [seed])
    ]
    _measure(work, keep=seed is None)
    return 0 if options.development is not None or _report(rules, folder) else 1


def _seeds(rules: dict[str, Any], name: str) -> list[int]:
    return [rules["seed"] + repeat for repeat in range(rules["data_sets"][name]["repeats"])]


def _measure(work: list[tuple[str, str, int, Path]], *, keep: bool) -> None:
    """Each piece of work that is not kept, a core each, and a line for it."""
    left = [piece for piece in work if not keep or _kept(piece) is None]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        running = {pool.submit(one.figures, *piece): piece for piece in left}
        for number, future in enumerate(as_completed(running), 1):
            piece, found = running[future], future.result()
            if keep:
                KEPT.mkdir(parents=True, exist_ok=True)
                _path(piece).write_text(json.dumps(found))
            auc, pr_auc = (sum(found["by_fold"][m]) / len(found["by_fold"][m]) for m in one.BY_FOLD)
            print(
                f"{piece[0]:>9} {number:>3}/{len(left)} {piece[1]:<10} seed {piece[2]:<4} "
                f"AUC {auc:.4f} PR-AUC {pr_auc:.4f} "
                f"F2 {found['pooled']['f2']:.3f} ({found['fit_seconds']:.1f} s a fit)",
                flush=True,
            )


def _kept(piece: tuple[str, str, int, Path]) -> dict[str, Any] | None:
    return dict(json.loads(_path(piece).read_text())) if _path(piece).is_file() else None


def _path(piece: tuple[str, str, int, Path]) -> Path:
    """Named after what would change the figures."""
    code = sorted((ROOT / "src" / "solvent" / "modelling").rglob("*.py"))
    read = b"".join(file.read_bytes() for file in (one.PROTOCOL, one.METHODS, *code))
    return KEPT / f"{piece[0]}-{piece[1]}-{piece[2]}-{hashlib.sha256(read).hexdigest()[:12]}.json"


def _report(rules: dict[str, Any], folder: Path) -> bool:
    """Write results and table once every data set was measured; True when every bar is met, or some are still to do."""
    found: dict[str, Any] = {}
    for name, data_set in rules["data_sets"].items():
        kept = {c: [_kept((name, c, s, folder)) for s in _seeds(rules, name)] for c in rules["candidates"]}
        if missing := [c for c, repeats in kept.items() if None in repeats]:
            print(f"{name} is still to be measured ({', '.join(missing)}): no result is written.")
            return True
        found[name] = {
            "headline": data_set["headline"],
            "folds": rules["folds"],
            "candidates": {
                c: one.summary([r for r in repeats if r is not None], rules["folds"]) for c, repeats in kept.items()
            },
        }
    checks = [
        Check(
            f"{name}, {d['headline']}: {metric}", round(_mean(found[name], d["headline"], metric), 4), bar, "", "higher"
        )
        for name, d in rules["data_sets"].items()
        for metric, bar in d["bars"].items()
    ]
    document.write(ROOT / "docs" / "benchmarks.md", found)
    return write("models", one.PROTOCOL.read_text(), checks, {"data_sets": found})


def _mean(found: dict[str, Any], candidate: str, metric: str) -> float:
    return float(found["candidates"][candidate][metric]["mean"])


if __name__ == "__main__":
    sys.exit(main())
