"""The training job: application features in, a scorecard with its evaluation and its serving code out.

SageMaker script mode. Network-isolated: reads and writes the container's folders only. What it prints as `name=value;`
is picked up by the training job's metric definitions.
"""

import argparse
import ast
import hashlib
import json
import os
import sys
import tempfile
import zipfile
from pathlib import Path

# One thread: sums in one order, so the same figures on a machine of any size; and these small matrices cost several
# threads more in waiting for each other than they win.
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

METRICS = ("auc", "gini", "ks", "brier", "accuracy", "majority_accuracy", "rows")


def main():
    packages = unpack()
    # Not before: what these import is in the channel.
    import pandas as pd

    from solvent import modelling, specification, tuning
    from solvent.modelling import evidence, export

    options = hyperparameters()
    files = sorted(Path(os.environ["SM_CHANNEL_TRAIN"]).rglob("*.parquet"))
    if not files:
        raise SystemExit("Channel `train` holds no parquet file: has the ETL of this run written the features?")
    frame = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
    settings = tuning.tried(options["tuned"])
    asked = tuning.settled(specification.load(options["portfolio"]), settings)
    excluded = options["excluded_features"]
    if options["trial"]:
        print(tuning.answer(modelling.trial(frame, specification=asked, excluded=excluded)))
        return
    trained = modelling.train(frame, specification=asked, excluded=excluded)
    evaluation = {
        **trained.evaluation,
        **({"tuned": settings, "protocol": f"{trained.evaluation['protocol']}; {tuning.NOTE}"} if settings else {}),
        **export.measured(trained.model, trained.fit, trained.frame, terms=trained.terms),
        "run_id": options["run_id"],
        "portfolio": options["portfolio"],
        "data_sha256": sha256(files),
        "code_sha256": sha256(sorted(Path(modelling.__file__).parents[1].rglob("*.py"))),
    }
    script = Path(__file__).resolve().with_name("inference.py")
    model_dir = Path(os.environ["SM_MODEL_DIR"])
    # Before the rest: the digest of what is written covers it.
    evidence.write(model_dir / "evidence", evaluation=evaluation, specification=asked)
    export.write(
        model_dir, trained.model, evaluation=evaluation, inference=script, terms=trained.terms, packages=packages
    )
    print(" ".join(f"{name}={evaluation[name]:.6g};" for name in METRICS))


def sha256(files):
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def unpack():
    """The folder of what the channel `packages` adds to the container, first on Python's path; None without any.

    Before the container's own: its protobuf is older than what onnx needs. The embedded AWS leaves the archive out.
    """
    archives = sorted(Path(os.environ.get("SM_CHANNEL_PACKAGES", "/nonexistent")).glob("*.zip"))
    if not archives:
        return None
    folder = Path(tempfile.mkdtemp(prefix="packages-"))
    for archive in archives:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
    sys.path.insert(0, str(folder))
    return folder


def hyperparameters():
    """Portfolio, run id, excluded features, the settings that a tuning job found, and whether this job is its trial.

    Read as the API received them: the toolkit decodes each as JSON and would take the run id 12345678901234e5 for a
    number. Where there is no such file, from the command line. A trial's hyperparameters are the algorithm's own; what
    is ours is in its environment.
    """
    parser = argparse.ArgumentParser()
    for name, default in (("portfolio", None), ("run_id", ""), ("excluded_features", "[]"), ("tuned", "{}")):
        parser.add_argument(f"--{name}", default=os.environ.get(f"SOLVENT_{name.upper()}", default))
    found = vars(parser.parse_known_args()[0])
    folder = os.environ.get("SM_INPUT_CONFIG_DIR") or f"{os.environ.get('SM_INPUT_DIR', '/opt/ml/input')}/config"
    file = Path(folder) / "hyperparameters.json"
    given = json.loads(file.read_text()) if file.is_file() else {}
    found.update({k: v for k, v in given.items() if k in found})
    if not found["portfolio"]:
        raise SystemExit("The hyperparameter `portfolio` is missing: name the portfolio to train for.")
    excluded = found["excluded_features"]
    trial = os.environ.get("SOLVENT_TRIAL") == "1"
    return {
        "portfolio": str(found["portfolio"]).strip('"'),
        "run_id": str(found["run_id"]).strip('"'),
        # JSON, or Python's own form once the toolkit has decoded it: a list of texts is the same literal in both.
        "excluded_features": unquoted(excluded) if isinstance(excluded, str) else excluded,
        "tuned": given if trial else decoded(found["tuned"]),
        "trial": trial,
    }


def decoded(text):
    """A mapping, also when it was encoded once more on its way, or decoded by the toolkit already."""
    while isinstance(text, str):
        text = json.loads(text)
    return dict(text)


def unquoted(text):
    """A list, also when it was quoted once more on its way."""
    value = ast.literal_eval(text)
    return unquoted(value) if isinstance(value, str) else list(value)


if __name__ == "__main__":
    main()
