"""One applicant in process, over HTTP and in a batch: what serves against scikit-learn with pandas, MLflow and an echo.

All sides answer from the same two fitted models. The training data are random; only time is measured.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Check, write
from benchmarks.scoring import microseconds, random_frame
from benchmarks.serving import peers, servers
from solvent import model_folder, modelling, specification
from solvent.modelling import boosted, export
from solvent.modelling.boosted import Boosted, Input
from solvent.scoring import Terms
from solvent.serving import JSON_LINES, respond

RUNS, SECONDS, BATCH = 3, 1.5, 5_000
TREES: dict[str, Any] = {"max_depth": 4, "eta": 0.1, "nthread": 1, "seed": 0}
ROUNDS = 200
LOAD = Path(__file__).with_name("load.py")  # by its path: as a module it would import all of this first
PROTOCOL = (
    "Two models fitted on 1,000 random applicants (seed 0): the scorecard, and 200 boosted trees of depth 4. In "
    "process: CPU microseconds of one applicant given as a dict, median of 7 rounds; ours validates, decides and (a "
    "scorecard) gives reasons, the peer, a scikit-learn Pipeline fed by pandas, gives the probability only. HTTP: "
    f"{RUNS} rounds in which the sides take turns, {SECONDS:g} s each at 1 and at 32 connections, medians; every "
    f"server is one process, the load generator another. Batch: JSON lines of {BATCH:,} applicants to JSON lines of "
    "answers, ours with reasons."
)


def measure() -> bool:
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        card, trees, applicant, rows = _models(folder)
        in_process = {
            **_in_process("scorecard", folder / "scorecard", peers.of_scorecard(card), card, applicant),
            **_in_process("xgboost", folder / "xgboost", peers.of_boosted(trees), trees, applicant),
        }
        http = _http(folder, card, applicant)
        batch = {
            **_batch("scorecard", folder / "scorecard", peers.of_scorecard(card), card, rows),
            **_batch("xgboost", folder / "xgboost", peers.of_boosted(trees), trees, rows),
        }
    rate = {side: by["32"]["requests_per_second"] for side, by in http.items()}
    checks = [
        Check("one row, scikit-learn with pandas / ours",
              round(in_process["scorecard_peer"] / in_process["scorecard"], 1), 50, "times", "higher"),
        Check("requests/s, ours / MLflow serving", round(rate["solvent"] / rate["mlflow"], 1), 30, "times", "higher"),
        Check("requests/s, ours / echo", round(rate["solvent"] / rate["echo"], 2), 0.4, "", "higher"),
    ]  # fmt: skip
    details = {"microseconds": in_process, "http": http, "rows_per_second": batch}
    return write("serving", PROTOCOL, checks, details)


def _models(folder: Path) -> tuple[Any, Boosted, dict[str, Any], list[dict[str, Any]]]:
    chosen, frame = specification.load("lending"), random_frame(1000)
    card = modelling.train(frame, specification=chosen).scorecard
    inputs = []
    for feature in chosen.features:
        numeric = feature.kind == "numeric"
        levels = () if numeric else tuple(sorted(frame[feature.name].unique()))
        reference = float(frame[feature.name].median()) if numeric else levels[0]
        inputs.append(Input(feature.name, feature.kind, feature.text, levels, reference=reference))
    y = frame[chosen.label.column].to_numpy(dtype=np.int64)
    trees = boosted.fit(frame, y, inputs, rounds=ROUNDS, parameters=TREES)
    terms = Terms(**card.terms())
    inference = servers.ROOT / "sagemaker/inference/inference.py"
    for name, model in (("scorecard", card), ("xgboost", trees)):
        (folder / name).mkdir()
        export.write(folder / name, model, evaluation={}, inference=inference, terms=terms)
    names = [f.name for f in chosen.features]
    batch = random_frame(BATCH)[names]
    for one in card.features:
        if one.name in card.numeric:
            batch[one.name] = batch[one.name].clip(one.minimum, one.maximum)
    rows = batch.to_dict("records")
    example = json.loads((servers.ROOT / "examples/applicant.json").read_text())
    return card, trees, {name: example[name] for name in names}, rows


def _in_process(name: str, folder: Path, pipeline: Any, model: Any, applicant: dict[str, Any]) -> dict[str, float]:
    served = model_folder.load(folder)
    ours, theirs = (
        served.probabilities([served.prepare(applicant)])[0],
        float(pipeline.predict_proba(peers.as_frame([applicant], model))[0, 1]),
    )
    if abs(ours - theirs) > 1e-5:
        raise SystemExit(f"The two sides disagree about the {name}: {ours} and {theirs}.")
    free = served.explains_freely

    def answer(reasons: bool) -> Callable[[], Any]:
        return lambda: served.scores([served.prepare(applicant)], reasons=[reasons])

    found = {
        name: microseconds(answer(free), 1000),
        f"{name}_peer": microseconds(lambda: pipeline.predict_proba(peers.as_frame([applicant], model)), 30),
    }
    if not free:
        found[f"{name}_with_reasons"] = microseconds(answer(True), 200)
    return {side: round(value, 1) for side, value in found.items()}


def _http(folder: Path, card: Any, applicant: dict[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    body = json.dumps({"loan_id": "L000001", "as_of": "2026-06-30", **applicant}).encode()
    explained = json.dumps({"loan_id": "L000001", **applicant, "reasons": True}).encode()
    records = json.dumps({"dataframe_records": [applicant]}).encode()
    with ExitStack() as stack:
        ours = stack.enter_context(servers.container(folder / "scorecard"))
        trees = stack.enter_context(servers.container(folder / "xgboost"))
        sides = {
            "solvent": (ours, body),
            "echo": (stack.enter_context(servers.echo(folder / "echo")), body),
            "mlflow": (
                stack.enter_context(servers.mlflow_serving(peers.of_scorecard(card), folder / "mlflow")),
                records,
            ),
            "gunicorn and Flask": (stack.enter_context(servers.gunicorn(folder / "scorecard")), body),
            "solvent, xgboost": (trees, body),
            "solvent, xgboost with reasons": (trees, explained),
        }
        answer = json.loads(servers.post(*sides["solvent"]))
        theirs = json.loads(servers.post(*sides["mlflow"]))["predictions"][0][1]
        if abs(answer["probability"] - theirs) > 1e-9 or not answer["reasons"] or answer["model_version"] != "7":
            raise SystemExit(f"The servers disagree: {answer} and {theirs}.")
        runs = [{name: {str(c): _load(*side, c) for c in (1, 32)} for name, side in sides.items()} for _ in range(RUNS)]
    return {
        name: {
            c: {key: statistics.median(run[name][c][key] for run in runs) for key in runs[0][name][c]}
            for c in ("1", "32")
        }
        for name in sides
    }


def _load(port: int, body: bytes, connections: int) -> dict[str, float]:
    command = [sys.executable, str(LOAD), str(port), str(connections), str(SECONDS)]
    done = subprocess.run(command, input=servers.raw(body), capture_output=True, cwd=servers.ROOT)
    if done.returncode:
        raise SystemExit(f"The load generator failed: {done.stderr.decode()[-500:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _batch(name: str, folder: Path, pipeline: Any, model: Any, rows: list[dict[str, Any]]) -> dict[str, int]:
    served = model_folder.load(folder)
    lines = "\n".join(json.dumps(row) for row in rows).encode()

    def ours() -> None:
        respond(served, lines, content_type=JSON_LINES, accept=None, model_version="7")

    def theirs() -> None:
        frame = peers.as_frame([json.loads(line) for line in lines.splitlines()], model)
        "\n".join(json.dumps({"probability": float(p)}) for p in pipeline.predict_proba(frame)[:, 1])

    return {name: _rate(ours), f"{name}_peer": _rate(theirs)}


def _rate(call: Callable[[], None]) -> int:
    seconds = []
    for _ in range(3):
        begun = time.process_time()
        call()
        seconds.append(time.process_time() - begun)
    return round(BATCH / statistics.median(seconds))
