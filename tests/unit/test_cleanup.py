import pytest
from fakes import AutoScaling, SageMaker

from examples import ENDPOINT as NAME
from examples import populated
from solvent.cleanup import Cleanup, StillBusy
from solvent.naming import Names


def cleanup(sagemaker: SageMaker, autoscaling: AutoScaling | None = None, patience: float = 60) -> Cleanup:
    return Cleanup(
        sagemaker=sagemaker,
        autoscaling=autoscaling or AutoScaling(),
        names=Names("dev"),
        patience=patience,
        sleep=lambda _: None,
    )


def test_everything_of_the_portfolio_goes_and_nothing_else() -> None:
    sagemaker = populated()
    autoscaling = AutoScaling(f"endpoint/{NAME}/variant/AllTraffic", "endpoint/another/variant/AllTraffic")
    counts = cleanup(sagemaker, autoscaling).run(["lending"], packages=True)
    assert counts == {"endpoints": 1, "configurations": 3, "models": 3, "packages": 3}
    assert not sagemaker.endpoints
    assert not sagemaker.configs
    assert set(sagemaker.models) == {"other-solvent-dev-lending-x", "solvent-dev-lendingclub-1"}
    assert autoscaling.resources == ["endpoint/another/variant/AllTraffic"]


def test_model_packages_stay_unless_asked_for() -> None:
    sagemaker = populated()
    cleanup(sagemaker).run(["lending"], packages=False)
    assert len(sagemaker.packages) == 3


def test_a_second_time_finds_nothing() -> None:
    sagemaker = populated()
    cleanup(sagemaker).run(["lending"], packages=True)
    assert set(cleanup(sagemaker).run(["lending"], packages=True).values()) == {0}


def test_an_endpoint_that_never_settles_is_an_error_and_not_forgotten() -> None:
    sagemaker = populated()
    sagemaker.endpoints[NAME]["statuses"] = ["Updating"]
    with pytest.raises(StillBusy, match="still Updating"):
        cleanup(sagemaker, patience=4).run(["lending"], packages=True)
