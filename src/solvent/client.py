"""What a person or a program does with a deployed platform, as AWS calls: load, run, score, stream, query."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from solvent import compaction, contracts, delivery, landing, naming
from solvent.champion import live_model
from solvent.delivery import DeliveryError, Manifest
from solvent.refusals import reason
from solvent.target import Target
from solvent.warehouse import queries
from solvent.warehouse.data_api import DataApi


class PlatformError(Exception):
    """The platform refused or failed; the message says what and why."""


@dataclass(frozen=True)
class Execution:
    """A finished execution of a state machine."""

    arn: str
    status: str
    seconds: float
    output: dict[str, Any]
    error: str = ""
    cause: str = ""


class Platform:
    """One deployed environment."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.names = target.names

    # Deliveries

    def load(self, folder: Path) -> str:
        """Put a folder's files into the landing zone, the manifest last, and return the manifest's address.

        The manifest's arrival starts `ingest`. The same folder always lands under the same keys. Raises DeliveryError,
        before anything is put, when a source's file is missing or a file belongs to no source.
        """
        manifest = delivery.build(folder)
        _require_all_sources(folder, manifest)
        return landing.put(self.target.client("s3"), self.target.bucket("landing"), folder, manifest)

    def latest_manifest(self, portfolio: str) -> str:
        """The manifest that landed last."""
        s3, bucket = self.target.client("s3"), self.target.bucket("landing")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{portfolio}/")
        found = [o for page in pages for o in page.get("Contents", []) if o["Key"].endswith("/manifest.json")]
        if not found:
            raise PlatformError(f"Nothing has been delivered to s3://{bucket}/{portfolio}/. Try `solvent load FOLDER`.")
        return f"s3://{bucket}/{max(found, key=lambda o: o['LastModified'])['Key']}"

    def stacks(self) -> list[dict[str, Any]]:
        """The deployed stacks of this environment, as CloudFormation describes them."""
        pages = self.target.client("cloudformation").get_paginator("describe_stacks").paginate()
        found = (stack for page in pages for stack in page["Stacks"])
        return [stack for stack in found if stack["StackName"].startswith(self.names.stack(""))]

    # State machines

    def run(
        self,
        phase: str,
        request: dict[str, Any],
        *,
        on_state: Callable[[str], None] = lambda _: None,
        timeout: float = 7200,
    ) -> Execution:
        """Start a state machine and follow it to its end.

        `on_state` hears of each state entered, those of the machines it calls included. Raises PlatformError when the
        machine is not deployed or is still running after `timeout` seconds.
        """
        return self.follow(self.start(phase, request), on_state=on_state, timeout=timeout)

    def start(self, phase: str, request: dict[str, Any]) -> str:
        """Start a state machine; the execution's ARN. Raises PlatformError when the machine is not deployed."""
        states = self.target.client("stepfunctions")
        started = states.start_execution(stateMachineArn=self.machine_arn(phase), input=json.dumps(request))
        return str(started["executionArn"])

    def follow(self, arn: str, *, on_state: Callable[[str], None] = lambda _: None, timeout: float = 7200) -> Execution:
        """An execution to its end, as `run` does."""
        states = self.target.client("stepfunctions")
        begun = time.monotonic()
        seen: set[tuple[str, int]] = set()
        pause = 0.2
        while True:
            try:
                execution = states.describe_execution(executionArn=arn)
            except states.exceptions.ExecutionDoesNotExist as error:
                raise PlatformError(
                    f"{arn} is forgotten: the embedded AWS was restarted from a state before it. Run it again; what it "
                    "had completed is not done twice."
                ) from error
            for name in self._entered(states, arn, seen):
                on_state(name)
            if execution["status"] != "RUNNING":
                break
            if time.monotonic() - begun > timeout:
                raise PlatformError(f"{arn} still runs after {timeout:.0f} s. It goes on; see `solvent status`.")
            time.sleep(pause)
            pause = min(pause * 1.1, 5 if self.target.endpoint_url is None else 0.5)
        return Execution(
            arn=arn,
            status=execution["status"],
            seconds=time.monotonic() - begun,
            output=json.loads(execution.get("output") or "{}"),
            error=execution.get("error") or "",
            cause=execution.get("cause") or "",
        )

    def machine_arn(self, phase: str) -> str:
        name = self.names.state_machine(phase)
        return f"arn:aws:states:{self.target.region}:{self.target.account_id}:stateMachine:{name}"

    def _entered(self, states: Any, arn: str, seen: set[tuple[str, int]]) -> Iterator[str]:
        pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
        for event in (e for page in pages for e in page["events"]):
            key = (arn, event["id"])
            if "stateEnteredEventDetails" in event and key not in seen:
                seen.add(key)
                yield event["stateEnteredEventDetails"]["name"]
            submitted = event.get("taskSubmittedEventDetails") or {}
            if submitted.get("resourceType") == "states" and submitted.get("output"):
                child = json.loads(submitted["output"]).get("ExecutionArn")
                if child:
                    yield from self._entered(states, child, seen)

    # Scoring

    def score(self, applicant: Any, portfolio: str = "lending") -> Any:
        """Probability, score, decision and reasons from the SageMaker endpoint.

        Raises PlatformError with the model's own message when the request is malformed.
        """
        runtime = self.target.client("sagemaker-runtime")
        try:
            answer = runtime.invoke_endpoint(
                EndpointName=self.names.endpoint(portfolio),
                ContentType="application/json",
                Accept="application/json",
                Body=json.dumps(applicant).encode(),
            )
        except ClientError as error:
            said = reason(str(error.response.get("OriginalMessage", "")))
            raise PlatformError(
                f"The endpoint refused: {said or error.response['Error'].get('Message', str(error))}"
            ) from error
        return json.loads(answer["Body"].read())

    def score_by_api(self, applicant: Any) -> Any:
        """The same through the REST API, signed with the caller's IAM credentials."""
        body = json.dumps(applicant).encode()
        request = AWSRequest(
            method="POST", url=f"{self.api_url}/v1/score", data=body, headers={"content-type": "application/json"}
        )
        SigV4Auth(self.target.session.get_credentials(), "execute-api", self.target.region).add_auth(request)
        return self._http("POST", request.url, body, dict(request.headers))

    def health(self) -> Any:
        return self._http("GET", f"{self.api_url}/v1/health", None, {})

    @property
    def api_url(self) -> str:
        pages = self.target.client("apigatewayv2").get_paginator("get_apis").paginate()
        for api in (api for page in pages for api in page["Items"]):
            if api["Name"] == self.names.api:
                if self.target.endpoint_url is None:
                    return str(api["ApiEndpoint"])
                from embedded_aws import lifecycle

                return lifecycle.api_url(self.target.endpoint_url, api["ApiId"])
        raise PlatformError(f"There is no API '{self.names.api}': the platform is not deployed. Try `make demo`.")

    @staticmethod
    def _http(method: str, url: str, body: bytes | None, headers: dict[str, str]) -> Any:
        request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310 (https, or the loopback)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise PlatformError(f"{method} {url}: {error.code} {error.read().decode(errors='replace')}") from error

    # Streams and SQL

    def put_events(self, events: list[dict[str, Any]]) -> None:
        """Put application events on the stream, keyed by loan so that a loan's events stay in order."""
        kinesis = self.target.client("kinesis")
        for start in range(0, len(events), 500):
            records = [
                {"Data": json.dumps(e).encode(), "PartitionKey": str(e.get("loan_id") or "unknown")}
                for e in events[start : start + 500]
            ]
            refused = kinesis.put_records(StreamName=self.names.stream, Records=records)["FailedRecordCount"]
            if refused:
                raise PlatformError(f"{refused} of {len(records)} records were refused by {self.names.stream}. Retry.")

    def stream_events(self, event: str = "application_event") -> Iterator[dict[str, Any]]:
        """The events that have arrived in the raw zone, compacted or not."""
        return compaction.read(self.target.client("s3"), self.target.bucket("raw"), contracts.load()[event])

    def compact(self, *, timeout: float = 3600) -> tuple[str, str, float]:
        """Run the compaction of the stream; how it ended (SUCCEEDED, FAILED...), why, and after how many seconds.

        Raises PlatformError when it still runs after `timeout` seconds.
        """
        glue, begun = self.target.client("glue"), time.monotonic()
        job = self.names.compact_job
        run_id = glue.start_job_run(JobName=job)["JobRunId"]
        while time.monotonic() - begun < timeout:
            run = glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]
            if run["JobRunState"] not in ("STARTING", "RUNNING", "STOPPING", "WAITING"):
                return run["JobRunState"], run.get("ErrorMessage", ""), time.monotonic() - begun
            time.sleep(5 if self.target.endpoint_url is None else 0.2)
        raise PlatformError(f"Run {run_id} of {job} still runs after {timeout:.0f} s. It goes on by itself.")

    def champion(self, portfolio: str = "lending") -> dict[str, Any]:
        """The live endpoint, its model and the figures registered with the model's version."""
        sagemaker = self.target.client("sagemaker")
        endpoint = sagemaker.describe_endpoint(EndpointName=self.names.endpoint(portfolio))
        model = sagemaker.describe_model(ModelName=live_model(sagemaker, endpoint["EndpointName"]))
        version = model["PrimaryContainer"]["Environment"]["MODEL_VERSION"]
        group = self.names.model_package_group(portfolio)
        package = sagemaker.describe_model_package(
            ModelPackageName=f"arn:aws:sagemaker:{self.target.region}:{self.target.account_id}"
            f":model-package/{group}/{version}"
        )
        return {
            "endpoint": endpoint["EndpointName"],
            "status": endpoint["EndpointStatus"],
            "model": model["ModelName"],
            "version": version,
            "metrics": package.get("CustomerMetadataProperties", {}),
        }


def _require_all_sources(folder: Path, manifest: Manifest) -> None:
    sources = contracts.load().sources(manifest.portfolio)
    known = {contract.name for contract in sources}
    wanted = {contract.name for contract in sources if not contract.optional} if manifest.mode == "snapshot" else set()
    found = {file.source for file in manifest.files}
    strangers = sorted(p.name for p in delivery.data_files(folder) if delivery.source_of(p.name) not in known)
    if wanted - found or strangers:
        raise DeliveryError(
            f"{folder} needs one file per source ({', '.join(sorted(wanted)) or 'of what changed'}). "
            f"Missing: {', '.join(sorted(wanted - found)) or 'none'}; "
            f"belonging to no source: {', '.join(strangers) or 'none'}. Nothing was loaded."
        )


def warehouse(target: Target) -> DataApi:
    """The warehouse through the Redshift Data API, as the caller's IAM identity."""
    return DataApi(target.client("redshift-data"), workgroup=target.names.workgroup, database=naming.DATABASE)


def query(target: Target, sql: str, parameters: Mapping[str, str] | None = None) -> tuple[list[str], list[list[Any]]]:
    """Column names and rows of one statement."""
    result = warehouse(target).query(sql, parameters)
    return result.columns, result.rows


def saved_query(target: Target, name: str, **parameters: str) -> tuple[list[str], list[list[Any]]]:
    """Column names and rows of a saved query; its defaults where no value is given. Raises QueryError."""
    saved = queries.read()[name]
    return query(target, saved.sql, saved.arguments(parameters))
