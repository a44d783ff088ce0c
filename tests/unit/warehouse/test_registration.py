"""A registered model version becomes one row of ops.models, written by the loader with values as parameters."""

import shutil
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from load_cases import KNOWN, LOADER, RUN, Lake, ask, migrated

from embedded_aws.redshift.engine import Database
from solvent.gates import METRICS
from solvent.warehouse import registration
from solvent.warehouse.load import LoadError

ARN = "arn:aws:sagemaker:eu-west-1:000000000000:model-package/solvent-dev-lending"
FIGURES = dict(zip(METRICS, ("0.78", "0.56", "0.4", "0.17", "0.74", "0.7", "0.3", "20900000"), strict=True))
REGISTERED: dict[str, Any] = {
    "model_package": f"{ARN}/10",
    "registered_at": "2026-07-01T01:30:00.5+02:00",
    "as_of": "2026-06-30",
    "metrics": FIGURES,
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "solvent.db"
    with migrated(path, Lake(path.parent)):
        return path


@pytest.fixture
def warehouse(tmp_path: Path, template: Path) -> Iterator[Database]:
    with migrated(Path(shutil.copy(template, tmp_path)), Lake(tmp_path)) as database:
        yield database


def write(warehouse: Database, **changed: Any) -> list[int]:
    """Rows that each statement touched."""
    affected: list[int] = []
    values = registration.row(portfolio="lending", run_id=RUN, registered={**REGISTERED, **changed})
    warehouse.run(
        registration.statements(KNOWN),
        user=LOADER,
        parameters=values,
        finished=lambda _, outcome: affected.append(outcome.rows),
    )
    return affected


def test_a_version_is_a_row_with_its_figures_and_twice_is_once(warehouse: Database) -> None:
    assert write(warehouse)[-1] == 1
    expected = (
        "lending", "10", f"{ARN}/10", RUN, date(2026, 6, 30), datetime(2026, 6, 30, 23, 30, 0, 500_000),
        0.78, 0.56, 0.4, 0.17, 0.74, 0.7, 0.3, 20_900_000,
    )  # fmt: skip
    assert ask(warehouse, "SELECT * FROM ops.models") == [expected]
    assert write(warehouse)[-1] == 0  # the MERGE finds nothing to do
    assert ask(warehouse, "SELECT * FROM ops.models") == [expected]


def test_another_version_is_another_row_and_the_same_one_with_other_figures_replaces_it(warehouse: Database) -> None:
    write(warehouse)
    write(warehouse, model_package=f"{ARN}/11")
    write(warehouse, metrics={**FIGURES, "auc": "0.8"})
    assert ask(warehouse, "SELECT model_version, auc FROM ops.models ORDER BY 1") == [("10", 0.8), ("11", 0.78)]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"model_package": ARN}, "model_package"),
        ({"model_package": f"{ARN}/1'; DROP TABLE ops.models; --"}, "model_package"),
        ({"registered_at": "yesterday"}, "registered_at must be a time"),
        ({"registered_at": "2026-07-01T01:30:00"}, "registered_at must say its zone"),
        ({"as_of": "30.06.2026"}, "as_of"),
        ({"metrics": {**FIGURES, "auc": "nan"}}, "figure auc"),
        ({"metrics": {**FIGURES, "rows": "2.09e+07"}}, "figure rows"),
        ({"metrics": {"auc": "0.78"}}, "figure gini"),
    ],
)
def test_what_is_no_registration_is_refused_by_name(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(LoadError, match=named):
        registration.row(portfolio="lending", run_id=RUN, registered={**REGISTERED, **changed})
