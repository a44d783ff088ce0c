"""What runs in AWS is complete; packing it twice gives the same bytes, so a deploy without a change deploys nothing."""

import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from gates.assembly import Assembly
from stacks import bundling

LAMBDAS = sorted(path.parent.name for path in (bundling.ROOT / "lambdas").glob("*/handler.py"))


def test_there_are_functions_to_pack() -> None:
    assert len(LAMBDAS) >= 7


@pytest.mark.parametrize("name", LAMBDAS)
def test_a_function_has_its_handler_and_the_compiled_package(name: str) -> None:
    package = bundling.build().function(name)
    for needed in ("handler.py", "solvent/settings.py", "solvent/naming.py", "solvent/_compiled/contracts.json"):
        assert (package / needed).is_file(), needed


@pytest.mark.parametrize("left_out", ["cli", "datasets", "client.py", "deployment.py", "target.py"])
def test_what_only_a_laptop_needs_is_not_shipped(left_out: str) -> None:
    assert (bundling.ROOT / "src" / "solvent" / left_out).exists(), "the list in bundling.py is out of date"
    assert not (bundling.build().function("api") / "solvent" / left_out).exists()


@pytest.mark.parametrize("folder", ["warehouse", "marts"])
def test_the_sql_of_the_warehouse_is_shipped_where_the_function_reads_it(folder: str) -> None:
    shipped = {path.name for path in (bundling.build().function("migrate") / f"solvent/_sql/{folder}").glob("*.sql")}
    assert shipped == {path.name for path in (bundling.ROOT / "sql" / folder).glob("*.sql")} != set()


def test_glue_gets_transpiled_sql_for_both_engines() -> None:
    with zipfile.ZipFile(bundling.build().glue_libraries) as archive:
        names = archive.namelist()
    for dialect in ("spark", "duckdb"):
        assert any(name.startswith(f"solvent/_sql/{dialect}/lending/") for name in names)
    assert "solvent/__init__.py" in names


def test_the_training_source_has_its_scripts_at_the_root() -> None:
    with tarfile.open(bundling.build().training_source) as archive:
        names = archive.getnames()
    assert {"train.py", "inference.py", "solvent/_compiled/specifications.json"} <= set(names)


def test_archives_depend_on_nothing_but_their_content() -> None:
    tree = {"b.py": b"2", "a/c.py": b"1"}
    backwards = dict(reversed(tree.items()))
    assert bundling.zipped(tree) == bundling.zipped(backwards)
    assert bundling._tar_gz(tree) == bundling._tar_gz(backwards)
    with tarfile.open(fileobj=io.BytesIO(bundling._tar_gz(tree))) as archive:
        assert [(m.name, m.mtime, m.uid, m.uname) for m in archive] == [("a/c.py", 0, 0, ""), ("b.py", 0, 0, "")]
    with zipfile.ZipFile(io.BytesIO(bundling.zipped(tree))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_code_version_follows_the_code() -> None:
    tree = bundling._package()
    changed = {**tree, "solvent/naming.py": tree["solvent/naming.py"] + b"\n"}
    assert bundling.digest(tree) != bundling.digest(changed)
    assert bundling.digest(tree) == bundling.digest(dict(reversed(tree.items())))


@pytest.fixture
def by_the_cli() -> Path:
    """The assembly of dev as `make synth` wrote it: with the CDK CLI, in a process and a folder of its own."""
    return Assembly.synthesized("dev").folder


def test_two_synths_give_the_same_bytes(dev: Assembly, by_the_cli: Path) -> None:
    """Another process, another folder, with and without the CLI: the same assembly."""
    files = _files(dev.folder)
    assert set(files) > {path.name for path in dev.paths} != set()
    different = [name for name in files if not _same(by_the_cli / name, files[name])]
    assert different == [], "not what `make synth` wrote; after a change of the sources run it again"


def _same(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _files(folder: Path) -> dict[str, bytes]:
    """All files that a deploy reads. Diagnostics hold stack traces, with the temporary folder of one process's Node."""
    diagnostics = ("validation-report.json", ".metadata.json")
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(diagnostics)]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_no_path_of_this_machine_is_in_an_assembly(by_the_cli: Path) -> None:
    files = list(by_the_cli.glob("*.json"))
    assert files
    assert [path.name for path in files if str(bundling.ROOT) in path.read_text()] == []


def test_the_database_drivers_are_complete_without_anything_of_this_machine(tmp_path: Path) -> None:
    """Glue has neither an index of packages nor this machine's compiled parts: the archive alone must do."""
    drivers = bundling.build().database_drivers
    with zipfile.ZipFile(drivers) as archive:
        assert not [n for n in archive.namelist() if n.endswith((".so", ".pyd", ".pyc", "RECORD"))]
    program = f"""
import sys
sys.path[:] = [{str(drivers)!r}, *(p for p in sys.path if 'site-packages' not in p)]
import sqlalchemy as sa, pg8000, pymysql
for driver in ("postgresql+pg8000", "mysql+pymysql"):
    engine = sa.create_engine(f"{{driver}}://u:p@127.0.0.1:1/x")
    print(sa.select(sa.column("a").label("b")).limit(3).compile(engine))
assert sa.__file__.startswith({str(drivers)!r}), sa.__file__
"""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("LIMIT") == 2
    assert bundling.build().database_drivers == drivers
