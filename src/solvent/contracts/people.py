"""Whose data a row is: the source that holds persons, and everything that hangs on it, from the contracts alone."""

from dataclasses import dataclass

from solvent.contracts.model import Contract, Contracts


@dataclass(frozen=True)
class Link:
    """`column` holds a key of a row of `source`."""

    column: str
    source: str


def person_source(contracts: Contracts, portfolio: str) -> Contract | None:
    """The source whose rows identify natural persons (a column of class `direct`); None where there are none."""
    return next((c for c in contracts.sources(portfolio) if any(k.pii == "direct" for k in c.columns)), None)


def chain(contracts: Contracts, portfolio: str) -> dict[str, Contract]:
    """The person source and the sources that refer to it, directly or through others; parents first."""
    root = person_source(contracts, portfolio)
    found: dict[str, Contract] = {} if root is None else {root.name: root}
    for contract in contracts.sources(portfolio):
        if any(r.contract in found for r in contract.references):
            found[contract.name] = contract
    return found


def parents(known: dict[str, Contract]) -> frozenset[str]:
    """The sources of a chain on which others hang."""
    return frozenset(r.contract for c in known.values() for r in c.references if r.contract in known)


def links(contract: Contract, contracts: Contracts, known: dict[str, Contract]) -> tuple[Link, ...]:
    """The columns of a source or a published table that hold keys of the chain `known`."""
    found: dict[str, str] = {}
    source = contract.name if contract.kind == "source" else contract.source
    if source in known and len(known[source].key) == 1:
        found[known[source].key[0]] = source
    for reference in contract.references:
        target = contracts[reference.contract]
        if (owner := target.source or target.name) in known:
            found[reference.column] = owner
    for column in contract.columns:  # borrowed columns: `sameAs: loan_application.customer_id`
        origin, _, name = (column.sources[0] if len(column.sources) == 1 else "").partition(".")
        if origin in known and column.name == name and column.name not in found:
            inherited = {link.column: link.source for link in links(known[origin], contracts, known)}
            if name in inherited:
                found[column.name] = inherited[name]
    return tuple(Link(column, owner) for column, owner in found.items())
