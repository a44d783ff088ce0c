"""A warehouse with a few loans in this process, and the command line that asks it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_client import Asked, data_api
from warehouse_cases import ADMIN, copied, fill, migrated

from solvent.cli import main

LOANS = [
    {"loan_id": f"L{n:06d}", "customer_id": "C000001", "amount": 1000 + n, "application_date": "2026-01-31"}
    for n in range(1, 61)
]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = migrated(tmp_path_factory.mktemp("warehouse"))
    fill(made, {"lending.customers": [{"customer_id": "C000001"}], "lending.loans": LOANS})
    return made


@pytest.fixture
def warehouse(template: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """What `solvent sql` and `solvent query` ask, as the administrator."""
    copy = copied(template, tmp_path / "copy")
    client = Asked(copy.database, ADMIN)
    monkeypatch.setattr("solvent.cli.sql._warehouse", lambda env, role: data_api(client))
    yield client
    copy.database.close()


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def solvent(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run the command line; (exit code, standard output, standard error)."""
    monkeypatch.setenv("SOLVENT_HOME", str(tmp_path / "home"))

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["solvent", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main.main()
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return run
