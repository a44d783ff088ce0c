"""Champion and challenger are compared by what each was asked and answered since they are side by side."""

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes import NAMES

from solvent.comparison import Comparison, Variant
from solvent.warehouse.data_api import DataApi, Result

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


class Warehouse(DataApi):
    """A warehouse that knows the outcome of L1 (bad), L2 (good) and L25 (bad), and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, str] | None] = []

    def query(self, sql: str, parameters: Mapping[str, str] | None = None, *, timeout: float = 300) -> Result:
        self.asked.append(parameters)
        return Result(["entity_id", "max"], [["L1", 1], ["L2", 0], ["L25", 1]])


def answer(probability: float, decision: str, version: str, loan_id: str | None = None) -> dict[str, Any]:
    named = {"loan_id": loan_id} if loan_id else {}
    return {**named, "probability": probability, "decision": decision, "model_version": version}


def compared(objects: dict[str, tuple[float, list[Any]]], warehouse: Warehouse | None = None) -> list[Variant]:
    aws = Aws({f"captured/lending/{ENDPOINT}/{key}": found for key, found in objects.items()})
    comparison = Comparison(
        sagemaker=aws, s3=aws, cloudwatch=aws, warehouse=warehouse or Warehouse(), bucket="b", names=NAMES
    )
    return comparison.variants("lending", entity="loan_id", favourable="approve", hours=24)


@pytest.fixture
def variants() -> list[Variant]:
    return compared(
        {
            "champion/a": (1, [answer(0.1, "approve", "1"), [answer(0.2, "approve", "1")] * 2]),
            "champion/before": (3, [answer(0.9, "decline", "0")]),
            "challenger/a": (1, [answer(0.3, "decline", "2"), answer(0.1, "approve", "2")]),
        }
    )


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


def test_outcomes_are_of_those_whom_a_request_named_and_the_warehouse_knows() -> None:
    asked = [("L1", 0.2), ("L1", 0.4), ("L2", 0.1), ("L3", 0.9), (None, 0.5)]  # of L1 the last answer counts
    warehouse = Warehouse()
    champion, challenger = compared(
        {
            "champion/a": (1, [answer(p, "approve", "1", loan) for loan, p in asked]),
            "challenger/a": (1, [answer(0.3, "decline", "2")]),
        },
        warehouse,
    )
    assert champion.outcomes == {"L1": 1, "L2": 0}
    assert (champion.expected_bad_rate, champion.bad_rate) == pytest.approx((0.25, 0.5))
    assert (challenger.outcomes, challenger.expected_bad_rate, challenger.bad_rate) == ({}, None, None)
    assert warehouse.asked == [{"portfolio": "lending", "first": "L1", "last": "L3"}]
