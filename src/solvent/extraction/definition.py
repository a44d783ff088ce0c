"""What is extracted, as `extractions/<name>.yaml` declares it: typed, checked by name, shipped as JSON.

A definition says of each source of a portfolio which table, query (`sql/extract/<name>/<file>.sql`) or exported files
hold it. Where the database is, is configuration (`extraction.databases` in config/<environment>.yaml); who may read it
is a secret.
"""

import functools
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from solvent import contracts, naming
from solvent.extraction.errors import InvalidExtraction

FORMS = ("text", "decimal", "date", "timestamp")
SKIP = "_"  # in the layout of an export: a column that nobody wants
MAXIMUM_CHUNK_ROWS = 1_000_000
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}\Z")
_TABLE = re.compile(r"[^.\s]+(\.[^.\s]+)?\Z")
_QUERY = re.compile(r"[a-z0-9_]+\.sql\Z")
_COMPILED = ("_compiled", "extractions.json")


@dataclass(frozen=True)
class Export:
    """The form of exported files; the defaults are those of Db2's EXPORT ... OF DEL.

    `prefix`: where they lie in the landing zone, below `exports/`. `dates`, `timestamps`: as strptime reads them.
    """

    prefix: str
    delimiter: str = ","
    decimal: str = "."
    encoding: str = "utf-8"
    header: bool = False
    dates: str = "%Y%m%d"
    timestamps: str = "%Y-%m-%d-%H.%M.%S.%f"


@dataclass(frozen=True)
class Source:
    """One source: a table, the text of a query, or a pattern of exported files.

    `columns`: of a table or query {column of the contract: its name there}, where the two differ. `key` and `watermark`
    may be columns that are not delivered. `layout`: of exported files the columns in their order, each with its form.
    """

    name: str
    key: tuple[str, ...] = ()
    table: str | None = None
    query: str | None = None
    files: str | None = None
    watermark: str | None = None
    chunk_rows: int = 50_000
    columns: Mapping[str, str] = field(default_factory=dict, hash=False)
    layout: tuple[tuple[str, str], ...] = ()
    checksum: str = ""


@dataclass(frozen=True)
class Definition:
    """One extraction. `overlap`: how far an increment reads back behind its watermark, in seconds for times, in units
    for numbers: as long as a transaction of the database may take.
    """

    name: str
    portfolio: str
    dataset: str
    sources: tuple[Source, ...]
    database: str | None = None
    export: Export | None = None
    overlap: int = 900
    checksum: str = ""

    def source(self, name: str) -> Source:
        """Raises InvalidExtraction for a source that the extraction does not have."""
        for source in self.sources:
            if source.name == name:
                return source
        known = ", ".join(s.name for s in self.sources)
        raise InvalidExtraction(f"{self.name} extracts no source {name!r}; it extracts {known}. Nothing was read.")


@functools.cache
def load(name: str) -> Definition:
    """A definition, from the compiled JSON where the package was shipped, else from the checkout's YAML."""
    known = documents()
    if name not in known:
        names = ", ".join(sorted(known)) or "none"
        raise InvalidExtraction(f"There is no extraction {name!r} (extractions/ has: {names}). Nothing was read.")
    return parse(name, known[name])


def documents() -> dict[str, Any]:
    """Every definition in its plain form, queries as text."""
    compiled = resources.files("solvent").joinpath(*_COMPILED)  # importlib.resources: Glue imports from a zip
    return dict(json.loads(compiled.read_text())) if compiled.is_file() else from_checkout()


def compile(path: Path) -> None:
    """Write every definition of the checkout as one JSON file, for shipping where there is no YAML parser."""
    found = from_checkout()
    for name, document in found.items():
        parse(name, document)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, sort_keys=True, separators=(",", ":")) + "\n")


def from_checkout(root: Path | None = None) -> dict[str, Any]:
    """Read extractions/*.yaml, and for each `query` the file that it names. Raises InvalidExtraction."""
    import yaml

    root = root or Path(__file__).resolve().parents[3]
    found = {}
    for path in sorted((root / "extractions").glob("*.yaml")):
        try:
            document = yaml.safe_load(path.read_text())
            for source in document["sources"].values():
                if "query" in source:
                    source["query"] = _query(root / "sql" / "extract" / path.stem, source["query"])
        except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
            raise InvalidExtraction(f"{path.name} is not readable: {error!r}. Mend it; nothing was read.") from error
        found[path.stem] = document
    return found


def _query(folder: Path, name: str) -> str:
    if not _QUERY.match(name):
        raise InvalidExtraction(f"query {name!r} is no name of a file such as loans.sql in {folder.name}/.")
    if not (folder / name).is_file():
        raise InvalidExtraction(f"There is no sql/extract/{folder.name}/{name}. Write the query there.")
    return (folder / name).read_text().strip().rstrip(";")


def parse(name: str, document: Mapping[str, Any]) -> Definition:
    """A definition from its plain form. Raises InvalidExtraction naming the key that is missing or wrong."""
    try:
        plain = dict(document)
        sources = tuple(_source(source, dict(given)) for source, given in plain.pop("sources").items())
        export = Export(**plain.pop("export")) if "export" in plain else None
        parsed = Definition(name=name, sources=sources, export=export, checksum=_checksum(document), **plain)
    except KeyError as error:
        raise InvalidExtraction(f"{name}: the key {error} is missing.") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise InvalidExtraction(f"{name}: a key is missing, not known or of the wrong form: {error}.") from error
    _check(parsed)
    return parsed


def _source(name: str, given: dict[str, Any]) -> Source:
    key, layout = given.pop("key", ()), given.pop("layout", ())
    columns = tuple(next(iter(c.items())) if isinstance(c, dict) else (str(c), "text") for c in layout)
    identity = _checksum({"key": key, "layout": layout, **given})
    names = (key,) if isinstance(key, str) else tuple(key)
    return Source(name=name, key=names, layout=columns, checksum=identity, **given)


def _check(definition: Definition) -> None:
    def require(holds: object, what: str) -> None:
        if not holds:
            raise InvalidExtraction(f"{definition.name}: {what}")

    require(_NAME.match(definition.name), "a name is small letters, digits and dashes.")
    require(definition.portfolio in naming.PORTFOLIOS, f"portfolio is one of {', '.join(naming.PORTFOLIOS)}.")
    require(re.fullmatch(r"[A-Za-z0-9_-]{1,40}", definition.dataset), "dataset is letters, digits, - and _.")
    require((definition.database is None) != (definition.export is None), "say database or export, one of the two.")
    require(isinstance(definition.overlap, int) and definition.overlap >= 0, "overlap is a whole number from 0.")
    require(definition.sources, "there are no sources.")
    for source in definition.sources:
        where = f"source {source.name}:"
        known = source.name in contracts.load() and contracts.load()[source.name]
        if not known or known.kind != "source" or known.portfolio != definition.portfolio:
            raise InvalidExtraction(f"{definition.name}: {definition.portfolio} has no source {source.name}.")
        count = source.chunk_rows
        require(isinstance(count, int) and 1 <= count <= MAXIMUM_CHUNK_ROWS, f"{where} chunk_rows is 1 to 1000000.")
        if definition.export:
            names = [column for column, _ in source.layout if column != SKIP]
            require(source.files and names, f"{where} an export needs files and layout.")
            require(
                not (source.table or source.query or source.watermark),
                f"{where} exports have neither table, query nor watermark.",
            )
            require(len(set(names)) == len(names), f"{where} the layout names a column twice.")
            missing = [column for column in known.column_names if column not in names]
            require(not missing, f"{where} the layout lacks {', '.join(missing)}.")
            require(all(form in FORMS for _, form in source.layout), f"{where} a form is one of {', '.join(FORMS)}.")
            continue
        require(bool(source.table) != bool(source.query), f"{where} say table or query, one of the two.")
        require(not source.table or _TABLE.match(source.table), f"{where} table is TABLE or SCHEMA.TABLE.")
        require(not source.files and not source.layout, f"{where} files and layout belong to an export.")
        require(source.key, f"{where} say the key: columns that together name one row, in the order of an index.")


def _checksum(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]
