"""The model specification of a portfolio: what is predicted, from what, and what a model must show.

Source of truth: `specifications/<portfolio>.yaml`. Lambdas, jobs and containers have no YAML parser: what is shipped
carries `solvent/_compiled/specifications.json` instead, written by `compile` at build time.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

Kind = Literal["numeric", "categorical"]


# `training.recipe`: how others trained, in one word; it replaces the settings that it names.
_REGRESSIONS = tuple({"C": c, "penalty": penalty} for penalty in ("l1", "l2") for c in (0.01, 0.1, 1.0, 10.0))
RECIPES: Mapping[str, Mapping[str, Any]] = {
    # The published LoanTap case study: logistic regression, SMOTE, L1/L2 and C by stratified K-fold on F2.
    "loantap": {
        "candidates": ("scorecard", "logistic"),
        "balance": "smote",
        "search_metric": "f2",
        "grids": {"logistic": _REGRESSIONS, "scorecard": tuple({"bins": 6, **entry} for entry in _REGRESSIONS)},
    },
}
CANDIDATES = ("scorecard", "logistic", "tree", "forest", "xgboost", "svm", "network")
# Those whose reasons are exact wherever they are served: one of them must compete.
EXPLAINED = frozenset({"scorecard", "xgboost"})


class SpecificationError(Exception):
    """A specification is missing, incomplete or contradicts itself; the message says where and what to change."""


@dataclass(frozen=True)
class Feature:
    """One input of the model. `sources` are its lineage, as `table.column`; `text` is used in reasons.

    `monotone` is +1 where a higher value may only raise the probability, -1 where it may only lower it. `reference` is
    what reasons compare with; without one it is the training sample's median or most frequent level.
    """

    name: str
    kind: Kind
    sources: tuple[str, ...]
    text: str
    monotone: int = 0
    reference: float | str | None = None


@dataclass(frozen=True)
class Label:
    """`definition` is plain words; both numbers are parameters of the ETL's statements.

    `days_past_due` is 0 where the label does not look at payments.
    """

    column: str
    definition: str
    maturity_months: int
    days_past_due: int = 0


@dataclass(frozen=True)
class Training:
    """Which candidates compete, in which folds, and by what one is chosen.

    `grids` name the settings that are tried of a candidate, in the inner folds by `search_metric` when there are
    several; a candidate that it does not name brings its own. `by_time` is the date that orders the folds.
    """

    candidates: tuple[str, ...]
    metric: Literal["expected_cost", "pr_auc", "auc"]
    folds: int
    seed: int
    inner_folds: int = 3
    balance: Literal["weights", "smote", "none"] = "weights"
    grids: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    search_metric: Literal["auc", "pr_auc", "f2"] = "auc"
    by_time: str | None = None
    recipe: str | None = None


@dataclass(frozen=True)
class Decision:
    """`words`: what the recommendations approve, refer and decline are called."""

    cost_false_approve: float
    cost_false_decline: float
    minimum_approval_rate: float
    refer_width: float
    words: tuple[str, str, str] = ("approve", "refer", "decline")


@dataclass(frozen=True)
class Scale:
    """`points` at odds of `odds`:1 for repaying; each `points_to_double_odds` more doubles those odds."""

    points: float
    odds: float
    points_to_double_odds: float


@dataclass(frozen=True)
class Gates:
    """What a model must show. Bounds of figures that `solvent.modelling` and the export measure; see `solvent.gates`.

    `time_column` of the features table parts earlier from later rows. `group_bounds`: where a protected number is cut
    into groups, each bound the first value of its group.
    """

    minimum_auc: float
    minimum_rows: int
    maximum_auc_loss_to_champion: float
    minimum_level_probability: float
    maximum_feature_auc: float
    minimum_calibration_slope: float
    maximum_calibration_slope: float
    maximum_calibration_error: float
    time_column: str
    maximum_psi: float
    maximum_fold_auc_spread: float
    minimum_approval_ratio: float
    maximum_parity_difference: float
    maximum_artifact_bytes: int
    maximum_latency_microseconds: float
    group_bounds: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Specification:
    """`features_table` holds features and label of every `entity`; rows of one `group` never straddle folds.

    `batch_table` is what the nightly batch scores. `sql_function` is how SQL calls the model, where the warehouse does.
    `parameters` are whole numbers for the statements of the ETL.
    """

    portfolio: str
    model: str
    entity: str
    group: str
    features_table: str
    batch_table: str
    sql_function: str
    observation: str
    label: Label
    features: tuple[Feature, ...]
    protected: tuple[str, ...]
    training: Training
    decision: Decision
    scale: Scale
    bands: tuple[tuple[str, float], ...]
    reasons: int
    gates: Gates
    checksum: str
    parameters: Mapping[str, int]

    def feature(self, name: str) -> Feature:
        for feature in self.features:
            if feature.name == name:
                return feature
        raise SpecificationError(f"{self.portfolio} has no feature '{name}'.")

    def generated_features(self, provenance: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
        """Names of the features with a source column that a delivery says was generated to fill out real data.

        `provenance` is a manifest's: {"customer_profile": {"annual_income": "generated"}}.
        """
        made = {
            f"{table}.{c}" for table, columns in provenance.items() for c, how in columns.items() if how == "generated"
        }
        return tuple(f.name for f in self.features if made.intersection(f.sources))

    def features_without(self, provenance: Mapping[str, Mapping[str, str]]) -> tuple[Feature, ...]:
        """The features that rest on delivered data alone."""
        left_out = set(self.generated_features(provenance))
        return tuple(f for f in self.features if f.name not in left_out)


@functools.cache
def load(portfolio: str) -> Specification:
    """The specification of a portfolio, from the compiled JSON when it was shipped, else from the checkout's YAML."""
    documents = _documents()
    if portfolio not in documents:
        raise SpecificationError(
            f"There is no specification for '{portfolio}' (known: {', '.join(sorted(documents))})."
        )
    return parse(documents[portfolio])


def compile(path: Path) -> None:
    """Write every specification of the checkout as one JSON file, for shipping where there is no YAML parser."""
    documents = _from_checkout()
    for document in documents.values():
        parse(document)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Unsorted: the order of features and bands carries meaning.
    path.write_text(json.dumps(documents, indent=1) + "\n")


def parse(document: Mapping[str, Any]) -> Specification:
    """A specification from its plain form. Raises SpecificationError naming the key that is missing or wrong."""
    try:
        parsed = Specification(
            portfolio=document["portfolio"],
            model=document["model"],
            entity=document["entity"],
            group=document["group"],
            features_table=document["features_table"],
            batch_table=document["batch_table"],
            sql_function=document["sql_function"],
            observation=document["observation"],
            label=_label(document["label"]),
            features=tuple(_feature(name, f) for name, f in document["features"].items()),
            protected=tuple(document["protected"]),
            training=_training(document["training"]),
            decision=_decision(document["decision"]),
            scale=Scale(**document["scale"]),
            bands=tuple((name, float(bound)) for name, bound in document["bands"].items()),
            reasons=document["reasons"],
            gates=_gates(document["gates"]),
            checksum=_checksum(document),
            parameters=dict(document.get("parameters", {})),
        )
    except KeyError as error:
        raise SpecificationError(f"The specification lacks {error}.") from error
    except TypeError as error:
        raise SpecificationError(f"The specification has a key that is missing or not known: {error}.") from error
    _check(parsed)
    return parsed


def _label(plain: Mapping[str, Any]) -> Label:
    """Its definition names the numbers as {maturity_months} and {days_past_due}, so that each is written once."""
    return Label(**{**plain, "definition": plain["definition"].format(**plain)})


def _feature(name: str, plain: Mapping[str, Any]) -> Feature:
    """`monotone` is written as up or down."""
    direction = {"up": 1, "down": -1, None: 0}.get(plain.get("monotone"))
    if direction is None:
        raise SpecificationError(f"Feature {name}: monotone is up or down, not {plain['monotone']!r}; or leave it out.")
    return Feature(**{**plain, "name": name, "sources": tuple(plain["sources"]), "monotone": direction})


def _training(plain: Mapping[str, Any]) -> Training:
    recipe = plain.get("recipe")
    if recipe is not None and recipe not in RECIPES:
        raise SpecificationError(f"There is no recipe '{recipe}' (known: {', '.join(RECIPES)}).")
    settings = {**plain, **(RECIPES[recipe] if recipe else {})}
    grids = {name: tuple(entries) for name, entries in settings.get("grids", {}).items()}
    return Training(**{**settings, "candidates": tuple(settings["candidates"]), "grids": grids})


def _decision(plain: Mapping[str, Any]) -> Decision:
    words = {"words": tuple(plain["words"])} if "words" in plain else {}
    return Decision(**{**plain, **words})


def _gates(plain: Mapping[str, Any]) -> Gates:
    return Gates(**{**plain, "group_bounds": {name: tuple(b) for name, b in plain["group_bounds"].items()}})


def _wrong_gates(spec: Specification) -> list[str]:
    """What contradicts itself in `gates`, as sentences."""
    gates = spec.gates
    bounds = {name: value for name, value in vars(gates).items() if name not in ("time_column", "group_bounds")}
    # YAML reads 1e-6 as text; 1.0e-6 is a number.
    no_bound = [name for name, bound in bounds.items() if type(bound) not in (int, float) or not bound >= 0]
    if no_bound:
        return [f"gates are numbers, 0 or more; these are not: {no_bound}."]
    found = []
    if not gates.minimum_calibration_slope <= 1 <= gates.maximum_calibration_slope:
        found.append("the bounds of the calibration slope lie around 1.")
    if not set(gates.group_bounds) <= set(spec.protected):
        found.append("gates.group_bounds cuts what is not protected.")
    if not all(cuts and list(cuts) == sorted(set(cuts)) for cuts in gates.group_bounds.values()):
        found.append("gates.group_bounds are rising.")
    return found


def _check(spec: Specification) -> None:
    def require(holds: bool, message: str) -> None:
        if not holds:
            raise SpecificationError(f"{spec.portfolio}: {message}")

    names = [f.name for f in spec.features]
    bounds = [bound for _, bound in spec.bands]
    require(bool(names), "there are no features.")
    require(all(f.kind in ("numeric", "categorical") for f in spec.features), "a kind is numeric or categorical.")
    require(all(f.sources for f in spec.features), "every feature names its source columns.")
    require(not set(names) & set(spec.protected), "a protected attribute is a feature: it is monitored, never scored.")
    protected_sources = [s for f in spec.features for s in f.sources if s.split(".")[-1] in spec.protected]
    require(not protected_sources, f"a feature is computed from a protected attribute: {protected_sources}.")
    require(bounds == sorted(bounds) and bounds[-1:] == [1.0], "bands have rising upper bounds, the last one 1.0.")
    wrong = _wrong_gates(spec)
    require(not wrong, " ".join(wrong))
    require(spec.label.maturity_months >= 1 and spec.label.days_past_due >= 0, "the label needs months and days.")
    require(1 <= spec.reasons <= 4, "reasons is 1 to 4 (Regulation B: at most four).")
    require(0 <= spec.decision.minimum_approval_rate <= 1, "minimum_approval_rate is a share.")
    require(0 <= spec.decision.refer_width < 1, "refer_width is a share.")
    require(len(set(spec.decision.words)) == 3, "words are three: for approve, refer and decline.")
    require(all(type(v) is int for v in spec.parameters.values()), "parameters are whole numbers.")
    _check_training(spec, require)


def _check_training(spec: Specification, require: Callable[[bool, str], None]) -> None:
    training = spec.training
    unknown = sorted({*training.candidates, *training.grids} - set(CANDIDATES))
    require(training.folds >= 2 and training.inner_folds >= 2, "training needs two folds or more, inside and out.")
    require(not unknown, f"there is no candidate {', '.join(unknown)} (known: {', '.join(CANDIDATES)}).")
    require(len(set(training.candidates)) == len(training.candidates), "a candidate is named twice.")
    require(bool(EXPLAINED & set(training.candidates)), f"one of {', '.join(sorted(EXPLAINED))} must compete.")
    require(training.metric in ("expected_cost", "pr_auc", "auc"), "metric is expected_cost, pr_auc or auc.")
    require(training.search_metric in ("auc", "pr_auc", "f2"), "search_metric is auc, pr_auc or f2.")
    require(training.balance in ("weights", "smote", "none"), "balance is weights, smote or none.")
    require(all(training.grids.values()), "grids names a candidate without settings: give one or more.")
    require(
        all(f.reference is None or isinstance(f.reference, str) == (f.kind == "categorical") for f in spec.features),
        "a reference is a number where the feature is numeric, a level where it is categorical.",
    )


def _checksum(document: Mapping[str, Any]) -> str:
    # Key order is kept on purpose: the order of the features is the order in which ties between reasons are broken.
    return hashlib.sha256(json.dumps(document, separators=(",", ":")).encode()).hexdigest()


def _documents() -> dict[str, Any]:
    # importlib.resources, because Glue imports the package from a zip.
    compiled = resources.files("solvent").joinpath("_compiled", "specifications.json")
    if compiled.is_file():
        return dict(json.loads(compiled.read_text()))
    return _from_checkout()


def _from_checkout() -> dict[str, Any]:
    import yaml

    folder = Path(__file__).resolve().parents[2] / "specifications"
    found = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yaml"))}
    if not found:
        raise SpecificationError(f"No specification was shipped and {folder} holds none: build the package again.")
    return found
