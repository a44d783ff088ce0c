"""What `make bench-etl` compares is the same result, and a difference would be seen."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks.behaviour import document, estimate, plot, portfolio, run, side
from solvent import contracts

ROWS = 3000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return portfolio.tables(tmp_path_factory.mktemp("bench"), ROWS)


@pytest.fixture(scope="module")
def ours(folder: Path) -> Path:
    out = folder.parent / "ours"
    side.ours(folder, out, steps=run.steps("duckdb"), settings=settings())
    return out


def settings() -> dict[str, Any]:
    return run.settings(str(portfolio.AS_OF), observations=1)


def test_the_portfolio_has_the_rows_that_were_asked_for_and_a_history(folder: Path) -> None:
    with duckdb.connect() as connection:
        rows = [
            connection.read_parquet(f"{folder}/{t}/*.parquet").shape[0] for t in ("repayments", "repayments_history")
        ]
    assert rows[0] == ROWS
    assert 0 < rows[1] < ROWS / 20


@pytest.mark.parametrize("peer", [side.pandas, side.polars])
def test_peers_come_to_our_result(folder: Path, ours: Path, peer: Any) -> None:
    out = folder.parent / f"{peer.__name__}.parquet"
    peer(folder, out, settings=settings())
    assert run.differences(ours, out) == {}


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ("* REPLACE (late_rate + 1e-8 AS late_rate)", {"late_rate"}),
        ("* REPLACE (NULL AS housing)", {"housing"}),
        ("* REPLACE (days_past_due + 1 AS days_past_due)", {"days_past_due"}),
        ("* REPLACE (CONCAT(loan_id, 'x') AS loan_id)", None),
    ],
)
def test_a_difference_is_seen(ours: Path, tmp_path: Path, changed: str, found: set[str] | None) -> None:
    other = tmp_path / "other.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {changed} FROM '{ours}/*.parquet') TO '{other}'")
    differences = run.differences(ours, other)
    assert set(differences) == found if found else differences["rows"] > 0


def test_our_side_is_the_published_table(ours: Path) -> None:
    with duckdb.connect() as connection:
        assert tuple(connection.read_parquet(f"{ours}/*.parquet").columns) == (
            contracts.load()["behaviour_features"].column_names
        )


def test_a_billion_rows_take_more_workers_where_a_row_costs_more() -> None:
    cheap, dear = (estimate.billion_rows({1_000_000: 50 + c, 10_000_000: 50 + 10 * c}) for c in (5, 20))
    assert (cheap["cpu_seconds_per_million_rows"], dear["cpu_seconds_per_million_rows"]) == (5, 20)
    assert cheap["start_cpu_seconds"] == dear["start_cpu_seconds"] == 50
    # 5,000 CPU seconds; a worker gives 4 x 0.5 x 1,800 less the start: two of them and the driver.
    assert cheap["workers"] == 3
    assert cheap["minutes"] <= cheap["assumed"]["target_minutes"]
    assert dear["workers"] > cheap["workers"]
    assert dear["usd"] > cheap["usd"]


def test_the_plot_has_a_line_for_each_side(tmp_path: Path) -> None:
    compared = {name: {1_000_000: 1.0, 10_000_000: 5.0} for name in plot.NAMES}
    plot.write(tmp_path / "plot.svg", compared, [{"rows": 50_000_000, "cpu": 25.0}])
    drawn = (tmp_path / "plot.svg").read_text()
    assert drawn.count("<polyline") == len(plot.NAMES)
    assert all(name in drawn for name in plot.NAMES.values())


def test_the_document_gets_the_figures_between_its_markers(tmp_path: Path) -> None:
    side_of = {"cpu": 2.5, "wall": 3.0, "memory": 1234.5}
    details = {
        "compared": {"10000000": dict.fromkeys(plot.NAMES, side_of)},
        "growth": [{"rows": 50_000_000, **side_of}],
        "all_observation_dates": {"rows": 10_000_000, "dates": 6, **side_of},
        "transforms": {"lending": {"rows": {"loan_application": 7}, "cpu": 0.9, "wall": 0.8}},
        "billion_rows": estimate.billion_rows({1_000_000: 55, 10_000_000: 100}),
        "load": [1.0, 2.0, 3.0],
    }
    path = tmp_path / "benchmarks.md"
    path.write_text(f"above\n{document.BEGIN}\nold\n{document.END}\nbelow\n")
    document.write(path, details)
    written = path.read_text()
    assert "| Polars | 2.50 (1,234) |" in written
    assert "old" not in written
    assert written.startswith("above\n")
    assert written.endswith("\nbelow\n")
    path.write_text("no markers")
    with pytest.raises(ValueError, match="lacks"):
        document.write(path, details)
