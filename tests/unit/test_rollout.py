"""What was live can be live again, and what is too old goes."""

import pytest
from fakes import NAMES, SageMaker

from solvent.champion import live_model
from solvent.rollout import Rollout, RolloutError

ENDPOINT = NAMES.endpoint("lending")
A, B, C, D = (f"{ENDPOINT}-{letter}" for letter in "abcd")


@pytest.fixture
def sagemaker() -> SageMaker:
    """Four deployments, the last one live; the third had a challenger beside the second one's model."""
    found = SageMaker()
    for name in (A, B, C, D):
        found.go_live(ENDPOINT, name)
    found.configs[C] = [B, C]
    found.configs[f"other-{ENDPOINT}-z"] = ["z"]
    found.configs["solvent-dev-lendingclub-1"] = ["z"]
    return found


def rollout(sagemaker: SageMaker, patience: float = 60) -> Rollout:
    return Rollout(sagemaker, NAMES, patience=patience, sleep=lambda _: None)


def test_the_kept_configurations_are_the_portfolios_newest_first(sagemaker: SageMaker) -> None:
    assert rollout(sagemaker).kept("lending") == [D, C, B, A]


def test_only_the_newest_stay_with_all_models_that_they_need(sagemaker: SageMaker) -> None:
    assert rollout(sagemaker).tidy("lending", keep=2) == [B, A]
    assert {D, C} <= set(sagemaker.configs) and not {A, B} & set(sagemaker.configs)
    assert set(sagemaker.models) == {B, C, D}  # B is the champion of C
    assert f"other-{ENDPOINT}-z" in sagemaker.configs and "solvent-dev-lendingclub-1" in sagemaker.configs


def test_what_is_live_stays_however_old(sagemaker: SageMaker) -> None:
    sagemaker.endpoints[ENDPOINT]["config"] = A
    assert rollout(sagemaker).tidy("lending", keep=2) == [B]
    assert A in sagemaker.models


def test_the_way_back_is_one_configuration_or_the_named_one(sagemaker: SageMaker) -> None:
    assert rollout(sagemaker).back("lending") == C
    assert rollout(sagemaker).back("lending") == B
    assert rollout(sagemaker).back("lending", to=D) == D  # and forward again
    assert sagemaker.endpoints[ENDPOINT]["config"] == D


@pytest.mark.parametrize("to", [D, "unknown"])
def test_a_configuration_that_is_live_or_not_kept_is_refused(sagemaker: SageMaker, to: str) -> None:
    with pytest.raises(RolloutError, match=rf"{to} is no other that is kept \(kept: {C}.*Nothing was changed"):
        rollout(sagemaker).back("lending", to=to)
    assert sagemaker.endpoints[ENDPOINT]["config"] == D


def test_before_the_oldest_there_is_nothing(sagemaker: SageMaker) -> None:
    sagemaker.endpoints[ENDPOINT]["config"] = A
    with pytest.raises(RolloutError, match="an earlier configuration is no other"):
        rollout(sagemaker).back("lending")


def test_a_way_back_that_sagemaker_rolled_back_is_an_error(sagemaker: SageMaker) -> None:
    sagemaker.failing.add(C)
    with pytest.raises(RolloutError, match=rf"is InService on {D}, not on {C}"):
        rollout(sagemaker).back("lending")


def test_an_update_that_does_not_end_is_said_to_go_on(sagemaker: SageMaker) -> None:
    sagemaker.endpoints[ENDPOINT]["statuses"] = ["InService"]
    sagemaker.after_update = ["Updating"]
    with pytest.raises(RolloutError, match="still Updating after 10 s"):
        rollout(sagemaker, patience=10).back("lending")


def test_without_an_endpoint_there_is_nothing_to_move() -> None:
    with pytest.raises(RolloutError, match=f"no endpoint {ENDPOINT}"):
        rollout(SageMaker()).back("lending")


def test_whoever_gets_most_requests_is_champion(sagemaker: SageMaker) -> None:
    sagemaker.endpoints[ENDPOINT] |= {"config": C, "weights": {"champion": 0.9, "challenger": 0.1}}
    assert live_model(sagemaker, ENDPOINT) == B
    assert rollout(sagemaker).share("lending", 1.0) == {"champion": 0.0, "challenger": 1.0}
    assert live_model(sagemaker, ENDPOINT) == C
    rollout(sagemaker).share("lending", 0.5)
    assert live_model(sagemaker, ENDPOINT) == B


def test_a_share_needs_a_challenger(sagemaker: SageMaker) -> None:
    sagemaker.endpoints[ENDPOINT]["weights"] = {"champion": 1.0}
    with pytest.raises(RolloutError, match="has no challenger"):
        rollout(sagemaker).share("lending", 0.5)
