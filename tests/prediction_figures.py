"""Lending's marts that are made of predictions a second time, in pandas: each method is named like its mart.

`predictions` are all scorings.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from lending_by_pandas import TIERS, labels, share, tier
from lending_figures import wilson

Row = dict[str, Any]
LOSS_GIVEN_DEFAULT, LEAST_SHARE = 0.45, 0.0001
# Tier -> highest amount in cents, longest term in months, lowest yearly rate.
POLICIES = {
    1: (1_500_000, 60, 0.03),
    2: (1_000_000, 48, 0.04),
    3: (750_000, 36, 0.05),
    4: (500_000, 24, 0.06),
    5: (250_000, 12, 0.08),
}


class PredictionFigures:
    """`p` are the loans as `lending_by_pandas.loan_payments` has them."""

    def __init__(
        self,
        good: Mapping[str, pd.DataFrame],
        p: pd.DataFrame,
        predictions: pd.DataFrame,
        as_of: pd.Timestamp,
        run_id: str,
    ) -> None:
        self.p, self.as_of = p, as_of
        people, loans = good["customer_profile"].set_index("customer_id"), good["loan_application"].copy()
        # The score as it was known when the loan was applied for.
        known = loans.customer_id.map(people.updated_at).dt.normalize() <= loans.application_date
        loans["place"] = [tier(score)[0] for score in loans.customer_id.map(people.credit_score).where(known)]
        loans["outcome"] = loans.loan_id.map(labels(good, as_of)).astype(float)
        self.loans = loans
        self.scored = predictions.merge(loans[["loan_id", "outcome", "amount", "place"]], on="loan_id")
        self.scored["run_id"], self.scored["version"] = run_id, self.scored.model_version.astype(int)
        order = sorted({(v, d) for v, d in zip(self.scored.version, self.scored.as_of, strict=True)}, reverse=True)
        self.scored["age"] = [order.index(at) + 1 for at in zip(self.scored.version, self.scored.as_of, strict=True)]
        self.newest = self.scored[self.scored.age == 1]

    def decisions(self) -> Iterator[Row]:
        for row in self.scored.to_dict("records"):
            same = ("as_of", "probability", "score", "band", "decision", "outcome", "run_id", "age")
            yield {
                "portfolio": "lending", "entity_id": row["loan_id"], "model_version": row["version"],
                "first_reason": row["reason_1"], **{name: row[name] for name in same},
            }  # fmt: skip

    def loan_predictions(self) -> Iterator[Row]:
        names = ["loan_id", "as_of", "model_version", "probability", "score", "band", "decision"]
        yield from self.newest[[*names, *(f"reason_{n}" for n in (1, 2, 3, 4))]].to_dict("records")

    def score_distribution(self) -> Iterator[Row]:
        for version, rows in self.scored.groupby("version"):
            days = sorted(rows.as_of.unique())
            shares = {day: rows[rows.as_of == day].band.value_counts(normalize=True) for day in days}
            for before, day in zip([None, *days], days, strict=False):
                bands = sorted(rows.band.unique())
                now = [shares[day].get(band, 0.0) for band in bands]
                then = [shares[before].get(band, 0.0) for band in bands] if before else [None] * len(bands)
                for band, part, old in zip(bands, now, then, strict=True):
                    inside = rows[(rows.as_of == day) & (rows.band == band)]
                    yield {
                        "portfolio": "lending", "model_version": version, "as_of": day, "band": band,
                        "age": rows.age[rows.as_of == day].iloc[0], "scored": len(inside), "share": part,
                        "mean_probability": inside.probability.mean(), "mean_score": inside.score.mean(),
                        "previous_as_of": before, "previous_share": old,
                        "stability_index": _stability(now, then) if before else None,
                    }  # fmt: skip

    def score_deciles(self) -> Iterator[Row]:
        order = self.newest.sort_values(["probability", "loan_id"], ascending=[False, True])
        captured = 0.0
        for decile, places in enumerate(np.array_split(np.arange(len(order)), 10), 1):
            rows = order.iloc[places]
            captured += rows.outcome.sum()
            yield {
                "portfolio": "lending", "decile": decile, "model_version": 10, "as_of": self.as_of, "scored": len(rows),
                "lowest_probability": rows.probability.min(), "highest_probability": rows.probability.max(),
                "mean_probability": rows.probability.mean(),
                "labelled": rows.outcome.count(), "bad": rows.outcome.sum(), "bad_rate": rows.outcome.mean(),
                "bad_captured": share(captured, self.newest.outcome.sum()),
            }  # fmt: skip

    def outcomes_by_band(self) -> Iterator[Row]:
        first = self.scored.sort_values("as_of").drop_duplicates(["version", "loan_id"])
        for (version, band), rows in first.groupby(["version", "band"]):
            labelled = rows[rows.outcome.notna()]
            promised = labelled.probability.sum()
            yield {
                "portfolio": "lending", "model_version": version, "band": band, "scored": len(rows),
                "labelled": len(labelled), "bad": labelled.outcome.sum(),
                "expected_bad": promised, "expected_rate": share(promised, len(labelled)),
                **wilson("bad_rate", labelled.outcome.sum(), len(labelled)),
            }  # fmt: skip

    def approval_curves(self) -> Iterator[Row]:
        names = {n: name for n, name, _ in TIERS} | {6: "No Score"}
        for place, rows in self.newest.groupby("place"):
            best_first = rows.sort_values(["probability", "loan_id"])
            for n in range(1, len(rows) + 1):
                inside = best_first.iloc[:n]
                expected, default_rate = inside.probability.mean(), inside.outcome.mean()
                yield {
                    "position": place, "tier": names[place], "loan_id": inside.loan_id.iloc[-1],
                    "approval_rate": n / len(rows), "next_approval_rate": (n + 1) / len(rows),
                    "applications": len(rows), "approved": n,
                    "approved_amount": inside.amount.sum() / 100,
                    "amount_share": share(inside.amount.sum(), rows.amount.sum()),
                    "expected_rate_all": rows.probability.mean(), "expected_rate": expected,
                    "expected_reduction": _spared(expected, rows.probability.mean()),
                    "labelled_all": rows.outcome.count(), "defaults_all": rows.outcome.sum(),
                    "labelled": inside.outcome.count(), "defaults": inside.outcome.sum(),
                    "default_rate": default_rate, "default_reduction": _spared(default_rate, rows.outcome.mean()),
                }  # fmt: skip

    def approval_policies(self) -> Iterator[Row]:
        curves = pd.DataFrame(self.approval_curves()).astype({"defaults": object, "default_reduction": object})
        for place, curve in curves.groupby("position"):
            for tenths in range(1, 11):
                approved = len(curve) * tenths // 10
                if approved:
                    row = curve[curve.approved == approved].iloc[0].to_dict()
                    for name in ("loan_id", "approval_rate", "next_approval_rate"):
                        del row[name]
                    yield row | {"position": place, "target_rate": tenths / 10}

    def policy_effects(self) -> Iterator[Row]:
        names = {n: name for n, name, _ in TIERS}
        for place, rows in self.loans[self.loans.place < 6].groupby("place"):
            amount, term, rate = POLICIES[place]
            for policy, bound, kept_out in (
                ("maximum_amount", amount / 100, rows.amount > amount),
                ("maximum_term_months", term, rows.term_months > term),
                ("minimum_annual_rate", rate, rows.annual_rate < rate),
            ):
                inside = rows[~kept_out]
                yield {
                    "policy": policy, "position": place, "tier": names[place], "bound": bound,
                    "loans": len(rows), "loans_inside": len(inside),
                    "amount": rows.amount.sum() / 100, "amount_inside": inside.amount.sum() / 100,
                    "labelled": rows.outcome.count(), "defaults": rows.outcome.sum(),
                    "labelled_inside": inside.outcome.count(), "defaults_inside": inside.outcome.sum(),
                    "default_rate": rows.outcome.mean(), "default_rate_inside": inside.outcome.mean(),
                    "default_reduction": _spared(inside.outcome.mean(), rows.outcome.mean()),
                }  # fmt: skip

    def loan_expected_loss(self) -> Iterator[Row]:
        first = self.scored[self.scored.version == 10].sort_values("as_of").drop_duplicates("loan_id")
        first_of = first.set_index("loan_id").probability
        now_of = self.newest.set_index("loan_id").probability
        for loan in self.p[self.p.status == "open"].itertuples():
            now, then = now_of[loan.loan_id], first_of[loan.loan_id]
            end = loan.application_date + pd.DateOffset(months=int(loan.term_months))
            left = max((end.year - self.as_of.year) * 12 + end.month - self.as_of.month, 1)
            riskier = now >= 2 * then and now > then + 0.01
            stage = 3 if loan.days_past_due >= 90 else 2 if loan.days_past_due > 30 or riskier else 1
            years = left / 12 if stage == 2 else min(left / 12, 1)
            default = 1 if stage == 3 else 1 - (1 - now) ** years
            yield {
                "loan_id": loan.loan_id, "stage": stage, "tier": loan.tier, "days_past_due": loan.days_past_due,
                "months_left": left, "probability": now, "first_probability": then,
                "probability_of_default": default, "loss_given_default": LOSS_GIVEN_DEFAULT,
                "exposure": loan.outstanding_principal,
                "expected_loss": default * LOSS_GIVEN_DEFAULT * loan.outstanding_principal,
            }  # fmt: skip

    def expected_loss(self) -> Iterator[Row]:
        for (stage, name), rows in pd.DataFrame(self.loan_expected_loss()).groupby(["stage", "tier"]):
            yield {
                "stage": stage, "tier": name, "loans": len(rows), "loans_scored": len(rows),
                "exposure": rows.exposure.sum(), "exposure_scored": rows.exposure.sum(),
                "expected_loss": rows.expected_loss.sum(),
                "coverage": share(rows.expected_loss.sum(), rows.exposure.sum()),
            }  # fmt: skip


def _stability(now: list[float], then: list[float]) -> float:
    """Population stability index; an empty band counts as the least share."""
    new, old = np.maximum(now, LEAST_SHARE), np.maximum(then, LEAST_SHARE)
    return float(((new - old) * np.log(new / old)).sum())


def _spared(rate: float, of_all: float) -> float | None:
    return None if pd.isna(rate) or pd.isna(of_all) or of_all == 0 else 1 - rate / of_all
