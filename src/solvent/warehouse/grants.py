"""Which role may read which columns, as the migrations and the marts grant it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

import sqlglot
from sqlglot import exp

from solvent.contracts import Contract, Contracts
from solvent.warehouse import marts, migrations

Readers = dict[str, dict[str, frozenset[str]]]
_READS = re.compile(r"(GRANT|REVOKE)\b.*\b(SELECT|ALL)\b.*\bON\b", re.I | re.S)
_WHOLE_SCHEMA = re.compile(r"ON\s+ALL\s+TABLES\s+IN\s+SCHEMA\s+(\w+)\s+(?:TO|FROM)\s+(.*)", re.I | re.S)
_ROLE = re.compile(r"\bROLE\s+\"?(\w+)\"?", re.I)


def readers(known: Contracts) -> Readers:
    """Table or mart (`lending.loans`) -> role -> the columns that the role may SELECT."""
    statements = [s for m in migrations.read() for s in m.statements("solvent-dev")]
    statements += [s for m in marts.read() for s in m.create()]
    return parse(statements, {c.table: c for c in known.values() if c.kind in ("published", "mart")})


def parse(statements: Iterable[str], relations: Mapping[str, Contract]) -> Readers:
    """The same from statements, in their order. What grants nothing to read to a role is passed over."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for statement in statements:
        if not _READS.match(statement):
            continue
        for name, role, columns in _granted(statement, relations):
            if statement[:5].upper() == "GRANT":
                found[name][role] |= columns
            else:
                found[name][role] -= columns
    return {n: {r: frozenset(c) for r, c in roles.items() if c} for n, roles in found.items()}


def _granted(statement: str, relations: Mapping[str, Contract]) -> Iterable[tuple[str, str, set[str]]]:
    """(relation, role, columns) of one GRANT or REVOKE."""
    if whole := _WHOLE_SCHEMA.search(statement):
        for contract in relations.values():
            if contract.schema == whole[1].lower():
                yield from ((contract.table, role, set(contract.column_names)) for role in _ROLE.findall(whole[2]))
        return
    parsed = sqlglot.parse_one(statement, read="redshift")
    if not isinstance(parsed, exp.Grant | exp.Revoke) or parsed.args["kind"] not in ("TABLE", None):
        return
    name = parsed.args["securable"].sql("redshift").replace('"', "")
    if name not in relations:
        return
    for privilege in parsed.args["privileges"]:
        if privilege.this.name.upper() in ("SELECT", "ALL", "ALL PRIVILEGES"):
            columns = {c.name for c in privilege.expressions} or set(relations[name].column_names)
            for principal in parsed.args["principals"]:
                if principal.args.get("kind") == "ROLE":
                    yield name, principal.this.name, columns
