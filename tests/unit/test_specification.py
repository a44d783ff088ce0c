import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from solvent import contracts, specification
from solvent.specification import SpecificationError

ROOT = Path(__file__).parents[2]
DOCUMENT = yaml.safe_load((ROOT / "specifications" / "lending.yaml").read_text())
SPEC = specification.load("lending")


def test_compiled_and_checked_out_specifications_are_equal_to_the_order_of_the_features(tmp_path: Path) -> None:
    specification.compile(tmp_path / "specifications.json")
    compiled = json.loads((tmp_path / "specifications.json").read_text())
    assert specification.parse(compiled["lending"]) == SPEC
    assert [f.name for f in SPEC.features] == list(DOCUMENT["features"])


def test_the_shipped_package_reads_its_specification_without_a_yaml_parser(tmp_path: Path) -> None:
    package = tmp_path / "solvent"
    package.mkdir()
    for name in ("__init__.py", "specification.py"):
        (package / name).write_text((ROOT / "src" / "solvent" / name).read_text())
    specification.compile(package / "_compiled" / "specifications.json")
    program = (
        "import sys; sys.modules['yaml'] = None\n"
        "from solvent import specification; print(specification.load('lending').checksum)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == SPEC.checksum


def test_every_source_of_a_feature_is_a_column_of_a_contract_and_none_is_known_too_late() -> None:
    known = contracts.load()
    for feature in SPEC.features:
        for source in feature.sources:
            table, column = source.split(".")
            found = known[table].column(column)
            assert found.pii != "protected", f"{feature.name} is computed from the protected {source}"
            assert found.name != "published_default"


def test_the_numbers_of_the_label_are_written_once() -> None:
    assert SPEC.label.definition.startswith("90 or more days past due within 12 months of the application")
    other = copy.deepcopy(DOCUMENT)
    other["label"] |= {"maturity_months": 18, "days_past_due": 60}
    assert "60 or more days past due within 18 months" in specification.parse(other).label.definition


def test_features_made_of_generated_columns_are_left_out() -> None:
    provenance = {"customer_profile": {"annual_income": "generated", "credit_score": "delivered"}}
    assert SPEC.generated_features(provenance) == ("annual_income", "amount_to_income")
    left = {f.name for f in SPEC.features_without(provenance)}
    assert left == {f.name for f in SPEC.features} - {"annual_income", "amount_to_income"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.pop("label"), "label"),
        (lambda d: d["training"].update(bin=3), "bin"),
        (lambda d: d["features"].update(age_years={"kind": "numeric", "sources": ["a.b"], "text": "Age"}), "protected"),
        (lambda d: d["features"]["amount"].update(sources=["loan_application.age_years"]), "protected"),
        (lambda d: d["features"]["amount"].update(kind="ordinal"), "kind"),
        (lambda d: d["features"]["amount"].update(sources=[]), "source"),
        (lambda d: d.update(reasons=5), "at most four"),
        (lambda d: d.update(bands={"A": 0.5, "B": 0.2}), "bands"),
        (lambda d: d["gates"].update(minimum_level_probability="1e-6"), "minimum_level_probability"),
        (lambda d: d["gates"].update(maximum_psi=float("nan")), "maximum_psi"),
        (lambda d: d["gates"].pop("maximum_psi"), "maximum_psi"),
        (lambda d: d["gates"].update(group_bounds={"sex": [2, 1]}), "rising"),
        (lambda d: d["gates"].update(group_bounds={"amount": [1]}), "not protected"),
        (lambda d: d["gates"].update(minimum_calibration_slope=1.2), "around 1"),
    ],
)
def test_a_specification_that_contradicts_itself_is_refused(change: Any, said: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    change(document)
    with pytest.raises(SpecificationError, match=said):
        specification.parse(document)


def test_an_unknown_portfolio_is_named() -> None:
    with pytest.raises(SpecificationError, match="'leasing'.*lending"):
        specification.load("leasing")
