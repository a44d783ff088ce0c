"""Stand-ins for what moto lacks: the Redshift Data API, parts of SageMaker, state machine histories."""
# ruff: noqa: N803 (the arguments are named as the AWS API names them)

import importlib.util
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from botocore.exceptions import ClientError

from solvent.naming import Names
from solvent.scorecard import CategoricalFeature, NumericFeature, Scorecard

ROOT = Path(__file__).parents[1]
ACCOUNT, REGION = "123456789012", "eu-west-1"
NAMES = Names("dev")


def bucket(zone: str) -> str:
    return NAMES.bucket(zone, ACCOUNT, REGION)


def client_error(code: str, message: str = "", operation: str = "Operation", **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}, **more}, operation)  # type: ignore[typeddict-item]


def load_handler(name: str) -> ModuleType:
    """A fresh import of `lambdas/<name>/handler.py` with its own `settings` beside it, as Lambda has it."""
    folder = ROOT / "lambdas" / name
    sys.modules.pop("settings", None)
    sys.path.insert(0, str(folder))
    try:
        spec = importlib.util.spec_from_file_location(f"lambda_{name}", folder / "handler.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("settings", None)
    return module


def small_scorecard() -> Scorecard:
    """Two features, figures that can be checked by hand."""
    return Scorecard(
        portfolio="lending",
        entity="loan_id",
        words=("approve", "refer", "decline"),
        model="application",
        specification="0" * 64,
        features=(
            NumericFeature("amount", "Amount of the loan", (1000.0, 5000.0), (-1.0, 0.0, 1.5), 0.5, 0.1),
            CategoricalFeature("purpose", "Purpose of the loan", ("car_new", "repairs"), (-0.5, 0.75), 0.05, 0.0, 0.05),
        ),
        ignored=("credit_score",),
        intercept=-1.0,
        points=600.0,
        odds=50.0,
        points_to_double_odds=20.0,
        bands=(("A", 0.05), ("B", 0.2), ("C", 1.0)),
        refer=0.2,
        decline=0.4,
        reasons=4,
    )


class RedshiftData:
    """A Data API that answers with what it was told to. `statements` maps an id to the statuses it goes through."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.failures: list[ClientError] = []
        self.progress = ["FINISHED"]
        self.error = ""
        self.pages: list[dict[str, Any]] = []
        self.has_result = False
        self._ids: dict[str, str] = {}

    def execute_statement(self, **request: Any) -> dict[str, Any]:
        return self._submit("execute_statement", request)

    def batch_execute_statement(self, **request: Any) -> dict[str, Any]:
        return self._submit("batch_execute_statement", request)

    def describe_statement(self, **request: Any) -> dict[str, Any]:
        self._note("describe_statement", request)
        status = self.progress.pop(0) if len(self.progress) > 1 else self.progress[0]
        found = {"Id": request["Id"], "Status": status, "HasResultSet": self.has_result}
        if status == "FAILED":
            found["SubStatements"] = [
                {"Status": "FINISHED", "QueryString": "SELECT 1"},
                {"Status": "FAILED", "QueryString": "MERGE INTO loans", "Error": self.error},
            ]
        return found

    def get_statement_result(self, **request: Any) -> dict[str, Any]:
        self._note("get_statement_result", request)
        return self.pages[int(request.get("NextToken", 0))]

    def cancel_statement(self, **request: Any) -> dict[str, Any]:
        self._note("cancel_statement", request)
        return {"Status": True}

    def sent(self, operation: str) -> list[dict[str, Any]]:
        return [request for name, request in self.requests if name == operation]

    def _submit(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self._note(operation, request)
        token = request.get("ClientToken") or f"none-{len(self.requests)}"
        return {"Id": self._ids.setdefault(token, f"statement-{len(self._ids) + 1}")}

    def _note(self, operation: str, request: dict[str, Any]) -> None:
        self.requests.append((operation, request))
        if self.failures:
            raise self.failures.pop(0)


class SageMaker:
    """Endpoints, configurations, models and packages by name; refuses absent ones in SageMaker's words."""

    def __init__(self) -> None:
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.configs: dict[str, list[str]] = {}
        self.models: dict[str, str] = {}
        self.versions: dict[str, str] = {}
        self.packages: list[str] = []
        self.failing: set[str] = set()
        self.after_update = ["Updating", "InService"]  # the statuses that an update goes through
        self.page_size = 2

    def describe_endpoint(self, *, EndpointName: str) -> dict[str, Any]:
        found = self._get(self.endpoints, EndpointName, "endpoint")
        statuses = found["statuses"]
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        if status == "Gone":
            del self.endpoints[EndpointName]
            self._get(self.endpoints, EndpointName, "endpoint")
        weights = [{"VariantName": name, "CurrentWeight": w} for name, w in found.get("weights", {}).items()]
        return {
            "EndpointName": EndpointName,
            "EndpointConfigName": found["config"],
            "EndpointStatus": status,
            **({"ProductionVariants": weights} if weights else {}),
        }

    def update_endpoint(self, *, EndpointName: str, EndpointConfigName: str) -> None:
        """Goes to the configuration, unless it is named in `failing`: then it comes back to the old one."""
        endpoint = self.endpoints[EndpointName]
        endpoint["statuses"] = list(self.after_update)
        if EndpointConfigName not in self.failing:
            endpoint["config"] = EndpointConfigName

    def update_endpoint_weights_and_capacities(
        self, *, EndpointName: str, DesiredWeightsAndCapacities: list[dict[str, Any]]
    ) -> None:
        endpoint = self.endpoints[EndpointName]
        endpoint["statuses"] = list(self.after_update)
        endpoint["weights"] = {item["VariantName"]: item["DesiredWeight"] for item in DesiredWeightsAndCapacities}

    def describe_endpoint_config(self, *, EndpointConfigName: str) -> dict[str, Any]:
        models = self._get(self.configs, EndpointConfigName, "endpoint configuration")
        names = ("champion", "challenger")
        return {"ProductionVariants": [{"VariantName": n, "ModelName": m} for n, m in zip(names, models, strict=False)]}

    def describe_model(self, *, ModelName: str) -> dict[str, Any]:
        container: dict[str, Any] = {"ModelDataUrl": self._get(self.models, ModelName, "model")}
        if ModelName in self.versions:
            container["Environment"] = {"MODEL_VERSION": self.versions[ModelName]}
        return {"PrimaryContainer": container}

    def go_live(self, endpoint: str, model: str, version: str | None = None) -> None:
        """An endpoint with this model behind it, and a configuration of the model's name."""
        self.endpoints[endpoint] = {"config": model, "statuses": ["InService"]}
        self.configs[model] = [model]
        self.models.setdefault(model, f"s3://artifacts/{model}.tar.gz")
        if version is not None:
            self.versions[model] = version

    def delete_endpoint(self, *, EndpointName: str) -> None:
        self._get(self.endpoints, EndpointName, "endpoint")["statuses"] = ["Deleting", "Gone"]

    def delete_endpoint_config(self, *, EndpointConfigName: str) -> None:
        del self.configs[EndpointConfigName]

    def delete_model(self, *, ModelName: str) -> None:
        del self.models[ModelName]

    def delete_model_package(self, *, ModelPackageName: str) -> None:
        self.packages.remove(ModelPackageName)

    def list_endpoint_configs(self, **request: Any) -> dict[str, Any]:
        names = list(self.configs)  # in the order in which they were made
        newest_first = request.get("SortOrder") == "Descending"
        found = [{"EndpointConfigName": n} for n in (reversed(names) if newest_first else names)]
        return self._page(found, "EndpointConfigs", request)

    def list_models(self, **request: Any) -> dict[str, Any]:
        return self._page([{"ModelName": n} for n in self.models], "Models", request)

    def list_model_packages(self, **request: Any) -> dict[str, Any]:
        return self._page([{"ModelPackageArn": p} for p in self.packages], "ModelPackageSummaryList", request)

    def _page(self, items: list[dict[str, Any]], key: str, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.get("NameContains", "")
        found = [item for item in items if wanted in next(iter(item.values()))]
        start = int(request.get("NextToken", 0))
        page: dict[str, Any] = {key: found[start : start + self.page_size]}
        if start + self.page_size < len(found):
            page["NextToken"] = str(start + self.page_size)
        return page

    @staticmethod
    def _get(where: dict[str, Any], name: str, kind: str) -> Any:
        if name not in where:
            raise client_error("ValidationException", f'Could not find {kind} "{name}".')
        return where[name]


class AutoScaling:
    def __init__(self, *resources: str) -> None:
        self.resources = list(resources)

    def describe_scalable_targets(self, **request: Any) -> dict[str, Any]:
        if "ScalableDimension" in request and "ResourceIds" not in request:  # as AWS documents the parameter
            raise client_error(
                "ValidationException", "If you specify a scalable dimension, specify a resource ID, too."
            )
        return {"ScalableTargets": [{"ResourceId": r} for r in self.resources]}

    def deregister_scalable_target(self, *, ResourceId: str, **request: Any) -> None:
        self.resources.remove(ResourceId)


class Executions:
    """State machine executions: ARN -> status, and one history for all."""

    def __init__(self, **statuses: str) -> None:
        self.statuses = dict(statuses)
        self.history: list[dict[str, Any]] = []

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        if executionArn not in self.statuses:
            raise client_error("ExecutionDoesNotExist", "Execution Does Not Exist")
        return {"status": self.statuses[executionArn]}

    def get_execution_history(
        self,
        *,
        executionArn: str,
        reverseOrder: bool,
        maxResults: int,
        nextToken: str = "0",
    ) -> dict[str, Any]:
        assert reverseOrder
        newest = self.history[::-1]
        start = int(nextToken)
        # Small pages, whatever was asked for, so that paging is exercised.
        page: dict[str, Any] = {"events": newest[start : start + 3]}
        if start + 3 < len(newest):
            page["nextToken"] = str(start + 3)
        return page


class Runtime:
    """SageMaker runtime: `answer` is called with the request and returns text, or raises."""

    def __init__(self, answer: Callable[[dict[str, Any]], str]) -> None:
        self.answer = answer
        self.requests: list[dict[str, Any]] = []

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        return {"Body": io.BytesIO(self.answer(request).encode())}


def lines(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in body.splitlines()]


class JobRuns:
    """Glue job runs by id -> state."""

    def __init__(self, **states: str) -> None:
        self.states = states

    def get_job_run(self, *, JobName: str, RunId: str) -> dict[str, Any]:
        if RunId not in self.states:
            raise client_error("EntityNotFoundException", "Job Run does not exist")
        return {"JobRun": {"JobName": JobName, "Id": RunId, "JobRunState": self.states[RunId]}}
