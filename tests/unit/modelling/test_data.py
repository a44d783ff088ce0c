from decimal import Decimal

import numpy as np
import pandas as pd

from solvent.modelling import data


def test_groups_that_share_an_equal_row_are_one_group() -> None:
    groups = pd.Series(["a", "a", "b", "c", "d"])
    # Rows 1 and 2 are equal, so are 2 and 3: a, b and c belong together, d does not. A null equals a null.
    rows = pd.DataFrame({"x": [1.0, np.nan, np.nan, np.nan, 2.0], "y": ["p", "q", "q", "q", "q"]})
    found = data.joined(groups, rows)
    assert len(set(found[:4])) == 1
    assert found[4] != found[0]


def test_a_chain_of_equal_rows_joins_groups_at_both_its_ends() -> None:
    found = data.joined(pd.Series(["z", "y", "y", "x", "x"]), pd.DataFrame({"v": [1, 1, 2, 2, 3]}))
    assert set(found) == {found[0]}


def test_numbers_are_floats_whatever_type_the_column_has() -> None:
    values = pd.Series([Decimal("1.5"), None, 2])
    assert np.array_equal(data.numbers(values), [1.5, np.nan, 2.0], equal_nan=True)
    assert np.array_equal(data.numbers(pd.Series([1, None], dtype="Int64")), [1.0, np.nan], equal_nan=True)
