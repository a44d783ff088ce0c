"""Which role may read which columns, and which of them masked, as the migrations, options and marts say.

Read from the statements of the checkout: asking the warehouse would wake it, and it tells nobody what others may do.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from solvent.contracts import Contract, Contracts
from solvent.warehouse import marts, migrations, options

Columns = Mapping[str, Mapping[str, frozenset[str]]]  # relation (`lending.loans`) -> role -> columns
_GRANT = re.compile(
    r"(?:ALTER\s+DEFAULT\s+PRIVILEGES.*?IN\s+SCHEMA\s+(?P<later>[\w\s,]+?)\s+)?(?P<verb>GRANT|REVOKE)\s+"
    r"(?P<privileges>[\w\s,()]+?)\s+ON\s+(?:ALL\s+TABLES\s+IN\s+SCHEMA\s+(?P<schemas>[\w\s,]+?)|TABLES|"
    r"(?:TABLE\s+)?(?P<tables>[\w.,\"\s]+?))\s+(?:TO|FROM)\s+(?P<principals>.+)",
    re.I | re.S,
)
_READ = re.compile(r"\b(?:SELECT|ALL)\b(?:\s*\(([^)]*)\))?", re.I)
_MASK = re.compile(
    r"(ATTACH|DETACH)\s+MASKING\s+POLICY\s+\w+\s+ON\s+([\w.]+)\s*\(([\w\s,]+)\).*?\b(?:TO|FROM)\s+(.+)", re.I | re.S
)
_ROLE = re.compile(r"\bROLE\s+\"?(\w+)\"?", re.I)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Access:
    """`reads`: the columns that a role may SELECT; `masked`: those of them that it sees through a masking policy."""

    reads: Columns
    masked: Columns


def access(known: Contracts) -> Access:
    """Of every table and mart, those of options among them."""
    statements = [s for m in migrations.read() for s in m.statements("solvent-dev")]
    statements += [s for o in options.read().values() for s in migrations.statements(o.on, "solvent-dev")]
    statements += [s for m in marts.read() for s in m.create()]
    return parse(statements, {c.table: c for c in known.values() if c.kind in ("published", "mart")})


def parse(statements: Iterable[str], relations: Mapping[str, Contract]) -> Access:
    """The same from statements, in their order. What gives no role anything to read is passed over."""
    reads: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    masked: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for statement in statements:
        if found := _MASK.match(statement):
            for role in _ROLE.findall(found[4]):
                _change(masked[found[2].lower()][role], set(_WORD.findall(found[3])), found[1])
        elif found := _GRANT.match(statement):
            for contract in _meant(found, relations):
                for columns in _columns(found["privileges"], contract):
                    for role in _ROLE.findall(found["principals"]):
                        _change(reads[contract.table][role], columns, found["verb"])
    return Access(_fixed(reads), _fixed(masked))


def _meant(found: re.Match[str], relations: Mapping[str, Contract]) -> Iterator[Contract]:
    schemas = set(_WORD.findall((found["later"] or found["schemas"] or "").lower()))
    tables = {t.strip().lower() for t in (found["tables"] or "").replace('"', "").split(",")}
    return (c for c in relations.values() if c.schema in schemas or c.table in tables)


def _columns(privileges: str, contract: Contract) -> Iterator[set[str]]:
    for named in _READ.findall(privileges):
        yield set(_WORD.findall(named)) or set(contract.column_names)


def _change(columns: set[str], by: set[str], verb: str) -> None:
    if verb.upper() in ("GRANT", "ATTACH"):
        columns |= by
    else:
        columns -= by


def _fixed(found: Mapping[str, Mapping[str, set[str]]]) -> Columns:
    return {name: {r: frozenset(c) for r, c in roles.items() if c} for name, roles in found.items()}
