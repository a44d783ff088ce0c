"""What a delivery does to the rows of earlier ones: replaced, kept, deleted, and remembered.

`base_<cleaned>` and `base_<cleaned>_history` are the tables of the run before, empty for a first one. A snapshot
deletes what it lacks; changes delete what they say (tombstones). A row whose new version is in quarantine stays as it
was. A version is known from its version column on; features as of an earlier day find it in `<cleaned>_history`.
"""
# Names come from the reviewed contracts alone, none from a delivery.
# ruff: noqa: S608

from solvent.contracts import Contract
from solvent.etl.validation import same


def kept(contract: Contract, cleaned: Contract) -> str:
    """Rows of the base that stay: this delivery says nothing of them, or nothing that is sound or newer."""
    return f"{_of_base(contract, cleaned)} AND (CONTAINS(run.keeps, ',{contract.name},') OR seen.key_1 IS NOT NULL)"


def removed(contract: Contract, cleaned: Contract) -> str:
    """Rows of the base that a snapshot no longer has."""
    return f"{_of_base(contract, cleaned)} AND NOT CONTAINS(run.keeps, ',{contract.name},') AND seen.key_1 IS NULL"


def tombstones(contract: Contract) -> str:
    """Accepted rows that say that their key was deleted."""
    return f"SELECT {', '.join(contract.column_names)} FROM accepted_{contract.name} WHERE _tombstone"


def current(contract: Contract) -> str:
    """The cleaned table: what was accepted and is no tombstone, and what was kept. A key is there once."""
    columns = ", ".join(contract.column_names)
    return (
        f"SELECT {columns} FROM accepted_{contract.name} WHERE NOT _tombstone "
        f"UNION ALL SELECT {columns} FROM kept_{contract.name}"
    )


def versions(contract: Contract, cleaned: Contract) -> str:
    """The history table: the base's, and what this delivery replaced, deleted or brought late. No version twice."""
    version = str(contract.version_column)
    names = contract.column_names
    key = (*contract.key, version)

    def of(table: str, deleted: str, at: str = "", place: str = "CAST(NULL AS VARCHAR), CAST(NULL AS BIGINT)") -> str:
        """Columns of a version; a deletion has its key and time alone."""
        content = {"FALSE": "{}", "TRUE": "NULL"}.get(deleted, f"CASE WHEN {deleted} THEN NULL ELSE {{}} END")
        values = [content.format(f"{table}.{n}") if n not in key else f"{table}.{n}" for n in names]
        values[names.index(version)] = at or f"{table}.{version}"
        named = [f"{value} AS {name}" for value, name in zip(values, names, strict=True)]
        file, number = place.split(", ")
        return f"SELECT {', '.join(named)}, {deleted} AS deleted, {file} AS _source_file, {number} AS _row_number"

    found = " UNION ALL ".join(
        [
            f"{of('d', 'd._tombstone', place='d._source_file, d._row_number')} FROM checked_{contract.name} AS d "
            f"JOIN copies_{contract.name} AS o ON {same('o', 'd', ('_source_file', '_row_number'))}",
            f"{of('b', 'FALSE')} FROM base_{cleaned.name} AS b JOIN accepted_{contract.name} AS a "
            f"ON {same('a', 'b', contract.key)} WHERE a._tombstone OR a.{version} <> b.{version}",
            f"{of('r', 'FALSE')} FROM removed_{contract.name} AS r",
            f"{of('r', 'TRUE', _end_of_day('run.as_of'))} FROM removed_{contract.name} AS r CROSS JOIN run",
            f"{of('t', 'TRUE')} FROM tombstones_{contract.name} AS t",
        ]
    )
    partition = ", ".join(f"found.{k}" for k in (*key, "deleted"))
    columns = ", ".join(names)
    return (
        f"WITH found AS ({found}), "
        f"ranked AS (SELECT found.*, ROW_NUMBER() OVER (PARTITION BY {partition} "
        f"ORDER BY found._source_file DESC NULLS LAST, found._row_number DESC NULLS LAST) AS place "
        f"FROM found LEFT JOIN {cleaned.name} AS here ON {same('here', 'found', key)} AND NOT found.deleted "
        f"LEFT JOIN base_{cleaned.name}_history AS past ON {same('past', 'found', (*key, 'deleted'))} "
        f"WHERE here.{key[0]} IS NULL AND past.{key[0]} IS NULL) "
        f"SELECT {columns}, deleted FROM base_{cleaned.name}_history "
        f"UNION ALL SELECT {columns}, deleted FROM ranked WHERE place = 1"
    )


def deletions(contract: Contract, log: Contract) -> str:
    """The source's part of the deletion log: one row per key that this delivery deleted."""
    version = contract.version_column
    key = f"CONCAT_WS('|', {', '.join(f'CAST(d.{k} AS VARCHAR)' for k in contract.key)})"
    values = {"run_id": "run.run_id", "source": f"'{contract.name}'", "record_key": key}
    absent = values | {"deleted_on": "run.as_of", "why": "'absent from the snapshot'"}
    said = values | {
        "deleted_on": f"CAST(d.{version} AS DATE)" if version else "run.as_of",
        "why": "'deleted in the source'",
    }

    def part(table: str, filled: dict[str, str]) -> str:
        columns = ", ".join(f"{filled[name]} AS {name}" for name in log.column_names)
        return f"SELECT {columns} FROM {table}_{contract.name} AS d CROSS JOIN run"

    return f"{part('removed', absent)} UNION ALL {part('tombstones', said)}"


def _of_base(contract: Contract, cleaned: Contract) -> str:
    """Rows of the base that no accepted row replaces; `seen` says whether the delivery names their key at all."""
    columns = ", ".join(f"base.{name}" for name in contract.column_names)
    keys = ", ".join(f"{k} AS key_{n}" for n, k in enumerate(contract.key, 1))
    seen = " AND ".join(f"seen.key_{n} = base.{k}" for n, k in enumerate(contract.key, 1))
    return (
        f"SELECT {columns} FROM base_{cleaned.name} AS base CROSS JOIN run "
        f"LEFT JOIN accepted_{contract.name} AS accepted ON {same('accepted', 'base', contract.key)} "
        f"LEFT JOIN (SELECT DISTINCT {keys} FROM checked_{contract.name}) AS seen ON {seen} "
        f"WHERE accepted.{contract.key[0]} IS NULL"
    )


def _end_of_day(day: str) -> str:
    # A deletion that only the snapshot tells happened before it was taken, and after every version of its day.
    return f"CAST(CONCAT(CAST({day} AS VARCHAR), ' 23:59:59') AS TIMESTAMP)"
