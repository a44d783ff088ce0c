"""COPY and UNLOAD as Redshift writes them, parsed from tokens; an option that is not implemented is an error."""

from dataclasses import dataclass, field

from embedded_aws.redshift.errors import SqlError, not_implemented
from embedded_aws.redshift.reader import Reader


@dataclass
class CopyStatement:
    """A parsed COPY: table, columns (empty = all), source, role (`default` or an ARN), format and its options."""

    table: str
    columns: list[str]
    uri: str
    role: str
    format: str = "text"
    options: dict[str, str] = field(default_factory=dict)


@dataclass
class UnloadStatement:
    """A parsed UNLOAD."""

    query: str
    uri: str
    role: str
    format: str = "text"
    options: dict[str, str] = field(default_factory=dict)


# option word -> number of values (None: an optional ON/OFF)
_FLAGS = {
    "GZIP", "MANIFEST", "BLANKSASNULL", "EMPTYASNULL", "TRUNCATECOLUMNS", "SERIALIZETOJSON", "TRIMBLANKS",
    "IGNOREBLANKLINES", "ALLOWOVERWRITE", "HEADER", "CLEANPATH",
}  # fmt: skip
_VALUES = {"IGNOREHEADER", "DELIMITER", "QUOTE", "NULL", "DATEFORMAT", "TIMEFORMAT", "REGION", "MAXERROR", "PARALLEL"}
_SWITCHES = {"COMPUPDATE", "STATUPDATE"}
_SWITCH_WORDS = {"ON", "OFF", "TRUE", "FALSE", "PRESET"}


def parse_copy(sql: str) -> CopyStatement:
    """Raises SqlError for a syntax error or an option that is not implemented."""
    reader = Reader(sql)
    reader.expect("COPY")
    table, columns = reader.name(), []
    if reader.accept("("):
        while not reader.accept(")"):
            columns.append(reader.name())
            reader.accept(",")
    reader.expect("FROM")
    uri = reader.string()
    statement = CopyStatement(table, columns, uri, role="")
    _options(reader, statement)
    _check(statement)
    if statement.format == "fixedwidth":
        raise not_implemented("COPY ... FIXEDWIDTH")
    return statement


def parse_unload(sql: str) -> UnloadStatement:
    """Raises SqlError for a syntax error or an option that is not implemented."""
    reader = Reader(sql)
    reader.expect("UNLOAD", "(")
    query = reader.string()
    reader.expect(")")
    reader.expect("TO")
    statement = UnloadStatement(query, reader.string(), role="")
    _options(reader, statement)
    _check(statement)
    return statement


def _check(statement: CopyStatement | UnloadStatement) -> None:
    if not statement.uri.startswith("s3://"):
        raise not_implemented(f"a source or target other than S3: {statement.uri}")
    if not statement.role:
        raise SqlError("No credentials were supplied: CREDENTIALS argument is required", detail="Add IAM_ROLE default.")
    if statement.options.get("MAXERROR", "0") != "0":
        raise not_implemented("MAXERROR above 0")


def _options(reader: Reader, statement: CopyStatement | UnloadStatement) -> None:
    while not reader.done():
        word = reader.next().text.upper()
        if word == "IAM_ROLE":
            statement.role = reader.role()
        elif word == "FORMAT":
            reader.accept("AS")
            _format(reader, statement, reader.next().text.upper())
        elif word in ("PARQUET", "CSV", "JSON", "FIXEDWIDTH", "AVRO", "ORC"):
            _format(reader, statement, word)
        elif word in _FLAGS:
            statement.options[word] = "true"
        elif word in _VALUES:
            reader.accept("AS")
            statement.options[word] = reader.verbatim()
        elif word in _SWITCHES:
            reader.accept(*_SWITCH_WORDS)
        else:
            raise not_implemented(f"the option {word}")


def _format(reader: Reader, statement: CopyStatement | UnloadStatement, name: str) -> None:
    if name not in ("PARQUET", "CSV", "JSON"):
        raise not_implemented(f"FORMAT {name}")
    statement.format = name.lower()
    if name == "JSON" and isinstance(statement, CopyStatement):
        reader.accept("AS")
        statement.options["JSON"] = mode = reader.string().lower()
        if mode not in ("auto", "noshred"):
            raise not_implemented(f"COPY JSON '{mode}' ")
