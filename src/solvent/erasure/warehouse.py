"""The person's rows out of the warehouse, in one transaction; decisions that the law keeps stay under a pseudonym.

The pseudonym of a loan is random. It stands beside the loan's key only in the erasure's request, which is destroyed
when the erasure ends: after that nobody can lead a decision back to its loan, or two decisions to one person.
"""
# Names come from the reviewed contracts, values go in as parameters.
# ruff: noqa: S608

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from solvent.contracts import Contract, Contracts
from solvent.contracts.people import chain, links
from solvent.warehouse import marts
from solvent.warehouse import statements as sql
from solvent.warehouse.data_api import DataApi
from solvent.warehouse.load import predictions_of

_KEYS_AT_ONCE = 1500  # of a column: a statement has at most 100 KB


@dataclass(frozen=True)
class _Where:
    """A condition on a table, and the values of its parameters."""

    table: str
    condition: str
    parameters: dict[str, str]


class Warehouse:
    """The lending (or another) portfolio's tables, as one erasure sees them. `api` is the job's own connection."""

    def __init__(self, api: DataApi, contracts: Contracts, portfolio: str) -> None:
        self._api, self._contracts, self._portfolio = api, contracts, portfolio
        self._chain = chain(contracts, portfolio)
        self._tables = [c for c in contracts.values() if c.kind == "published"]

    def decided(self) -> str:
        """The source about whose rows the model decides."""
        reference = predictions_of(self._contracts, self._portfolio).references[0]
        return self._contracts[reference.contract].source or reference.contract

    def keys(self, source: str, known: Mapping[str, Iterable[str]]) -> set[str]:
        """The keys of `source` among the rows that hold one of the `known` keys (source -> keys)."""
        table = self._contracts.cleaned(source)
        key = sql.identifier(table.key[0])
        found: set[str] = set()
        for where in self._of(table, known):
            select = f"SELECT DISTINCT {key} FROM {where.table} WHERE {where.condition}"
            found |= {str(row[0]) for row in self._ask(select, where.parameters)}
        return found

    def count(self, known: Mapping[str, Iterable[str]]) -> dict[str, int]:
        """Table -> rows of the person; decisions that are kept are not among them."""
        found: dict[str, int] = {}
        for where in self._everywhere(known):
            rows = self._ask(f"SELECT COUNT(*) FROM {where.table} WHERE {where.condition}", where.parameters)
            name = where.table.replace('"', "")
            found[name] = found.get(name, 0) + int(rows[0][0])
        return found

    def erase(self, known: Mapping[str, Iterable[str]], pseudonyms: Mapping[str, str], decision_years: int) -> None:
        """Keep the decisions, delete everything of the person, and purge what was kept for long enough.

        Then the marts are refreshed: what is materialized has rows of the person until then.
        """
        batch: list[str] = []
        parameters: dict[str, str] = {}
        for statement, values in self._keep(pseudonyms, decision_years):
            batch.append(statement)
            parameters |= values
        for number, where in enumerate(self._everywhere(known)):
            named = {f"t{number}{name}": value for name, value in where.parameters.items()}
            condition = where.condition.replace(":k", f":t{number}k")
            batch.append(f"DELETE FROM {where.table} WHERE {condition}")
            parameters |= named
        batch.append(sql.purge(self._contracts["retained_decisions"], "keep_until"))
        self._api.batch(batch, parameters, timeout=900)
        self._api.execute(sql.call(marts.REFRESH), timeout=900)

    def kept(self, pseudonyms: Mapping[str, str]) -> int:
        """How many decisions stay under these pseudonyms."""
        total = 0
        for names in _parts(pseudonyms.values()):
            given = {f"p{n}": name for n, name in enumerate(names)}
            counted = f"SELECT COUNT(*) FROM ops.retained_decisions WHERE pseudonym {_among(given)}"
            total += int(self._ask(counted, given)[0][0])
        return total

    def _ask(self, select: str, parameters: dict[str, str]) -> list[list[Any]]:
        return self._api.rows(str(self._api.execute(select, parameters)["Id"])).rows

    def _keep(self, pseudonyms: Mapping[str, str], decision_years: int) -> Iterator[tuple[str, dict[str, str]]]:
        """No column tells who it was: of the loan neither key nor figures, of the person nothing."""
        table = predictions_of(self._contracts, self._portfolio)
        key = sql.identifier(table.references[0].column)
        for part, keys in enumerate(_parts(pseudonyms)):
            names = {f"l{part}_{n}": key for n, key in enumerate(keys)}
            given = {f"p{part}_{n}": pseudonyms[key] for n, key in enumerate(keys)}
            cases = " ".join(f"WHEN :l{part}_{n} THEN :p{part}_{n}" for n in range(len(keys)))
            years = {f"years{part}": str(decision_years)}
            yield (
                "INSERT INTO ops.retained_decisions (pseudonym, portfolio, decided_on, model_version, probability, "
                "score, band, decision, reasons, keep_until) "
                f"SELECT CASE {key} {cases} END, {sql.literal(self._portfolio)}, as_of, model_version, probability, "
                f"score, band, decision, reasons, "
                f"CAST(DATEADD(year, CAST(:years{part} AS INTEGER), as_of) AS DATE) "
                f"FROM {sql.table(table)} WHERE {key} {_among(names)}",
                {**names, **given, **years},
            )

    def _everywhere(self, known: Mapping[str, Iterable[str]]) -> Iterator[_Where]:
        """Every table with rows of the person; what refers comes before what it refers to."""
        for table in reversed(self._ordered()):
            yield from self._of(table, known)

    def _of(self, table: Contract, known: Mapping[str, Iterable[str]]) -> Iterator[_Where]:
        """One condition, or several where the keys are too many for one statement."""
        columns = set(table.column_names)
        if {"source", "record_key"} <= columns:
            asked = [(f"source = {sql.literal(source)} AND record_key", keys) for source, keys in sorted(known.items())]
        else:
            found = links(table, self._contracts, self._chain)
            asked = [(sql.identifier(link.column), known.get(link.source, ())) for link in found]
        parted = [(column, _parts(keys)) for column, keys in asked]
        for part in range(max((len(parts) for _, parts in parted), default=0)):
            conditions: list[str] = []
            parameters: dict[str, str] = {}
            for column, keys in ((c, parts[part]) for c, parts in parted if part < len(parts)):
                names = {f"k{len(parameters) + n}": key for n, key in enumerate(keys)}
                parameters |= names
                conditions.append(f"({column} {_among(names)})")
            yield _Where(sql.table(table), " OR ".join(conditions), parameters)

    def _ordered(self) -> list[Contract]:
        place = {self._contracts.cleaned(source).name: n for n, source in enumerate(self._chain)}
        tables = [c for c in self._tables if c.portfolio in (self._portfolio, "ops") and c.name != "retained_decisions"]
        return sorted(tables, key=lambda c: (place.get(c.name, len(place)), c.name))


def _parts(keys: Iterable[str]) -> list[list[str]]:
    ordered = sorted(keys)
    return [ordered[i : i + _KEYS_AT_ONCE] for i in range(0, len(ordered), _KEYS_AT_ONCE)]


def _among(names: Iterable[str]) -> str:
    return f"IN ({', '.join(f':{name}' for name in names)})"
