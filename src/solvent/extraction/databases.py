"""The databases that can be read, by SQLAlchemy URL: what a URL may say, how a session is opened, what refusals mean.

A URL holds no user and no password: these come from Secrets Manager, in the form in which RDS keeps them
({"username", "password"}, and "host", "port", "dbname" where the URL leaves them out).
"""

import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, TypeVar

import sqlalchemy as sa
from botocore.exceptions import ClientError
from sqlalchemy.engine import URL, Engine, make_url

from solvent.extraction.errors import (
    DatabaseUnreachable,
    ExtractionError,
    InvalidDatabase,
    LoginRefused,
    NoSecret,
    NoSuchColumn,
    NoSuchTable,
    QueryRefused,
)

T = TypeVar("T")
Tls = Literal["verify", "encrypt", "off"]
LOOPBACK = ("127.0.0.1", "localhost", "::1")
CONNECT_SECONDS = 15
_CREDENTIALS = ("password", "passwd", "pwd", "user", "username", "uid", "token", "access_token")


@dataclass(frozen=True)
class Kind:
    """One kind of database. `port`: its usual one. `session`: what a new session is told: UTC, and no writing.

    `native`: its driver is compiled, so it is not among the libraries that are shipped for all (decision 0013).
    `refusals`: code of an error -> what it means.
    """

    name: str
    port: int
    session: tuple[str, ...] = ()
    isolation: str | None = None
    native: bool = False
    refusals: Mapping[str, type[ExtractionError]] | None = None


_POSTGRESQL = Kind(
    "PostgreSQL",
    5432,
    ("SET TIME ZONE 'UTC'", "SET default_transaction_read_only = on"),
    "REPEATABLE READ",
    refusals={
        "28P01": LoginRefused,
        "28000": LoginRefused,
        "42P01": NoSuchTable,
        "3F000": NoSuchTable,
        "42703": NoSuchColumn,
        "3D000": DatabaseUnreachable,
    },
)
_MYSQL = Kind(
    "MySQL or MariaDB",
    3306,
    ("SET time_zone = '+00:00'", "SET SESSION TRANSACTION READ ONLY"),
    "REPEATABLE READ",
    refusals={
        "1044": LoginRefused,
        "1045": LoginRefused,
        "1698": LoginRefused,
        "1049": DatabaseUnreachable,
        "2003": DatabaseUnreachable,
        "1146": NoSuchTable,
        "1054": NoSuchColumn,
    },
)
KINDS: dict[str, Kind] = {
    "postgresql+pg8000": _POSTGRESQL,
    "mysql+pymysql": _MYSQL,
    "mariadb+pymysql": _MYSQL,
    "mssql+pymssql": Kind(
        "SQL Server",
        1433,
        native=True,
        refusals={"18456": LoginRefused, "208": NoSuchTable, "207": NoSuchColumn, "20002": LoginRefused},
    ),
    "db2+ibm_db": Kind("Db2", 50000, ("SET CURRENT ISOLATION = RS",), native=True),
    "databricks": Kind("Databricks SQL", 443, native=True),
}


@dataclass(frozen=True)
class Database:
    """Where a database is: `url` without credentials, `secret` the name or ARN of the secret that holds them."""

    url: str
    secret: str
    tls: Tls = "verify"


def checked(url: str) -> URL:
    """The parsed URL. Raises InvalidDatabase, without repeating it, when it is none or holds credentials."""
    try:
        parsed = make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise InvalidDatabase(
            "The URL of the database is none. Write it as postgresql+pg8000://HOST:5432/NAME; nothing was read."
        ) from None
    held = [name for name in parsed.query if name.lower() in _CREDENTIALS]
    if parsed.password is not None or parsed.username is not None or held:
        what = "a password" if parsed.password is not None else "a user" if parsed.username is not None else held[0]
        raise InvalidDatabase(
            f"The URL of the database holds {what}. Take it out of extraction.databases, and put username and password "
            "into the secret; nothing was read. Whatever stood in a file or a template is known: change the password."
        )
    if parsed.drivername not in KINDS:
        raise InvalidDatabase(
            f"{parsed.drivername} is no database that can be read; there are {', '.join(KINDS)}. Nothing was read."
        )
    return parsed


def kind(url: str) -> Kind:
    """The kind of database behind a URL. Raises InvalidDatabase."""
    return KINDS[checked(url).drivername]


def port(url: str) -> int:
    """The port of a URL, or the usual one of its kind."""
    return checked(url).port or kind(url).port


def connected(database: Database, secrets: Any) -> Engine:
    """An engine for a database, once its secret was read and a session was opened.

    `secrets` is a client of Secrets Manager. Raises InvalidDatabase, NoSecret, LoginRefused, DatabaseUnreachable.
    """
    url = checked(database.url)
    complete = _with_credentials(url, _secret(database.secret, secrets))
    known = KINDS[url.drivername]
    options: dict[str, Any] = {"isolation_level": known.isolation} if known.isolation else {}
    engine = sa.create_engine(
        complete,
        connect_args=_transport(complete, database.tls),
        hide_parameters=True,  # values of rows in no message
        pool_pre_ping=True,
        **options,
    )

    @sa.event.listens_for(engine, "connect")
    def _begin(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        for statement in known.session:
            cursor.execute(statement)
        cursor.close()
        connection.commit()

    asked(lambda: engine.connect().close(), known, "The connection to the database")
    return engine


def asked(question: Callable[[], T], known: Kind, what: str) -> T:
    """The answer of a database, or its refusal by name. `what` was asked, for the message."""
    try:
        return question()
    except sa.exc.NoSuchTableError:
        raise NoSuchTable(
            f"{what}: there is no such table, or the user may not see it. Nothing was delivered."
        ) from None
    except (sa.exc.DBAPIError, OSError) as error:
        _refused(error, known, what)
    except Exception as error:  # pg8000 and pymssql raise their own classes before SQLAlchemy knows the connection
        if type(error).__module__.split(".")[0] in ("pg8000", "pymysql", "pymssql", "ibm_db_dbi", "databricks"):
            _refused(error, known, what)
        raise


def _refused(error: BaseException, known: Kind, what: str) -> NoReturn:
    cause = getattr(error, "orig", None) or error
    code = _code(cause)
    named = (known.refusals or {}).get(code)
    if named is LoginRefused:
        text = f"{known.name} refused user or password (code {code}). Mend the secret; nothing was delivered."
        raise LoginRefused(text) from None
    gone = (
        isinstance(cause, OSError)
        or getattr(error, "connection_invalidated", False)
        or "InterfaceError" in type(cause).__name__
    )
    if named is DatabaseUnreachable or (named is None and gone):
        raise DatabaseUnreachable(
            f"{what}: {known.name} does not answer (code {code or type(cause).__name__}). Check host, port, name and "
            "network, then start the extraction again: it goes on where it stopped."
        ) from None
    named = named or QueryRefused
    meanings = {NoSuchTable: "there is no such table, or the user may not see it", NoSuchColumn: "it lacks a column"}
    meaning = meanings.get(named, "the database refused it")
    raise named(f"{what}: {meaning} ({known.name}, code {code or 'unknown'}). Nothing was delivered.") from None


def _code(error: BaseException) -> str:
    """The database's own code of an error: SQLSTATE or number. Never its text, which may repeat values."""
    first = error.args[0] if error.args else ""
    if isinstance(first, dict):  # pg8000: the fields of the server's message
        return str(first.get("C", ""))
    if isinstance(first, tuple) and first:  # pymssql
        first = first[0]
    return str(first) if isinstance(first, int) else str(getattr(error, "sqlstate", "") or "")


def _secret(name: str, secrets: Any) -> dict[str, Any]:
    try:
        answer = secrets.get_secret_value(SecretId=name)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise NoSecret(
            f"The secret {name} cannot be read ({code}). Create it with username and password, or let the job's role "
            "read it; nothing was read."
        ) from None
    try:
        found = json.loads(answer["SecretString"])
        if not (isinstance(found, dict) and found.get("username") and found.get("password")):
            raise KeyError
    except (KeyError, ValueError):
        raise NoSecret(
            f'The secret {name} is not of the form {{"username": ..., "password": ...}}. Write it so; nothing was read.'
        ) from None
    return found


def _with_credentials(url: URL, secret: Mapping[str, Any]) -> URL:
    host = url.host or secret.get("host")
    if not host:
        raise InvalidDatabase(
            "Neither the URL of the database nor its secret says a host. Add it to one of them; nothing was read."
        )
    return url.set(
        username=str(secret["username"]),
        password=str(secret["password"]),
        host=str(host),
        port=url.port or int(secret.get("port") or KINDS[url.drivername].port),
        database=url.database or secret.get("dbname"),
    )


def _transport(url: URL, tls: Tls) -> dict[str, Any]:
    """Arguments of the driver: how long to wait for a connection, and encryption, which the loopback needs not."""
    driver = url.drivername
    plain = tls == "off" or url.host in LOOPBACK
    context = None
    if not plain and driver in ("postgresql+pg8000", "mysql+pymysql", "mariadb+pymysql"):
        context = ssl.create_default_context()
        if tls == "encrypt":
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if driver == "postgresql+pg8000":
        return {"timeout": CONNECT_SECONDS, "ssl_context": context}
    if driver in ("mysql+pymysql", "mariadb+pymysql"):
        return {"connect_timeout": CONNECT_SECONDS, "charset": "utf8mb4", **({"ssl": context} if context else {})}
    if driver == "mssql+pymssql":
        return {"login_timeout": CONNECT_SECONDS, "encryption": "off" if plain else "require"}
    return {}
