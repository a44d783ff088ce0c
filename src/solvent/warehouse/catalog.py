"""What there is in the warehouse, by the contracts: to look it up wakes, and costs, nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from solvent import contracts
from solvent.contracts import Contract
from solvent.warehouse import grants, marts


@dataclass(frozen=True)
class Relation:
    """A table, view or materialized view. `about` is what it holds, or the business question that it answers.

    `readers`: role -> the columns that it may read; `masked`: role -> those that it sees masked.
    """

    contract: Contract
    kind: str
    about: str
    readers: Mapping[str, frozenset[str]]
    masked: Mapping[str, frozenset[str]]

    @property
    def name(self) -> str:
        return self.contract.table


@cache
def relations() -> Mapping[str, Relation]:
    """Every relation of the warehouse that has a contract, by `schema.name`; marts first."""
    known = contracts.load()
    access = grants.access(known)
    kinds = [(m.contract, m.kind, m.question) for m in marts.read()]
    kinds += [(c, "materialized view", c.purpose) for c in known.values() if c.option]
    kinds += [(c, "table", c.purpose or c.description) for c in known.values() if c.kind == "published"]
    found = [
        Relation(c, kind, about, access.reads.get(c.table, {}), access.masked.get(c.table, {}))
        for c, kind, about in kinds
    ]
    return {r.name: r for r in sorted(found, key=lambda r: (r.contract.schema != "marts", r.name))}
