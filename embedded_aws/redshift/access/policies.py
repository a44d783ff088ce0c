"""Masking and row-level security policies: made, altered, dropped, attached and detached.

Sources: docs.aws.amazon.com/redshift/latest/dg/t_ddm.html and t_rls.html.
"""

from sqlglot import exp

from embedded_aws.redshift import materialized
from embedded_aws.redshift.access import principals
from embedded_aws.redshift.access.context import Access
from embedded_aws.redshift.access.protection import cast, expressions, parsed
from embedded_aws.redshift.access.state import POLICIES, Policy
from embedded_aws.redshift.dialect import generate
from embedded_aws.redshift.errors import SqlError, not_implemented
from embedded_aws.redshift.reader import Reader

VERBS = ("CREATE", "ALTER", "DROP", "ATTACH", "DETACH")
KINDS = {"MASKING": "masking", "RLS": "rls"}
_NAMES = {"masking": "masking policy", "rls": "RLS policy"}


def execute(access: Access, sql: str) -> None:
    """CREATE, ALTER, DROP, ATTACH or DETACH of a MASKING or RLS POLICY. Raises SqlError."""
    reader = Reader(sql)
    verb = reader.next().text.upper()
    access.require(POLICIES, f"permission denied to {verb.lower()} policies: superuser or sys:secadmin only")
    kind = KINDS[reader.next().text.upper()]
    reader.expect("POLICY")
    missing_is_fine = verb == "DROP" and reader.accept_all("IF", "EXISTS")
    existing_is_fine = verb == "CREATE" and reader.accept_all("IF", "NOT", "EXISTS")
    name = reader.name()
    exists = (kind, name) in access.state.policies
    if verb == "CREATE" and exists:
        if not existing_is_fine:
            raise SqlError(f'{_NAMES[kind]} "{name}" already exists')
    elif verb != "CREATE" and not exists:
        if not missing_is_fine:
            raise SqlError(f'{_NAMES[kind]} "{name}" does not exist')
    else:
        {"CREATE": _create, "ALTER": _alter, "DROP": _drop, "ATTACH": _attach, "DETACH": _detach}[verb](
            access, kind, name, reader
        )
    access.changed()


def switch(access: Access, sql: str) -> None:
    """ALTER TABLE ... ROW LEVEL SECURITY { ON [CONJUNCTION TYPE { AND | OR }] | OFF }."""
    access.require(POLICIES, "permission denied to alter row level security: superuser or sys:secadmin only")
    reader = Reader(sql)
    reader.accept_all("ALTER", "TABLE")
    relation = access.relation(reader.name())
    reader.accept_all("ROW", "LEVEL", "SECURITY")
    on = reader.accept("ON")
    if not on:
        reader.expect("OFF")
    conjunction = reader.next().text.lower() if on and reader.accept_all("CONJUNCTION", "TYPE") else "and"
    reader.end()
    if conjunction not in ("and", "or"):
        raise SqlError(f'syntax error at or near "{conjunction}"')
    access.cursor.execute("DELETE FROM _redshift.row_security WHERE schema_name = ? AND relation = ?", [*relation])
    if on:
        access.cursor.execute("INSERT INTO _redshift.row_security VALUES (?, ?, ?)", [*relation, conjunction])
    access.changed()


def _create(access: Access, kind: str, name: str, reader: Reader) -> None:
    columns: list[str] = []
    types: list[str] = []
    if reader.accept("WITH"):
        for definition in reader.parenthesised():
            column, _, data_type = definition.partition(" ")
            columns.append(column.lower().strip('"'))
            types.append(data_type.strip().lower())
    alias = reader.name() if reader.accept("AS") else ""
    reader.expect("USING")
    expression = ", ".join(reader.parenthesised())
    reader.end()
    _check(kind, Policy(tuple(columns), alias, expression))
    access.cursor.execute(
        "INSERT INTO _redshift.policies VALUES (?, ?, ?, ?, ?, ?, ?, now())",
        [kind, name, columns, types, alias, expression, access.user],
    )


def _check(kind: str, policy: Policy) -> None:
    tree = parsed(policy.expression)
    if kind == "masking" and tree.find(exp.Subquery, exp.Table):
        raise SqlError("a masking expression cannot have a subquery")
    if kind == "rls" and len(tree.expressions) != 1:
        raise SqlError("the expression of an RLS policy is one condition")
    for used in tree.find_all(exp.Column):
        if used.parent_select is tree and used.name.lower() not in policy.columns:
            raise SqlError(f'column "{used.name.lower()}" does not exist')


def _alter(access: Access, kind: str, name: str, reader: Reader) -> None:
    reader.expect("USING")
    expression = ", ".join(reader.parenthesised())
    reader.end()
    old = access.state.policies[kind, name]
    _check(kind, Policy(old.columns, old.alias, expression))
    access.cursor.execute(
        "UPDATE _redshift.policies SET expression = ?, modified_by = ?, modified_at = now() "
        "WHERE kind = ? AND name = ?",
        [expression, access.user, kind, name],
    )


def _drop(access: Access, kind: str, name: str, reader: Reader) -> None:
    cascade = reader.accept("CASCADE")
    reader.accept("RESTRICT")
    reader.end()
    attached = access.cursor.execute(
        "SELECT 1 FROM _redshift.attachments WHERE kind = ? AND policy = ?", [kind, name]
    ).fetchall()
    if attached and not cascade:
        raise SqlError(f'cannot drop {_NAMES[kind]} "{name}" because it is attached', detail="Detach it first.")
    access.cursor.execute("DELETE FROM _redshift.attachments WHERE kind = ? AND policy = ?", [kind, name])
    access.cursor.execute("DELETE FROM _redshift.policies WHERE kind = ? AND name = ?", [kind, name])


def _attach(access: Access, kind: str, name: str, reader: Reader) -> None:
    policy = access.state.policies[kind, name]
    reader.expect("ON")
    reader.accept("TABLE")
    relations = [access.relation(reader.name())]
    outputs = inputs = list(policy.columns)
    if kind == "masking":
        outputs = inputs = reader.columns()
        if reader.accept("USING"):
            inputs = reader.columns()
        _check_columns(access, relations[0], policy, outputs, inputs)
    else:
        while reader.accept(","):
            relations.append(access.relation(reader.name()))
        for relation in relations:
            _refuse_below_others(access, relation)
            _require_columns(access, relation, policy.columns)
    reader.expect("TO")
    grantees = _grantees(access, reader)
    priority = int(reader.next().text) if kind == "masking" and reader.accept("PRIORITY") else 0
    reader.end()
    for relation in relations:
        for grantee in grantees:
            _check_conflict(access, kind, name, relation, outputs, grantee, priority)
            row = [kind, name, *relation, outputs, inputs, *grantee, priority, access.user]
            access.cursor.execute("INSERT INTO _redshift.attachments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            access.changed()


def _refuse_below_others(access: Access, relation: tuple[str, str]) -> None:
    """Redshift attaches no row-level security to what MVs or policies read (r_ATTACH_RLS_POLICY.html)."""
    if above := materialized.dependents(access.cursor, relation):
        raise SqlError(
            f'cannot attach an RLS policy to "{".".join(relation)}", a base table of the materialized view '
            f'"{".".join(above[0])}"'
        )
    for (kind, name), policy in access.state.policies.items():
        tables = parsed(policy.expression).find_all(exp.Table) if kind == "rls" else ()
        if relation in {access.resolve(t.db, t.name) for t in tables}:
            raise SqlError(f'cannot attach an RLS policy to "{".".join(relation)}", a lookup table of "{name}"')


def _check_conflict(
    access: Access,
    kind: str,
    policy: str,
    relation: tuple[str, str],
    outputs: list[str],
    grantee: tuple[str, str],
    priority: int,
) -> None:
    """One masking policy per column and principal, and per column and priority; an RLS policy once per principal."""
    for other in (access.state.masks if kind == "masking" else access.state.filters).get(relation, ()):
        if kind == "rls":
            if (other.policy, other.grantee) == (policy, grantee):
                raise SqlError(f'RLS policy "{policy}" is already attached to {" ".join(grantee)} on {relation[1]}')
            continue
        for column in sorted(set(outputs) & set(other.outputs)):
            if other.grantee == grantee:
                raise SqlError(f'a masking policy is already attached to column "{column}" for {" ".join(grantee)}')
            if other.priority == priority:
                raise SqlError(f'a masking policy with priority {priority} is already attached to column "{column}"')


def _detach(access: Access, kind: str, name: str, reader: Reader) -> None:
    reader.expect("ON")
    reader.accept("TABLE")
    relations = [access.relation(reader.name())]
    outputs = reader.columns() if kind == "masking" else None
    while kind == "rls" and reader.accept(","):
        relations.append(access.relation(reader.name()))
    reader.expect("FROM")
    grantees = _grantees(access, reader)
    reader.end()
    for relation in relations:
        for grantee in grantees:
            gone = access.cursor.execute(
                "DELETE FROM _redshift.attachments WHERE kind = $1 AND policy = $2 AND schema_name = $3 "
                "AND relation = $4 AND grantee_kind = $5 AND grantee = $6 "
                "AND ($7 IS NULL OR output_columns = $7) RETURNING 1",
                [kind, name, *relation, *grantee, outputs],
            ).fetchall()
            if not gone:
                raise SqlError(f'{_NAMES[kind]} "{name}" is not attached to {relation[1]} for {" ".join(grantee)}')


def _grantees(access: Access, reader: Reader) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    while True:
        kind = "role" if reader.accept("ROLE") else "public" if reader.accept("PUBLIC") else "user"
        found.append((kind, "public" if kind == "public" else reader.name()))
        principals.require(access, *found[-1])
        if not reader.accept(","):
            return found


def _require_columns(access: Access, relation: tuple[str, str], columns: tuple[str, ...] | list[str]) -> None:
    for column in columns:
        if "." in column:
            raise not_implemented(f"a policy on a path into a SUPER column: {column}")
        if column not in access.catalogue.relations[relation]:
            raise SqlError(f'column "{column}" does not exist in relation "{relation[1]}"')


def _check_columns(
    access: Access, relation: tuple[str, str], policy: Policy, outputs: list[str], inputs: list[str]
) -> None:
    """As many columns as the policy takes and gives, and an expression that holds for their types."""
    _require_columns(access, relation, [*outputs, *inputs])
    results = expressions(access, policy)
    if len(inputs) != len(policy.columns) or len(outputs) != len(results):
        raise SqlError(
            f"the policy takes {len(policy.columns)} columns and gives {len(results)}, "
            f"not {len(inputs)} and {len(outputs)}"
        )
    given = {column: exp.column(wanted) for column, wanted in zip(policy.columns, inputs, strict=True)}
    for expression, output in zip(results, outputs, strict=True):
        holder = exp.select(cast(access, expression, relation, output))
        for used in list(holder.find_all(exp.Column)):
            used.replace(given[used.name].copy())
        probe = holder.from_(exp.table_(relation[1], db=relation[0])).limit(0)
        access.cursor.execute(generate(probe))
