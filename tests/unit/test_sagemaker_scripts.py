"""train.py and inference.py as their containers run them: from an unpacked archive, in a process of their own."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from fakes import ROOT
from sagemaker_source import lay_out

from examples import portfolio
from solvent import tuning
from solvent.modelling.export import SERVING_MODULES
from solvent.scorecard import Scorecard
from solvent.serving import InvalidRequest


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("source"))


def train(
    source: Path, work: Path, hyperparameters: dict[str, str], *arguments: str, data: bool = True, **told: str
) -> Any:
    """`told`: the environment that the job is given, beside what the container sets."""
    for name in ("train", "model", "config"):
        (work / name).mkdir(parents=True)
    if data:
        frame = portfolio()
        frame[:200].to_parquet(work / "train" / "part-0.parquet")
        frame[200:].to_parquet(work / "train" / "part-1.parquet")
    (work / "config" / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    environment = {
        "PATH": os.environ["PATH"],
        "SM_CHANNEL_TRAIN": str(work / "train"),
        "SM_MODEL_DIR": str(work / "model"),
        "SM_INPUT_CONFIG_DIR": str(work / "config"),
        **told,
    }
    command = [sys.executable, "train.py", *arguments]
    return subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def model(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("job")
    asked = {
        "portfolio": "lending",
        "run_id": "12345678901234e5",  # a number to a JSON decoder
        "excluded_features": '["annual_income", "amount_to_income"]',
        "sagemaker_program": "train.py",
    }
    done = train(source, work, asked, "--run_id", "1.2345678901234e+18", "--excluded_features", "['annual_income']")
    assert done.returncode == 0, done.stderr
    (work / "stdout").write_text(done.stdout)
    return work / "model"


def test_the_job_prints_metrics_that_the_definitions_of_the_state_machine_find(model: Path) -> None:
    printed = (model.parent / "stdout").read_text()
    for name in ("auc", "accuracy", "majority_accuracy", "rows"):
        assert re.search(rf"(?:^|\s){name}=([0-9.]+);", printed), name


CHOSEN = {"eta": "0.1", "max_depth": "2", "num_round": "50", "subsample": "0.8", "colsample_bytree": "0.5"}


def test_a_trial_of_a_tuning_job_answers_with_its_auc_out_of_fold_and_makes_no_model(
    source: Path, tmp_path: Path
) -> None:
    ours = {"SOLVENT_PORTFOLIO": "lending", "SOLVENT_RUN_ID": "0123456789abcdef", "SOLVENT_TRIAL": "1"}
    done = train(source, tmp_path, {**CHOSEN, "sagemaker_program": "train.py"}, **ours)
    assert done.returncode == 0, done.stderr
    found = re.search(r"\[[0-9]+\].*#011validation-auc:(\S+)", done.stdout)
    assert found and 0.6 < float(found[1]) < 1
    assert not list((tmp_path / "model").iterdir())


def test_training_takes_what_the_search_found_and_says_so(source: Path, tmp_path: Path) -> None:
    asked = {"portfolio": "lending", "run_id": "0123456789abcdef", "tuned": json.dumps(CHOSEN)}
    done = train(source, tmp_path, asked, "--tuned", str(CHOSEN))
    assert done.returncode == 0, done.stderr
    evaluation = json.loads((tmp_path / "model" / "evaluation.json").read_text())
    assert evaluation["tuned"]["num_round"] == 50 and evaluation["protocol"].endswith(tuning.NOTE)
    (boosting,) = [row for row in evaluation["comparison"] if row["name"] == "xgboost"]
    assert {entry["rounds"] for entry in boosting["parameters"]} == {50}


def test_the_model_directory_holds_data_and_the_code_that_serves_it(model: Path) -> None:
    evaluation = json.loads((model / "evaluation.json").read_text())
    assert evaluation["run_id"] == "12345678901234e5"
    assert evaluation["excluded_features"] == ["amount_to_income", "annual_income"]
    assert evaluation["rows"] == 400
    assert len(evaluation["fold_auc"]) == 5
    assert re.fullmatch("[0-9a-f]{64}", evaluation["code_sha256"])
    documents = {"model_card.json", "model_card.html", "validation.html", "fairness.html"}
    assert {path.name for path in (model / "evidence").iterdir()} == documents
    assert "12345678901234e5" in (model / "evidence" / "model_card.html").read_text()
    assert 0.6 < evaluation["auc"] < 1
    assert Scorecard.from_json((model / "scorecard.json").read_bytes()).ignored == ("annual_income", "amount_to_income")
    served = {p.relative_to(model).as_posix() for p in model.rglob("*") if p.is_file() and p.parent.name != "evidence"}
    assert served == {
        "model.json", "model.onnx", "scorecard.json", "evaluation.json", "code/inference.py",
        *(f"code/solvent/{name}" for name in SERVING_MODULES),
    }  # fmt: skip


def test_the_served_code_runs_on_a_bare_interpreter(model: Path) -> None:
    """-S and -I: no site-packages and no checkout; only what is in the archive."""
    card = Scorecard.from_json((model / "scorecard.json").read_bytes())
    program = (
        f"import sys, json; sys.path.insert(0, {str(model / 'code')!r})\n"
        "import inference\n"
        f"model = inference.model_fn({str(model)!r})\n"
        "body = json.dumps({f.name: None for f in model.features})\n"
        "print(inference.transform_fn(model, body, 'application/json', '*/*')[0])"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert answer["probability"] == card.probability(dict.fromkeys(f.name for f in card.features))
    assert answer["model_version"] == "unregistered"


def test_a_job_without_data_fails_and_says_so(source: Path, tmp_path: Path) -> None:
    done = train(source, tmp_path, {"portfolio": "lending"}, data=False)
    assert done.returncode != 0
    assert "holds no parquet file" in done.stderr
    assert not list((tmp_path / "model").iterdir())


@pytest.mark.parametrize("given", ['["a", "b"]', "['a', 'b']", '"[\\"a\\", \\"b\\"]"'])
def test_a_list_survives_every_way_the_toolkit_may_pass_it(given: str, script: ModuleType) -> None:
    assert script.unquoted(given) == ["a", "b"]


def load(path: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / "sagemaker" / path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return load("training/train.py", monkeypatch)


def test_packages_of_the_channel_come_before_the_containers_own(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert script.unpack() is None
    monkeypatch.setenv("SM_CHANNEL_PACKAGES", str(tmp_path))
    assert script.unpack() is None, "as the embedded AWS has it"
    with zipfile.ZipFile(tmp_path / "packages.zip", "w") as archive:
        archive.writestr("onnx/__init__.py", "")
    folder = script.unpack()
    assert (folder / "onnx/__init__.py").is_file() and sys.path[0] == str(folder)


class TestRefusals:
    """A refusal reaches SageMaker as a 4xx under each toolkit."""

    @pytest.fixture
    def inference(self, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
        return load("inference/inference.py", monkeypatch)

    def ask(self, inference: ModuleType, model: Path) -> Any:
        return inference.transform_fn(inference.model_fn(model), '{"amount": "x"}', "application/json", "*/*")

    def test_without_a_toolkit_the_exception_carries_the_status(self, inference: ModuleType, model: Path) -> None:
        with pytest.raises(InvalidRequest) as refused:
            self.ask(inference, model)
        assert refused.value.status_code == 422

    def test_flask_worker(self, inference: ModuleType, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        answers: list[dict[str, Any]] = []
        worker = SimpleNamespace(Response=lambda **given: answers.append(given) or "response")
        framework = ModuleType("sagemaker_containers.beta.framework")
        framework.worker = worker  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "sagemaker_containers", ModuleType("sagemaker_containers"))
        monkeypatch.setitem(sys.modules, "sagemaker_containers.beta", ModuleType("sagemaker_containers.beta"))
        monkeypatch.setitem(sys.modules, "sagemaker_containers.beta.framework", framework)
        flask = ModuleType("flask")
        flask.has_request_context = lambda: True  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "flask", flask)
        assert self.ask(inference, model) == "response"
        assert answers[0]["status"] == 422
        assert "field" in json.loads(answers[0]["response"])

    def test_model_server(self, inference: ModuleType, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        class BaseInferenceToolkitError(Exception):
            def __init__(self, status_code: int, message: str, phrase: str) -> None:
                self.status_code, self.message, self.phrase = status_code, message, phrase

        errors = ModuleType("sagemaker_inference.errors")
        errors.BaseInferenceToolkitError = BaseInferenceToolkitError  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "sagemaker_inference", ModuleType("sagemaker_inference"))
        monkeypatch.setitem(sys.modules, "sagemaker_inference.errors", errors)
        with pytest.raises(BaseInferenceToolkitError) as refused:
            self.ask(inference, model)
        assert refused.value.status_code == 422
