"""Champion and challenger are compared by what each was asked and answered since they are side by side."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes import NAMES

from solvent.comparison import Comparison, Variant

ENDPOINT = NAMES.endpoint("lending")
NOW = datetime.now(UTC)


class Aws:
    """An endpoint with two variants, made two hours ago; captured objects by key, with their age in hours."""

    def __init__(self, objects: dict[str, tuple[float, list[Any]]]) -> None:
        self.objects = objects

    def describe_endpoint(self, **_: Any) -> dict[str, Any]:
        names = ("champion", "challenger")
        return {"EndpointConfigName": "c", "ProductionVariants": [{"VariantName": name} for name in names]}

    def describe_endpoint_config(self, **_: Any) -> dict[str, Any]:
        return {"CreationTime": NOW - timedelta(hours=2)}

    def get_paginator(self, _: str) -> "Aws":
        return self

    def paginate(self, **request: str) -> list[dict[str, Any]]:
        found = {key: age for key, (age, _) in self.objects.items() if key.startswith(request["Prefix"])}
        return [{"Contents": [{"Key": k, "LastModified": NOW - timedelta(hours=age)} for k, age in found.items()]}, {}]

    def get_object(self, **request: str) -> dict[str, Any]:
        lines = [
            {"captureData": {"endpointOutput": {"encoding": "JSON", "data": json.dumps(answer)}}}
            for answer in self.objects[request["Key"]][1]
        ]
        return {"Body": io.BytesIO("\n".join(map(json.dumps, lines)).encode())}

    def get_metric_statistics(self, **request: Any) -> dict[str, Any]:
        points = [{"Sum": 9000.0, "SampleCount": 3.0}, {"Sum": 1000.0, "SampleCount": 1.0}]
        return {"Datapoints": points if {"Name": "VariantName", "Value": "champion"} in request["Dimensions"] else []}


def answer(probability: float, decision: str, version: str) -> dict[str, Any]:
    return {"probability": probability, "decision": decision, "model_version": version}


@pytest.fixture
def variants() -> list[Variant]:
    below = f"captured/lending/{ENDPOINT}"
    aws = Aws(
        {
            f"{below}/champion/a": (1, [answer(0.1, "approve", "1"), [answer(0.2, "approve", "1")] * 2]),
            f"{below}/champion/before": (3, [answer(0.9, "decline", "0")]),
            f"{below}/challenger/a": (1, [answer(0.3, "decline", "2"), answer(0.1, "approve", "2")]),
        }
    )
    clients = {"sagemaker": aws, "s3": aws, "cloudwatch": aws}
    return Comparison(**clients, bucket="b", names=NAMES).variants("lending", favourable="approve", hours=24)


def test_each_variant_is_judged_by_its_own_answers(variants: list[Variant]) -> None:
    champion, challenger = variants
    assert (champion.versions, challenger.versions) == ({"1"}, {"2"})
    assert (champion.answers, challenger.answers) == (3, 2)  # a list is as many answers; what is older is not theirs
    assert (champion.favourable_rate, challenger.favourable_rate) == (1.0, 0.5)
    assert champion.quantiles() == pytest.approx((0.15, 0.2, 0.2))


def test_latency_is_the_mean_of_all_requests_in_milliseconds_or_unknown(variants: list[Variant]) -> None:
    assert [variant.latency_ms for variant in variants] == [2.5, None]


def test_without_answers_nothing_is_said_of_them() -> None:
    silent = Variant("challenger")
    assert (silent.favourable_rate, silent.quantiles()) == (None, None)
