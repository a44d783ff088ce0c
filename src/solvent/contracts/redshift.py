"""Redshift DDL from a contract. Names and types come from reviewed files of the checkout, never from a caller."""

from solvent.contracts.model import Contract


def create_table(contract: Contract) -> str:
    """`CREATE TABLE IF NOT EXISTS lending.loans (...) DISTSTYLE ... SORTKEY (...)`, without a final semicolon.

    Redshift does not enforce the primary key: it informs the planner, the load's MERGE keeps it true.
    """
    columns = [f"  {c.name} {c.physical}{' NOT NULL' if c.required else ''}" for c in contract.columns]
    columns.append(f"  PRIMARY KEY ({', '.join(contract.key)})")
    dist = f"DISTSTYLE KEY DISTKEY ({contract.dist_key})" if contract.dist_key else "DISTSTYLE AUTO"
    sort = f" SORTKEY ({', '.join(contract.sort_key)})" if contract.sort_key else ""
    return f"CREATE TABLE IF NOT EXISTS {contract.table} (\n" + ",\n".join(columns) + f"\n) {dist}{sort}"


def comments(contract: Contract) -> list[str]:
    """`COMMENT ON` statements for the table and its columns, without semicolons."""
    return [
        f"COMMENT ON TABLE {contract.table} IS {_literal(contract.description)}",
        *(f"COMMENT ON COLUMN {contract.table}.{c.name} IS {_literal(c.description)}" for c in contract.columns),
    ]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
