"""What to do about an error of the warehouse: the error, the place in the statement, and the way on."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from solvent import naming
from solvent.warehouse.catalog import Relation

_POSITION = re.compile(r"\s*Position: (\d+);?")
_UNKNOWN_RELATION = re.compile(r"(?:relation|table|view) \"?([\w.]+)\"? (?:does not exist|not found)", re.I)
_UNKNOWN_SCHEMA = re.compile(r"schema \"?(\w+)\"? does not exist", re.I)
_UNKNOWN_COLUMN = re.compile(r"column \"?([\w.]+)\"? does not exist", re.I)
_DENIED = re.compile(r"permission denied for (relation|table|view|column|schema) \"?([\w.]+)\"?", re.I)


def explain(error: str, sql: str, relations: Mapping[str, Relation]) -> str:
    """The error in Redshift's words, then the place in `sql`, then what to do, as far as either is known."""
    error = error.split(" (in: ")[0].rstrip()
    said, position = _POSITION.sub("", error), _POSITION.search(error)
    found = next(
        (p.search(said) for p in (_UNKNOWN_RELATION, _UNKNOWN_COLUMN, _UNKNOWN_SCHEMA) if p.search(said)), None
    )
    place = _line(sql, int(position[1]) - 1) if position else _where(sql, found[1]) if found else ""
    return "\n".join(part for part in (said, place, _advice(said, sql, relations)) if part)


def _advice(said: str, sql: str, relations: Mapping[str, Relation]) -> str:
    if found := _UNKNOWN_RELATION.search(said):
        return _unknown_relation(found[1].lower(), relations)
    if found := _UNKNOWN_SCHEMA.search(said):
        return f"The schemas are {_names(sorted({r.contract.schema for r in relations.values()}))}."
    if found := _UNKNOWN_COLUMN.search(said):
        columns = {c for r in mentioned(sql, relations) for c in r.contract.column_names}
        near = get_close_matches(found[1].lower().rsplit(".")[-1], columns, 4)
        return f"Did you mean {_names(near)}?" if near else _columns(mentioned(sql, relations))
    if found := _DENIED.search(said):
        return _denied(found[1].lower(), found[2].lower(), sql, relations)
    return ""


def mentioned(sql: str, relations: Mapping[str, Relation]) -> list[Relation]:
    """The relations that a statement names."""
    words = {w.lower() for w in re.findall(r"\w+\.\w+", sql.replace('"', ""))}
    return [r for name, r in relations.items() if name in words]


def _unknown_relation(name: str, relations: Mapping[str, Relation]) -> str:
    bare = name.rsplit(".")[-1]
    same = [n for n, r in relations.items() if r.contract.name == bare and n != name]
    near = same or get_close_matches(name, relations, 3) or _by_bare_name(bare, relations)
    meant = f"Did you mean {_names(near)}? " if near else ""
    if name in relations:
        meant = "Its contract is there, the warehouse has not got it: deploy first (`solvent status`). "
    return f"{meant}`solvent sql '\\d'` lists what there is."


def _by_bare_name(bare: str, relations: Mapping[str, Relation]) -> list[str]:
    near = get_close_matches(bare, [r.contract.name for r in relations.values()], 3)
    return [n for n, r in relations.items() if r.contract.name in near]


def _denied(kind: str, name: str, sql: str, relations: Mapping[str, Relation]) -> str:
    if kind == "schema":
        open_to = {role for r in relations.values() if r.contract.schema == name for role in r.readers}
        roles = [role for role in naming.PEOPLE if role in open_to]
        return f"The schema {name} is open to {_names(roles)}: ask with `--role`." if roles else ""
    meant = [r for r in relations.values() if name in (r.name, r.contract.name)]
    if len(meant) != 1:
        meant = [r for r in mentioned(sql, relations) if name in (r.name, r.contract.name)] or mentioned(sql, relations)
    return "\n".join(f"{r.name} may be read by {granted(r)}." for r in meant) + (
        "\nName the columns instead of *, or ask as another role: `--role`." if meant else ""
    )


def granted(relation: Relation) -> str:
    """Which people may read a relation: `analyst (not email), risk_officer (email masked)`."""
    said = []
    for role in (r for r in naming.PEOPLE if r in relation.readers):
        columns, masked = relation.readers[role], relation.masked.get(role, frozenset())
        hidden = [c for c in relation.contract.column_names if c not in columns]
        behind = [c for c in relation.contract.column_names if c in masked & columns]
        notes = [f"not {', '.join(hidden)}"] if hidden else []
        notes += [f"{', '.join(behind)} masked"] if behind else []
        said.append(f"{role} ({'; '.join(notes)})" if notes else role)
    return ", ".join(said) or "nobody but the administrator"


def _columns(found: Iterable[Relation]) -> str:
    return "\n".join(f"{r.name} has {', '.join(r.contract.column_names)}." for r in found)


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)


def _where(sql: str, name: str) -> str:
    found = re.search(rf"(?<![\w.]){re.escape(name)}\b", sql.replace('"', " "), re.I)
    found = found or re.search(rf"\b{re.escape(name.rsplit('.')[-1])}\b", sql, re.I)
    return _line(sql, found.start()) if found else ""


def _line(sql: str, offset: int) -> str:
    offset = max(0, min(offset, len(sql) - 1))
    start = sql.rfind("\n", 0, offset) + 1
    line = sql[start:].split("\n")[0]
    before = f"line {sql.count(chr(10), 0, offset) + 1}: "
    return f"{before}{line}\n{' ' * (len(before) + offset - start)}^"
