"""Champion against challenger: what each answered to its share of the requests, from captured requests and metrics.

Requests are split at random, so the two may be compared. Outcomes are not here: a loan's label is known a year later,
and the figures of both versions on labelled loans are in the warehouse by then (`ops.models`, `marts`).
"""

import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from solvent.naming import Names, captured_prefix


@dataclass
class Variant:
    """What one variant answered; probabilities are those of default or bankruptcy."""

    name: str
    versions: set[str] = field(default_factory=set)
    probabilities: list[float] = field(default_factory=list)
    favourable: int = 0
    latency_ms: float | None = None  # mean of CloudWatch's ModelLatency; None where none is published

    @property
    def answers(self) -> int:
        return len(self.probabilities)

    @property
    def favourable_rate(self) -> float | None:
        """The share of answers whose decision is the favourable one."""
        return self.favourable / self.answers if self.answers else None

    def quantiles(self) -> tuple[float, float, float] | None:
        """Quartiles of the probabilities; None below two answers."""
        if self.answers < 2:
            return None
        low, middle, high = statistics.quantiles(self.probabilities, n=4, method="inclusive")
        return low, middle, high


class Comparison:
    """The live endpoint of a portfolio. `sagemaker`, `s3` and `cloudwatch` are boto3 clients."""

    def __init__(self, *, sagemaker: Any, s3: Any, cloudwatch: Any, bucket: str, names: Names) -> None:
        self._sagemaker, self._s3, self._cloudwatch = sagemaker, s3, cloudwatch
        self._bucket, self._names = bucket, names

    def variants(self, portfolio: str, *, favourable: str, hours: int) -> list[Variant]:
        """The variants of the endpoint with what they answered since it changed last, `hours` ago at most.

        `favourable` is the decision that counts as such, such as approve.
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
