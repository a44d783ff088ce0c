import numpy as np
import pytest
from scipy.special import expit, logit

from solvent.modelling import reliability


def sample(slope: float, shift: float, rows: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Estimates, and outcomes whose true log-odds are `slope` x the estimates' + `shift`."""
    random = np.random.default_rng(0)
    estimates = expit(random.normal(-1.5, 1, rows))
    return estimates, (random.random(rows) < expit(slope * logit(estimates) + shift)).astype(np.int64)


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (2.0, 0.0), (0.5, 0.0), (1.0, 0.7)])
def test_slope_and_intercept_are_those_of_the_truth(slope: float, shift: float) -> None:
    found = reliability.judge(*sample(slope, shift))
    assert found["slope"] == pytest.approx(slope, abs=0.08)
    assert found["intercept"] == pytest.approx(shift, abs=0.12)
    assert found["slope_interval"][0] < slope < found["slope_interval"][1]


def test_true_probabilities_pass_every_test_and_wrong_ones_none() -> None:
    right, wrong = reliability.judge(*sample(1, 0)), reliability.judge(*sample(1, 0.7))
    assert right["expected_calibration_error"] < 0.02 < 0.08 < wrong["expected_calibration_error"]
    for test in ("hosmer_lemeshow_p", "spiegelhalter_p"):
        assert wrong[test] < 1e-6 < 0.01 < right[test]
    assert right["log_loss"] < right["log_loss_of_constant"]
    assert right["brier"] < right["brier_of_constant"]
    assert sum(group["rows"] for group in right["groups"]) == 20_000


def test_true_probabilities_are_rejected_as_often_as_the_tests_level_says() -> None:
    random = np.random.default_rng(1)
    found = []
    for _ in range(300):
        p = expit(random.normal(-1.5, 1, 400))
        found.append(reliability.judge(p, (random.random(400) < p).astype(np.int64)))
    for test in ("hosmer_lemeshow_p", "spiegelhalter_p"):
        assert 0.02 < np.mean([f[test] < 0.05 for f in found]) < 0.09
    assert 0.91 < np.mean([f["slope_interval"][0] < 1 < f["slope_interval"][1] for f in found]) < 0.98


def test_the_constant_is_no_better_than_itself_and_has_no_slope() -> None:
    y = np.array([0, 0, 0, 1] * 50)
    found = reliability.judge(np.full(200, 0.25), y)
    assert found["slope"] == 0.0
    assert found["brier"] == pytest.approx(found["brier_of_constant"])
    assert found["log_loss"] == pytest.approx(found["log_loss_of_constant"])


@pytest.mark.parametrize("estimates", [[0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0]])
def test_certainty_right_or_wrong_gives_finite_figures(estimates: list[float]) -> None:
    found = reliability.judge(np.array(estimates), np.array([0, 0, 1, 1]))
    assert all(np.isfinite(value) for value in found.values() if isinstance(value, float))
