"""The way back: earlier endpoint configurations are kept, and the endpoint can be moved to any of them.

A configuration and its models are never changed after they went live, so what was live can be live again as it was.
SageMaker itself refuses a second update of an endpoint while one is under way.
"""

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from solvent.logs import log
from solvent.naming import CHALLENGER, Names

_BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack")


class RolloutError(Exception):
    """The endpoint could not be moved; the message says how it stands now."""


class Rollout:
    """The endpoints of one environment. `sagemaker` is a boto3 client; `patience` is in seconds."""

    def __init__(
        self,
        sagemaker: Any,
        names: Names,
        *,
        patience: float = 7200,
        pause: float = 5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sagemaker, self._names = sagemaker, names
        self._patience, self._pause, self._sleep = patience, pause, sleep

    def kept(self, portfolio: str) -> list[str]:
        """The portfolio's endpoint configurations, newest first."""
        prefix, found = self._names.endpoint(portfolio), []
        request: dict[str, Any] = {"NameContains": prefix, "SortBy": "CreationTime", "SortOrder": "Descending"}
        while True:
            page = self._sagemaker.list_endpoint_configs(**request)
            found += [config["EndpointConfigName"] for config in page["EndpointConfigs"]]
            if not page.get("NextToken"):
                # NameContains also finds the names of others that merely contain the prefix.
                return [name for name in found if name.startswith(f"{prefix}-")]
            request["NextToken"] = page["NextToken"]

    def tidy(self, portfolio: str, keep: int) -> list[str]:
        """Delete all but the newest `keep` configurations, and the models that only those had. Returns their names.

        What is live stays, however old it is.
        """
        live = self._live(portfolio)["EndpointConfigName"]
        known = self.kept(portfolio)
        old = [name for name in known[keep:] if name != live]
        needed = {model for name in known if name not in old for model in self._models(name)}
        for name in old:
            models = self._models(name)
            self._sagemaker.delete_endpoint_config(EndpointConfigName=name)
            for model in sorted(set(models) - needed):
                self._delete_model(model)
        log("configurations_tidied", portfolio=portfolio, deleted=len(old), kept=len(known) - len(old))
        return old

    def back(self, portfolio: str, to: str | None = None) -> str:
        """Move the endpoint to configuration `to`, or to the one before the live one. Returns its name.

        The deployment is as the last one was: blue/green, with its alarms. Raises RolloutError when there is no such
        configuration, and when the endpoint is not in service on it in the end.
        """
        endpoint, live, known = self._names.endpoint(portfolio), self._live(portfolio), self.kept(portfolio)
        current = live["EndpointConfigName"]
        earlier = known[known.index(current) + 1 :] if current in known else known
        wanted = to or (earlier[0] if earlier else None)
        if wanted not in known or wanted == current:
            others = ", ".join(name for name in known if name != current) or "none"
            raise RolloutError(
                f"{endpoint} is on {current}, and {wanted or 'an earlier configuration'} is no other that is kept "
                f"(kept: {others}). Nothing was changed."
            )
        retained = {"RetainDeploymentConfig": True} if live.get("LastDeploymentConfig") else {}
        self._sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=wanted, **retained)
        now = self._settled(portfolio)
        if (now["EndpointStatus"], now["EndpointConfigName"]) != ("InService", wanted):
            raise RolloutError(
                f"{endpoint} is {now['EndpointStatus']} on {now['EndpointConfigName']}, not on {wanted}: the update "
                f"failed. {now.get('FailureReason', 'See its events in SageMaker.')}"
            )
        log("rolled_back", portfolio=portfolio, configuration=wanted, before=current)
        return wanted

    def share(self, portfolio: str, challenger: float) -> dict[str, float]:
        """Give the challenger this share of the requests, 0 to 1, and the champion the rest; returns the weights.

        No configuration changes, so it is at once and can be taken back. Raises RolloutError without a challenger.
        """
        endpoint, live = self._names.endpoint(portfolio), self._live(portfolio)
        variants = [variant["VariantName"] for variant in live["ProductionVariants"]]
        if CHALLENGER not in variants or len(variants) != 2:
            raise RolloutError(
                f"{endpoint} has no challenger (variants: {', '.join(variants)}). Train one: start `train` with "
                '{"portfolio": ..., "challenger_weight": 0.1}. Nothing was changed.'
            )
        wanted = {name: challenger if name == CHALLENGER else 1 - challenger for name in variants}
        self._sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=endpoint,
            DesiredWeightsAndCapacities=[{"VariantName": n, "DesiredWeight": w} for n, w in wanted.items()],
        )
        now = self._settled(portfolio)
        weights = {variant["VariantName"]: float(variant["CurrentWeight"]) for variant in now["ProductionVariants"]}
        if any(abs(weights[name] - weight) > 1e-6 for name, weight in wanted.items()):
            raise RolloutError(f"{endpoint} is {now['EndpointStatus']} with weights {weights}, not {wanted}.")
        return weights

    def _live(self, portfolio: str) -> dict[str, Any]:
        endpoint = self._names.endpoint(portfolio)
        try:
            return dict(self._sagemaker.describe_endpoint(EndpointName=endpoint))
        except ClientError as error:
            if "Could not find" not in error.response["Error"].get("Message", ""):
                raise
            raise RolloutError(f"There is no endpoint {endpoint}. Run `train` first; nothing was changed.") from error

    def _settled(self, portfolio: str) -> dict[str, Any]:
        """The endpoint's description once no change is under way. Raises RolloutError after the patience."""
        waited = 0.0
        while (found := self._live(portfolio))["EndpointStatus"] in _BUSY:
            if waited >= self._patience:
                raise RolloutError(
                    f"{found['EndpointName']} is still {found['EndpointStatus']} after {waited:.0f} s; it goes on."
                )
            self._sleep(self._pause)
            waited += self._pause
        return found

    def _models(self, configuration: str) -> list[str]:
        found = self._sagemaker.describe_endpoint_config(EndpointConfigName=configuration)
        return [str(variant["ModelName"]) for variant in found["ProductionVariants"]]

    def _delete_model(self, name: str) -> None:
        try:
            self._sagemaker.delete_model(ModelName=name)
        except ClientError as error:
            if "Could not find" not in error.response["Error"].get("Message", ""):
                raise
