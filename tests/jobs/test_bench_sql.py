"""What `make bench-sql` measures: a portfolio that stays the same when it is multiplied, and every mart and query."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import sql
from benchmarks.warehouse import document
from benchmarks.warehouse.embedded import Warehouse, opened
from solvent import contracts
from solvent.warehouse import marts


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def warehouse(folder: Path) -> Iterator[Warehouse]:
    with opened(folder) as made:
        made.fill(folder, 100, 60)
        yield made


def figures(warehouse: Warehouse) -> dict[str, float]:
    for mart in marts.read():
        if mart.contract.materialized:
            warehouse.run(f"REFRESH MATERIALIZED VIEW marts.{mart.name}")
    rows = warehouse.run(
        "SELECT loans, borrowers, amount_collected, on_time_rate, default_rate FROM marts.kpi_executive"
    )
    assert rows is not None
    return {name: float(value) for name, value in rows.to_pylist()[0].items()}


def test_a_multiplied_portfolio_is_larger_and_has_the_same_rates(warehouse: Warehouse) -> None:
    payments = int(str(warehouse.value("SELECT COUNT(*) FROM lending.repayments")))
    before = figures(warehouse)
    warehouse.multiply(2 * payments + 1)
    after = figures(warehouse)
    assert warehouse.value("SELECT COUNT(DISTINCT payment_id) FROM lending.repayments") == 3 * payments
    assert {n: after[n] for n in ("loans", "borrowers", "amount_collected")} == pytest.approx(
        {n: 3 * before[n] for n in ("loans", "borrowers", "amount_collected")}
    )
    assert [after[n] for n in ("on_time_rate", "default_rate")] == pytest.approx(
        [before[n] for n in ("on_time_rate", "default_rate")]
    )


def test_every_mart_and_query_is_measured(warehouse: Warehouse) -> None:
    everything = [*contracts.load().marts(), *contracts.load().queries()]
    measured = sql.statements(warehouse)
    of_the_endpoint = {"score_with_the_live_model"}
    assert {name.removeprefix("marts.") for name in measured} == {c.name for c in everything} - of_the_endpoint
    silent = {n for n, (text, given) in measured.items() if not _rows(warehouse, text, given)}
    # Nothing is planted, so nothing is wrong; and no model was trained.
    assert silent <= {"quarantine", "marts.ratio_quality", "marts.model_versions"}


def _rows(warehouse: Warehouse, text: str, given: dict[str, str]) -> int:
    found = warehouse.run(text, parameters=given)
    return found.num_rows if found else 0


def test_the_document_gets_the_figures_between_its_markers(tmp_path: Path) -> None:
    slow, quick = ({"rows": 1, "median": m, "p95": m, "cpu": m} for m in (0.5, 0.001))
    one = {
        "payments": 1000,
        "loans": 50,
        "company_years": 7,
        "refresh": {"a": {"wall": 2.5, "cpu": 1.0}},
        "objects": {"marts.a": quick, "b": slow},
    }
    details = {"small": one, "large": {**one, "payments": 1_000_000}, "load_before": [1.0], "load_after": [2.0]}
    path = tmp_path / "benchmarks.md"
    path.write_text(f"above\n{document.BEGIN}\nold\n{document.END}\nbelow\n")
    document.write(path, details)
    lines = path.read_text().splitlines()
    assert lines.index("| `b` | 0.500 | 0.50 | 0.50 | 0.50 |  |") < lines.index(
        "| `marts.a` | 0.001 | 0.00 | 0.00 | 0.00 | 2.5 |"
    )
    assert "old" not in lines
    assert [c.met for c in sql.checks(details)] == [True, True]
    assert [c.met for c in sql.checks({**details, "large": {**one, "objects": {"b": {**slow, "p95": 1.2}}}})] == [
        True,
        False,
    ]
