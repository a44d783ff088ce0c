"""The training job: application features in, a scorecard with its evaluation and its serving code out.

SageMaker script mode. Network-isolated: reads and writes the container's folders only. What it prints as `name=value;`
is picked up by the training job's metric definitions.
"""

import argparse
import ast
import hashlib
import json
import os
import shutil
from pathlib import Path

import pandas as pd

from solvent import modelling, specification
from solvent.modelling import evidence

METRICS = ("auc", "gini", "ks", "brier", "accuracy", "majority_accuracy", "rows")
# What an endpoint needs of the package: the standard library does the rest.
SERVING_MODULES = ("__init__.py", "scorecard.py", "scorecard_document.py", "serving.py")


def main():
    options = hyperparameters()
    files = sorted(Path(os.environ["SM_CHANNEL_TRAIN"]).rglob("*.parquet"))
    if not files:
        raise SystemExit("Channel `train` holds no parquet file: has the ETL of this run written the features?")
    frame = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
    asked = specification.load(options["portfolio"])
    trained = modelling.train(frame, specification=asked, excluded=options["excluded_features"])
    evaluation = {
        **trained.evaluation,
        "run_id": options["run_id"],
        "portfolio": options["portfolio"],
        "data_sha256": sha256(files),
        "code_sha256": sha256(sorted(Path(modelling.__file__).parents[1].rglob("*.py"))),
    }
    write(Path(os.environ["SM_MODEL_DIR"]), trained.scorecard, evaluation)
    evidence.write(Path(os.environ["SM_MODEL_DIR"]) / "evidence", evaluation=evaluation, specification=asked)
    print(" ".join(f"{name}={evaluation[name]:.6g};" for name in METRICS))


def sha256(files):
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def hyperparameters():
    """Portfolio, run id and excluded features.

    Read as the API received them: the toolkit decodes each as JSON and would take the run id 12345678901234e5 for a
    number. Where there is no such file, from the command line.
    """
    parser = argparse.ArgumentParser()
    for name, default in (("portfolio", None), ("run_id", ""), ("excluded_features", "[]")):
        parser.add_argument(f"--{name}", default=default)
    found = vars(parser.parse_known_args()[0])
    folder = os.environ.get("SM_INPUT_CONFIG_DIR") or f"{os.environ.get('SM_INPUT_DIR', '/opt/ml/input')}/config"
    given = Path(folder) / "hyperparameters.json"
    if given.is_file():
        found.update({k: v for k, v in json.loads(given.read_text()).items() if k in found})
    if not found["portfolio"]:
        raise SystemExit("The hyperparameter `portfolio` is missing: name the portfolio to train for.")
    excluded = found["excluded_features"]
    return {
        "portfolio": str(found["portfolio"]).strip('"'),
        "run_id": str(found["run_id"]).strip('"'),
        # JSON, or Python's own form once the toolkit has decoded it: a list of texts is the same literal in both.
        "excluded_features": unquoted(excluded) if isinstance(excluded, str) else excluded,
    }


def unquoted(text):
    """A list, also when it was quoted once more on its way."""
    value = ast.literal_eval(text)
    return unquoted(value) if isinstance(value, str) else list(value)


def write(model_dir, scorecard, evaluation):
    """The model directory: data, and the code that serves it."""
    (model_dir / "scorecard.json").write_text(scorecard.to_json())
    (model_dir / "evaluation.json").write_text(json.dumps(evaluation, indent=1, sort_keys=True, allow_nan=False) + "\n")
    here, code = Path(__file__).resolve().parent, model_dir / "code"
    (code / "solvent").mkdir(parents=True, exist_ok=True)
    shutil.copy(here / "inference.py", code / "inference.py")
    package = Path(modelling.__file__).parents[1]
    for name in SERVING_MODULES:
        shutil.copy(package / name, code / "solvent" / name)


if __name__ == "__main__":
    main()
