"""Removing what the state machines created and no template knows of, when the stack goes: or it would cost on.

Endpoints, their configurations, models and scaling targets of each portfolio, and on request the model packages,
because CloudFormation cannot delete a model package group that holds any.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from solvent.logs import log
from solvent.naming import Names


class StillBusy(Exception):
    """An endpoint was still being changed when the time was over; delete the stack again later."""


class Cleanup:
    """`sagemaker` and `autoscaling` (application-autoscaling) are boto3 clients."""

    def __init__(
        self,
        *,
        sagemaker: Any,
        autoscaling: Any,
        names: Names,
        patience: float = 600,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sagemaker, self._autoscaling, self._names = sagemaker, autoscaling, names
        self._patience, self._sleep = patience, sleep

    def run(self, portfolios: Sequence[str], *, packages: bool) -> dict[str, int]:
        """Delete everything of these portfolios; a second time finds nothing. Returns counts. Raises StillBusy."""
        counts = {"endpoints": 0, "configurations": 0, "models": 0, "packages": 0}
        for portfolio in portfolios:
            name = self._names.endpoint(portfolio)
            self._stop_scaling(name)
            counts["endpoints"] += self._delete_endpoint(name)
            counts["configurations"] += self._delete_all(
                "list_endpoint_configs", "EndpointConfigs", "delete_endpoint_config", "EndpointConfigName", name
            )
            counts["models"] += self._delete_all("list_models", "Models", "delete_model", "ModelName", name)
            if packages:
                counts["packages"] += self._delete_packages(self._names.model_package_group(portfolio))
        log("cleaned_up", counts=counts)
        return counts

    def _stop_scaling(self, endpoint: str) -> None:
        where = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
        # All targets of the service: a dimension may only be asked for together with resource ids, which name variants.
        targets = self._pages(
            self._autoscaling,
            "describe_scalable_targets",
            "ScalableTargets",
            ServiceNamespace=where["ServiceNamespace"],
        )
        for target in targets:
            if target["ResourceId"].startswith(f"endpoint/{endpoint}/"):
                self._autoscaling.deregister_scalable_target(ResourceId=target["ResourceId"], **where)

    def _delete_endpoint(self, name: str) -> int:
        waited = 0.0
        deleted = 0
        while True:
            try:
                status = self._sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]
                if status not in ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"):
                    self._sagemaker.delete_endpoint(EndpointName=name)
                    deleted = 1
            except ClientError as error:
                if _absent(error):
                    return deleted
                raise
            if waited >= self._patience:
                raise StillBusy(f"Endpoint {name} was still {status} after {waited:g} s. Delete the stack again later.")
            self._sleep(2.0)
            waited += 2.0

    # Operations are written out in full, so that the least-privilege gate can read them.
    def _delete_all(self, listing: str, listed: str, deletion: str, key: str, prefix: str) -> int:
        found = [item[key] for item in self._pages(self._sagemaker, listing, listed, NameContains=prefix)]
        # NameContains also finds the names of others that merely contain the prefix.
        ours = [name for name in found if name == prefix or name.startswith(f"{prefix}-")]
        for name in ours:
            try:
                getattr(self._sagemaker, deletion)(**{key: name})
            except ClientError as error:
                if not _absent(error):
                    raise
        return len(ours)

    def _delete_packages(self, group: str) -> int:
        try:
            packages = self._pages(
                self._sagemaker, "list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=group
            )
        except ClientError as error:
            if _absent(error):
                return 0
            raise
        for package in packages:
            self._sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])
        return len(packages)

    @staticmethod
    def _pages(client: Any, operation: str, key: str, **request: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        page: dict[str, Any] = {"NextToken": None}
        more: dict[str, str] = {}
        while "NextToken" in page:
            page = getattr(client, operation)(**request, **more)
            found += page.get(key, [])
            if not page.get("NextToken"):
                break
            more = {"NextToken": page["NextToken"]}
        return found


def _absent(error: ClientError) -> bool:
    details = error.response["Error"]
    return details["Code"] in ("ResourceNotFound", "ResourceNotFoundException") or (
        "Could not find" in details.get("Message", "") or "does not exist" in details.get("Message", "")
    )
