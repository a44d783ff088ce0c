import dataclasses

import numpy as np
import pytest

from solvent import specification
from solvent.modelling import decisions

SPEC = specification.load("lending")


def test_the_cut_off_is_the_cheapest_that_approves_enough() -> None:
    p, y = np.array([0.1, 0.2, 0.3, 0.4, 0.5]), np.array([0, 1, 0, 0, 1])
    # Approving 1 costs 2 good declined; 2: 5+2; 3: 5+1; 4: 5+0; 5: 10. Cheapest: 1; but half must be approved -> 4.
    free = dataclasses.replace(SPEC, decision=dataclasses.replace(SPEC.decision, minimum_approval_rate=0.0))
    assert decisions.cut_offs(p, y, free)["decline"] == pytest.approx(0.15)
    bound = decisions.cut_offs(p, y, SPEC)
    assert bound["decline"] == pytest.approx(0.45)
    assert bound["refer"] == pytest.approx(0.45 * 0.75)
    decided = decisions.Decided(declined=p >= bound["decline"], straight=p < bound["refer"])
    assert decisions.judged(decided, y, SPEC) == {
        "approval_rate": pytest.approx(4 / 5),
        "straight_through_rate": pytest.approx(3 / 5),
        "bad_rate_approved": pytest.approx(1 / 4),
        "cost": pytest.approx(5 / 5),
        "cost_approve_all": pytest.approx(2),
        "cost_decline_all": pytest.approx(3 / 5),
    }


def test_a_fold_is_decided_by_cut_offs_that_its_own_outcomes_did_not_choose() -> None:
    free = dataclasses.replace(SPEC, decision=dataclasses.replace(SPEC.decision, minimum_approval_rate=0.0))
    random = np.random.default_rng(4)
    p, fold_of = random.random(200), np.arange(200) % 5
    y = (random.random(200) < p).astype(np.int64)
    before = decisions.decided(p, y, fold_of, free)
    here = fold_of == 2
    contrary = np.where(here, 1 - y, y)
    after = decisions.decided(p, contrary, fold_of, free)
    assert (before.declined[here] == after.declined[here]).all()
    assert (before.straight[here] == after.straight[here]).all()
    assert (before.declined[~here] != after.declined[~here]).any()  # they did choose those of the others


def test_equal_probabilities_are_never_split_by_the_cut_off() -> None:
    p, y = np.full(10, 0.3), np.array([0] * 5 + [1] * 5)
    cut = decisions.cut_offs(p, y, SPEC)["decline"]
    assert cut == 1.0  # all or none; none is fewer than the minimum
