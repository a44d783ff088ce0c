"""Real database servers for tests: on a free port of the loopback, in a folder of their own, gone with the session."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from scripts import databases

SECONDS = 60
# Neither server runs as root: then another user of the machine owns folder and process.
_OTHER = pwd.getpwnam("nobody") if os.geteuid() == 0 else None


@dataclass(frozen=True)
class Server:
    """A running server. `url` as an extraction writes it; `user` and `password` belong into a secret."""

    url: str
    host: str
    port: int
    name: str
    user: str
    password: str
    process: Any

    def engine(self) -> Engine:
        """For the test itself, with all rights."""
        driver = self.url.partition(":")[0]
        options = {"query": {"charset": "utf8mb4"}} if "mysql" in driver else {}
        url = URL.create(driver, self.user, self.password, self.host, self.port, self.name, **options)
        return sa.create_engine(url)


def absent(server: str) -> None:
    """Skip, with what to do; in CI a server must be there."""
    text = f"no {server} server: `make databases` brings one, or says why not"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


@contextmanager
def postgresql(folder: Path) -> Iterator[Server]:
    """PostgreSQL, database `core`, user and password of the test."""
    programs = databases.postgresql()
    if programs is None:
        absent("PostgreSQL")
        return
    with _home(folder) as home:
        secret = home / "password"
        secret.write_text("p@ss:w/rd' \"1\n")
        _owned(secret)
        data = home / "data"
        _run(
            [
                programs / "initdb",
                "-D",
                data,
                "-U",
                "core",
                "-A",
                "scram-sha-256",
                f"--pwfile={secret}",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
            ],
            home,
        )
        port = _free_port()
        command = [programs / "postgres", "-D", data, "-p", str(port), "-k", home, "-c", "listen_addresses=127.0.0.1"]
        with _running([*command, "-c", "fsync=off", "-c", "log_timezone=UTC"], home, port, signal.SIGINT) as process:
            server = Server(
                f"postgresql+pg8000://127.0.0.1:{port}/core",
                "127.0.0.1",
                port,
                "postgres",
                "core",
                "p@ss:w/rd' \"1",
                process,
            )
            with _patient(server).execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                connection.execute(sa.text("CREATE DATABASE core"))
            yield Server(**{**server.__dict__, "name": "core"})


@contextmanager
def mariadb(folder: Path) -> Iterator[Server]:
    """MariaDB, database `core`, user and password of the test."""
    program = databases.mariadb()
    if program is None:
        absent("MariaDB")
        return
    shared = (
        (databases.UNPACKED / "usr" / "share" / "mysql")
        if databases.UNPACKED in program.parents
        else Path("/usr/share/mysql")
    )
    with _home(folder) as home:
        data, port = home / "data", _free_port()
        data.mkdir()
        _owned(data)
        common = [
            program,
            "--no-defaults",
            f"--datadir={data}",
            f"--lc-messages-dir={shared}",
            f"--character-sets-dir={shared / 'charsets'}",
            "--plugin-dir=/nonexistent",
            f"--tmpdir={home}",
        ]
        tables = "".join(
            (shared / f"{name}.sql").read_text()
            for name in ("mysql_system_tables", "mysql_performance_tables", "mysql_system_tables_data")
        )
        user = (
            "CREATE USER 'core'@'%' IDENTIFIED BY 'p@ss:w/rd 1';\nGRANT ALL ON *.* TO 'core'@'%' WITH GRANT OPTION;\n"
        )
        script = f"CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n{tables}\nFLUSH PRIVILEGES;\nCREATE DATABASE core CHARACTER SET utf8mb4;\n{user}"
        _run([*common, "--bootstrap", "--max_allowed_packet=8M"], home, script)
        command = [
            *common,
            f"--port={port}",
            "--bind-address=127.0.0.1",
            f"--socket={home / 'socket'}",
            f"--pid-file={home / 'pid'}",
            "--skip-name-resolve",
            "--innodb-flush-log-at-trx-commit=0",
            "--character-set-server=utf8mb4",
        ]
        with _running(command, home, port) as process:
            server = Server(
                f"mysql+pymysql://127.0.0.1:{port}/core", "127.0.0.1", port, "core", "core", "p@ss:w/rd 1", process
            )
            _patient(server)
            yield server


def _patient(server: Server) -> Engine:
    """An engine once the server lets somebody in: a port is open a little earlier."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            engine = server.engine()
            engine.connect().close()
            return engine
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@contextmanager
def _home(folder: Path) -> Iterator[Path]:
    """A short path: that of a socket has an end; another user must be able to reach it."""
    home = Path(f"/tmp/solvent-{folder.name}-{os.getpid()}")
    home.mkdir(mode=0o755)
    _owned(home)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _owned(path: Path) -> None:
    if _OTHER:
        os.chown(path, _OTHER.pw_uid, _OTHER.pw_gid)


def _environment(home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG")}
    return {**kept, "HOME": str(home), "LC_ALL": "C", "LD_LIBRARY_PATH": databases.libraries()}


def _who() -> dict[str, Any]:
    return {"user": _OTHER.pw_uid, "group": _OTHER.pw_gid, "extra_groups": []} if _OTHER else {}


def _run(command: list[Any], home: Path, given: str = "") -> None:
    done = subprocess.run(
        [*map(str, command)], cwd=home, env=_environment(home), input=given, capture_output=True, text=True, **_who()
    )
    assert done.returncode == 0, f"{command[0]} failed: {done.stdout[-1500:]}{done.stderr[-1500:]}"


@contextmanager
def _running(
    command: list[Any], home: Path, port: int, stop: signal.Signals = signal.SIGTERM
) -> Iterator[subprocess.Popen[bytes]]:
    log = home / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [*map(str, command)], cwd=home, env=_environment(home), stdout=sink, stderr=sink, **_who()
        )
    try:
        deadline = time.monotonic() + SECONDS
        while not _answers(port):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text(errors="replace")[-3000:]
            time.sleep(0.05)
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
