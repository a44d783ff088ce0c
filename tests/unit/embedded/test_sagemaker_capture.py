"""Data capture has AWS's form and place, and is written as the model's role."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("ministack")
from embedded_aws import service
from embedded_aws.sagemaker import artifacts, capture, store

SETTINGS = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://lake/captured/lending",
    "KmsKeyId": "arn:key",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
}


class S3:
    def __init__(self) -> None:
        self.put: list[dict[str, Any]] = []
        self.roles: list[str] = []

    def of(self, role: str) -> "S3":
        self.roles.append(role)
        return self

    def put_object(self, **given: Any) -> None:
        self.put.append(given)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    found = S3()
    monkeypatch.setattr(artifacts, "s3_of", found.of)
    monkeypatch.setattr(capture, "FLUSH_SECONDS", 0)
    # On the caller's thread: when `keep` is done, so is the write.
    monkeypatch.setattr(service, "spawn_thread", lambda function, *given: function(*given))
    variants = [{"VariantName": "champion", "ModelName": "model"}]
    store.state["model"]["model"] = {"ExecutionRoleArn": "arn:role"}
    store.state["endpoint-config"]["c"] = {"ProductionVariants": variants, "DataCaptureConfig": dict(SETTINGS)}
    store.state["endpoint"]["lending"] = {"EndpointConfigName": "c"}
    yield found
    for records in store.state.values():
        records.clear()


def keep(kind: str = "application/json", inference_id: str | None = None) -> None:
    capture.keep("lending", "champion", (b'{"amount": 1}', kind), (b'{"decision": "approve"}', kind), inference_id)


@pytest.mark.contract(
    "sagemaker.data-capture",
    page="https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html",
    says="A captured request is one JSON line with input, output and metadata, below endpoint, variant and hour.",
)
def test_a_request_becomes_a_line_below_endpoint_variant_and_hour(s3: S3) -> None:
    keep(inference_id="id-1")
    (written,) = s3.put
    assert s3.roles == ["arn:role"]
    assert (written["Bucket"], written["SSEKMSKeyId"]) == ("lake", "arn:key")
    assert written["Key"].startswith("captured/lending/lending/champion/2")
    assert written["Key"].count("/") == 8 and written["Key"].endswith(".jsonl")
    line = json.loads(written["Body"])
    assert line["eventVersion"] == "0" and line["eventMetadata"]["inferenceId"] == "id-1"
    captured = line["captureData"]
    assert captured["endpointInput"] == {
        "observedContentType": "application/json",
        "mode": "INPUT",
        "data": '{"amount": 1}',
        "encoding": "JSON",
    }
    assert json.loads(captured["endpointOutput"]["data"]) == {"decision": "approve"}


def test_what_no_header_names_is_base64(s3: S3) -> None:
    keep("text/csv")
    data = json.loads(s3.put[0]["Body"])["captureData"]["endpointInput"]
    assert (data["encoding"], base64.b64decode(data["data"])) == ("BASE64", b'{"amount": 1}')


def test_the_share_that_is_captured_is_the_configurations(s3: S3) -> None:
    settings = store.state["endpoint-config"]["c"]["DataCaptureConfig"]
    settings["InitialSamplingPercentage"] = 0
    keep()
    settings.update(InitialSamplingPercentage=100, EnableCapture=False)
    keep()
    assert s3.put == []
