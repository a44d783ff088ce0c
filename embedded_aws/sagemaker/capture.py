"""Data capture: requests and their answers as JSON lines in S3, written as the model's role a moment later.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

import base64
import json
import random
import threading
import time
import uuid
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from embedded_aws import service
from embedded_aws.sagemaker import artifacts, store

Json = dict[str, Any]

FLUSH_SECONDS = 1.0
_HEADERS = {"JsonContentTypes": "JSON", "CsvContentTypes": "CSV"}

_lock = threading.Lock()
_waiting: dict[tuple[str, str], list[str]] = defaultdict(list)  # (endpoint, variant) -> lines


def keep(
    endpoint: str, variant: str, request: tuple[bytes, str], answer: tuple[bytes, str], inference_id: str | None
) -> None:
    """Note a request and its answer, each a body and its content type, if the configuration asks for it."""
    settings = _settings(endpoint)
    if not settings.get("EnableCapture") or random.random() * 100 >= settings["InitialSamplingPercentage"]:  # noqa: S311
        return
    modes = {option["CaptureMode"] for option in settings["CaptureOptions"]}
    headers = settings.get("CaptureContentTypeHeader", {})
    captured = {}
    for mode, field, (body, kind) in (("Input", "endpointInput", request), ("Output", "endpointOutput", answer)):
        if modes & {mode, "InputAndOutput"}:
            encoding = _encoding(kind, headers)
            data = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode(errors="replace")
            captured[field] = {
                "observedContentType": kind,
                "mode": mode.upper(),
                "data": data,
                "encoding": encoding,
            }
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    metadata = {"eventId": str(uuid.uuid4()), **({"inferenceId": inference_id} if inference_id else {})}
    line = {"captureData": captured, "eventMetadata": {**metadata, "inferenceTime": now}, "eventVersion": "0"}
    with _lock:
        first = not _waiting[endpoint, variant]
        _waiting[endpoint, variant].append(json.dumps(line))
    if first:
        service.spawn_thread(_flush, endpoint, variant, settings)


def _settings(endpoint: str) -> Json:
    live = store.state["endpoint"].get(endpoint, {}).get("EndpointConfigName", "")
    found: Json = store.state["endpoint-config"].get(live, {}).get("DataCaptureConfig", {})
    return found


def _encoding(kind: str, headers: Json) -> str:
    """Without a header that names the content type, SageMaker captures base64."""
    plain = kind.split(";")[0].strip().lower()
    return next((name for field, name in _HEADERS.items() if plain in headers.get(field, [])), "BASE64")


def _flush(endpoint: str, variant: str, settings: Json) -> None:
    time.sleep(FLUSH_SECONDS)
    with _lock:
        lines = _waiting.pop((endpoint, variant), [])
    config = store.state["endpoint-config"].get(store.state["endpoint"].get(endpoint, {}).get("EndpointConfigName"), {})
    models = [v["ModelName"] for v in config.get("ProductionVariants", []) if v["VariantName"] == variant]
    role = store.state["model"].get(models[0], {}).get("ExecutionRoleArn") if models else None
    if role is None:
        return
    bucket, prefix = artifacts.split(settings["DestinationS3Uri"].rstrip("/"))
    now = datetime.now(UTC)
    key = f"{prefix}/{endpoint}/{variant}/{now:%Y/%m/%d/%H/%M-%S}-{now.microsecond // 1000:03}-{uuid.uuid4()}.jsonl"
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": settings["KmsKeyId"]}
    try:
        body = "".join(f"{line}\n" for line in lines).encode()
        artifacts.s3_of(role).put_object(
            Bucket=bucket, Key=key, Body=body, **(encryption if settings.get("KmsKeyId") else {})
        )
    except (BotoCoreError, ClientError) as error:
        service.log.warning("data capture of %s/%s lost %d requests: %s", endpoint, variant, len(lines), error)
