"""SQL that is written from contracts: identifiers come from contracts, values only through `literal`.

Lambda has no sqlglot, and a COPY takes no parameters, so text is built here and nowhere else.
"""

# ruff: noqa: S608 (building SQL is this module's purpose; nothing gets in but by `identifier` and `literal`)

import re
from collections.abc import Sequence
from dataclasses import dataclass

from solvent.contracts import Contract, Contracts, Reference

_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,126}")


class UnsafeSql(ValueError):
    """Something that is no plain identifier or text was about to become part of a statement."""


def identifier(name: str) -> str:
    """A quoted identifier. Raises UnsafeSql for anything but lower-case letters, digits and underscores."""
    if not _IDENTIFIER.fullmatch(name):
        raise UnsafeSql(f"{name!r} is no identifier of the warehouse: lower-case letters, digits and _ only.")
    return f'"{name}"'


def literal(text: str) -> str:
    """A string literal. Refuses backslashes and control characters, which Redshift may read as escapes."""
    if "\\" in text or any(ord(character) < 32 for character in text):
        raise UnsafeSql(f"{text!r} cannot be part of a statement: it has a backslash or a control character.")
    return "'" + text.replace("'", "''") + "'"


def table(contract: Contract) -> str:
    return f"{identifier(contract.schema)}.{identifier(contract.name)}"


def staging(contract: Contract) -> str:
    """The temporary table of a load; it lives as long as the batch's session."""
    return identifier(f"stage_{contract.name}")


def create_staging(contract: Contract, columns: list[str]) -> str:
    """An empty temporary copy of some columns; no constraint, so that checks and not COPY find what is wrong."""
    names = ", ".join(identifier(c) for c in columns)
    return f"CREATE TEMP TABLE {staging(contract)} AS SELECT {names} FROM {table(contract)} WHERE 1 = 0"


def insert_given(contract: Contract) -> str:
    """One row into staging; each column's value is the parameter `:<column>`, as text."""
    names = ", ".join(identifier(c) for c in contract.column_names)
    values = ", ".join(f"CAST(:{identifier(c.name)[1:-1]} AS {c.physical})" for c in contract.columns)
    return f"INSERT INTO {staging(contract)} ({names}) SELECT {values}"


def copy_parquet(contract: Contract, uri: str) -> str:
    return f"COPY {staging(contract)} FROM {literal(uri)} IAM_ROLE default FORMAT AS PARQUET"


def copy_json(contract: Contract, uri: str) -> str:
    return f"COPY {staging(contract)} FROM {literal(uri)} IAM_ROLE default FORMAT AS JSON 'auto'"


def delete_unchanged(contract: Contract, columns: list[str]) -> str:
    """Drop from staging what the table already holds with equal values, so that a second load writes nothing.

    Redshift's MERGE has no condition on WHEN MATCHED, and `=` between two nulls is not true. Neither DELETE nor MERGE
    takes an alias for its own table: both tables go by their bare names.
    """
    here, there = identifier(contract.name), staging(contract)
    equal = [f"{here}.{identifier(key)} = {there}.{identifier(key)}" for key in contract.key]
    for name in columns:
        if name not in contract.key:
            one, other = f"{here}.{identifier(name)}", f"{there}.{identifier(name)}"
            same = f"{one} = {other}"
            if contract.column(name).type == "json":
                same = f"JSON_SERIALIZE({one}) = JSON_SERIALIZE({other})"
            if not contract.column(name).required:
                same = f"({same} OR ({one} IS NULL AND {other} IS NULL))"
            equal.append(same)
    return f"DELETE FROM {there} USING {table(contract)} WHERE {' AND '.join(equal)}"


@dataclass(frozen=True)
class Deletion:
    """How rows are found whose source row was deleted.

    The deletion log names the `key` of rows of `sources`; `shared` are those of its columns that the table has, or else
    `parent`, to which the table refers by `reference`.
    """

    sources: tuple[str, ...]
    key: tuple[str, ...]
    shared: tuple[str, ...]
    reference: Reference | None = None
    parent: Contract | None = None

    def condition(self, contract: Contract, log: Contract) -> str:
        """The condition that picks the rows of `contract`, by the staged deletion log."""
        names = ", ".join(literal(source) for source in self.sources)
        logged = f"SELECT {self._logged()} FROM {staging(log)} WHERE {identifier('source')} IN ({names})"
        if self.reference is None or self.parent is None:
            return f"{self._value(contract)} IN ({logged})"
        of_parent = f"SELECT {identifier(self.reference.target)} FROM {table(self.parent)}"
        column = f"{identifier(contract.name)}.{identifier(self.reference.column)}"
        return f"{column} IN ({of_parent} WHERE {self._value(self.parent)} IN ({logged}))"

    def _value(self, contract: Contract) -> str:
        texts = [f"CAST({identifier(contract.name)}.{identifier(name)} AS VARCHAR)" for name in self.shared]
        return " || '|' || ".join(texts)

    def _logged(self) -> str:
        key = identifier("record_key")
        if self.shared == self.key:
            return key
        return " || '|' || ".join(f"SPLIT_PART({key}, '|', {self.key.index(name) + 1})" for name in self.shared)


def delete_gone(contract: Contract, log: Contract, deletions: Sequence[Deletion]) -> str:
    """Delete the rows that describe what the staged deletion log names, unless this load brings them again."""
    here, there = identifier(contract.name), staging(contract)
    named = " OR ".join(deletion.condition(contract, log) for deletion in deletions)
    brought = " AND ".join(f"{there}.{identifier(k)} = {here}.{identifier(k)}" for k in contract.key)
    return f"DELETE FROM {table(contract)} WHERE ({named}) AND NOT EXISTS (SELECT 1 FROM {there} WHERE {brought})"


def merge(contract: Contract, columns: list[str], constants: dict[str, str] | None = None) -> str:
    """Insert new keys and overwrite the rest. `constants` are columns that staging lacks, with their one value."""
    here, there = identifier(contract.name), staging(contract)
    values = {name: f"{there}.{identifier(name)}" for name in columns}
    values |= {name: literal(value) for name, value in (constants or {}).items()}
    matched = " AND ".join(f"{here}.{identifier(key)} = {values[key]}" for key in contract.key)
    updates = [f"{identifier(name)} = {value}" for name, value in values.items() if name not in contract.key]
    names = ", ".join(identifier(name) for name in values)
    return (
        f"MERGE INTO {table(contract)} USING {there} ON {matched} "
        f"WHEN MATCHED THEN UPDATE SET {', '.join(updates)} "
        f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({', '.join(values.values())})"
    )


def rows_of(contract: Contract) -> str:
    return f"(SELECT COUNT(*) FROM {staging(contract)})"


def repeated_keys(contract: Contract) -> str:
    """How many keys are in staging more than once."""
    keys = ", ".join(identifier(k) for k in contract.key)
    grouped = f"SELECT {keys} FROM {staging(contract)} GROUP BY {keys} HAVING COUNT(*) > 1"
    return f"(SELECT COUNT(*) FROM ({grouped}) AS repeated)"


def require(checks: list[tuple[str, str, str]]) -> str:
    """One statement that fails, and with it the transaction, unless every check's two numbers agree.

    Each check is (what, expression, expression). A failing check becomes text that does not cast to a number; Redshift
    and DuckDB both show that text in the error, which is the only way to say what is wrong from inside a batch.
    """
    cases = []
    for what, one, other in checks:
        shown = f"{literal(what + ': ')} || CAST({one} AS VARCHAR) || ' against ' || CAST({other} AS VARCHAR)"
        cases.append(f"WHEN {one} <> {other} THEN {shown}")
    return f"SELECT CAST(CASE {' '.join(cases)} ELSE '0' END AS INTEGER) AS checks_failed"


def purge(contract: Contract, last_day: str) -> str:
    """Delete the rows whose last day, a column of the table, has passed."""
    return f"DELETE FROM {table(contract)} WHERE {identifier(last_day)} < CURRENT_DATE"


def is_empty(contract: Contract) -> str:
    """1 when staging holds nothing, else 0."""
    return f"(SELECT CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END FROM {staging(contract)})"


def rows_expected(log: Contract, source: str) -> str:
    """How many rows the cleaned table of a source must have, by the staged load log."""
    figures = "rows_good - rows_tombstone + rows_kept"
    return f"(SELECT COALESCE(SUM({figures}), 0) FROM {staging(log)} WHERE source = {literal(source)})"


def logged(log: Contract, column: str) -> str:
    """A figure of the staged load log, of all sources."""
    return f"(SELECT COALESCE(SUM({identifier(column)}), 0) FROM {staging(log)})"


def accounted_for(log: Contract) -> str:
    """Good, quarantined and duplicate rows of all sources together."""
    return f"(SELECT COALESCE(SUM(rows_good + rows_quarantined + rows_duplicate), 0) FROM {staging(log)})"


def logged_run(log: Contract, run_id: str) -> str:
    """How many rows of the staged load log are this run's."""
    return f"(SELECT COUNT(*) FROM {staging(log)} WHERE run_id = {literal(run_id)})"


def orphans(contract: Contract, reference: Reference, contracts: Contracts) -> str:
    """How many staged rows refer to a row that the warehouse does not have."""
    column, target = identifier(reference.column), identifier(reference.target)
    there = f"SELECT {target} FROM {table(contracts[reference.contract])}"
    return f"(SELECT COUNT(*) FROM {staging(contract)} WHERE {column} NOT IN ({there}))"


def procedure(name: str, body: Sequence[str], *, callers: Sequence[str], definer: bool = False) -> list[str]:
    """The statements that make `ops.<name>()` of other statements and let roles call it.

    It runs with its caller's rights; `definer`: with its owner's.
    """
    text, security = " ".join(f"{statement};" for statement in body), "DEFINER" if definer else "INVOKER"
    if "$$" in text:
        raise UnsafeSql(f"The body of {name} has $$ in it, which would end it.")
    signature = f"{_procedure(name)}()"
    return [
        f"CREATE OR REPLACE PROCEDURE {signature} AS $$ BEGIN {text} END; $$ LANGUAGE plpgsql SECURITY {security}",
        *(f"GRANT EXECUTE ON PROCEDURE {signature} TO ROLE {identifier(caller)[1:-1]}" for caller in callers),
    ]


def call(name: str) -> str:
    """A call of `ops.<name>()`."""
    return f"CALL {_procedure(name)}()"


def _procedure(name: str) -> str:
    return f"ops.{identifier(name)[1:-1]}"
