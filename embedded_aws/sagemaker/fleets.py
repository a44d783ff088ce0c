"""The containers behind endpoints: started, replaced blue/green or kept, stopped, and chosen for a request.

One server process stands for all instances of a variant.
"""

import random
import threading
import time
from collections.abc import Mapping
from typing import Any

from embedded_aws import service
from embedded_aws.sagemaker import store
from embedded_aws.sagemaker.artifacts import JobError
from embedded_aws.sagemaker.container import Container
from embedded_aws.service import ApiError

Json = dict[str, Any]
Fleet = dict[str, Container]  # by variant

LOG_GROUP = "/aws/sagemaker/Endpoints/"
BAKE_SECONDS = 2.0  # the longest wait for alarms here; AWS waits WaitIntervalInSeconds

fleets: dict[str, Fleet] = {}
_canaries: dict[str, tuple[Fleet, str, float]] = {}  # by endpoint: of which configuration, and its share of requests
_counter = iter(range(1, 1 << 62))
_restored = threading.Event()
_restored.set()


def alarm_states(names: list[str]) -> dict[str, str]:
    """The state of each alarm that exists."""
    if not names:
        return {}
    found = service.operator_client("cloudwatch").describe_alarms(AlarmNames=names)
    return {a["AlarmName"]: a["StateValue"] for a in [*found["MetricAlarms"], *found.get("CompositeAlarms", [])]}


def _start(endpoint: str, config: str) -> Fleet:
    """A container per variant of a configuration. Raises JobError naming the variant."""
    fleet: Fleet = {}
    try:
        for variant in store.find("endpoint-config", config)["ProductionVariants"]:
            name = variant["VariantName"]
            try:
                fleet[name] = Container.start(
                    store.find("model", variant["ModelName"]),
                    f"{endpoint}-{name}-{next(_counter)}",
                    log_group=LOG_GROUP + endpoint,
                    log_stream=f"{name}/i-{int(time.time() * 1000):x}",
                )
            except JobError as error:
                raise JobError(f"The primary container for production variant {name} {error}") from error
    except (JobError, ApiError) as error:
        retire(fleet)
        raise JobError(str(error)) from error
    return fleet


def retire(fleet: Fleet) -> None:
    for container in fleet.values():
        service.spawn_thread(container.drain)


def _in_service(endpoint: Json, config: str) -> None:
    variants = store.find("endpoint-config", config)["ProductionVariants"]
    summaries = [
        {
            "VariantName": v["VariantName"],
            "CurrentWeight": v["InitialVariantWeight"],
            "DesiredWeight": v["InitialVariantWeight"],
            "CurrentInstanceCount": v["InitialInstanceCount"],
            "DesiredInstanceCount": v["InitialInstanceCount"],
        }
        for v in variants
    ]
    endpoint.pop("_next", None)
    store.touch(endpoint, EndpointConfigName=config, ProductionVariants=summaries, EndpointStatus="InService")


def bring_up(endpoint: Json) -> None:
    try:
        fleets[endpoint["EndpointName"]] = _start(endpoint["EndpointName"], endpoint["EndpointConfigName"])
        _in_service(endpoint, endpoint["EndpointConfigName"])
    except Exception as error:
        store.touch(endpoint, FailureReason=_reason(error), EndpointStatus="Failed")


def replace(endpoint: Json, config: str, deployment: Json) -> None:
    """New containers first; then the requests go to them; then the old ones end. Any failure keeps the old ones."""
    name, fleet = endpoint["EndpointName"], {}
    try:
        fleet = _start(name, config)
        if share := canary_share(deployment, store.find("endpoint-config", config)["ProductionVariants"]):
            _canaries[name] = fleet, config, share
        _bake(deployment)
    except Exception as error:
        _canaries.pop(name, None)
        retire(fleet)
        store.touch(endpoint, EndpointStatus="RollingBack")
        endpoint.pop("_next", None)
        store.touch(endpoint, FailureReason=_reason(error), EndpointStatus="InService")
        return
    old = fleets.get(name, {})
    fleets[name] = fleet
    _canaries.pop(name, None)
    _in_service(endpoint, config)
    retire(old)


def canary_share(deployment: Json, variants: list[Json]) -> float:
    """The share of capacity, 0 to 1, that shifts first; 0 where all shifts at once."""
    routing = deployment.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
    size = routing.get({"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}.get(routing.get("Type", ""), ""))
    if not size:
        return 0.0
    instances = min(variant["InitialInstanceCount"] for variant in variants)
    return float(size["Value"] / (100 if size["Type"] == "CAPACITY_PERCENT" else instances))


def _bake(deployment: Json) -> None:
    """Watch the alarms for a while. Raises JobError when one is in ALARM."""
    alarms = [alarm["AlarmName"] for alarm in deployment.get("AutoRollbackConfiguration", {}).get("Alarms", [])]
    if not alarms:
        return
    routing = deployment.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
    seconds = min(routing.get("WaitIntervalInSeconds", 0), BAKE_SECONDS) if routing.get("Type") != "ALL_AT_ONCE" else 0
    deadline = time.monotonic() + seconds
    while True:
        ringing = [name for name, state in alarm_states(alarms).items() if state == "ALARM"]
        if ringing:
            raise JobError(f"Deployment was rolled back because of the CloudWatch alarm(s) {', '.join(ringing)}")
        if time.monotonic() >= deadline:
            return
        time.sleep(0.5)


def _reason(error: Exception) -> str:
    if not isinstance(error, JobError):
        service.log.exception("endpoint", exc_info=error)
    return (str(error) if isinstance(error, JobError) else f"InternalServerError: {error!r}")[:1024]


def expect_restart() -> None:
    """State is being restored: requests wait until the servers are back."""
    _restored.clear()


def after_restart() -> None:
    """Start the servers of all endpoints again; what was under way has failed."""
    try:
        for endpoint in list(store.state["endpoint"].values()):
            name, status = endpoint["EndpointName"], endpoint["EndpointStatus"]
            if name in fleets or status == "Failed":
                continue
            if status == "Creating":
                store.touch(endpoint, EndpointStatus="Failed", FailureReason="The embedded AWS was stopped meanwhile.")
                continue
            try:
                fleets[name] = _start(name, endpoint["EndpointConfigName"])
            except Exception as error:
                store.touch(endpoint, EndpointStatus="Failed", FailureReason=_reason(error))
                continue
            endpoint.pop("_next", None)
            endpoint["EndpointStatus"] = "InService"
    finally:
        _restored.set()


def stop_all() -> None:
    """End every server process, at a reset."""
    while fleets:
        for container in fleets.popitem()[1].values():
            container.stop()


def route(name: str, target: str | None) -> tuple[str, Container]:
    """The variant and container of one request. Raises ApiError ValidationError when there is no such endpoint."""
    _restored.wait(30)
    endpoint, fleet = store.state["endpoint"].get(name), fleets.get(name)
    if endpoint is None or not fleet:
        account = store.arn("endpoint", name).split(":")[4]
        raise ApiError("ValidationError", f"Endpoint {name} of account {account} not found.")
    weights: Mapping[str, float] = {v["VariantName"]: v["CurrentWeight"] for v in endpoint["ProductionVariants"]}
    canary, config, share = _canaries.get(name, (fleet, "", 0.0))
    if random.random() < share:  # noqa: S311
        coming = store.find("endpoint-config", config)["ProductionVariants"]
        fleet, weights = canary, {v["VariantName"]: v["InitialVariantWeight"] for v in coming}
    if target:
        if target not in fleet:
            raise ApiError("ValidationError", f"Variant {target} of endpoint {name} not found.")
        return target, fleet[target]
    names = list(fleet)
    shares = [weights.get(variant, 1.0) for variant in names]
    chosen = names[0] if len(names) == 1 else random.choices(names, shares)[0]  # noqa: S311
    return chosen, fleet[chosen]
