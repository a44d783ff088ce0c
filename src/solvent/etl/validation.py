"""The SQL that a source's contract implies: what each row breaks, copies, good rows, quarantine.

DuckDB dialect, within the part that sqlglot carries over to Spark with the same meaning; order is always explicit.
"""
# Names and values come from the reviewed contracts alone, none from a delivery.
# ruff: noqa: S608

from solvent.contracts import Contract, Contracts
from solvent.contracts.glue import QUARANTINE
from solvent.etl import fields

_POSITION = ("_source_file", "_row_number")


def checked(contract: Contract, contracts: Contracts) -> str:
    """Every raw row with typed columns and `_reason`: the rules it breaks, `column - rule; ...`, or empty."""
    given = [f"{fields.given(c.name)} AS {c.name}" for c in contract.columns]
    typed = [f"{fields.typed(c)} AS typed_{c.name}" for c in contract.columns]
    out = [f"typed_{c.name} AS {c.name}" for c in contract.columns]
    reasons = [reason for c in contract.columns for reason in fields.reasons(c)]
    joins = []
    for number, reference in enumerate(contract.references):
        good, all_of = f"good_{number}", f"all_{number}"
        parent, target, value = (
            contracts.cleaned(reference.contract).name,
            reference.target,
            f"typed_{reference.column}",
        )
        joins.append(
            f"LEFT JOIN (SELECT {target} AS parent_key FROM {parent}) AS {good} ON {good}.parent_key = {value}"
        )
        joins.append(
            f"LEFT JOIN (SELECT DISTINCT {target} AS parent_key FROM checked_{reference.contract}) AS {all_of} "
            f"ON {all_of}.parent_key = {value}"
        )
        lost = f"{value} IS NOT NULL AND {good}.parent_key IS NULL"
        unknown = f"{reference.column} - unknown in {reference.contract}"
        cascaded = f"{reference.column} - in quarantine with its {reference.contract}"
        reasons.append(fields.reason(f"{lost} AND {all_of}.parent_key IS NULL", unknown))
        reasons.append(fields.reason(f"{lost} AND {all_of}.parent_key IS NOT NULL", cascaded))
    positions = ", ".join(_POSITION)
    return (
        f"WITH given AS (SELECT {positions}, {', '.join(given)} FROM raw_{contract.name}), "
        f"typed AS (SELECT *, {', '.join(typed)} FROM given) "
        f"SELECT {positions}, {', '.join(out)}, SUBSTRING(CONCAT({', '.join(reasons)}), 3) AS _reason "
        f"FROM typed {' '.join(joins)}"
    )


def copies(contract: Contract) -> str:
    """Positions of the older copies: of several good rows with one key the newest, then the last, stays.

    Repeated keys are found first and only their rows are ordered: a third of the memory of ordering all.
    """
    key = ", ".join(contract.key)
    same = " AND ".join(f"delivered.{k} = repeated.{k}" for k in contract.key)
    newest = f"delivered.{contract.version_column} DESC NULLS LAST, " if contract.version_column else ""
    return (
        f"WITH repeated AS (SELECT {key} FROM checked_{contract.name} WHERE _reason = '' "
        f"GROUP BY {key} HAVING COUNT(*) > 1) "
        f"SELECT _source_file, _row_number FROM ("
        f"SELECT delivered._source_file, delivered._row_number, ROW_NUMBER() OVER ("
        f"PARTITION BY {', '.join(f'delivered.{k}' for k in contract.key)} "
        f"ORDER BY {newest}delivered._source_file DESC, delivered._row_number DESC) AS place "
        f"FROM checked_{contract.name} AS delivered JOIN repeated ON {same} WHERE delivered._reason = '') AS ranked "
        f"WHERE place > 1"
    )


def good(contract: Contract) -> str:
    """The cleaned table: rows that break no rule, less the older copies."""
    columns = ", ".join(f"delivered.{c.name}" for c in contract.columns)
    return (
        f"SELECT {columns} FROM checked_{contract.name} AS delivered "
        f"{_join('LEFT JOIN', f'copies_{contract.name}', 'older')} "
        f"WHERE delivered._reason = '' AND older._row_number IS NULL"
    )


def quarantine(contract: Contract) -> str:
    """Rejected and malformed rows with their reasons, as delivered."""
    rejected = (
        _kept_aside(contract, "rejected", "delivered._reason", f"checked_{contract.name}")
        + " WHERE delivered._reason <> ''"
    )
    malformed = (
        f"SELECT run.run_id, '{contract.name}' AS source, delivered._source_file AS source_file, "
        f"delivered._row_number AS row_number, 'malformed' AS kind, delivered._reason AS reason, "
        f"CAST(NULL AS VARCHAR) AS record_key, delivered._payload AS payload "
        f"FROM malformed_{contract.name} AS delivered CROSS JOIN run"
    )
    return f"{rejected} UNION ALL {malformed}"


def duplicates(contract: Contract) -> str:
    """The older copies, as delivered."""
    kept = _kept_aside(contract, "duplicate", "'older copy'", f"checked_{contract.name}")
    return f"{kept} {_join('JOIN', f'copies_{contract.name}', 'older')}"


def quarantine_log(sources: tuple[Contract, ...], log: Contract) -> str:
    """One row per row in quarantine, without the row."""
    columns = ", ".join(log.column_names)
    return " UNION ALL ".join(f"SELECT {columns} FROM quarantine_{c.name}" for c in sources)


def _kept_aside(contract: Contract, kind: str, reason: str, table: str) -> str:
    form = [f"REGEXP_MATCHES(delivered.{k}, {fields.pattern(contract.column(k))})" for k in contract.key]
    key = f"CASE WHEN {' AND '.join(form)} THEN CONCAT_WS('|', {', '.join(f'delivered.{k}' for k in contract.key)}) END"
    payload = ", ".join(f"'{c.name}': raw.{c.name}" for c in contract.columns)
    values = (
        "run.run_id",
        f"'{contract.name}'",
        "delivered._source_file",
        "delivered._row_number",
        f"'{kind}'",
        reason,
        key,
    )
    named = [f"{value} AS {column['Name']}" for value, column in zip(values, QUARANTINE, strict=False)]
    return (
        f"SELECT {', '.join(named)}, CAST(TO_JSON({{{payload}}}) AS VARCHAR) AS payload FROM {table} AS delivered "
        f"{_join('JOIN', f'raw_{contract.name}', 'raw')} CROSS JOIN run"
    )


def _join(how: str, table: str, alias: str) -> str:
    same = " AND ".join(f"{alias}.{p} = delivered.{p}" for p in _POSITION)
    return f"{how} {table} AS {alias} ON {same}"
