import dataclasses

import numpy as np
import pandas as pd
import pytest

from examples import portfolio
from solvent import specification
from solvent.modelling import TrainingError, data, folds

SPEC = specification.load("lending")
BY_TIME = dataclasses.replace(SPEC, training=dataclasses.replace(SPEC.training, by_time="application_date"))


def dated(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(application_date=pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(len(frame)), "D"))


def test_neither_a_customer_nor_an_equal_row_is_in_two_folds() -> None:
    frame = portfolio()
    names = [f.name for f in SPEC.features]
    frame.loc[300:309, names] = frame.loc[0:9, names].to_numpy()
    sample = data.labelled(frame, SPEC, SPEC.features)
    fold_of = np.full(len(frame), -1)
    for number, (rest, held_out) in enumerate(folds.split(sample, count=5, seed=0)):
        assert not set(rest) & set(held_out)
        fold_of[held_out] = number
    assert set(fold_of) == set(range(5))
    assert sample.frame.assign(fold=fold_of).groupby("customer_id")["fold"].nunique().max() == 1
    assert (fold_of[300:310] == fold_of[:10]).all()


def test_by_time_each_block_is_judged_by_earlier_rows_of_other_customers() -> None:
    frame = dated(portfolio())
    sample = data.labelled(frame, BY_TIME, SPEC.features)
    assert sample.dates is not None
    blocks = list(folds.split(sample, count=3, seed=0))
    assert len(blocks) == 3
    for before, judged in blocks:
        assert sample.dates[before].max() < sample.dates[judged].min()
        assert not set(sample.groups[before]) & set(sample.groups[judged])
    assert len(blocks[2][0]) > len(blocks[0][0]) > 0
    assert "by time" in folds.description(sample, count=3, seed=0)


def test_without_dates_the_folds_are_stratified() -> None:
    assert data.labelled(portfolio(), BY_TIME, SPEC.features).dates is None
    unknown = dated(portfolio())
    unknown.loc[0, "application_date"] = pd.NaT
    assert data.labelled(unknown, BY_TIME, SPEC.features).dates is None


def test_a_block_with_one_outcome_is_refused_by_number() -> None:
    frame = dated(portfolio())
    frame.loc[100:199, "defaulted"] = 0
    sample = data.labelled(frame, BY_TIME, SPEC.features)
    with pytest.raises(TrainingError, match="block 1 of 3.*longer history"):
        list(folds.split(sample, count=3, seed=0))


def test_features_too_coarse_to_tell_rows_apart_leave_the_customers_as_groups() -> None:
    coarse = [f for f in SPEC.features if f.name in ("checking_status", "purpose")]
    sample = data.labelled(portfolio(), SPEC, coarse)
    assert sample.grouped_by == "customer_id"
    assert len(set(sample.groups)) == 200
    assert "grouped by customer_id;" in folds.description(sample, count=5, seed=0) + ";"
