"""The models that compete, a file each, behind one protocol."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pandas as pd

from solvent.modelling.boosted import Calibration
from solvent.modelling.data import Floats, Ints
from solvent.specification import Feature

Parameters = Mapping[str, Any]


class Fitted(Protocol):
    """A fitted model. It is a dataclass: `dataclasses.replace` gives it another calibration."""

    @property
    def calibration(self) -> Calibration: ...

    def margins(self, frame: pd.DataFrame) -> Floats:
        """Log-odds before calibration, (n,)."""
        ...

    def probabilities(self, frame: pd.DataFrame) -> Floats:
        """Calibrated probabilities of the bad outcome, (n,)."""
        ...


class Candidate(Protocol):
    """A way to fit. `explains`: its reasons are exact wherever it is served, so that it may become champion.

    `grid` are the settings that a search tries when the specification names none, the best known first.
    """

    @property
    def name(self) -> str: ...
    @property
    def explains(self) -> bool: ...
    @property
    def grid(self) -> Sequence[Parameters]: ...

    def fit(
        self,
        frame: pd.DataFrame,
        y: Ints,
        weights: Floats,
        *,
        features: Sequence[Feature],
        parameters: Parameters,
        seed: int,
    ) -> Fitted:
        """Fit on rows (n,) with weights (n,); parameters are an entry of a grid."""
        ...


def named(name: str) -> Candidate:
    """The candidate of a name; each is imported only when it competes."""
    from importlib import import_module

    candidate: Candidate = import_module(f"solvent.modelling.candidates.{name}").CANDIDATE
    return candidate
