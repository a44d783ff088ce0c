"""What must never be committed."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).exists()]


def test_no_data_set_no_artifact_and_nothing_large(tracked: list[Path]) -> None:
    assert [
        p.name for p in tracked if p.suffix in {".parquet", ".pkl", ".joblib", ".onnx", ".duckdb", ".zip", ".gz"}
    ] == []
    assert [p.name for p in tracked if p.stat().st_size > 1_000_000] == []


def test_no_path_of_one_machine_and_no_registry_address(tracked: list[Path]) -> None:
    forbidden = re.compile(r"(?<![\w.-])/(?:home|Users|root|work)/\w|\"resolved\": \"http|--(?:extra-)?index-url")
    found = [p.name for p in tracked if p.name != "test_tree.py" and forbidden.search(p.read_text(errors="ignore"))]
    assert found == []


def test_no_pickle_in_anything_that_serves(tracked: list[Path]) -> None:
    served = [
        p for p in tracked if p.suffix == ".py" and {"lambdas", "sagemaker", "src"} & set(p.relative_to(ROOT).parts)
    ]
    assert served
    loads = re.compile(r"^\s*(?:import|from) (?:pickle|joblib|cloudpickle|dill|shelve)\b", re.M)
    assert [p.name for p in served if loads.search(p.read_text())] == []


def test_what_tests_import_of_each_other_has_a_name_of_its_own(tracked: list[Path]) -> None:
    """Tests' folders stand on one sys.path: of two modules of one name, either might be the one imported."""
    packaged = {p.parent for p in tracked if p.name == "__init__.py"}
    own = [p for p in tracked if p.suffix == ".py" and p.relative_to(ROOT).parts[0] == "tests"]
    names = Counter(p.stem for p in own if p.stem != "conftest" and p.stem[:5] != "test_" and p.parent not in packaged)
    assert [name for name, times in names.items() if times > 1] == []
