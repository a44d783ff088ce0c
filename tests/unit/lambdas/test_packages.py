"""Lambda has boto3, the standard library and at times a layer: what else is missing would show when it is called."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import ROOT

from solvent import contracts, specification

NAMES = sorted(p.name for p in (ROOT / "lambdas").iterdir() if (p / "handler.py").exists())
BLOCKED = (
    "yaml",
    "pydantic",
    "open_data_contract_standard",
    "pandas",
    "numpy",
    "pyarrow",
    "sklearn",
    "duckdb",
    "sqlglot",
)
# What MLflow's client needs is in the layer of this function (requirements-experiments.txt): pandas and numpy are not.
LAYERS = {"experiment_log": {"yaml", "pydantic"}}
VARIABLES = {"MLFLOW_TRACKING_URI": "file:///nowhere", "MLFLOW_ALLOW_FILE_STORE": "true"}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asset")
    shutil.copytree(
        ROOT / "src" / "solvent", folder / "solvent", ignore=shutil.ignore_patterns("__pycache__", "cli", "datasets")
    )
    contracts.compile(folder / "solvent" / "_compiled" / "contracts.json")
    specification.compile(folder / "solvent" / "_compiled" / "specifications.json")
    shutil.copytree(ROOT / "sql" / "warehouse", folder / "solvent" / "_sql" / "warehouse")
    return folder


def test_every_function_of_the_platform_is_here() -> None:
    assert NAMES == [
        "api", "endpoint_cleanup", "experiment_log", "migrate", "model_gate", "run_control", "stream_ingest",
        "warehouse_load",
    ]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_package_imports_with_nothing_but_boto3(name: str, package: Path, tmp_path: Path) -> None:
    shutil.copytree(package, tmp_path, dirs_exist_ok=True)
    shutil.copytree(ROOT / "lambdas" / name, tmp_path, dirs_exist_ok=True)
    blocked = tuple(each for each in BLOCKED if each not in LAYERS.get(name, ()))
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked!r}))\n"
        "import handler, solvent; assert callable(handler.handler)\n"
        "from solvent import contracts, specification; from solvent.warehouse import migrations\n"
        "contracts.load(); specification.load('lending'); migrations.read()\n"
        "print(solvent.__file__)"
    )
    # The editable installation of the checkout must not stand in for the package.
    environment = {**os.environ, **VARIABLES, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().startswith(str(tmp_path))
