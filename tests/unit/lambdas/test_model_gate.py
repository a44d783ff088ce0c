import json
from typing import Any

import boto3
from fakes import SageMaker, bucket, load_handler

from examples import GOOD, RUN, archive


def invoke(evaluation: dict[str, Any]) -> Any:
    boto3.client("s3").put_object(Bucket=bucket("artifacts"), Key="models/m.tar.gz", Body=archive(evaluation))
    function = load_handler("model_gate")
    function.gate._sagemaker = SageMaker()
    return json.loads(
        json.dumps(
            function.handler({"run": RUN, "model_artifact": f"s3://{bucket('artifacts')}/models/m.tar.gz"}, None)
        )
    )


def test_a_good_model_passes_with_its_figures_and_a_report() -> None:
    verdict = invoke(GOOD)
    assert verdict["passed"] is True
    assert verdict["metrics"]["auc"] == "0.78"
    assert verdict["report"] == f"s3://{bucket('artifacts')}/runs/lending/0123456789abcdef/{RUN['job_name']}/gate.json"


def test_a_bad_model_does_not() -> None:
    verdict = invoke({**GOOD, "auc": 0.5})
    assert verdict["passed"] is False
    assert verdict["failures"][0].startswith("minimum_auc")
