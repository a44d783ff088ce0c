"""The procedures `ops.merge_<table>()`: how what a load has staged becomes part of a table.

What the delivery deleted goes, what is there already with equal values is dropped from staging, MERGE takes the rest.
Procedures, because a batch of the Data API has 40 statements and portfolios grow; they run as their caller, in its
transaction, on its temporary tables. The deploy makes them from the contracts.
"""

from graphlib import TopologicalSorter

from solvent.contracts import Contract, Contracts
from solvent.warehouse import statements as sql

LOGS = ("load_log", "quarantine_log", "deletion_log")
LOADER = "loader"


def tables(contracts: Contracts, portfolio: str | None = None) -> list[Contract]:
    """The tables that an ETL run fills, without the logs; what refers to a row comes before the row.

    So the years of a deleted company can still be found when the rows that describe them go.
    """
    found = {
        c.name: c
        for c in sorted(contracts.values(), key=lambda c: c.name)
        if c.kind == "published"
        and c.zone in ("cleaned", "training")
        and c.name not in LOGS
        and portfolio in (None, c.portfolio)
    }
    parents = {name: [r.contract for r in c.references if r.contract in found] for name, c in found.items()}
    return [found[name] for name in reversed(list(TopologicalSorter(parents).static_order()))]


def procedure(contract: Contract) -> str:
    """The name of a table's procedure."""
    return f"merge_{contract.name}"


def procedures(contracts: Contracts) -> list[str]:
    """The statements that make every procedure and let the loader call it."""
    made = [sql.procedure(procedure(c), body(contracts, c), callers=[LOADER]) for c in tables(contracts)]
    return [statement for statements in made for statement in statements]


def body(contracts: Contracts, contract: Contract) -> list[str]:
    """What the procedure of a table does."""
    columns, gone = list(contract.column_names), deletions(contracts, contract)
    delete = [sql.delete_gone(contract, contracts["deletion_log"], gone)] if gone else []
    return [*delete, sql.delete_unchanged(contract, columns), sql.merge(contract, columns)]


def deletions(contracts: Contracts, contract: Contract) -> list[sql.Deletion]:
    """By which deleted keys the rows of a table are found.

    A cleaned table holds the rows of its source. A derived one describes them where it has columns of their key (a
    company has a part of its years' key), or refers to another derived table that has them.
    """
    if contract.source:
        return [sql.Deletion((contract.source,), contract.key, contract.key)]
    direct = _described(contracts, contract)
    through = [
        sql.Deletion(found.sources, found.key, found.shared, reference, parent)
        for reference in contract.references
        for parent in [contracts[reference.contract]]
        if not parent.source and not direct
        for found in _described(contracts, parent)
    ]
    return [*direct, *through]


def _described(contracts: Contracts, contract: Contract) -> list[sql.Deletion]:
    """The sources with which a table shares columns of the key; those with the same key together."""
    sources: dict[tuple[str, ...], list[str]] = {}
    for cleaned in tables(contracts, contract.portfolio):
        if cleaned.source and set(cleaned.key) & set(contract.column_names):
            sources.setdefault(cleaned.key, []).append(cleaned.source)
    return [
        sql.Deletion(tuple(sorted(names)), key, tuple(k for k in key if k in contract.column_names))
        for key, names in sources.items()
    ]
