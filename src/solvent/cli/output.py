"""How results look: readable on any width, whole in a pipe."""

import math
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

# Into a pipe or a file nothing may be cut or broken: there is no width to fit into.
_PIPE_WIDTH = 10_000


def console() -> Console:
    """The console of standard output."""
    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def rows(to: Console, columns: Sequence[str], found: Sequence[Sequence[Any]], title: str | None = None) -> None:
    """A table, numbers to the right, or one field per line where a table would not fit."""
    cells = [[_text(value) for value in row] for row in found]
    widths = [max(map(len, [name, *(row[i] for row in cells)])) for i, name in enumerate(columns)]
    if sum(widths) + 3 * len(widths) + 1 <= to.width or not cells:
        table = Table(title=title, title_justify="left")
        for i, name in enumerate(columns):
            table.add_column(Text(name), justify="right" if _numeric(row[i] for row in found) else "left")
        for row in cells:
            table.add_row(*map(Text, row))
        to.print(table)
        return
    widest = max(map(len, columns))
    for number, row in enumerate(cells, 1):
        to.print(Rule(f"{title + ', ' if title else ''}row {number}", align="left"), width=min(to.width, 100))
        for name, value in zip(columns, row, strict=True):
            to.print(f"{name:<{widest}}  {value}", markup=False, highlight=False, soft_wrap=True)


def listing(to: Console, columns: Sequence[str], found: Sequence[Sequence[str]]) -> None:
    """A table of names and what they mean: the last column, a text, wraps where the screen ends."""
    table = Table()
    for name in columns[:-1]:
        table.add_column(name, no_wrap=True)
    table.add_column(columns[-1])
    for row in found:
        table.add_row(*map(Text, row))
    to.print(table)


def _text(value: Any) -> str:
    """A float with six decimals at most, a tiny one with three digits; everything else whole."""
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.3g}" if 0 < abs(value) < 1e-4 else f"{value:.6f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)


def _numeric(values: Iterable[Any]) -> bool:
    there = [v for v in values if v is not None]
    return bool(there) and all(isinstance(v, int | float | Decimal) and not isinstance(v, bool) for v in there)
