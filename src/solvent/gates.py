"""The gates: what a model must show before anything is registered, by the specification's figures.

Pure: each gate reads the evaluation that the training job wrote. What is not measured does not pass.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from solvent.specification import Specification

Evaluation = Mapping[str, Any]
METRICS = ("auc", "gini", "ks", "brier", "accuracy", "majority_accuracy", "bad_rate", "rows")


def failures(spec: Specification, evaluation: Evaluation, champion: Evaluation | None) -> list[str]:
    """Every gate that does not hold, as `name: what, by how much`; empty when the model may be registered.

    The champion is compared only when both learned the same kind of label: an AUC on a public data set says nothing
    about one on a lender's own loans.
    """
    rival = comparable(evaluation, champion)
    found: list[str] = []
    for gate in (_rows, _auc, _champion, _baseline, _leakage, _calibration, _stability, _fairness, _artifact):
        try:
            found += gate(spec, evaluation, rival)
        except (KeyError, TypeError) as error:
            name = gate.__name__.removeprefix("_")
            found.append(f"{name}: the evaluation does not tell it ({error!r}); train again with this release")
    return found


def comparable(evaluation: Evaluation, champion: Evaluation | None) -> Evaluation | None:
    """The champion's evaluation if both models learned the same kind of label."""
    same = champion and champion.get("label_sources") == evaluation.get("label_sources")
    return champion if same else None


def reviews(spec: Specification, evaluation: Evaluation) -> list[str]:
    """What a person must look at before the model goes live in prod: approval ratios below the four-fifths rule."""
    return [
        f"fairness: approval by {name} has a ratio of {figures['ratio']:.3f} ({figures['lowest']} to "
        f"{figures['highest']}), {spec.gates.minimum_approval_ratio - figures['ratio']:.3f} below "
        f"{spec.gates.minimum_approval_ratio}; {figures['label_ratio']:.3f} in the labels"
        for name, figures in _unequal(spec, evaluation)
    ]


def _rows(spec: Specification, evaluation: Evaluation, _: Evaluation | None) -> Iterator[str]:
    rows, least = int(evaluation["rows"]), spec.gates.minimum_rows
    if rows < least:
        yield f"minimum_rows: trained on {rows} labelled rows, {least} are required"


def _auc(spec: Specification, evaluation: Evaluation, _: Evaluation | None) -> Iterator[str]:
    auc, least = float(evaluation["auc"]), spec.gates.minimum_auc
    if not auc >= least:
        yield f"minimum_auc: out-of-fold AUC {auc:.4f} is {least - auc:.4f} below {least}"


def _champion(spec: Specification, evaluation: Evaluation, champion: Evaluation | None) -> Iterator[str]:
    """By the champion's own out-of-fold figure."""
    if champion is None:
        return
    auc, best, allowed = float(evaluation["auc"]), float(champion["auc"]), spec.gates.maximum_auc_loss_to_champion
    if best - auc > allowed:
        yield (
            f"maximum_auc_loss_to_champion: out-of-fold AUC {auc:.4f} is {best - auc:.4f} below the champion's "
            f"{best:.4f}, {allowed} is allowed"
        )


def _baseline(spec: Specification, evaluation: Evaluation, _: Evaluation | None) -> Iterator[str]:
    """Better than the constant bad rate, and cheaper than deciding without a model.

    Without one, all are approved, or as many as allowed are declined by lot; the cheaper of both counts.
    """
    of = evaluation["calibration"]
    for name in ("brier", "log_loss"):
        value, constant = float(of[name]), float(of[f"{name}_of_constant"])
        if not value < constant:
            yield f"baseline: {name} {value:.4f} is {value - constant:.4f} above the constant bad rate's {constant:.4f}"
    decision, share = evaluation["decision"], spec.decision.minimum_approval_rate
    approve_all = float(decision["cost_approve_all"])
    by_lot = share * approve_all + (1 - share) * float(decision["cost_decline_all"])
    cost, trivial = float(decision["cost"]), min(approve_all, by_lot)
    if not cost <= trivial:
        yield f"baseline: cost per case {cost:.4f} is {cost - trivial:.4f} above that of deciding without a model"


def _leakage(spec: Specification, evaluation: Evaluation, _: Evaluation | None) -> Iterator[str]:
    leakage, gates = evaluation["leakage"], spec.gates
    for found in leakage["levels"]:
        if found["probability"] < gates.minimum_level_probability:
            yield (
                f"leakage: column '{found['feature']}', level '{found['level']}': the bad rate of its {found['rows']} "
                f"rows is {found['bad_rate']:.0%}, which under the base rate of {found['base_rate']:.1%} has "
                f"probability {found['probability']:.1e}, {gates.minimum_level_probability} is required"
            )
    for found in leakage["known_afterwards"]:
        yield f"leakage: column '{found['feature']}' rests on {found['column']}, known only with the outcome"
    for feature, auc in sorted(leakage["feature_auc"].items()):
        if not auc <= gates.maximum_feature_auc:
            yield (
                f"leakage: column '{feature}' alone reaches an AUC of {auc:.4f}, {auc - gates.maximum_feature_auc:.4f} "
                f"above {gates.maximum_feature_auc}"
            )


def _calibration(spec: Specification, evaluation: Evaluation, _: Evaluation | None) -> Iterator[str]:
    of, gates = evaluation["calibration"], spec.gates
    (low, high), least, most = of["slope_interval"], gates.minimum_calibration_slope, gates.maximum_calibration_slope
    if not (high >= least and low <= most):
        yield f"calibration: slope {of['slope']:.3f} (95 % {low:.3f} to {high:.3f}) is outside {least} to {most}"
    error, bound = float(of["expected_calibration_error"]), gates.maximum_calibration_error
    if not error <= bound:
        yield f"calibration: expected calibration error {error:.4f} is {error - bound:.4f} above {bound}"


def _stability(spec: Specification, evaluation: Evaluation, _: Evaluation | None) -> Iterator[str]:
    """Beyond chance only. Each fold has a model of its own, which few rows make differ: small folds are reported."""
    of, gates = evaluation["stability"], spec.gates
    for shift in of["shifts"]:
        psi, bound = float(shift["psi"]), max(gates.maximum_psi, float(shift["chance"]))
        if shift["rows"] >= gates.minimum_rows and not psi <= bound:
            yield f"stability: PSI of the scores of {shift['of']} is {psi:.3f}, {psi - bound:.3f} above {bound:.3f}"
    spread, most = float(of["fold_auc_spread"]), max(gates.maximum_fold_auc_spread, float(of["spread_chance"]))
    if not spread <= most:
        yield f"stability: AUC differs by {spread:.3f} between folds, {spread - most:.3f} above {most:.3f}"


def _unequal(spec: Specification, evaluation: Evaluation) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, figures in sorted(evaluation.get("fairness", {}).items()):
        ratio = figures.get("ratio")
        if ratio is not None and not ratio >= spec.gates.minimum_approval_ratio:
            yield name, figures


def _fairness(spec: Specification, evaluation: Evaluation, champion: Evaluation | None) -> Iterator[str]:
    """Refused: below four fifths, the champion's ratio and the labels'. A first model has no champion."""
    unknown = set(spec.protected) - set(evaluation["fairness"])
    absent = sorted(unknown | {name for name, of in evaluation["fairness"].items() if of.get("absent")})
    if absent:
        yield f"fairness: {', '.join(absent)} cannot be monitored, the training data lack it"
    for name, figures in _unequal(spec, evaluation):
        before = ((champion or {}).get("fairness", {}).get(name) or {}).get("ratio")
        if before is not None and figures["ratio"] < min(before, figures["label_ratio"]):
            yield (
                f"fairness: approval by {name} has a ratio of {figures['ratio']:.3f} ({figures['lowest']} to "
                f"{figures['highest']}), below the champion's {before:.3f} by {before - figures['ratio']:.3f} and "
                f"below {figures['label_ratio']:.3f} in the labels by {figures['label_ratio'] - figures['ratio']:.3f}"
            )


def _artifact(spec: Specification, evaluation: Evaluation, _: Evaluation | None) -> Iterator[str]:
    """What the export measured; the archive is weighed by who reads it."""
    gates = spec.gates
    measured = {
        "parity": (evaluation["parity"]["maximum_difference"], gates.maximum_parity_difference),
        "size": (evaluation.get("artifact_bytes"), gates.maximum_artifact_bytes),
        "latency": (evaluation["latency_microseconds"], gates.maximum_latency_microseconds),
    }
    units = {"parity": "between model and artifact", "size": "bytes of archive", "latency": "microseconds for a row"}
    for name, (value, bound) in measured.items():
        if value is not None and not value <= bound:
            yield f"{name}: {value:g} {units[name]}, {value - bound:g} above {bound:g}"
