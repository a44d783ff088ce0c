"""Champion against challenger: what each answered to its share of the requests, from captured requests and metrics.

Requests are split at random, so the two may be compared. Outcomes are those of `marts.decisions`, of whom a request
named. A label comes a year after the loan, and captured requests stay a month: outcomes are there only where labelled
loans are asked about again, such as for a test of both models on loans of last year.
"""

import json
import statistics
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from solvent.naming import Names, captured_prefix
from solvent.warehouse.data_api import DataApi

_OUTCOMES = """
    SELECT entity_id, MAX(outcome) FROM marts.decisions
    WHERE portfolio = :portfolio AND outcome IS NOT NULL AND entity_id BETWEEN :first AND :last
    GROUP BY entity_id
"""


@dataclass
class Variant:
    """What one variant answered; probabilities are those of default or bankruptcy."""

    name: str
    versions: set[str] = field(default_factory=set)
    probabilities: list[float] = field(default_factory=list)
    favourable: int = 0
    named: dict[str, float] = field(default_factory=dict)  # entity -> the probability that it was answered last
    outcomes: dict[str, int] = field(default_factory=dict)  # of those, as far as they are known: 1 is bad
    latency_ms: float | None = None  # mean of CloudWatch's ModelLatency; None where none is published

    @property
    def answers(self) -> int:
        return len(self.probabilities)

    @property
    def favourable_rate(self) -> float | None:
        """The share of answers whose decision is the favourable one."""
        return self.favourable / self.answers if self.answers else None

    @property
    def bad_rate(self) -> float | None:
        """The share of the known outcomes that is bad."""
        return statistics.fmean(self.outcomes.values()) if self.outcomes else None

    @property
    def expected_bad_rate(self) -> float | None:
        """The mean probability that those were given whose outcome is known."""
        return statistics.fmean(self.named[entity] for entity in self.outcomes) if self.outcomes else None

    def quantiles(self) -> tuple[float, float, float] | None:
        """Quartiles of the probabilities; None below two answers."""
        if self.answers < 2:
            return None
        low, middle, high = statistics.quantiles(self.probabilities, n=4, method="inclusive")
        return low, middle, high


class Comparison:
    """The live endpoint of a portfolio. `sagemaker`, `s3` and `cloudwatch` are boto3 clients."""

    def __init__(
        self, *, sagemaker: Any, s3: Any, cloudwatch: Any, warehouse: DataApi, bucket: str, names: Names
    ) -> None:
        self._sagemaker, self._s3, self._cloudwatch, self._warehouse = sagemaker, s3, cloudwatch, warehouse
        self._bucket, self._names = bucket, names

    def variants(self, portfolio: str, *, entity: str, favourable: str, hours: int) -> list[Variant]:
        """The variants of the endpoint with what they answered since it changed last, `hours` ago at most.

        `entity` is the field that names who is asked about, such as loan_id; `favourable` is the decision that counts
        as such, such as approve.
        """
        endpoint = self._names.endpoint(portfolio)
        live = self._sagemaker.describe_endpoint(EndpointName=endpoint)
        since = max(datetime.now(UTC) - timedelta(hours=hours), self._deployed(live))
        found = []
        for described in live["ProductionVariants"]:
            variant = Variant(described["VariantName"])
            for answer in self._answers(f"{captured_prefix(portfolio)}{endpoint}/{variant.name}/", since):
                variant.versions.add(str(answer["model_version"]))
                variant.probabilities.append(float(answer["probability"]))
                variant.favourable += answer["decision"] == favourable
                if answer.get(entity):
                    variant.named[str(answer[entity])] = float(answer["probability"])
            variant.outcomes = self._outcomes(portfolio, variant.named.keys())
            variant.latency_ms = self._latency(endpoint, variant.name, since)
            found.append(variant)
        return found

    def _deployed(self, live: dict[str, Any]) -> datetime:
        """When the live configuration was made: requests before that were answered by others."""
        name = live["EndpointConfigName"]
        made: datetime = self._sagemaker.describe_endpoint_config(EndpointConfigName=name)["CreationTime"]
        return made

    def _answers(self, prefix: str, since: datetime) -> Iterator[dict[str, Any]]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        for item in (item for page in pages for item in page.get("Contents", []) if item["LastModified"] >= since):
            body = self._s3.get_object(Bucket=self._bucket, Key=item["Key"])["Body"].read()
            for line in body.splitlines():
                output = json.loads(line)["captureData"]["endpointOutput"]
                if output["encoding"] == "JSON":
                    answered = json.loads(output["data"])
                    yield from answered if isinstance(answered, list) else [answered]

    def _outcomes(self, portfolio: str, entities: Collection[str]) -> dict[str, int]:
        if not entities:
            return {}
        between = {"portfolio": portfolio, "first": min(entities), "last": max(entities)}
        rows = self._warehouse.query(_OUTCOMES, between).rows
        return {str(entity): int(outcome) for entity, outcome in rows if entity in entities}

    def _latency(self, endpoint: str, variant: str, since: datetime) -> float | None:
        dimensions = {"EndpointName": endpoint, "VariantName": variant}
        points = self._cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="ModelLatency",
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=since,
            EndTime=datetime.now(UTC),
            Period=3600,
            Statistics=["Sum", "SampleCount"],
        )["Datapoints"]
        count = sum(point["SampleCount"] for point in points)
        return sum(point["Sum"] for point in points) / count / 1000 if count else None  # it is in microseconds
