"""Invented people and office routine; obviously synthetic (example.com)."""

import numpy as np

from solvent.datasets.files import Array, Typed

_FIRST = "Ada Ben Cora Dan Eva Finn Gina Hugo Ida Jan Kim Lea Max Nora Otto Pia Quinn Rosa Sam Tess Uwe Vera Will Zoe"
_LAST = "Abel Berg Cole Dorn Ebert Falk Gray Haas Illig Jung Klein Lang Moor Nagel Otte Pohl Quast Reed Stein Thal"
_PROFESSIONS = (
    *("accountant", "baker", "carpenter", "driver", "electrician", "engineer", "farmer", "gardener", "nurse"),
    *("clerk", "teacher", "waiter", "welder"),
)
REGIONS = ("north", "east", "south", "west", "centre")
# Stage, team, hours after the one before (at most).
_PROCESS = (
    ("submitted", "branch", 1),
    ("documents_checked", "back_office", 30),
    ("underwriting", "credit_risk", 40),
    ("decided", "credit_risk", 20),
    ("disbursed", "treasury", 48),
)


def identities(customer_id: Array, generator: np.random.Generator) -> Typed:
    """full_name, email, region, profession."""
    size = len(customer_id)
    first = generator.choice(np.array(_FIRST.split()), size)
    last = generator.choice(np.array(_LAST.split()), size)
    address = np.char.add(np.char.lower(customer_id), "@example.com")
    return {
        "full_name": np.char.add(np.char.add(first, " "), last),
        "email": np.char.add(np.char.add(np.char.lower(first), "."), address),
        "region": generator.choice(np.array(REGIONS), size, p=[0.22, 0.2, 0.25, 0.23, 0.1]),
        "profession": generator.choice(np.array(_PROFESSIONS), size),
    }


def events(loan_id: Array, application_date: Array, generator: np.random.Generator) -> Typed:
    """The application process of every loan, five events each, in loan order."""
    size, stages = len(loan_id), len(_PROCESS)
    hours = np.array([limit for _, _, limit in _PROCESS])
    steps = generator.integers(60, hours * 3600, (size, stages)).cumsum(axis=1)
    opened = application_date.astype("datetime64[s]") + 9 * 3600
    ids = np.char.add(
        np.repeat(np.char.replace(loan_id, "L", "E"), stages), np.tile(np.arange(1, stages + 1), size).astype(str)
    )
    return {
        "event_id": ids,
        "loan_id": np.repeat(loan_id, stages),
        "stage": np.tile([stage for stage, _, _ in _PROCESS], size),
        "team": np.tile([team for _, team, _ in _PROCESS], size),
        "occurred_at": (opened[:, None] + steps).ravel(),
    }
