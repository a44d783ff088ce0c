"""What people wrote down about the origin of columns is what the statements compute."""

import pytest

from solvent import contracts, lineage, naming

# Counted by the ETL itself, from no column.
COUNTED = {"load_log"}


@pytest.mark.parametrize("portfolio", naming.PORTFOLIOS)
def test_written_sources_agree_with_the_statements(portfolio: str) -> None:
    wrong = lineage.contradictions(portfolio)
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("portfolio", naming.PORTFOLIOS)
def test_every_published_column_has_a_lineage(portfolio: str) -> None:
    known, cs = lineage.of(portfolio), contracts.load()
    histories = {h.name: h for c in cs.sources(portfolio) if (h := cs.history(c.name))}
    expected = {
        c.name
        for c in cs.values()
        if c.kind == "published" and c.portfolio in (portfolio, "ops") and c.zone in ("cleaned", "training")
    }
    assert set(known.published) == expected - COUNTED | set(histories)
    for table in known.published:
        assert known.columns(table) == (histories.get(table) or cs[table]).column_names
        without = {c for c in known.columns(table) if known.origin(lineage.Ref(table, c)) == lineage.Origin()}
        assert without == set(), table
