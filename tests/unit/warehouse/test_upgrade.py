"""An empty warehouse becomes one with every migration, procedure and mart, as the function `migrate` makes it."""

from collections.abc import Iterator

import pytest
from engine_client import EngineClient
from load_cases import KNOWN, LOADER, Lake, ask, batch_of, fill

from embedded_aws.redshift.engine import Database, Roles
from solvent.naming import Names
from solvent.warehouse import marts, merging, migrations, upgrade
from solvent.warehouse.data_api import DataApi, StatementFailed
from solvent.warehouse.statements import call


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Lake]]:
    folder = tmp_path_factory.mktemp("upgraded")
    lake = Lake(folder / "s3")
    database = Database(folder / "solvent.db", storage=lambda role: lake, roles=lambda: Roles("arn:r", ("arn:r",)))
    assert upgrade.ledgers(api(database)) == upgrade.Ledgers({}, {}, {})
    done = upgrade.apply(api(database), Names("dev"))
    versions, names = [m.version for m in migrations.read()[1:]], [m.name for m in marts.read()]
    assert done == {"migrations": versions, "marts": names, "options": []}
    yield database, lake
    database.close()


def api(database: Database, user: str = "admin") -> DataApi:
    return DataApi(EngineClient(database, user), workgroup="w", database="solvent")


def test_the_ledgers_say_what_was_made_and_a_second_time_nothing_is(made: tuple[Database, Lake]) -> None:
    there = api(made[0])
    assert not upgrade.pending(upgrade.ledgers(there))
    assert upgrade.apply(there, Names("dev")) == {"migrations": [], "marts": [], "options": []}


def test_a_load_and_the_refresh_after_it_run_as_the_loader(made: tuple[Database, Lake]) -> None:
    database, lake = made
    fill(lake)
    there = api(database, LOADER)
    there.batch(batch_of(lake))
    assert ask(database, "SELECT portfolio FROM marts.reporting_dates") == [], "stale until they are refreshed"
    there.batch([call(marts.REFRESH)])
    assert ask(database, "SELECT portfolio FROM marts.reporting_dates") == [("lending",)]


def test_the_loader_refreshes_by_the_procedure_only(made: tuple[Database, Lake]) -> None:
    with pytest.raises(StatementFailed, match="(?i)owner|denied"):
        api(made[0], LOADER).execute("REFRESH MATERIALIZED VIEW marts.reporting_dates")


def test_a_changed_mart_is_made_anew_and_one_that_is_gone_is_dropped(
    made: tuple[Database, Lake], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, _ = made
    known = marts.read()
    read = {name for mart in known for name in mart.reads}
    alone = next(m for m in known if m.kind == "view" and m.name not in read)
    changed = next(m for m in known if m.name == "reporting_dates")
    query = changed.query.replace("MAX(as_of)", "MIN(as_of)")
    files = {f"{m.name}.sql": f"-- {m.question}\n{m.query}" for m in known if m.query and m is not alone}
    contracts = type(KNOWN)({n: c for n, c in KNOWN.items() if n != alone.name})
    fewer = marts.parse(contracts, {**files, "reporting_dates.sql": f"-- {changed.question}\n{query}"})
    monkeypatch.setattr(marts, "read", lambda: fewer)
    try:
        plan = upgrade.pending(upgrade.ledgers(api(database)))
        done = upgrade.apply(api(database), Names("dev"))["marts"]
        assert changed.name in done and alone.name in done
        assert done == [m.name for m in plan.marts] + plan.gone
        left = ask(database, "SELECT table_name FROM svv_tables WHERE table_schema = 'marts'")
        assert (alone.name,) not in left and (changed.name,) in left
    finally:
        monkeypatch.undo()
    assert alone.name in upgrade.apply(api(database), Names("dev"))["marts"]


def test_every_table_that_a_run_fills_has_its_procedure() -> None:
    published = {c.name for c in KNOWN.values() if c.kind == "published" and c.zone in ("cleaned", "training")}
    assert {c.name for c in merging.tables(KNOWN)} == published - set(merging.LOGS)
