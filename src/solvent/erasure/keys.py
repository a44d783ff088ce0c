"""Finding the person's keys: customer, then loans, then payments and events, by the references of the contracts.

Every version of every table and delivered file is asked, and the warehouse: a loan that only an old delivery knew is
found, too. Parents first, so that a row's own key is found by the key it refers to.
"""

import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from solvent.contracts import Contract, Contracts
from solvent.contracts.people import Link, chain, links, parents
from solvent.erasure import contents
from solvent.erasure.objects import download, stored
from solvent.erasure.person import Person, is_word
from solvent.etl.suppression import canonical

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Ambiguous(Exception):
    """Two contracts use one column name for the keys of different sources, so that rows cannot be told apart."""


class Finder:
    """The lake of one portfolio. `warehouse(source, known)` gives the keys that the warehouse has."""

    def __init__(
        self,
        s3: "S3Client",
        buckets: dict[str, str],
        portfolio: str,
        contracts: Contracts,
        work: Path,
        warehouse: Callable[[str, dict[str, set[str]]], set[str]],
    ) -> None:
        self._s3, self._buckets, self._portfolio, self._work = s3, buckets, portfolio, work
        self._contracts, self._warehouse = contracts, warehouse
        self._chain = chain(contracts, portfolio)

    def find(self, customer: str) -> tuple[Person, bool]:
        """The person, and whether any row is known of them."""
        root = next(iter(self._chain))
        person = Person(keys={root: {customer.strip()}}, columns=self._columns())
        known = False
        for source, contract in self._chain.items():
            keys = self._keys_of(contract, person)
            known = known or bool(keys)
            person.keys.setdefault(source, set()).update(keys)
        above = parents(self._chain) | {root}
        person.words = {k for source in above for k in person.keys[source] if is_word(k)}
        person.words |= self._own_identifiers(self._chain[root], person)
        return person, known

    def _columns(self) -> dict[str, str]:
        """Column -> source whose keys it holds, by the names in tables and in files. Raises Ambiguous."""
        found: dict[str, str] = {}
        for contract in self._chain.values():
            for link in links(contract, self._contracts, self._chain):
                for name in {link.column, _in_files(contract, link.column)}:
                    if found.setdefault(name, link.source) != link.source:
                        raise Ambiguous(f"{name} is a key of {found[name]} and of {link.source}: rename one of them.")
        return found

    def _keys_of(self, contract: Contract, person: Person) -> set[str]:
        own = contract.key[0] if len(contract.key) == 1 else None
        asked = links(contract, self._contracts, self._chain)
        found = self._warehouse(contract.name, person.keys)
        for rows in self._tables(contract, [link.column for link in asked]):
            theirs = _theirs(rows, asked, person)
            if own and own in rows.schema.names:
                found |= {k.strip() for k in rows.filter(theirs)[own].to_pylist() if k and k.strip()}
        return found

    def _own_identifiers(self, root: Contract, person: Person) -> set[str]:
        """Direct identifiers of the person that nobody else has: a name alone may be another's as well."""
        direct = [c.name for c in root.columns if c.pii == "direct"]
        asked = tuple(link for link in links(root, self._contracts, self._chain) if link.source == root.name)
        mine: set[str] = set()
        for rows in self._tables(root, [*direct, *(link.column for link in asked)]):
            theirs = rows.filter(_theirs(rows, asked, person))
            mine |= {v.strip() for c in direct if c in theirs.schema.names for v in theirs[c].to_pylist() if v}
        mine = {value for value in mine if is_word(value)}
        for rows in self._tables(root, [*direct, *(link.column for link in asked)]):
            others = rows.filter(pc.invert(_theirs(rows, asked, person)))
            mine -= {v.strip() for c in direct if c in others.schema.names for v in others[c].to_pylist() if v}
        return mine

    def _tables(self, contract: Contract, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The rows of a source, delivered, raw and cleaned, of all versions: some columns, as text."""
        published = (self._contracts.cleaned(contract.name), self._contracts.history(contract.name))
        places = [("raw", f"{self._portfolio}/{contract.name}/")]
        places += [(c.zone, f"{self._portfolio}/{c.name}/") for c in published if c]
        for zone, prefix in places:
            for at in stored(self._s3, self._buckets[zone], prefix):
                for version in at.versions:
                    yield from self._rows(at, version, contract, columns)
        file = re.compile(rf"{self._portfolio}/[^/]+/{contract.name}(-\d+)?[.](csv|txt)")
        for at in stored(self._s3, self._buckets["landing"], f"{self._portfolio}/"):
            for version in at.versions if file.fullmatch(at.key) else ():
                yield from self._rows(at, version, contract, columns)

    def _rows(self, at: Any, version: Any, contract: Contract, columns: list[str]) -> Iterator[pa.RecordBatch]:
        with tempfile.TemporaryDirectory(dir=self._work) as folder:
            path = Path(folder) / "version"
            download(self._s3, at, version, path)
            for batch in contents.rows(path, at.key, delimiter_of(contract)):
                names = {c: c if c in batch.schema.names else _in_files(contract, c) for c in columns}
                present = {c: name for c, name in names.items() if name in batch.schema.names}
                yield pa.RecordBatch.from_arrays(
                    [pc.cast(batch[name], pa.string()) for name in present.values()], names=list(present)
                )


def delimiter_of(contract: Contract | None) -> str:
    """What separates the fields of a source's files."""
    return contract.delimiter if contract else ","


def _in_files(contract: Contract, column: str) -> str:
    return contract.column(column).header or column


def _theirs(rows: pa.RecordBatch, asked: tuple[Link, ...], person: Person) -> pa.Array:
    found = pa.array([False] * rows.num_rows)
    for link in asked:
        keys = person.keys.get(link.source)
        if keys and link.column in rows.schema.names:
            same = pc.utf8_lower(pc.utf8_trim_whitespace(rows[link.column]))
            values = pa.array(sorted(map(canonical, keys)), pa.string())
            found = pc.or_(found, pc.fill_null(pc.is_in(same, value_set=values), False))
    return found
