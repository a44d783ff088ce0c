"""How results look: readable on any width, whole in a pipe."""

import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.table import Table

# Into a pipe or a file nothing may be cut or broken: there is no width to fit into.
_PIPE_WIDTH = 10_000


def console() -> Console:
    """The console of standard output."""
    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def rows(to: Console, columns: Sequence[str], found: Sequence[Sequence[Any]], title: str | None = None) -> None:
    """A table, or one field per line where a table would not fit."""
    cells = [["" if value is None else str(value) for value in row] for row in found]
    widths = [max(map(len, [name, *(row[i] for row in cells)])) for i, name in enumerate(columns)]
    if sum(widths) + 3 * len(widths) + 1 <= to.width or not cells:
        table = Table(*columns, title=title, title_justify="left")
        for row in cells:
            table.add_row(*row)
        to.print(table)
        return
    widest = max(map(len, columns))
    for number, row in enumerate(cells, 1):
        to.print(Rule(f"{title + ', ' if title else ''}row {number}", align="left"), width=min(to.width, 100))
        for name, value in zip(columns, row, strict=True):
            to.print(f"{name:<{widest}}  {value}", markup=False, highlight=False, soft_wrap=True)
