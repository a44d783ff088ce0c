"""What a tuning job may choose, what becomes of its choice, and the line by which a trial answers."""

import re

import pytest

from solvent import naming, specification, tuning

CHOSEN = {"eta": "0.05", "max_depth": "4", "num_round": '"200"', "subsample": "0.75", "colsample_bytree": "1.0"}


def test_texts_become_the_settings_of_the_algorithm() -> None:
    found = tuning.tried({**CHOSEN, "sagemaker_program": "train.py"})
    assert found == {"eta": 0.05, "max_depth": 4, "num_round": 200, "subsample": 0.75, "colsample_bytree": 1.0}
    assert isinstance(found["max_depth"], int)


def test_without_a_tuning_job_nothing_is_tuned() -> None:
    asked = specification.load("lending")
    assert tuning.settled(asked, tuning.tried({"portfolio": "lending"})) is asked


@pytest.mark.parametrize(("name", "value"), [("max_depth", "40"), ("eta", "nan"), ("subsample", "deep")])
def test_what_no_tuning_job_would_choose_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"hyperparameter {name}: "):
        tuning.tried({name: value})


@pytest.mark.parametrize("portfolio", ["lending", "bankruptcy"])
def test_the_choice_takes_the_place_of_the_grid_and_keeps_what_it_leaves_open(portfolio: str) -> None:
    asked = specification.load(portfolio)
    settled = tuning.settled(asked, tuning.tried(CHOSEN))
    (entry,) = settled.training.grids["xgboost"]
    given = {"rounds": 200, "max_depth": 4, "eta": 0.05, "subsample": 0.75, "colsample_bytree": 1.0}
    kept = dict((asked.training.grids.get("xgboost") or ({"weighted": 0},))[0])
    assert entry == {**kept, **given} and "weighted" in entry
    assert {k: v for k, v in settled.training.grids.items() if k != "xgboost"} == {
        k: v for k, v in asked.training.grids.items() if k != "xgboost"
    }


def test_aws_finds_the_answer_by_its_own_expression() -> None:
    """The expression of the container's source, sagemaker_xgboost_container/algorithm_mode/metrics.py."""
    found = re.fullmatch(r".*\[[0-9]+\].*#011validation-auc:(\S+)", tuning.answer(0.8123456))
    assert found and float(found[1]) == 0.812346


def test_a_tuning_job_has_a_name_of_its_own_that_aws_allows() -> None:
    first, second = (naming.tuning_job("solvent-prod", f"solvent-prod-bankruptcy-{16 * 'f'}-{n}") for n in (1, 2))
    assert first != second and len(first) <= 32 and re.fullmatch(r"[a-zA-Z0-9-]+", first)
