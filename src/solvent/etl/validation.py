"""The SQL that a source's contract implies: what each row breaks, copies, accepted rows, quarantine.

DuckDB dialect, within the part that sqlglot carries over to Spark with the same meaning; order is always explicit.
What a delivery does to the rows of earlier ones is told in `solvent.etl.history`.
"""
# Names and values come from the reviewed contracts alone, none from a delivery.
# ruff: noqa: S608

from solvent.contracts import Column, Contract, Contracts
from solvent.contracts.glue import QUARANTINE
from solvent.delivery import DELETED
from solvent.etl import fields, matching

_POSITION = ("_source_file", "_row_number")


def checked(contract: Contract, contracts: Contracts) -> str:
    """Every raw row with typed columns, `_tombstone` and `_reason`: the rules it breaks, as `column - rule; ...`.

    A tombstone says that a row was deleted: only its key and its version must be sound.
    """
    given = [f"{fields.given(c.name)} AS {c.name}" for c in contract.columns]
    typed = [f"{fields.typed(c)} AS typed_{c.name}" for c in contract.columns]
    out = [f"typed_{c.name} AS {c.name}" for c in contract.columns]
    identity = {*contract.key, contract.version_column}
    of_identity = [r for c in contract.columns if c.name in identity for r in _reasons(c)]
    reasons = [r for c in contract.columns if c.name not in identity for r in _reasons(c)]
    reasons += [fields.reason(f"NOT ({rule.condition('typed_')})", rule.name) for rule in contract.rules]
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
    matches, table = matching.resolve(contract, contracts)
    positions = ", ".join(_POSITION)
    of_content = f"CASE WHEN _tombstone THEN '' ELSE CONCAT({', '.join(reasons)}) END" if reasons else "''"
    return (
        f"WITH given AS (SELECT {positions}, {fields.flag(DELETED)} AS _tombstone, {', '.join(given)} "
        f"FROM raw_{contract.name}), "
        f"typed AS (SELECT *, {', '.join(typed)} FROM given){matches} "
        f"SELECT {positions}, _tombstone, {', '.join(out)}, "
        f"SUBSTRING(CONCAT({', '.join([*of_identity, of_content])}), 3) AS _reason "
        f"FROM {table} {' '.join(joins)}"
    )


def _reasons(column: Column) -> list[str]:
    return matching.reasons(column) if column.match else fields.reasons(column)


def profile(contract: Contract) -> str:
    """One row: for each typed column how many values are of its type (`good_<column>`), how many not (`bad_...`)."""
    counts = []
    for column in contract.columns:
        reason = fields.type_reason(column)
        if reason:
            counts.append(f"COUNT({column.name}) AS good_{column.name}")
            counts.append(f"COUNT(CASE WHEN CONTAINS(_reason, '{reason}') THEN 1 END) AS bad_{column.name}")
    return f"SELECT {', '.join([*counts, 'COUNT(*) AS total'])} FROM checked_{contract.name}"


def copies(contract: Contract, cleaned: Contract) -> str:
    """Positions of the older copies: of several good rows with one key the newest, then the last, stays.

    Of changes a row that is older than what an earlier delivery brought is an older copy, too; a snapshot is the state
    as it is, also where the source went back to an older version. Repeated keys are found first and
    only their rows are ordered: a third of the memory of ordering all.
    """
    key = ", ".join(contract.key)
    version = contract.version_column
    newest = f"delivered.{version} DESC NULLS LAST, " if version else ""
    repeated = (
        f"WITH repeated AS (SELECT {key} FROM checked_{contract.name} WHERE _reason = '' "
        f"GROUP BY {key} HAVING COUNT(*) > 1) "
        f"SELECT _source_file, _row_number FROM ("
        f"SELECT delivered._source_file, delivered._row_number, ROW_NUMBER() OVER ("
        f"PARTITION BY {', '.join(f'delivered.{k}' for k in contract.key)} "
        f"ORDER BY {newest}delivered._source_file DESC, delivered._row_number DESC) AS place "
        f"FROM checked_{contract.name} AS delivered JOIN repeated ON {same('delivered', 'repeated', contract.key)} "
        f"WHERE delivered._reason = '') AS ranked WHERE place > 1"
    )
    if version is None:
        return repeated
    return (
        f"{repeated} UNION SELECT delivered._source_file, delivered._row_number "
        f"FROM base_{cleaned.name} AS base JOIN checked_{contract.name} AS delivered "
        f"ON {same('delivered', 'base', contract.key)} "
        f"CROSS JOIN run WHERE delivered._reason = '' AND delivered.{version} < base.{version} "
        f"AND CONTAINS(run.keeps, ',{contract.name},')"
    )


def accepted(contract: Contract) -> str:
    """Rows that break no rule, less the older copies: the newest state of each delivered key, tombstones among them."""
    columns = ", ".join(f"delivered.{c.name}" for c in contract.columns)
    return (
        f"SELECT {columns}, delivered._tombstone FROM checked_{contract.name} AS delivered "
        f"{_join('LEFT JOIN', f'copies_{contract.name}', 'older')} "
        f"WHERE delivered._reason = '' AND older._row_number IS NULL"
    )


def quarantine(contract: Contract) -> str:
    """Rejected and malformed rows with their reasons, as delivered; of erased persons' rows the position alone."""
    rejected = (
        _kept_aside(contract, "rejected", "delivered._reason", f"checked_{contract.name}")
        + " WHERE delivered._reason <> ''"
    )
    malformed = (
        f"SELECT run.run_id, '{contract.name}' AS source, delivered._source_file AS source_file, "
        f"delivered._row_number AS row_number, "
        f"CASE WHEN delivered._payload IS NULL THEN 'erased' ELSE 'malformed' END AS kind, "
        f"delivered._reason AS reason, "
        f"CAST(NULL AS VARCHAR) AS record_key, delivered._payload AS payload "
        f"FROM malformed_{contract.name} AS delivered CROSS JOIN run"
    )
    return f"{rejected} UNION ALL {malformed}"


def duplicates(contract: Contract) -> str:
    """The older copies, as delivered."""
    kept = _kept_aside(contract, "duplicate", "'older copy'", f"checked_{contract.name}")
    return f"{kept} {_join('JOIN', f'copies_{contract.name}', 'older')}"


def quarantined(contract: Contract, log: Contract) -> str:
    """The source's part of the quarantine log: one row per row in quarantine, without the row."""
    return f"SELECT {', '.join(log.column_names)} FROM quarantine_{contract.name}"


def same(one: str, other: str, columns: tuple[str, ...]) -> str:
    """A condition: both tables agree in these columns."""
    return " AND ".join(f"{one}.{c} = {other}.{c}" for c in columns)


def _kept_aside(contract: Contract, kind: str, reason: str, table: str) -> str:
    texts = {k: f"CAST(delivered.{k} AS VARCHAR)" for k in contract.key}
    form = [f"REGEXP_MATCHES({text}, {fields.pattern(contract.column(k))})" for k, text in texts.items()]
    key = f"CASE WHEN {' AND '.join(form)} THEN CONCAT_WS('|', {', '.join(texts.values())}) END"
    payload = ", ".join(f"'{name}': raw.{name}" for name in (*contract.column_names, DELETED))
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
    return f"{how} {table} AS {alias} ON {same(alias, 'delivered', _POSITION)}"
