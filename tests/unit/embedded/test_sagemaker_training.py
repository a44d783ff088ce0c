"""A training script finds what SageMaker's toolkit gives it, and its failure says why."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ministack")
from embedded_aws import service
from embedded_aws.sagemaker import artifacts, training, training_script
from embedded_aws.sagemaker.artifacts import JobError
from embedded_aws.service import ApiError

SCRIPT = """
import json, os, socket, sys
env = {k: v for k, v in os.environ.items() if k.startswith(("SM_", "AWS_ACCESS", "MINE"))}
found = {"argv": sys.argv[1:], "env": env}
json.dump(found, open(os.environ["SM_MODEL_DIR"] + "/found.json", "w"))
try:
    socket.create_connection(("127.0.0.1", 9), timeout=1)
except PermissionError as error:
    print("refused:", error)
print("epoch=1 auc=0.5;")
print("epoch=2 auc=0.75;")
"""


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(service, "log_lines", lambda group, stream, text, role: lines.append(text))
    return lines


def job(script: str, work: Path, **changes: Any) -> dict[str, Any]:
    for folder in ("input/config", "input/data/code", "input/data/train", "model", "output/data", "code", "source"):
        (work / folder).mkdir(parents=True)
    (work / "source/train.py").write_text(script)
    artifacts.pack(work / "source", work / "input/data/code/abc.tar.gz")
    return {
        "TrainingJobName": "a-job",
        "TrainingJobArn": "arn:aws:sagemaker:eu-west-1:000000000000:training-job/a-job",
        "TrainingJobStatus": "InProgress",
        "RoleArn": "arn:aws:iam::000000000000:role/training",
        "EnableNetworkIsolation": True,
        "AlgorithmSpecification": {"MetricDefinitions": [{"Name": "auc", "Regex": r"(?:^|\s)auc=([0-9.]+);"}]},
        "HyperParameters": {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": "/opt/ml/input/data/code/abc.tar.gz",
            "depth": "3",
            "names": '["a", "b"]',
            "run": "abc",
            "x": "1",
        },
        "Environment": {"MINE": "/opt/ml/model/here"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changes,
    }


def run(record: dict[str, Any], work: Path) -> None:
    variables = training_script.prepare(record, work)
    training_script.run(record, work, variables)


@pytest.mark.contract(
    "sagemaker.training-environment",
    page="https://docs.aws.amazon.com/sagemaker/latest/dg/amazon-sagemaker-toolkits.html",
    says=(
        "The training toolkit passes hyperparameters as arguments and the folders of channels and model as "
        "SM_ variables."
    ),
)
def test_arguments_variables_and_metrics(tmp_path: Path, logged: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-person")
    record = job(SCRIPT, tmp_path)
    run(record, tmp_path)
    found = json.loads((tmp_path / "model/found.json").read_text())
    # As the toolkit passes them: sorted, decoded from JSON, one dash before one letter, a list as Python writes it.
    assert found["argv"] == ["--depth", "3", "--names", "['a', 'b']", "--run", "abc", "-x", "1"]
    assert json.loads(found["env"]["SM_HPS"]) == {"depth": 3, "names": ["a", "b"], "run": "abc", "x": 1}
    assert found["env"]["SM_HP_NAMES"] == '["a", "b"]'
    assert found["env"]["MINE"] == str(tmp_path / "model/here"), "/opt/ml is the job's own folder"
    assert "AWS_ACCESS_KEY_ID" not in found["env"], "an isolated job has no credentials"
    assert "refused: " in "\n".join(logged), "an isolated job has no network"
    assert [(m["MetricName"], m["Value"]) for m in record["FinalMetricDataList"]] == [("auc", 0.75)], (
        "the last one counts"
    )


@pytest.mark.contract(
    "sagemaker.training-failure",
    page="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html",
    quote="If the training job failed, the reason it failed.",
)
def test_a_failing_script_says_why(tmp_path: Path, logged: list[str]) -> None:
    with pytest.raises(JobError) as error:
        run(job("raise ValueError('no luck')", tmp_path), tmp_path)
    assert str(error.value).startswith("AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage")
    assert "ValueError: no luck" in str(error.value)
    assert "python3 train.py --depth 3" in str(error.value)


@pytest.mark.contract(
    "sagemaker.stopping-condition",
    page="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html",
    quote="When the job reaches the time limit, SageMaker ends the training job.",
)
def test_a_script_that_runs_too_long_is_stopped(tmp_path: Path, logged: list[str]) -> None:
    record = job("import time; time.sleep(30)", tmp_path, StoppingCondition={"MaxRuntimeInSeconds": 1})
    begun = time.monotonic()
    with pytest.raises(training_script.StoppedError, match="MaxRuntimeExceeded"):
        run(record, tmp_path)
    assert time.monotonic() - begun < 10


def test_a_missing_source_directory_is_named(tmp_path: Path, logged: list[str]) -> None:
    record = job(SCRIPT, tmp_path)
    record["HyperParameters"]["sagemaker_submit_directory"] = "/opt/ml/input/data/code/other.tar.gz"
    with pytest.raises(JobError, match=r"sagemaker_submit_directory .*other.tar.gz does not exist"):
        run(record, tmp_path)


@pytest.mark.contract(
    "sagemaker.metric-definitions",
    page="https://docs.aws.amazon.com/sagemaker/latest/dg/training-metrics.html",
    says="The metrics of AWS's own algorithms cannot be replaced.",
)
@pytest.mark.parametrize("tag", [":3.2-0", ""])
def test_the_metrics_of_awss_own_algorithms_cannot_be_defined(tmp_path: Path, tag: str) -> None:
    request = job(SCRIPT, tmp_path)
    image = f"141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost{tag}"
    request["AlgorithmSpecification"] |= {"TrainingImage": image}
    with pytest.raises(ApiError, match="You can't override the metric definitions for Amazon SageMaker algorithms"):
        training.create(request)
    # An image of one's own, and the same image without definitions, get further: to the next thing that is missing.
    for changed in (
        {**request["AlgorithmSpecification"], "TrainingImage": "000000000000.dkr.ecr.eu-west-1.amazonaws.com/mine:1"},
        {"TrainingImage": image},
    ):
        with pytest.raises(ApiError, match="ResourceConfig is required"):
            training.create({**request, "AlgorithmSpecification": changed})


@pytest.mark.contract(
    "sagemaker.own-code",
    page="https://docs.aws.amazon.com/sagemaker/latest/dg/amazon-sagemaker-toolkits.html",
    says="A script sees its own folder and its image's packages; what the checkout holds is not there.",
)
def test_a_script_sees_its_own_folder_and_nothing_of_the_checkout(tmp_path: Path, logged: list[str]) -> None:
    with pytest.raises(JobError, match="No module named 'solvent'"):
        run(job("import solvent", tmp_path), tmp_path)
