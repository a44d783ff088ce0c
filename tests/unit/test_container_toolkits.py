"""train.py and inference.py under SageMaker's published toolkits, with the versions of AWS's XGBoost container.

The environment `.venv-container` (make setup-dev) has sagemaker-training and sagemaker-inference, and what the
container's image or the channel of packages adds: pyarrow, onnx, onnxruntime, optbinning.
"""

import base64
import io
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from boosted_model import TERMS, fitted
from fakes import ROOT
from sagemaker_source import lay_out

from examples import portfolio
from solvent.modelling import export

BIN = ROOT / ".venv-container" / "bin"
INFERENCE = ROOT / "sagemaker/inference/inference.py"
# What the model server (MMS, in Java) hands to the toolkit's transformer, and what comes back.
SERVE = """
import base64, json, sys
from sagemaker_inference.transformer import Transformer

class Request:
    def __init__(self, kind): self.kind = kind
    def get_request_properties(self): return {"Content-Type": self.kind, "Accept": "application/json"}

class Context:
    system_properties = {"model_dir": sys.argv[1]}
    status = 200
    def __init__(self, kind): self.request_processor = [Request(kind)]
    def set_response_content_type(self, index, kind): self.kind = kind
    def set_response_status(self, code, phrase): self.status = code

transformer = Transformer()
for kind, body in json.load(sys.stdin):
    context = Context(kind)
    answer = transformer.transform([{"body": base64.b64decode(body)}], context)
    print(json.dumps([context.status, answer[0]]))
"""


def run(command: list[str], environment: dict[str, str], given: str = "") -> "subprocess.CompletedProcess[str]":
    assert BIN.is_dir(), "The container's environment is missing: make setup-dev"
    environment = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(command, env=environment, input=given, capture_output=True, text=True, timeout=90)


def serve(model: Path, requests: list[tuple[str, Any]]) -> list[tuple[int, str]]:
    bodies = [body if isinstance(body, bytes) else json.dumps(body).encode() for _, body in requests]
    kinds = [kind for kind, _ in requests]
    texts = [(kind, base64.b64encode(body).decode()) for kind, body in zip(kinds, bodies, strict=True)]
    environment = {
        "PYTHONPATH": str(model / "code"),
        "SAGEMAKER_PROGRAM": "inference.py",
        "MODEL_VERSION": "5",
    }
    done = run([str(BIN / "python"), "-c", SERVE, str(model)], environment, json.dumps(texts))
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """/opt/ml after a job that `train` of sagemaker-training ran."""
    base = tmp_path_factory.mktemp("opt") / "ml"
    config, data = base / "input/config", base / "input/data/train"
    for folder in (config, data):
        folder.mkdir(parents=True)
    source = lay_out(tmp_path_factory.mktemp("source"))
    with tarfile.open(base / "source.tar.gz", "w:gz") as archive:
        for path in sorted(source.iterdir()):
            archive.add(path, path.name)
    portfolio().to_parquet(data / "part-0.parquet")
    hyperparameters = {
        "portfolio": "lending", "run_id": "12345678901234e5", "excluded_features": '["annual_income"]',
        "sagemaker_program": "train.py", "sagemaker_submit_directory": str(base / "source.tar.gz"),
    }  # fmt: skip
    written = {
        "hyperparameters": hyperparameters,
        "inputdataconfig": {"train": {"ContentType": "application/x-parquet", "TrainingInputMode": "File"}},
        "resourceconfig": {"current_host": "localhost", "hosts": ["localhost"], "network_interface_name": "lo"},
    }
    for name, content in written.items():
        (config / f"{name}.json").write_text(json.dumps(content))
    done = run([str(BIN / "train")], {"SAGEMAKER_BASE_DIR": str(base)})
    assert (base / "model/model.json").is_file(), (done.stdout + done.stderr)[-3000:]
    return base


def test_train_runs_under_sagemaker_training(trained: Path) -> None:
    evaluation = json.loads((trained / "model/evaluation.json").read_text())
    assert evaluation["run_id"] == "12345678901234e5", "the toolkit decodes it as a number"
    assert evaluation["excluded_features"] == ["annual_income"]
    assert "scorecard" in {contender["name"] for contender in evaluation["comparison"]}
    assert (trained / "model/model.json").is_file()


def test_its_model_is_served_by_sagemaker_inference(trained: Path) -> None:
    card = json.loads((trained / "model/scorecard.json").read_text())
    nobody = {feature["name"]: None for feature in card["features"]}
    kinds = ("application/json", "application/jsonlines", "application/x-parquet", "application/json", "text/plain")
    table = io.BytesIO()
    pq.write_table(pa.table({name: [value] for name, value in nobody.items()}), table)
    bodies = (nobody, json.dumps(nobody).encode() + b"\n", table.getvalue(), {"amount": "x"}, b"1")
    one, line, row, refused, unknown = serve(trained / "model", list(zip(kinds, bodies, strict=True)))
    assert one[0] == line[0] == 200
    assert row == line
    assert json.loads(one[1])["model_version"] == "5"
    assert json.loads(one[1])["probability"] == json.loads(line[1])["probability"]
    assert (refused[0], unknown[0]) == (422, 415)
    assert json.loads(refused[1].partition("\n")[0])["field"], "the message, then the toolkit's stack trace"


def test_a_boosted_model_is_served_with_reasons_by_the_containers_versions(tmp_path: Path) -> None:
    export.write(tmp_path, fitted(), evaluation={}, inference=INFERENCE, terms=TERMS)
    applicant = {"amount": 30_000, "purpose": "repairs", "income": 10_000.5, "job": None, "rate": 0.9, "reasons": True}
    [(status, answer)] = serve(tmp_path, [("application/json", applicant)])
    assert status == 200
    assert json.loads(answer)["reasons"][0]["feature"] in applicant


def test_a_touched_model_is_not_loaded(trained: Path) -> None:
    """model_fn raises: the server answers no health check, and the message names the file."""
    path = trained / "model/scorecard.json"
    was = path.read_text()
    path.write_text(was.replace('"points"', '"Points"', 1))
    try:
        [(status, answer)] = serve(trained / "model", [("application/json", "{}")])
    finally:
        path.write_text(was)
    assert status == 500
    assert answer.startswith("scorecard.json is not the file that was exported")
