"""A model that waits for a person: the portfolio stays free, and nothing older replaces what went live meanwhile.

These are prod's own machines, from the delivery to the canary and the predictions.
"""

import json
from pathlib import Path

import pytest
from persons import Persons, ended, item, wait

from solvent.client import Platform, query

pytestmark = pytest.mark.embedded


def test_a_model_that_waits_for_a_person_keeps_nobody_out(
    live_prod: Platform, persons: Persons, tmp_path: Path
) -> None:
    platform, live = live_prod, str(live_prod.champion()["model"])
    older, _, old_package = persons.asked(tmp_path, without=1)
    newer, manifest, new_package = persons.asked(tmp_path, without=2)
    # A manifest's arrival starts `ingest`, too: it may have the lock for a moment.
    wait(lambda: item(platform, "lock#lending") == {}, 60)

    score = platform.run("score", {"portfolio": "lending"}, timeout=120)
    assert score.status == "SUCCEEDED", score.cause
    assert item(platform, f"run#score#lending#{score.output['run_id']}#{live}")["status"] == "completed"

    twice = platform.run("pipeline", {"manifest": manifest}, timeout=60)
    assert (twice.status, twice.error) == ("FAILED", "RunUnderWay")
    assert platform.champion()["model"] == live

    persons.decide(new_package, "Approved")
    done = wait(lambda: ended(platform, newer), 120)
    assert done["status"] == "SUCCEEDED", done.get("cause")
    champion = platform.champion()
    assert new_package.endswith(f"/{champion['version']}")
    run_id = json.loads(done["output"])["run_id"]
    assert item(platform, f"run#score#lending#{run_id}#{champion['model']}")["status"] == "completed"
    assert_shifted_by_canary_and_scored(platform, champion)

    persons.decide(old_package, "Approved")
    late = wait(lambda: ended(platform, older), 120)
    assert late["status"] == "FAILED"
    assert f"version {champion['version']} went live" in late["cause"]
    assert platform.champion() == champion
    assert item(platform, "lock#lending") == {}


def assert_shifted_by_canary_and_scored(platform: Platform, champion: dict[str, str]) -> None:
    """In service by prod's own update, and every open loan has the new version's prediction in the warehouse."""
    endpoint = platform.target.client("sagemaker").describe_endpoint(EndpointName=platform.names.endpoint("lending"))
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", champion["model"])
    deployment = endpoint["LastDeploymentConfig"]
    routing = deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert (routing["Type"], routing["CanarySize"]["Value"]) == ("CANARY", 50)
    assert platform.names.named("lending-champion-endpoint-errors") in [
        alarm["AlarmName"] for alarm in deployment["AutoRollbackConfiguration"]["Alarms"]
    ]
    sql = f"SELECT COUNT(*) FROM lending.predictions WHERE model_version = '{champion['version']}'"
    ((scored,),) = query(platform.target, sql)[1]
    assert int(scored) > 0
