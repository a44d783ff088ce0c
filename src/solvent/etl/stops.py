"""What stops a source while the others go on: a file that cannot be read, a column that is missing or retyped.

What is computed from a stopped source waits; its own tables of earlier runs stay as they are.
"""

from collections.abc import Iterable
from typing import Any

from solvent.contracts import Contract
from solvent.etl.engine import Engine
from solvent.etl.errors import EtlError
from solvent.etl.statements import Statement

# A column with more values of another type than of its own has been retyped; fewer are faults of rows.
RETYPED_SHARE = 0.5
# Of a column that is nearly always absent a few values say nothing of the column.
RETYPED_ROWS = 0.05


class Stops:
    """The stops of one run. `reasons`: source -> why it was stopped."""

    def __init__(self, sources: Iterable[Contract]) -> None:
        self._sources = tuple(sources)
        self._absent: set[str] = set()  # tables that will not be computed
        self._there: set[str] = set()
        self.reasons: dict[str, str] = {}

    def stop(self, source: str, reason: str) -> None:
        self.reasons[source] = reason
        self._absent |= {f"raw_{source}", f"malformed_{source}", f"checked_{source}"}

    def let_pass(self, statement: Statement) -> bool:
        """Whether all that a statement reads is there; if not, what it would fill is not there either."""
        if self._absent.intersection(statement.reads):
            self._absent.add(statement.table)
            return False
        self._there.add(statement.table)
        return True

    def look_at(self, table: str, engine: Engine) -> None:
        """Stop a source whose profile shows a retyped column."""
        source = table.removeprefix("profile_")
        if source == table:
            return
        found = engine.first(table)
        bad = {n.removeprefix("bad_"): v for n, v in found.items() if n.startswith("bad_")}
        retyped = [
            f"{column} ({count} of {count + found[f'good_{column}']} values)"
            for column, count in bad.items()
            if count > RETYPED_SHARE * (count + found[f"good_{column}"]) and count > RETYPED_ROWS * found["total"]
        ]
        if retyped:
            self.stop(
                source,
                f"{source} has retyped column(s): {', '.join(retyped)} are not of the contract's type. Deliver the "
                f"file in the contract's types, or change the contract. Nothing of it was published but its raw rows.",
            )

    def is_there(self, table: str) -> bool:
        """Whether the table was computed from sources that were not stopped."""
        return table in self._there and table not in self._absent

    def raise_if_nothing_is_left(self, taken: tuple[Contract, ...] | None = None) -> None:
        """Raises EtlError with every reason when no source is left to go on with."""
        left = [c for c in self._sources if c.name not in self.reasons] if taken is None else taken
        if not left:
            causes = " ".join(self.reasons.values())
            waiting = [c.name for c in self._sources if c.name not in self.reasons]
            tail = f" {', '.join(waiting)} would have to wait for that." if waiting else ""
            raise EtlError(f"{causes}{tail} Nothing was published.")

    def report(self) -> dict[str, Any]:
        """{} when nothing was stopped; else "sources" with their reasons, "waiting" for them, and it all as a text."""
        if not self.reasons:
            return {}
        waiting = [
            c.name for c in self._sources if c.name not in self.reasons and not self.is_there(f"deleted_{c.name}")
        ]
        wait = f" Waiting for them: {', '.join(waiting)}." if waiting else ""
        text = f"{' '.join(self.reasons.values())}{wait} All other sources were published."
        return {"sources": dict(self.reasons), "waiting": waiting, "text": text}
