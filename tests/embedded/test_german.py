"""The real UCI German Credit file, end to end. It is not part of the repository: SOLVENT_DATA names its folder."""

import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from solvent import datasets, specification
from solvent.client import Platform, query

DATA = Path(os.environ.get("SOLVENT_DATA", "../shared/data"))
pytestmark = [
    pytest.mark.embedded,
    pytest.mark.skipif(not (DATA / "german.data").exists(), reason=f"german.data is not in SOLVENT_DATA={DATA}"),
]


@pytest.fixture(scope="module")
def german(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = datasets.write("german", tmp_path_factory.mktemp("german"), data_folder=DATA)
    done = platform.run("pipeline", {"manifest": platform.load(folder)}, timeout=240)
    assert done.status == "SUCCEEDED", f"{done.error}: {done.cause}"
    return {"run_id": done.output["run_id"], "evaluation": evaluation_of(platform)}


def evaluation_of(platform: Platform) -> dict[str, Any]:
    """evaluation.json of the live model, out of its archive."""
    model = platform.target.client("sagemaker").describe_model(ModelName=platform.champion()["model"])
    bucket, _, key = model["PrimaryContainer"]["ModelDataUrl"].removeprefix("s3://").partition("/")
    archive = platform.target.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        member = next(m for m in files.getmembers() if Path(m.name).name == "evaluation.json")
        document = files.extractfile(member)
        assert document is not None
        return dict(json.loads(document.read()))


def test_all_thousand_applicants_arrive(platform: Platform, german: dict[str, Any]) -> None:
    _, rows = query(
        platform.target,
        "SELECT SUM(rows_quarantined), SUM(rows_duplicate) FROM ops.load_log WHERE run_id = :run_id",
        {"run_id": german["run_id"]},
    )
    assert [int(v) for v in rows[0]] == [0, 0]
    assert german["evaluation"]["rows"] == 1000


def test_the_original_attributes_alone_reach_the_bar(german: dict[str, Any]) -> None:
    evaluation = german["evaluation"]
    assert evaluation["auc"] >= 0.77
    assert evaluation["majority_accuracy"] == pytest.approx(0.7)
    assert not set(specification.load("lending").protected) & set(evaluation["features"])


def test_nothing_generated_is_a_feature(german: dict[str, Any]) -> None:
    generated = {"annual_income", "credit_score", "utilisation", "amount_to_income", "previous_loans"}
    assert generated <= set(german["evaluation"]["excluded_features"])
    assert not generated & set(german["evaluation"]["features"])
