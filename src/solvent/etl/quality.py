"""The rules of a table that a step computes, judged where it was computed; `checked_<source>` judges delivered rows.

A row that breaks a rule here was made by our own SQL, so there is nothing to quarantine: the report counts it, and the
same rules are a Glue Data Quality ruleset (`solvent.contracts.dqdl`). A key that is absent or there twice, or too few
rows, would damage what is built on the table: then the run ends.
"""
# Names and values come from the reviewed contracts alone, none from a delivery.
# ruff: noqa: S608

from collections.abc import Mapping
from typing import Any

from solvent.contracts import Column, Contract
from solvent.etl import fields
from solvent.etl.errors import EtlError


def broken(contract: Contract) -> str:
    """One row: `total` rows, `repeated` keys, rows without a key (`absent`), and `rule_<n>`: rows that break a rule."""
    key = ", ".join(contract.key)
    counts = [_count(condition, f"rule_{n}") for n, (_, condition) in enumerate(rules(contract))]
    absent = _count(" OR ".join(f"{name} IS NULL" for name in contract.key), "absent")
    return (
        f"WITH repeated AS (SELECT {key} FROM {contract.name} GROUP BY {key} HAVING COUNT(*) > 1), "
        f"counted AS (SELECT COUNT(*) AS repeated FROM repeated), "
        f"judged AS (SELECT {', '.join(['COUNT(*) AS total', absent, *counts])} FROM {contract.name}) "
        f"SELECT judged.*, counted.repeated FROM judged CROSS JOIN counted"
    )


def rules(contract: Contract) -> list[tuple[str, str]]:
    """`column - rule` and the condition of a row that breaks it, column by column."""
    return [(f"{c.name} - {rule}", condition) for c in contract.columns for rule, condition in _of(c)]


def report(contract: Contract, found: Mapping[str, Any]) -> dict[str, int]:
    """Rule -> rows that break it, where there are any. Raises EtlError when the table cannot be built on."""
    if found["repeated"] or found["absent"] or found["total"] < contract.minimum_rows:
        raise EtlError(
            f"{contract.name} would have {found['repeated']} keys twice, {found['absent']} rows without a key and "
            f"{found['total']} rows in all, at least {contract.minimum_rows} are due. The step that fills it is at "
            f"fault (sql/etl/{contract.portfolio}/); report this. Nothing was published."
        )
    counts = {rule: int(found[f"rule_{n}"]) for n, (rule, _) in enumerate(rules(contract))}
    return {rule: count for rule, count in counts.items() if count}


def _of(column: Column) -> list[tuple[str, str]]:
    name, found = column.name, []
    if column.required:
        found.append(("missing", f"{name} IS NULL"))
    if column.minimum is not None:
        found.append((f"below {column.minimum}", f"{name} < {_bound(column, column.minimum)}"))
    if column.maximum is not None:
        found.append((f"above {column.maximum}", f"{name} > {_bound(column, column.maximum)}"))
    if column.values:
        allowed = ", ".join(_value(v) for v in column.values)
        found.append(("not an allowed value", f"{name} NOT IN ({allowed})"))
    if column.pattern:
        found.append(("wrong form", f"NOT REGEXP_MATCHES({name}, {fields.pattern(column)})"))
    if column.max_length:
        found.append((f"longer than {column.max_length} characters", f"LENGTH({name}) > {column.max_length}"))
    return found


def _bound(column: Column, value: float | str) -> str:
    return f"CAST({_value(value)} AS DATE)" if column.type == "date" else _value(value)


def _count(condition: str, name: str) -> str:
    return f"COUNT(CASE WHEN {condition} THEN 1 END) AS {name}"


def _value(value: float | str) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)
