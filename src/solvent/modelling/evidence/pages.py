"""The documents that a reviewer reads: model card, validation report, fairness report; each one file by itself."""

from typing import Any

from solvent.modelling.evidence import card
from solvent.modelling.evidence.markup import Html, between, element, join, page, percent, table, text
from solvent.modelling.evidence.plots import Axes, Line, bars, lines
from solvent.specification import Specification

Evaluation = dict[str, Any]
NAMES = {
    "auc": "AUC",
    "gini": "Gini (2 AUC − 1)",
    "ks": "Kolmogorov-Smirnov",
    "brier": "Brier score",
    "majority_accuracy": "majority accuracy (always the more frequent outcome)",
}
DIAGONAL = Line("chance", [[0, 0], [1, 1]], dashed=True)


def render(name: str, evaluation: Evaluation, specification: Specification) -> str:
    """The HTML of `model_card.html`, `validation.html` or `fairness.html`."""
    title, body = {
        "model_card.html": ("Model card", _card),
        "validation.html": ("Validation report", _validation),
        "fairness.html": ("Fairness report", _fairness),
    }[name]
    whole = f"{title}: {specification.portfolio}, run {evaluation.get('run_id', 'unknown')}"
    return page(whole, element("h1", whole), element("p", card.MARK, class_="draft"), *body(evaluation, specification))


def _card(evaluation: Evaluation, specification: Specification) -> list[Html]:
    features = [
        (f.name, f.text, f.kind, ", ".join(f.sources))
        for f in specification.features
        if f.name in evaluation["features"]
    ]
    return [
        element("h2", "Purpose"),
        element("p", f"Predicts: {specification.label.definition}. Observed at: {specification.observation}."),
        element("p", card.purpose(specification)),
        element("h2", "Figures"),
        _figures(evaluation),
        *_limits(evaluation, specification),
        element("h2", "What moves the model"),
        _importance(evaluation),
        element("h2", "Provenance"),
        table(
            "What the run can be repeated from",
            ("What", "Value"),
            card.provenance(evaluation, specification),
            words=True,
        ),
        table("Settings of the training", ("Setting", "Value"), card.settings(specification), words=True),
        table(
            "Features and the source columns they rest on", ("Feature", "Text", "Kind", "Sources"), features, words=True
        ),
    ]


def _validation(evaluation: Evaluation, specification: Specification) -> list[Html]:
    return [
        *_limits(evaluation, specification),
        element("h2", "Discrimination"),
        _figures(evaluation),
        _discrimination(evaluation),
        element("h2", "Calibration"),
        *_calibration(evaluation),
        element("h2", "Stability"),
        *_stability(evaluation),
        element("h2", "Sensitivity"),
        *_sensitivity(evaluation),
        element("h2", "Challengers"),
        _challengers(evaluation),
        element("h2", "Leakage"),
        *_leakage(evaluation),
    ]


def _figures(evaluation: Evaluation) -> Html:
    rows = [(NAMES.get(name, name.replace("_", " ")), evaluation[name]) for name in card.FIGURES]
    rows.append(("area under precision and recall", evaluation["curves"]["pr_auc"]))
    protocol = element("p", evaluation.get("protocol", ""))
    return join([protocol, table("Out of fold", ("Figure", "Value"), rows)])


def _limits(evaluation: Evaluation, specification: Specification) -> list[Html]:
    return [
        element("h2", "Limits"),
        element("ul", *(element("li", limit) for limit in card.limits(evaluation, specification))),
    ]


def _discrimination(evaluation: Evaluation) -> Html:
    curves = evaluation["curves"]
    scores, bad_rate = curves["scores"], evaluation["bad_rate"]
    shares = [(name, [count / max(sum(scores[name]), 1) for count in scores[name]]) for name in ("good", "bad")]
    top = max(max(heights) for _, heights in shares) or 1.0
    return element(
        "div",
        lines("ROC curve", Axes("false positives", "true positives"), [Line("model", curves["roc"]), DIAGONAL]),
        lines(
            "Precision and recall",
            Axes("recall", "precision"),
            [Line("model", curves["precision_recall"]), Line("bad rate", [[0, bad_rate], [1, bad_rate]], dashed=True)],
        ),
        bars(
            "Probabilities of good and bad rows",
            Axes("probability", "share", y_range=(0, top)),
            scores["edges"],
            shares,
        ),
        class_="plots",
    )


def _calibration(evaluation: Evaluation) -> list[Html]:
    of = evaluation["calibration"]
    points = [[group["estimate"], group["bad_rate"]] for group in of["groups"]]
    end = max(max(point) for point in points) or 1.0
    right = Line("exact", [[0, 0], [end, end]], dashed=True)
    axes = Axes("mean estimate", "bad rate", (0, end), (0, end))
    rows = [
        ("slope (1 is right)", of["slope"], between(of["slope_interval"])),
        ("intercept (0 is right)", of["intercept"], between(of["intercept_interval"])),
        ("expected calibration error", of["expected_calibration_error"], None),
        ("Hosmer-Lemeshow, p", of["hosmer_lemeshow_p"], None),
        ("Spiegelhalter, p", of["spiegelhalter_p"], None),
        ("log loss; of the constant bad rate", of["log_loss"], of["log_loss_of_constant"]),
        ("Brier score; of the constant bad rate", of["brier"], of["brier_of_constant"]),
    ]
    groups = [(k + 1, g["rows"], percent(g["estimate"]), percent(g["bad_rate"])) for k, g in enumerate(of["groups"])]
    return [
        table("Probabilities against outcomes", ("Figure", "Value", "95 % interval, or to compare"), rows),
        element("div", lines("Calibration", axes, [Line("groups", points, marked=True), right]), class_="plots"),
        table("Groups of equal size by estimate", ("Group", "Rows", "Mean estimate", "Bad rate"), groups),
    ]


def _stability(evaluation: Evaluation) -> list[Html]:
    of = evaluation["stability"]
    moved = [(m["feature"], m["psi"], m["chance"]) for m in of["features"][:10]]
    folds = ", ".join(f"{auc:.3f}" for auc in of["fold_auc"])
    header = ("Of", "PSI", "By chance below (99.9 %)")
    return [
        element("p", f"AUC by fold: {folds}; best less worst {of['fold_auc_spread']:.3f}."),
        table("Population stability of the scores", header, [(s["of"], s["psi"], s["chance"]) for s in of["shifts"]]),
        table("Features, later half against earlier half: the ten that moved most", header, moved),
    ]


def _sensitivity(evaluation: Evaluation) -> list[Html]:
    cutoffs = [
        (c["multiple"], percent(c["cutoff"]), percent(c["approval_rate"]), percent(c["bad_rate_approved"]), c["cost"])
        for c in evaluation["curves"]["cutoffs"]
    ]
    header = ("Multiple", "Cut-off", "Approved", "Bad rate of the approved", "Cost per case")
    return [
        table("What other decline cut-offs would have done", header, cutoffs),
        _importance(evaluation),
        *_dependence(evaluation),
    ]


def _importance(evaluation: Evaluation) -> Html:
    of = evaluation["importance"]
    rows = [(f["feature"], f["importance"], f["deviation"]) for f in of["features"]]
    caption = f"Permutation importance: loss of AUC when the values are shuffled, {of['rows']} rows, {of['sample']}"
    return table(caption, ("Feature", "Loss of AUC", "Standard deviation"), rows)


def _dependence(evaluation: Evaluation) -> list[Html]:
    """Numbers as curves, categories as tables."""
    curves, tables = [], []
    for of in evaluation["importance"]["dependence"]:
        title, points = f"Mean probability by {of['feature']}", of["points"]
        if of["kind"] == "numeric" and len(points) > 1:
            values = [[p["value"], p["probability"]] for p in points]
            top = max(p["probability"] for p in points) or 1.0
            axes = Axes(of["feature"], "mean probability", (values[0][0], values[-1][0]), (0, top))
            curves.append(lines(title, axes, [Line("model", values, marked=True)]))
        else:
            rows = [(p["value"], percent(p["probability"])) for p in points]
            tables.append(table(title, ("Value", "Mean probability"), rows))
    return [element("div", *curves, class_="plots"), *tables]


def _challengers(evaluation: Evaluation) -> Html:
    """The comparison's rows as they are: figures with their intervals, settings by fold."""
    rows = evaluation.get("comparison") or []
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    return table("Candidates of this run, with 95 % intervals", [n.replace("_", " ") for n in names], cells)


def _cell(value: Any) -> Any:
    if isinstance(value, dict) and {"mean", "low", "high"} <= set(value):
        return f"{text(value['mean'])} ({between([value['low'], value['high']])})"
    if isinstance(value, dict):
        return ", ".join(f"{name} {text(setting)}" for name, setting in value.items())
    if isinstance(value, list):
        return "; ".join(dict.fromkeys(str(_cell(item)) for item in value))
    return value


def _leakage(evaluation: Evaluation) -> list[Html]:
    of = evaluation["leakage"]
    pure = [
        (f"{f['feature']}: {f['level']}", f["rows"], percent(f["bad_rate"]), f["probability"]) for f in of["levels"]
    ]
    late = [(f["feature"], f["column"]) for f in of["known_afterwards"]]
    alone = sorted(of["feature_auc"].items(), key=lambda item: (-item[1], item[0]))[:10]
    return [
        table("Levels without exceptions", ("Level", "Rows", "Bad rate", "Probability by chance"), pure),
        table("Features known only with the outcome", ("Feature", "Rests on"), late, words=True),
        table("AUC of one feature alone, out of fold: the ten highest", ("Feature", "AUC"), alone),
    ]


def _fairness(evaluation: Evaluation, specification: Specification) -> list[Html]:
    if not evaluation["fairness"]:
        return [element("p", "The specification names no protected attribute: nothing is monitored.")]
    least = specification.gates.minimum_approval_ratio
    told = (
        f"Approved means not declined, by cut-offs that other folds chose. A ratio below {least} goes to a person "
        f"(four-fifths rule, 29 CFR 1607.4 D). Intervals are of 95 %. Protected attributes are monitored, never scored."
    )
    found = [element("p", told)]
    for name, figures in evaluation["fairness"].items():
        found += [element("h2", name), *_attribute(name, figures, least)]
    return found


def _attribute(name: str, figures: dict[str, Any], least: float) -> list[Html]:
    if figures.get("absent"):
        return [element("p", "The training data lack it: it cannot be monitored.")]
    groups = [
        (
            g["group"],
            g["rows"],
            *(percent(g["approval_rate"]), between(g["approval_interval"], share=True)),
            *(percent(g["bad_rate"]), between(g["bad_interval"], share=True)),
            *(percent(g["opportunity"]), between(g["opportunity_interval"], share=True)),
            g["judged"],
        )
        for g in figures["groups"]
    ]
    header = ("Group", "Rows", "Approved", "Interval", "Bad", "Interval", "Approved of the good", "Interval", "Judged")
    found = [table(f"By {name}", header, groups)]
    if figures["ratio"] is None:
        return [*found, element("p", "Fewer than two groups are large enough to be compared.")]
    rows = [
        ("four-fifths ratio", figures["ratio"], between(figures["ratio_interval"])),
        ("the same of the labels", figures["label_ratio"], None),
        ("equal opportunity difference", figures["equal_opportunity_difference"], None),
    ]
    verdict = "refer to review" if figures["ratio"] < least else "not below the bound"
    found += [
        table(f"{figures['lowest']} to {figures['highest']}", ("Measure", "Value", "95 % interval"), rows),
        element("p", f"Four-fifths rule: {verdict}."),
    ]
    proxies = figures["proxies"]
    if proxies:
        told = (
            f"Proxy search: AUC at which features tell “{proxies['of']}” from the others (out of fold, 0.5: not at all)"
        )
        strongest = [("all features together", proxies["auc"])]
        strongest += [(p["feature"], p["auc"]) for p in proxies["features"]]
        found.append(table(told, ("Feature", "AUC"), strongest))
    return found
