"""What a contract says, as plain typed data: no YAML, no pydantic, so that Lambda can use it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

PARQUET_ZONES = ("cleaned", "training")
TYPES = ("string", "integer", "number", "date", "timestamp", "boolean", "json")


class ContractError(Exception):
    """A contract is wrong or missing; the message names it and says how to mend it."""


@dataclass(frozen=True)
class Column:
    """One column. `type` is logical, `physical` is the type in Redshift.

    `pii`: none, direct, indirect or protected. `known_at`: when the value becomes known (signup, application, record,
    outcome). `provenance`: delivered, derived or model. `codes` maps a public data set's codes to `values`.
    `role`: `version` marks the column that decides which of several copies of a row is the newest, and from when on a
    version is known. `header` is its name in a delivered file where that differs. `form` is a way of writing that the
    type alone does not tell (`fiscal_year`, `identifier`, `spellings`: `solvent.etl.forms`). `match`: how the value is
    found where the row has none of its own.
    """

    name: str
    type: str
    physical: str
    description: str = ""
    required: bool = False
    minimum: float | str | None = None
    maximum: float | str | None = None
    pattern: str | None = None
    values: tuple[str, ...] = ()
    pii: str = "none"
    known_at: str = "record"
    provenance: str = "delivered"
    max_length: int | None = None
    sources: tuple[str, ...] = ()
    codes: dict[str, str] = field(default_factory=dict, hash=False)
    role: str | None = None
    header: str | None = None
    form: str | None = None
    match: "Match | None" = None


@dataclass(frozen=True)
class Match:
    """A key that is found by a name: `name` is the row's column that holds it.

    The names and keys that are known are those of the sources `among`, in their columns called like these. `known`: the
    row's own key must be one of those, too. The rule: docs/key-matching.md.
    """

    name: str
    among: tuple[str, ...]
    known: bool = False


@dataclass(frozen=True)
class Rule:
    """What the columns of a row must fulfil together; a row that does not is rejected.

    `holds` is SQL with the columns in braces, `{total_assets} > 0`; where it is null the rule says nothing. `name` is
    the reason in quarantine, `column - what is wrong`.
    """

    name: str
    holds: str
    why: str

    def condition(self, prefix: str = "") -> str:
        """`holds` with the columns' names, each after `prefix`."""
        return re.sub(r"[{](\w+)[}]", rf"{prefix}\1", self.holds)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a saved query, `:name` in its SQL. Without a `default` it must be given."""

    name: str
    type: str
    description: str
    default: str | None = None


@dataclass(frozen=True)
class Reference:
    """`column` holds a key of `contract`: its column `target`."""

    column: str
    contract: str
    target: str


@dataclass(frozen=True)
class Contract:
    """A source file (`kind="source"`) or a published table (`kind="published"`, in warehouse schema `schema`).

    `zone` is the lake zone that holds the table. `source` names, for a cleaned table, the source contract it cleans.
    A source's files have fields separated by `delimiter`; an `optional` one may be absent from a delivery.

    A `mart` is an object of the warehouse's schema `marts`: a view, a `materialized` one, or a table of reference data
    (`rows`, in the order of the columns). One with an `option` of the warehouse is there when that is on. A `query` is
    a saved one, with `parameters`.
    """

    name: str
    portfolio: str
    kind: str
    schema: str
    zone: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    references: tuple[Reference, ...] = ()
    purpose: str = ""
    limitations: str = ""
    source: str | None = None
    minimum_rows: int = 0
    dist_key: str | None = None
    sort_key: tuple[str, ...] = ()
    delimiter: str = ","
    optional: bool = False
    rules: tuple[Rule, ...] = ()
    materialized: bool = False
    rows: tuple[tuple[str | float | None, ...], ...] = ()
    option: str | None = None
    parameters: tuple[Parameter, ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @property
    def table(self) -> str:
        """The table's name in the warehouse, `lending.loans`."""
        return f"{self.schema}.{self.name}"

    @property
    def version_column(self) -> str | None:
        """The column whose newest value wins among copies of a row."""
        return next((c.name for c in self.columns if c.role == "version"), None)

    @property
    def headers(self) -> dict[str, str]:
        """Name in a delivered file's header -> name of the column."""
        return {c.header or c.name: c.name for c in self.columns}

    def column(self, name: str) -> Column:
        """Raises ContractError for a column that the contract does not have."""
        for column in self.columns:
            if column.name == name:
                return column
        raise ContractError(f"Contract {self.name} has no column {name!r}; it has {', '.join(self.column_names)}.")


DELETED = Column(
    name="deleted",
    type="boolean",
    physical="BOOLEAN",
    description="The row was deleted at that time; all but its key and the time is absent",
    required=True,
    provenance="derived",
)


class Contracts(Mapping[str, Contract]):
    """All contracts by name."""

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        self._contracts = dict(contracts)

    def __getitem__(self, name: str) -> Contract:
        try:
            return self._contracts[name]
        except KeyError:
            raise ContractError(f"No contract {name!r}; there are {', '.join(sorted(self._contracts))}.") from None

    def __contains__(self, name: object) -> bool:
        return name in self._contracts

    def __iter__(self) -> Iterator[str]:
        return iter(self._contracts)

    def __len__(self) -> int:
        return len(self._contracts)

    def sources(self, portfolio: str) -> tuple[Contract, ...]:
        """A portfolio's sources; a source comes after those it refers to or is matched with.

        Raises ContractError when the references go in a circle.
        """
        waiting = {c.name: c for c in self.values() if c.portfolio == portfolio and c.kind == "source"}
        ordered: list[Contract] = []
        while waiting:
            ready = [c for c in waiting.values() if not _needs(c) & (set(waiting) - {c.name})]
            if not ready:
                raise ContractError(f"The references of {', '.join(waiting)} go in a circle; drop one of them.")
            ordered += ready
            for contract in ready:
                del waiting[contract.name]
        return tuple(ordered)

    def cleaned(self, source: str) -> Contract:
        """The published table that holds the good rows of a source."""
        for contract in self.values():
            if contract.source == source:
                return contract
        raise ContractError(f"No published contract cleans {source}: add one with columnsOf: {source}.")

    def history(self, source: str) -> Contract | None:
        """`<cleaned>_history` in the lake: what the cleaned table held before, for features as of an earlier day.

        Versions that a newer one replaced, the last versions of deleted rows, and for each deletion a row with the key,
        the time of the deletion and `deleted`. None for a source without a version column: its past is not known.
        """
        cleaned = self.cleaned(source)
        version = cleaned.version_column
        if version is None:
            return None
        keep = {*cleaned.key, version}
        columns = tuple(c if c.name in keep else replace(c, required=False) for c in cleaned.columns)
        return replace(
            cleaned,
            name=f"{cleaned.name}_history",
            description=f"Earlier versions of {cleaned.name}, and deletions. {cleaned.description}",
            columns=(*columns, DELETED),
            key=(*cleaned.key, version, DELETED.name),
            source=None,
        )

    def in_the_lake(self, portfolio: str) -> tuple[Contract, ...]:
        """The published tables that each run of a portfolio writes as Parquet: with history, and the logs of runs."""
        found = [
            c
            for c in self.values()
            if c.kind == "published" and c.zone in PARQUET_ZONES and c.portfolio in (portfolio, "ops")
        ]
        histories = (self.history(c.source) for c in found if c.source)
        return (*found, *(h for h in histories if h is not None))

    def marts(self) -> tuple[Contract, ...]:
        """The objects of the warehouse's schema `marts` that every deploy makes, by name."""
        return tuple(sorted((c for c in self.values() if c.kind == "mart" and not c.option), key=lambda c: c.name))

    def queries(self) -> tuple[Contract, ...]:
        """The saved queries, by name."""
        return tuple(sorted((c for c in self.values() if c.kind == "query"), key=lambda c: c.name))

    def steps(self, portfolio: str) -> tuple[Contract, ...]:
        """The portfolio's published tables that a step of `sql/etl/` fills."""
        found = (c for c in self.values() if c.portfolio == portfolio and c.kind == "published" and c.source is None)
        return tuple(sorted((c for c in found if c.zone in PARQUET_ZONES), key=lambda c: c.name))


def _needs(contract: Contract) -> set[str]:
    """The sources whose good rows decide about the contract's own."""
    matched = {source for c in contract.columns if c.match for source in c.match.among}
    return {r.contract for r in contract.references} | matched


def to_data(contract: Contract) -> dict[str, Any]:
    """JSON-ready; `from_data` is the inverse."""
    return asdict(contract)


def from_data(data: Mapping[str, Any]) -> Contract:
    tuples = {"columns": tuple(_column(c) for c in data["columns"]), "key": tuple(data["key"])}
    tuples |= {"references": tuple(Reference(**r) for r in data["references"]), "sort_key": tuple(data["sort_key"])}
    tuples |= {"rules": tuple(Rule(**r) for r in data["rules"])}
    tuples |= {"rows": tuple(tuple(r) for r in data["rows"])}
    tuples |= {"parameters": tuple(Parameter(**p) for p in data["parameters"])}
    return Contract(**{**data, **tuples})


def _column(data: Mapping[str, Any]) -> Column:
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    if fields["match"]:
        fields["match"] = Match(**{**fields["match"], "among": tuple(fields["match"]["among"])})
    return Column(**fields)
