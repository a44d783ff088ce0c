"""Batch transform: every object under a prefix through the model's server, its answers beside it as `<key>.out`."""

import gzip
import time
from collections.abc import Iterator
from typing import Any

from embedded_aws import service
from embedded_aws.sagemaker import artifacts, store
from embedded_aws.sagemaker.artifacts import JobError
from embedded_aws.sagemaker.container import Container
from embedded_aws.sagemaker.roles import check_grant
from embedded_aws.service import ApiError

Json = dict[str, Any]

LOG_GROUP = "/aws/sagemaker/TransformJobs"
_MEGABYTE = 1024 * 1024
_active: set[str] = set()


def create(request: Json) -> Json:
    """CreateTransformJob."""
    name = request["TransformJobName"]
    store.check_name(name, "transformJobName")
    model = store.find("model", request["ModelName"])
    _check(request)
    check_grant(request["TransformResources"].get("VolumeKmsKeyId"), model["ExecutionRoleArn"])
    job = store.create("transform-job", name, dict(request), in_use=True)
    job.update(TransformJobArn=store.arn("transform-job", name), TransformJobStatus="InProgress")
    _active.add(name)
    service.spawn_thread(_run, job)
    return {"TransformJobArn": job["TransformJobArn"]}


def _check(request: Json) -> None:
    source = request["TransformInput"]
    if source["DataSource"]["S3DataSource"]["S3DataType"] != "S3Prefix":
        raise ApiError("ValidationException", "The embedded AWS reads S3Prefix input only.")
    if source.get("SplitType", "None") not in ("None", "Line"):
        raise ApiError("ValidationException", f"The embedded AWS does not split by {source['SplitType']}.")
    if request.get("BatchStrategy") == "MultiRecord" and source.get("SplitType", "None") == "None":
        raise ApiError("ValidationException", "BatchStrategy MultiRecord needs a SplitType.")
    if request.get("DataProcessing"):
        raise ApiError("ValidationException", "DataProcessing is not implemented by the embedded AWS.")
    if not 0 <= request.get("MaxPayloadInMB", 6) <= 100:
        raise ApiError("ValidationException", "MaxPayloadInMB must be between 0 and 100.")


def describe(request: Json) -> Json:
    """DescribeTransformJob."""
    return store.find("transform-job", request["TransformJobName"])


def stop(request: Json) -> Json:
    """StopTransformJob: no further request is sent; what is written stays."""
    job = store.find("transform-job", request["TransformJobName"])
    if job["TransformJobStatus"] == "InProgress":
        store.touch(job, TransformJobStatus="Stopping")
    return {}


def list_jobs(request: Json) -> Json:
    """ListTransformJobs."""
    names = ("TransformJobName", "TransformJobArn", "CreationTime", "TransformEndTime", "LastModifiedTime",
             "TransformJobStatus", "FailureReason")  # fmt: skip
    jobs = store.state["transform-job"].values()
    found, more = store.page(jobs, request, name="TransformJobName", names=names, status="TransformJobStatus")
    return {"TransformJobSummaries": found, **more}


def after_restart() -> None:
    """Jobs that ran when the embedded AWS stopped have failed."""
    for name, job in store.state["transform-job"].items():
        if job["TransformJobStatus"] in ("InProgress", "Stopping") and name not in _active:
            store.touch(job, TransformJobStatus="Failed", FailureReason="InternalServerError: stopped meanwhile.")


class _StoppedError(Exception):
    """StopTransformJob was called."""


def _run(job: Json) -> None:
    container = None
    store.touch(job, TransformStartTime=time.time())
    try:
        model = store.find("model", job["ModelName"])
        try:
            container = Container.start(
                model,
                f"transform-{job['TransformJobName']}",
                log_group=LOG_GROUP,
                log_stream=f"{job['TransformJobName']}/i-{int(time.time() * 1000):x}",
                variables={"SAGEMAKER_BATCH": "true", **job.get("Environment", {})},
            )
        except JobError as error:
            raise JobError(f"AlgorithmError: The primary container {error}") from error
        _transform(job, model["ExecutionRoleArn"], container)
        _finish(job, "Completed")
    except _StoppedError:
        _finish(job, "Stopped")
    except (JobError, ApiError) as error:
        _finish(job, "Failed", FailureReason=str(error)[:1024])
    except Exception as error:
        service.log.exception("transform job %s", job["TransformJobName"])
        _finish(job, "Failed", FailureReason=f"InternalServerError: {error!r}"[:1024])
    finally:
        _active.discard(job["TransformJobName"])
        if container:
            container.stop()


def _finish(job: Json, status: str, **changes: Any) -> None:
    store.touch(job, TransformEndTime=time.time(), **changes)
    store.touch(job, TransformJobStatus=status)


def _transform(job: Json, role: str, container: Container) -> None:
    source, target = job["TransformInput"], job["TransformOutput"]
    uri = source["DataSource"]["S3DataSource"]["S3Uri"]
    s3, (bucket, _) = artifacts.s3_of(role), artifacts.split(uri)
    out_bucket, out_prefix = artifacts.split(target["S3OutputPath"].rstrip("/"))
    for key in artifacts.keys(s3, uri, role):
        try:
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except s3.exceptions.ClientError as error:
            raise JobError(f"ClientError: Data download failed:{error}") from error
        if source.get("CompressionType") == "Gzip":
            body = gzip.decompress(body)
        answers = []
        for payload in _payloads(job, body):
            if job["TransformJobStatus"] == "Stopping":
                raise _StoppedError
            answers.append(_ask(container, payload, source.get("ContentType", ""), target.get("Accept", ""), key))
        joined = _assembled(answers, target.get("AssembleWith", "None"))
        path = "/".join(part for part in (out_prefix, artifacts.relative(key, uri)) if part)
        try:
            s3.put_object(Bucket=out_bucket, Key=f"{path}.out", Body=joined)
        except s3.exceptions.ClientError as error:
            raise JobError(f"ClientError: Upload of {path}.out failed:{error}") from error


def _payloads(job: Json, body: bytes) -> Iterator[bytes]:
    """The requests that one object becomes: whole, line by line, or as many lines as MaxPayloadInMB holds."""
    limit = job.get("MaxPayloadInMB", 6) * _MEGABYTE or 100 * _MEGABYTE
    if job["TransformInput"].get("SplitType", "None") == "None":
        records = [body]
    else:
        records = [line for line in body.split(b"\n") if line.strip()]
    for record in records:
        if len(record) > limit:
            raise JobError(
                f"ClientError: a record of {len(record)} bytes exceeds MaxPayloadInMB ({limit // _MEGABYTE} MB)"
            )
    if job.get("BatchStrategy", "MultiRecord") == "SingleRecord" or len(records) == 1:
        yield from records
        return
    batch: list[bytes] = []
    size = 0
    for record in records:
        if batch and size + len(record) + 1 > limit:
            yield b"\n".join(batch)
            batch, size = [], 0
        batch.append(record)
        size += len(record) + 1
    if batch:
        yield b"\n".join(batch)


def _ask(container: Container, payload: bytes, content_type: str, accept: str, key: str) -> bytes:
    try:
        status, answer, _ = container.invoke(payload, content_type, accept, timeout=600)
    except OSError as error:
        raise JobError(f"AlgorithmError: the container broke off on {key}: {error}") from error
    if status >= 400:
        text = answer.decode(errors="replace")
        raise JobError(
            f"AlgorithmError: See job logs for more information. "
            f"{key}: Bad HTTP status received from algorithm: {status} {text}"
        )
    return answer


def _assembled(answers: list[bytes], how: str) -> bytes:
    if how != "Line":
        return b"".join(answers)
    return b"".join(answer.rstrip(b"\n") + b"\n" for answer in answers)
