"""Dependencies point inward: what a layer may import. A breach makes a Lambda or a job fail at import."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STANDARD = set(sys.stdlib_module_names)

# Pure: shipped to Lambda, Glue and the training container, and to anyone who wants the maths alone.
PURE = ["naming.py", "delivery.py", "scorecard.py", "specification.py", "serving.py", "contracts"]


def imports(path: Path, *, top_level: bool) -> Iterator[str]:
    """Names of the top packages that a file imports; `top_level` leaves out what functions import when called."""
    tree = ast.parse(path.read_text())
    lazy = {
        id(node)
        for scope in ast.walk(tree)
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(scope, ast.If) and "TYPE_CHECKING" in ast.unparse(scope.test))
        for node in ast.walk(scope)
    }
    for node in ast.walk(tree):
        if top_level and id(node) in lazy:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def python_files(*folders: str) -> list[Path]:
    return [p for folder in folders for p in sorted((ROOT / folder).rglob("*.py")) if "__pycache__" not in p.parts]


def breaches(files: list[Path], allowed: set[str], *, top_level: bool) -> dict[str, set[str]]:
    found = {str(p.relative_to(ROOT)): set(imports(p, top_level=top_level)) - allowed for p in files}
    return {name: extra for name, extra in found.items() if extra}


def test_the_core_imports_only_the_standard_library() -> None:
    core = ROOT / "src" / "solvent"
    files = [
        f for name in PURE for f in ([core / name] if name.endswith(".py") else sorted((core / name).glob("*.py")))
    ]
    assert files
    assert breaches(files, STANDARD | {"solvent"}, top_level=True) == {}


def test_lambdas_need_nothing_but_what_lambda_has() -> None:
    files = python_files("lambdas")
    assert files
    brought = STANDARD | {"boto3", "botocore", "solvent", "settings"}
    layered = [path for path in files if path.parent.name == "experiment_log"]  # its layer is requirements-experiments
    assert breaches([path for path in files if path not in layered], brought, top_level=False) == {}
    assert breaches(layered, brought | {"mlflow"}, top_level=False) == {}


def test_the_inference_code_needs_nothing_but_the_standard_library() -> None:
    allowed = STANDARD | {
        "solvent",
        "flask",
        "sagemaker_inference",
        "sagemaker_containers",
        "sagemaker_xgboost_container",
    }
    assert breaches(python_files("sagemaker/inference"), allowed, top_level=False) == {}


def test_what_is_deployed_knows_neither_the_stacks_nor_the_laptop() -> None:
    # The command line may start the embedded AWS; nothing that runs in AWS may know of it.
    laptop = {"target.py", "client.py", "cli"}
    files = [p for p in python_files("src/solvent") if not laptop & set(p.relative_to(ROOT / "src/solvent").parts)]
    files += python_files("lambdas", "glue_jobs", "sagemaker")
    for path in files:
        assert not {"stacks", "embedded_aws", "ministack"} & set(imports(path, top_level=False)), path


def test_the_stacks_know_nothing_of_the_laptop() -> None:
    for path in [*python_files("stacks"), ROOT / "app.py"]:
        assert not {"embedded_aws", "ministack", "moto"} & set(imports(path, top_level=False)), path


@pytest.mark.parametrize("path", python_files("embedded_aws"), ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_adapter_touches_the_emulators_private_names(path: Path) -> None:
    if path.name == "adapter.py":
        return
    tree = ast.parse(path.read_text())
    modules = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack")
        for alias in node.names
    }
    private = {
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and isinstance(node.value, ast.Name)
        and node.value.id in modules
    }
    assert not private


def test_the_payload_folder_does_not_shadow_the_sagemaker_distribution() -> None:
    assert not (ROOT / "sagemaker" / "__init__.py").exists()
