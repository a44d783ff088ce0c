"""What SageMaker knows: one dictionary per kind of resource, with AWS's rules for names, errors and lists."""

import re
import time
from collections.abc import Iterable
from typing import Any

from embedded_aws import service
from embedded_aws.service import ApiError

Json = dict[str, Any]

state: dict[str, dict[str, Any]] = {
    "training-job": {},
    "transform-job": {},
    "model": {},
    "endpoint-config": {},
    "endpoint": {},
    "model-package-group": {},
    "model-package": {},  # by ARN
    "mlflow-app": {},  # by id
    "tags": {},  # by ARN
}

_NAME = re.compile(r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")
_WORDS = {"endpoint-config": "endpoint configuration"}


def arn(kind: str, name: str) -> str:
    """SageMaker's ARNs carry names in lower case."""
    return service.arn("sagemaker", f"{kind}/{name.lower()}")


def check_name(name: str, field: str) -> None:
    """Raise ValidationException for a name that SageMaker refuses."""
    if not _NAME.match(name):
        raise ApiError(
            "ValidationException",
            f"1 validation error detected: Value '{name}' at '{field}' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {_NAME.pattern}",
        )


def create(kind: str, name: str, record: Json, *, in_use: bool = False) -> Json:
    """Add a resource. Raises ApiError for a taken name: ResourceInUse for jobs, ValidationException for the rest."""
    identifier = arn(kind, name)
    if name in state[kind]:
        if in_use:
            raise ApiError(
                "ResourceInUse",
                f"Job name must be unique within an AWS account and region, and a {kind} with this name already exists "
                f"({identifier})",
            )
        raise ApiError(
            "ValidationException", f'Cannot create already existing {_WORDS.get(kind, kind)} "{identifier}".'
        )
    state["tags"][identifier] = record.pop("Tags", [])
    now = time.time()
    state[kind][name] = {**record, "CreationTime": now, "LastModifiedTime": now}
    return state[kind][name]


def find(kind: str, name: str) -> Json:
    """A resource by name. Raises ApiError ValidationException in AWS's words."""
    if name in state[kind]:
        return state[kind][name]
    if kind == "training-job":
        raise ApiError("ValidationException", "Requested resource not found.")
    if kind == "transform-job":
        raise ApiError("ValidationException", f"Could not find requested job with name: {name}")
    raise ApiError("ValidationException", f'Could not find {_WORDS.get(kind, kind)} "{arn(kind, name)}".')


def delete(kind: str, name: str) -> Json:
    """Remove a resource and its tags."""
    find(kind, name)
    state["tags"].pop(arn(kind, name), None)
    return state[kind].pop(name)


def touch(record: Json, **changes: Any) -> None:
    """Change a record and its LastModifiedTime."""
    record.update(changes, LastModifiedTime=time.time())


def page(
    records: Iterable[Json], request: Json, *, name: str, names: tuple[str, ...], status: str = ""
) -> tuple[list[Json], Json]:
    """One page of a List call, with AWS's filters: (summaries, {"NextToken"} or {}).

    `name` is the field that NameContains and SortBy=Name look at, `names` the fields of a summary, `status` the field
    of StatusEquals.
    """
    found = [
        record
        for record in records
        if request.get("NameContains", "").lower() in str(record[name]).lower()
        and (not request.get("StatusEquals") or record.get(status) == request["StatusEquals"])
        and record["CreationTime"] >= request.get("CreationTimeAfter", 0)
        and record["CreationTime"] <= request.get("CreationTimeBefore", float("inf"))
    ]
    found.sort(
        key=lambda record: str(record[name]) if request.get("SortBy") == "Name" else record["CreationTime"],
        reverse=request.get("SortOrder", "Descending") == "Descending",
    )
    start, size = int(request.get("NextToken") or 0), int(request.get("MaxResults", 10))
    summaries = [{key: record[key] for key in names if key in record} for record in found[start : start + size]]
    return summaries, ({"NextToken": str(start + size)} if start + size < len(found) else {})


def tag_operations() -> dict[str, Any]:
    """AddTags, ListTags, DeleteTags."""

    def add(request: Json) -> Json:
        kept = {tag["Key"]: tag for tag in state["tags"].get(request["ResourceArn"], [])}
        kept |= {tag["Key"]: tag for tag in request["Tags"]}
        state["tags"][request["ResourceArn"]] = list(kept.values())
        return {"Tags": list(kept.values())}

    def remove(request: Json) -> Json:
        kept = [tag for tag in state["tags"].get(request["ResourceArn"], []) if tag["Key"] not in request["TagKeys"]]
        state["tags"][request["ResourceArn"]] = kept
        return {}

    return {
        "AddTags": add,
        "ListTags": lambda request: {"Tags": state["tags"].get(request["ResourceArn"], [])},
        "DeleteTags": remove,
    }
