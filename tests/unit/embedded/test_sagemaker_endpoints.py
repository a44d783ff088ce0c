"""Endpoints change hands without losing a request, and go back when they cannot."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("ministack")
from embedded_aws.sagemaker import endpoints, fleets, models, store
from embedded_aws.sagemaker.artifacts import JobError
from embedded_aws.service import ApiError

VARIANT = {"VariantName": "all", "InstanceType": "ml.m5.large", "InitialInstanceCount": 2}


class FakeContainer:
    """A container by its model; the model `broken` does not start."""

    def __init__(self, model: str) -> None:
        self.model, self.drained = model, False

    @classmethod
    def start(cls, model: dict[str, Any], name: str, **_: Any) -> "FakeContainer":
        if model["ModelName"] == "broken":
            raise JobError("did not pass the ping health check.")
        return cls(model["ModelName"])

    def drain(self) -> None:
        self.drained = True

    stop = drain


@pytest.fixture(autouse=True)
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(fleets, "Container", FakeContainer)
    monkeypatch.setattr(fleets, "alarm_states", lambda names: {n: n.upper() for n in names if n in ("ok", "alarm")})
    clear()
    for name in ("old", "new", "broken"):
        store.state["model"][name] = {"ModelName": name}
        models.create_config({"EndpointConfigName": name, "ProductionVariants": [{**VARIANT, "ModelName": name}]})
    yield
    clear()


def clear() -> None:
    fleets.fleets.clear()
    for records in store.state.values():
        records.clear()


def settled(name: str = "lending") -> dict[str, Any]:
    deadline = time.monotonic() + 5
    while (found := endpoints.describe({"EndpointName": name}))["EndpointStatus"] in endpoints._BUSY:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def created(config: str = "old") -> dict[str, Any]:
    endpoints.create({"EndpointName": "lending", "EndpointConfigName": config})
    return settled()


def update(config: str, **deployment: Any) -> dict[str, Any]:
    more = {"DeploymentConfig": deployment} if deployment else {}
    endpoints.update({"EndpointName": "lending", "EndpointConfigName": config, **more})
    return settled()


def serving() -> str:
    container: Any = fleets.route("lending", None)[1]
    return str(container.model)


@pytest.mark.contract(
    "sagemaker.update-endpoint",
    page="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html",
    says="The new configuration replaces the old one without a moment in which nothing serves.",
)
def test_an_update_replaces_the_fleet_and_drains_the_old_one() -> None:
    assert created()["EndpointStatus"] == "InService"
    old: Any = fleets.route("lending", None)[1]
    assert update("new")["EndpointConfigName"] == "new"
    assert serving() == "new"
    deadline = time.monotonic() + 5
    while not old.drained:
        assert time.monotonic() < deadline


@pytest.mark.contract(
    "sagemaker.update-fails",
    page="https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html",
    says="An update that fails leaves the endpoint in service on its former configuration.",
)
def test_an_update_that_fails_is_in_service_on_the_old_configuration() -> None:
    """Who only looks at the status takes a rollback for a success."""
    created()
    found = update("broken")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "old")
    assert "production variant all did not pass the ping health check" in found["FailureReason"]
    assert serving() == "old"


@pytest.mark.contract(
    "sagemaker.alarm",
    page="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AutoRollbackConfig.html",
    says="An alarm that rings while traffic shifts rolls the update back.",
)
def test_an_alarm_rolls_back() -> None:
    created()
    routing = {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}}
    alarms = {"Alarms": [{"AlarmName": "alarm"}]}
    found = update("new", BlueGreenUpdatePolicy=routing, AutoRollbackConfiguration=alarms)
    assert (found["EndpointConfigName"], serving()) == ("old", "old")


CANARY = {"Type": "CANARY", "WaitIntervalInSeconds": 600, "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50}}


def shifting(alarm: str) -> None:
    """An update to `new` whose canary bakes until `BAKE_SECONDS` are over or the alarm rings."""
    routing = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": CANARY}}
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]}}
    request = {"EndpointName": "lending", "EndpointConfigName": "new", "DeploymentConfig": {**routing, **alarms}}
    endpoints.update(request)


def served(times: int) -> Counter[str]:
    return Counter(serving() for _ in range(times))


@pytest.mark.contract(
    "sagemaker.canary",
    page="https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green-canary.html",
    says="While the canary bakes it serves its share of the requests; an alarm that rings sends all back to the old.",
)
def test_a_canary_gets_its_share_until_an_alarm_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleets, "BAKE_SECONDS", 60)
    ringing = threading.Event()
    states = {False: "OK", True: "ALARM"}
    monkeypatch.setattr(fleets, "alarm_states", lambda names: dict.fromkeys(names, states[ringing.is_set()]))
    created()
    shifting("latency")
    deadline = time.monotonic() + 5
    while "lending" not in fleets._canaries:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    by_fleet = served(2000)
    assert 850 < by_fleet["new"] < 1150  # six standard deviations around a half
    ringing.set()
    found = settled()
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "old")
    assert "alarm(s) latency" in found["FailureReason"]
    assert served(50) == {"old": 50}


def test_a_canary_that_baked_quietly_gets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleets, "BAKE_SECONDS", 0)
    created()
    shifting("ok")
    assert settled()["EndpointConfigName"] == "new"
    assert served(50) == {"new": 50}


def test_requests_follow_the_weights_of_the_variants_and_their_changes() -> None:
    variants = [
        {**VARIANT, "VariantName": name, "ModelName": model, "InitialVariantWeight": weight}
        for name, model, weight in (("champion", "old", 0.9), ("challenger", "new", 0.1))
    ]
    models.create_config({"EndpointConfigName": "both", "ProductionVariants": variants})
    created("both")
    assert 220 < served(3000)["new"] < 380  # 300, and five standard deviations of 16
    weights = [{"VariantName": "champion", "DesiredWeight": 0.0}, {"VariantName": "challenger", "DesiredWeight": 1.0}]
    endpoints.update_weights({"EndpointName": "lending", "DesiredWeightsAndCapacities": weights})
    assert served(200) == {"new": 200}


@pytest.mark.contract(
    "sagemaker.endpoint-failed",
    page="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html",
    quote="DeleteEndpoint is the only operation that can be performed on a failed endpoint.",
)
def test_an_endpoint_that_never_came_up_can_only_be_deleted() -> None:
    assert created("broken")["EndpointStatus"] == "Failed"
    with pytest.raises(ApiError, match="delete it instead"):
        update("new")
    endpoints.delete({"EndpointName": "lending"})
    with pytest.raises(ApiError, match="Could not find endpoint"):
        endpoints.describe({"EndpointName": "lending"})


@pytest.mark.contract(
    "sagemaker.canary-size",
    page="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrafficRoutingConfig.html",
    quote="Value must be less than or equal to 50% of the variant's total instance count.",
)
@pytest.mark.parametrize("size", [{"Type": "CAPACITY_PERCENT", "Value": 60}, {"Type": "INSTANCE_COUNT", "Value": 2}])
def test_a_canary_takes_at_most_half(size: dict[str, Any]) -> None:
    created()
    routing = {"Type": "CANARY", "WaitIntervalInSeconds": 0, "CanarySize": size}
    with pytest.raises(ApiError, match="exceeds 50%"):
        update("new", BlueGreenUpdatePolicy={"TrafficRoutingConfiguration": routing})


def test_alarms_of_a_deployment_must_exist() -> None:
    created()
    with pytest.raises(ApiError, match="alarm.*nowhere"):
        update("new", AutoRollbackConfiguration={"Alarms": [{"AlarmName": "nowhere"}]})


def test_what_is_under_way_is_neither_updated_nor_deleted() -> None:
    created()
    store.state["endpoint"]["lending"]["EndpointStatus"] = "Updating"
    for refused in (lambda: update("new"), lambda: endpoints.delete({"EndpointName": "lending"})):
        with pytest.raises(ApiError, match="Cannot update in-progress endpoint"):
            refused()


def test_names_are_unique_and_configurations_need_their_models() -> None:
    created()
    with pytest.raises(ApiError, match="Cannot create already existing endpoint"):
        endpoints.create({"EndpointName": "lending", "EndpointConfigName": "old"})
    with pytest.raises(ApiError, match="Could not find model"):
        models.create_config({"EndpointConfigName": "x", "ProductionVariants": [{**VARIANT, "ModelName": "none"}]})


def test_after_a_restart_endpoints_serve_again() -> None:
    created()
    fleets.fleets.clear()
    fleets.after_restart()
    assert serving() == "old"
