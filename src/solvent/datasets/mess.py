"""Faults and odd but legal formats, planted in clean files and counted, so that tests know what must be caught.

A row gets one fault at most. Rows that refer to a spoilt row are rejected with it; they are counted, too.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from solvent import contracts
from solvent.contracts import Contract
from solvent.datasets.files import Text, rows

UNKNOWN = {"customer_id": "C999999", "loan_id": "L999999"}

# source -> (column, what is written there, the rule that it breaks, share of the rows)
_FAULTS: dict[str, tuple[tuple[str, str, str, float], ...]] = {
    "customer_profile": (
        ("signup_date", "2021-02-30", "not a date", 0.003),
        ("signup_date", "", "missing", 0.002),
        ("annual_income", "forty thousand", "not a number", 0.002),
        ("credit_score", "999", "above 850", 0.002),
        ("housing", "castle", "not an allowed value", 0.002),
        ("email", "no address", "wrong form", 0.002),
        ("customer_id", "12", "wrong form", 0.001),
    ),
    "loan_application": (
        ("application_date", "31.02.2025", "not a date", 0.003),
        ("application_date", "next week", "not a date", 0.002),
        ("amount", "-500.00", "below 1", 0.002),
        ("amount", "N/A", "missing", 0.002),
        ("term_months", "two years", "not a whole number", 0.002),
        ("purpose", "yacht", "not an allowed value", 0.002),
        ("customer_id", UNKNOWN["customer_id"], "unknown in customer_profile", 0.004),
        ("loan_id", "L12", "wrong form", 0.001),
    ),
    "application_event": (
        ("occurred_at", "2025-01-01 25:00:00", "not a time", 0.001),
        ("stage", "lunch", "not an allowed value", 0.001),
        ("loan_id", UNKNOWN["loan_id"], "unknown in loan_application", 0.001),
    ),
    "repayment_history": (
        ("due_date", "2025-13-01", "not a date", 0.001),
        ("paid_date", "00.00.0000", "not a date", 0.0005),
        ("amount_due", "12,34,5", "not a number", 0.0005),
        ("amount_due", "", "missing", 0.0005),
        ("amount_paid", "-1.00", "below 0", 0.0005),
        ("status", "???", "not an allowed value", 0.0005),
        ("loan_id", UNKNOWN["loan_id"], "unknown in loan_application", 0.001),
    ),
}
_MALFORMED, _OLDER, _EXACT = 0.002, 0.006, 0.002


@dataclass
class Planted:
    """`truth`: {source: {"rows_in", "good", "quarantined", "duplicates", "malformed", "reasons": {reason: rows}}}."""

    tables: dict[str, Text]
    malformed: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    truth: dict[str, dict[str, Any]] = field(default_factory=dict)


def plant(tables: dict[str, Text], *, share: float, generator: np.random.Generator) -> Planted:
    """Spoil the tables in place. `share` scales the share of every fault; 0 leaves all as it is."""
    planted = Planted(tables)
    states: dict[str, dict[str, str]] = {}  # source -> key -> "good" | "quarantined"; an absent key never arrived
    for contract in contracts.load().sources("lending"):
        _spoil(contract, planted, states, share, generator)
    return planted


def _spoil(
    contract: Contract,
    planted: Planted,
    states: dict[str, dict[str, str]],
    share: float,
    generator: np.random.Generator,
) -> None:
    source, table = contract.name, planted.tables[contract.name]
    [key] = contract.key
    size = rows(table)
    reasons: Counter[str] = Counter()
    state = ["good"] * size
    for reference in contract.references:
        for row, value in enumerate(table[reference.column]):
            parent = states[reference.contract].get(value, "absent")
            if parent != "good":
                why = "in quarantine with its" if parent == "quarantined" else "unknown in"
                reasons[f"{reference.column} - {why} {reference.contract}"] += 1
                state[row] = "quarantined"

    free = iter(generator.permutation(np.array([r for r in range(size) if state[r] == "good"], dtype=int)).tolist())
    for column, text, rule, part in _FAULTS[source]:
        for row in _take(free, part * share, size):
            table[column][row] = text
            reasons[f"{column} - {rule}"] += 1
            state[row] = "absent" if column == key else "quarantined"
    malformed = planted.malformed[source] = {}
    for i, row in enumerate(_take(free, _MALFORMED * share, size)):
        fields = [values[row] for values in table.values()]
        malformed[row] = fields[:-1] if i % 2 else [*fields, "x"]
        state[row] = "absent"
    copied = [(row, True) for row in _take(free, _OLDER * share, size)]
    copied += [(row, False) for row in _take(free, _EXACT * share, size)]
    keys = table[key]
    states[source] = {keys[row]: state[row] for row in range(size) if state[row] != "absent"}
    for row, older in copied:
        for values in table.values():
            values.append(values[row])
        version = contract.version_column
        if older and version:
            year = int(table[version][row][:4]) - 1
            table[version][-1] = f"{year}{table[version][row][4:8]}01{table[version][row][10:]}"
    if share:
        _disguise(contract, table, generator)
    quarantined = sum(reasons.values()) + len(malformed)
    planted.truth[source] = {
        "rows_in": size + len(copied),
        "good": size - quarantined,
        "quarantined": quarantined,
        "duplicates": len(copied),
        "malformed": len(malformed),
        "reasons": dict(reasons),
    }


def _take(free: Iterable[int], part: float, size: int) -> list[int]:
    """The next rows that have no fault yet; at least one where a share is asked for and rows are left."""
    wanted = max(1, round(part * size)) if part else 0
    return [row for _, row in zip(range(wanted), free, strict=False)]


def _disguise(contract: Contract, table: Text, generator: np.random.Generator) -> None:
    """Legal but odd: currency signs, thousands separators, other date formats, blanks, N/A. No row is lost by it."""
    for column in contract.columns:
        values = table[column.name]
        chance = generator.random(len(values))
        if column.type == "number" and column.physical == "DECIMAL(14,2)":
            for row in np.flatnonzero(chance < 0.1).tolist():
                values[row] = _as_money(values[row], dollar=chance[row] < 0.07)
        elif column.type == "date":
            for row in np.flatnonzero(chance < 0.12).tolist():
                values[row] = _as_date(values[row], american=chance[row] < 0.04)
        elif column.values:
            for row in np.flatnonzero(chance < 0.02).tolist():
                values[row] = f" {values[row]} " if values[row] else values[row]
        if not column.required:
            for row in np.flatnonzero(chance > 0.5).tolist():
                values[row] = values[row] or "N/A"


def _as_money(text: str, *, dollar: bool) -> str:
    try:
        amount = float(text)
    except ValueError:
        return text
    return text if amount < 0 else f"${amount:,.2f}" if dollar else f"€ {amount:.2f}"


def _as_date(text: str, *, american: bool) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day:%m/%d/%Y}" if american else f"{day:%d.%m.%Y}"
