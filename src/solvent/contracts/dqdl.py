"""A contract's rules as a Glue Data Quality ruleset: for whoever checks again what the ETL has checked.

Language: https://docs.aws.amazon.com/glue/latest/dg/dqdl.html, its rule types:
https://docs.aws.amazon.com/glue/latest/dg/dqdl-rule-types.html, its grammar: https://github.com/awslabs/dqdl.
`between` leaves both ends out, so a range is two rules. ColumnValues refuses null, so an optional column has a where.
ColumnDataType asks whether text can be cast; a published column has its type in the Parquet schema and the catalog.
"""

from decimal import Decimal

from solvent.contracts.model import Column, Contract

LARGEST = 65_536  # characters of a ruleset that Glue takes (CreateDataQualityRuleset)


def ruleset(contract: Contract) -> str:
    """The text of the ruleset of a published table, one rule a line.

    An evaluation that includes references gets the tables they name as additional data sources of the same name.
    Raises ValueError when Glue would refuse its size.
    """
    text = "Rules = [\n" + ",\n".join(f"    {rule}" for rule in rules(contract)) + "\n]"
    if len(text) > LARGEST:
        raise ValueError(f"The ruleset of {contract.name} has {len(text)} characters, Glue takes {LARGEST}.")
    return text


def rules(contract: Contract) -> list[str]:
    """Every rule of the contract, once: rows, key, references, then column by column."""
    found = [f"RowCount >= {contract.minimum_rows}"] if contract.minimum_rows else []
    found.append(f"IsPrimaryKey {' '.join(_quoted(k) for k in contract.key)}")
    for reference in contract.references:
        # Without a value there is nothing to find; ReferentialIntegrity knows no where.
        if contract.column(reference.column).required or reference.column in contract.key:
            target = _quoted(f"{reference.contract}.{reference.target}")
            found.append(f"ReferentialIntegrity {_quoted(reference.column)} {target} = 1.0")
    return found + [rule for column in contract.columns for rule in _of(column)]


def _of(column: Column) -> list[str]:
    name = _quoted(column.name)
    where = "" if column.required else " where " + _quoted(f"{column.name} is not null")
    found = [f"IsComplete {name}"] if column.required else []
    if column.minimum is not None:
        found.append(f"ColumnValues {name} >= {_value(column.minimum)}{where}")
    if column.maximum is not None:
        found.append(f"ColumnValues {name} <= {_value(column.maximum)}{where}")
    if column.values:
        found.append(f"ColumnValues {name} in [{', '.join(_quoted(v) for v in column.values)}]{where}")
    if column.pattern:
        found.append(f"ColumnValues {name} matches {_quoted(column.pattern)}{where}")
    if column.max_length:
        found.append(f"ColumnLength {name} <= {column.max_length}")  # null counts as of length 0
    return found


def _value(bound: float | str) -> str:
    """A date in quotes, a number in plain digits: the language has no exponents."""
    return _quoted(bound) if isinstance(bound, str) else format(Decimal(str(bound)), "f")


def _quoted(text: str) -> str:
    """A string of the language: backslash and quote are escaped, a line break cannot be. Raises ValueError."""
    if "\n" in text or "\r" in text:
        raise ValueError(f"{text!r} has a line break: a DQDL string cannot.")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
