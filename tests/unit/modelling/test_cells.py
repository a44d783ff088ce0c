import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from solvent.modelling.cells import MISSING, auc, cells, rates_of_others, wilson

ANY_NUMBER = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.integers(-(10**9), 10**9))
ANY_LEVEL = st.one_of(st.none(), st.text(max_size=90))


@given(st.lists(ANY_NUMBER, min_size=1, max_size=60), st.integers(2, 12))
def test_a_number_has_one_cell_whatever_it_is_and_larger_ones_no_lower_cell(values: list[float], bins: int) -> None:
    codes, names = cells(pd.Series(values, dtype=object), "numeric", bins)
    missing = [v is None or math.isnan(v) for v in values]
    assert [names[c] == MISSING for c in codes] == missing
    known = sorted((float(v), int(c)) for v, c, gone in zip(values, codes, missing, strict=True) if not gone)
    assert [c for _, c in known] == sorted(c for _, c in known)
    assert len(names) <= bins + 1


@given(st.lists(ANY_LEVEL, min_size=1, max_size=40))
def test_levels_are_told_apart_and_the_missing_from_all(values: list[str | None]) -> None:
    codes, names = cells(pd.Series(values, dtype=object), "categorical", 5)
    assert len(set(codes)) == len(set(values))
    assert [c == len(names) - 1 for c in codes] == [v is None for v in values]
    assert all(len(name) <= 60 for name in names)


def test_bins_are_of_about_equal_size() -> None:
    codes, _ = cells(pd.Series(np.arange(1000.0)), "numeric", 10)
    assert set(np.bincount(codes)) <= {99, 100, 101}


def test_a_row_does_not_contribute_to_its_own_rate() -> None:
    # Cells of two rows with opposite outcomes: a row learns the other's, or the mean where both are in one fold.
    y = np.array([1.0, 0.0] * 100)
    found = rates_of_others(np.arange(200) // 2, y)
    assert found[y == 1].max() < 0.6
    assert found[y == 0].min() > 0.4
    assert {0.0, 1.0} <= set(found)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5)), min_size=2, max_size=50))
def test_auc_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    y, p = np.array([a for a, _ in pairs]), np.array([b / 5 for _, b in pairs])
    assert auc(y, p) == pytest.approx(roc_auc_score(y, p) if 0 < y.sum() < len(y) else 0.5)


def test_wilsons_interval_is_the_textbooks() -> None:
    # Newcombe 1998, table I: 81 of 263.
    assert wilson(81 / 263, 263) == pytest.approx([0.2553, 0.3662], abs=5e-5)
    assert wilson(0.0, 0) == [0.0, 1.0]
