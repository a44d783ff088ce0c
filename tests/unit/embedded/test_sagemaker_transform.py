"""How batch transform cuts its input into requests and puts the answers together."""

import json
from typing import Any

import pytest

pytest.importorskip("ministack")
from embedded_aws.sagemaker import transform
from embedded_aws.sagemaker.artifacts import JobError
from embedded_aws.service import ApiError


def job(split: str = "Line", **more: Any) -> dict[str, Any]:
    return {"TransformInput": {"SplitType": split}, **more}


def payloads(record: dict[str, Any], body: bytes) -> list[bytes]:
    return list(transform._payloads(record, body))


@pytest.mark.contract(
    "sagemaker.multi-record",
    page="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformInput.html",
    says="With SplitType Line and MultiRecord each request holds as many records as fit into MaxPayloadInMB.",
)
def test_many_records_fill_requests_up_to_the_payload_limit() -> None:
    lines = [json.dumps({"n": n, "pad": "x" * 1000}).encode() for n in range(2500)]
    found = payloads(job(BatchStrategy="MultiRecord", MaxPayloadInMB=1), b"\n".join(lines) + b"\n")
    assert len(found) == 3
    assert all(len(part) <= 1024 * 1024 for part in found)
    assert b"\n".join(found).split(b"\n") == lines, "no record is lost, split or reordered"


def test_single_records_go_one_by_one() -> None:
    assert payloads(job(BatchStrategy="SingleRecord"), b"a\nb\n\nc") == [b"a", b"b", b"c"]


def test_without_a_split_the_whole_object_is_one_request() -> None:
    assert payloads(job("None"), b"a\nb\n") == [b"a\nb\n"]


@pytest.mark.contract(
    "sagemaker.payload",
    page="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html",
    quote="The maximum allowed size of the payload, in MB.",
)
def test_a_record_above_the_limit_fails() -> None:
    with pytest.raises(JobError, match="exceeds MaxPayloadInMB"):
        payloads(job(MaxPayloadInMB=1), b"x" * (1024 * 1024 + 1))


@pytest.mark.contract(
    "sagemaker.assemble-with",
    page="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformOutput.html",
    quote="Defines how to assemble the results of the transform job as a single S3 object.",
)
def test_answers_are_joined_line_by_line() -> None:
    assert transform._assembled([b"1\n2\n", b"3"], "Line") == b"1\n2\n3\n"
    assert transform._assembled([b"1", b"2"], "None") == b"12"


def test_many_records_without_a_split_are_refused() -> None:
    request = {
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix"}}},
        "BatchStrategy": "MultiRecord",
    }
    with pytest.raises(ApiError, match="needs a SplitType"):
        transform._check(request)
