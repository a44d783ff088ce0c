import copy
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_card_schema import SCHEMA

from examples import GOOD
from solvent import specification
from solvent.modelling import evidence
from solvent.modelling.data import Floats
from solvent.modelling.evidence import card, pages, plots
from solvent.specification import Feature

LENDING, BANKRUPTCY = specification.load("lending"), specification.load("bankruptcy")
HOSTILE = "</td><script>alert('x')</script>&\"<img src=//x.example/y>"
VOID = {"meta"}
# What would make a browser ask another address for something.
REQUESTS = {"src", "href", "srcset", "action", "data", "poster", "background", "xlink:href"}


def measured(spec: specification.Specification, level: str = "one") -> dict[str, Any]:
    """An evaluation of a small made-up portfolio, whose categories have `level` among their levels."""
    random = np.random.default_rng(0)
    n = 300
    features: list[Feature] = [*spec.features[:4]]
    frame = pd.DataFrame(
        {f.name: random.normal(size=n) if f.kind == "numeric" else random.choice([level, "two"], n) for f in features}
    )
    frame = frame.assign(**{name: random.choice([level, "other"], n) for name in spec.protected if "age" not in name})
    frame = frame.assign(age_years=random.integers(19, 70, n))
    frame[spec.gates.time_column] = pd.date_range("2024-01-01", periods=n)
    estimates = random.beta(1, 4, n)
    y = (random.random(n) < estimates).astype(np.int64)

    def model(rows: pd.DataFrame) -> Floats:
        return np.full(len(rows), 0.2)

    found = evidence.measure(
        frame, y, estimates=estimates, fold_of=np.arange(n) % 5, declined=estimates > 0.3, cutoff=0.3,
        specification=spec, features=features, models=[], final=model,
    )  # fmt: skip
    settings = [{"C": 1.0, "penalty": level}, {"C": 1.0, "penalty": level}]
    interval = {"mean": 0.712, "low": 0.65, "high": 0.77}
    comparison = [
        {"name": level, "auc": interval, "parameters": settings, "chosen": True},
        {"name": "tree", "auc": None},
    ]
    return {**GOOD, **found, "features": [f.name for f in features], "comparison": comparison, "protocol": level}


EVALUATION = measured(LENDING, HOSTILE)


class Reader(HTMLParser):
    """Tags, attributes and text of a page; an element that is not closed is an error."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("evidence")
    evidence.write(made, evaluation=EVALUATION, specification=LENDING)
    return made


def test_the_card_is_what_sagemaker_takes(folder: Path) -> None:
    content = json.loads((folder / "model_card.json").read_text(encoding="utf-8"))
    jsonschema.validate(content, SCHEMA)
    assert len(json.dumps(content)) < 100_000  # CreateModelCard's limit
    assert "DRAFT FOR INDEPENDENT REVIEW" in content["additional_information"]["caveats_and_recommendations"]
    (evaluation,) = content["evaluation_details"]
    figures = {m["name"]: m["value"] for group in evaluation["metric_groups"] for m in group["metric_data"]}
    assert figures["auc"] == 0.78
    assert figures["majority_accuracy"] == 0.7
    assert figures["ratio, sex"] == EVALUATION["fairness"]["sex"]["ratio"]
    assert evaluation["metadata"]["specification sha256"] == LENDING.checksum


@pytest.mark.parametrize("spec", [LENDING, BANKRUPTCY], ids=["lending", "bankruptcy"])
def test_texts_are_cut_to_the_schemas_lengths(spec: specification.Specification) -> None:
    long = {**EVALUATION, "protocol": "p" * 5000, "excluded_features": ["x" * 3000], "label_sources": ["y" * 3000]}
    evaluation = {**long, "fairness": EVALUATION["fairness"] if spec.protected else {}}
    jsonschema.validate(card.content(evaluation, spec), SCHEMA)


@pytest.mark.parametrize("name", evidence.DOCUMENTS)
def test_a_page_is_whole_escapes_what_it_is_given_and_asks_nobody(folder: Path, name: str) -> None:
    page = (folder / name).read_text(encoding="utf-8")
    read = Reader(page)
    assert "DRAFT FOR INDEPENDENT REVIEW" in read.text
    assert not {"script", "img", "link", "iframe"} & set(read.tags)
    assert not [a for a in read.attributes if a[0] in REQUESTS or a[0].startswith("on")]
    assert "url(" not in page
    assert "@import" not in page
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in read.attributes
    assert HOSTILE in read.text


def test_the_reports_hold_the_figures(folder: Path) -> None:
    validation = Reader((folder / "validation.html").read_text(encoding="utf-8"))
    for heading in ("Discrimination", "Calibration", "Stability", "Sensitivity", "Challengers", "Limits", "Leakage"):
        assert heading in validation.text
    assert f"{EVALUATION['calibration']['slope']:.4g}" in validation.text
    assert validation.tags.count("svg") >= 4
    assert "majority accuracy" in validation.text
    assert "0.712 (0.65 to 0.77)" in validation.text
    assert validation.text.count("C 1, penalty") == 1  # alike in each fold
    fairness = Reader((folder / "fairness.html").read_text(encoding="utf-8"))
    assert f"{EVALUATION['fairness']['sex']['ratio']:.4g}" in fairness.text
    assert "equal opportunity difference" in fairness.text
    assert "26 to below 62" in fairness.text
    card_page = Reader((folder / "model_card.html").read_text(encoding="utf-8"))
    assert LENDING.features[0].sources[0] in card_page.text
    assert "annual_income" not in card_page.text  # not a feature of this model


@pytest.mark.parametrize(
    ("end", "ticks"),
    [(1.0, ["0", "0.2", "0.4", "0.6", "0.8", "1"]), (0.679, ["0", "0.2", "0.4", "0.6"]), (0.0, ["0"])],
)
def test_axes_are_marked_at_round_numbers(end: float, ticks: list[str]) -> None:
    drawn = plots.lines("ROC", plots.Axes("across", "up", y_range=(0.0, end)), [])
    at_the_left = re.findall(r'text-anchor="end">([^<]*)<', drawn)
    assert at_the_left == ticks


def test_tables_name_their_columns_and_rows_for_those_who_do_not_see_them(folder: Path) -> None:
    read = Reader((folder / "validation.html").read_text(encoding="utf-8"))
    assert read.tags.count("table") == read.tags.count("caption") > 5
    scopes = [value for name, value in read.attributes if name == "scope"]
    assert len(scopes) == read.tags.count("th")
    assert read.attributes.count(("role", "img")) == read.tags.count("svg")


def test_the_same_evaluation_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    evidence.write(tmp_path, evaluation=json.loads(json.dumps(EVALUATION)), specification=LENDING)
    for made in folder.iterdir():
        assert (tmp_path / made.name).read_bytes() == made.read_bytes()


def test_companies_have_no_protected_attributes_and_the_report_says_so() -> None:
    evaluation = {**measured(BANKRUPTCY), "fairness": {}}
    assert "nothing is monitored" in pages.render("fairness.html", evaluation, BANKRUPTCY)


def test_what_cannot_be_compared_or_is_absent_is_said() -> None:
    evaluation = copy.deepcopy(EVALUATION)
    evaluation["fairness"]["sex"] = {"absent": True}
    evaluation["fairness"]["foreign_worker"].update(ratio=None, proxies=None)
    page = pages.render("fairness.html", evaluation, LENDING)
    assert "cannot be monitored" in page
    assert "Fewer than two groups" in page


@settings(max_examples=20)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30))
def test_no_level_breaks_out_of_its_cell(level: str) -> None:
    evaluation = copy.deepcopy(EVALUATION)
    evaluation["fairness"]["sex"]["groups"][0]["group"] = level
    assert Reader(pages.render("fairness.html", evaluation, LENDING)).tags == TAGS


TAGS = Reader(pages.render("fairness.html", EVALUATION, LENDING)).tags
