"""Lending's figures a second time: from the frames of `lending_by_pandas`, each mart's rows as dicts.

Amounts that a mart has as DECIMAL are in whole cents here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from lending_by_pandas import BUCKETS, DUE, SMALLEST, TIERS, Z, bucket, month, share, tier

Row = dict[str, Any]


class Figures:
    """`p` are loans, `i` instalments; each method is named like its mart."""

    def __init__(
        self,
        good: Mapping[str, pd.DataFrame],
        p: pd.DataFrame,
        i: pd.DataFrame,
        predictions: pd.DataFrame,
        as_of: pd.Timestamp,
    ) -> None:
        self.good, self.p, self.i, self.predictions, self.as_of = good, p, i, predictions, as_of

    def payment_outcomes(self) -> Iterator[Row]:
        i = self.i.assign(instalments=1)
        for days in (30, 60, 90):
            i[f"cured_{days}"] = ((i.outcome == "late") & (i.days_late <= days)).astype(int)
            i[f"amount_cured_{days}"] = i.amount_due * i[f"cured_{days}"]
        summed = ["instalments", "days_late", "amount_due", "amount_paid", "amount_recovered"]
        summed += [f"{name}_{days}" for name in ("cured", "amount_cured") for days in (30, 60, 90)]
        yield from i.groupby(["due_date", "outcome"])[summed].sum().reset_index().to_dict("records")

    def collections(self) -> Iterator[Row]:
        for day, rows in self.i[self.i.paid_date.notna()].groupby("paid_date"):
            interest = rows.interest_due[rows.settled_date.notna()].sum()
            yield {
                "day": day, "payments": len(rows), "amount_collected": rows.amount_paid.sum(),
                "interest_received": interest,
            }  # fmt: skip

    def kpi_daily(self) -> Iterator[Row]:
        due = self.i[self.i.is_due].groupby("due_date")
        paid = self.i[self.i.paid_date.notna()].groupby("paid_date")
        settled = self.i[self.i.settled_date.notna()].groupby("settled_date")
        lent = self.p.groupby("application_date")
        late = self.i[self.i.outcome == "late"].groupby("due_date")
        days = {
            "loans_granted": lent.size(),
            "amount_lent": lent.amount.sum(),
            "payments_processed": paid.size(),
            "amount_collected": paid.amount_paid.sum(),
            "interest": settled.interest_due.sum(),
            "fees": lent.fees.sum(),
            "instalments_due": due.size(),
            "amount_due": due.amount_due.sum(),
            **{name: self.i[self.i.outcome == name].groupby("due_date").size() for name in DUE},
            "days_late": late.days_late.sum(),
        }
        for day, row in pd.DataFrame(days).fillna(0).iterrows():
            figures = row.to_dict()
            revenue = figures.pop("interest") + figures.pop("fees") / 100
            delay = share(figures.pop("days_late"), figures["on_time"] + figures["late"])
            yield {
                "day": day,
                "revenue": revenue,
                "part_paid": figures.pop("partial"),
                **figures,
                "on_time_rate": share(figures["on_time"], figures["instalments_due"]),
                "average_delay": delay,
            }

    def kpi_executive(self) -> Iterator[Row]:
        p, open_ = self.p, self.p[self.p.status == "open"]
        due = self.i[self.i.is_due]
        paid = due[due.settled_date.notna()]
        yield {
            "as_of": self.as_of,
            "loans": len(p),
            "borrowers": p.customer_id.nunique(),
            "active_loans": len(open_),
            "amount_lent": p.amount.sum(),
            "portfolio_value": open_.outstanding_principal.sum(),
            "revenue": p.revenue.sum(),
            "amount_collected": self.i.amount_paid.sum(),
            "amount_recovered": self.i.amount_recovered.sum(),
            "amount_past_due": open_.amount_past_due.sum(),
            "instalments_due": len(due),
            "on_time_rate": share((due.outcome == "on_time").sum(), len(due)),
            "average_delay": paid.days_late.mean(),
            "portfolio_at_risk": share(
                open_.outstanding_principal[open_.days_past_due >= 30].sum(), open_.outstanding_principal.sum()
            ),
            "default_rate": p.defaulted.mean(),
        }

    def payment_status(self) -> Iterator[Row]:
        for outcome, rows in self.i.groupby("outcome"):
            yield {
                "outcome": outcome, "instalments": len(rows), "share": len(rows) / len(self.i),
                "amount_due": rows.amount_due.sum(), "amount_paid": rows.amount_paid.sum(),
            }  # fmt: skip

    def recovery_rates(self) -> Iterator[Row]:
        late = self.i[self.i.is_due & (self.i.days_late > 0)]
        for due_month, rows in late.groupby(month(late.due_date)):
            row = {"due_month": due_month, "instalments": len(rows)}
            row |= {n: rows[n].sum() for n in ("amount_due", "amount_paid", "amount_recovered")}
            for days in (30, 60, 90):
                watched = rows[rows.due_date + pd.Timedelta(days=days) <= self.as_of]
                cured = watched[watched.settled_date <= watched.due_date + pd.Timedelta(days=days)]
                row[f"cured_{days}"] = share(len(cured), len(watched))
                row[f"amount_cured_{days}"] = share(cured.amount_due.sum(), watched.amount_due.sum())
            yield row

    def high_risk_customers(self) -> Iterator[Row]:
        scored = self.p[self.p.status == "open"].merge(self.predictions, on="loan_id")
        for customer, rows in scored.groupby("customer_id"):
            worst = rows.sort_values(["probability", "loan_id"], ascending=[False, True]).iloc[0]
            if worst.decision == "decline":
                yield {
                    "customer_id": customer,
                    "open_loans": len(rows),
                    "outstanding_principal": rows.outstanding_principal.sum(),
                    "days_past_due": rows.days_past_due.max(),
                    "riskiest_loan": worst.loan_id,
                    "probability": worst.probability,
                    "band": worst.band,
                    **{f"reason_{n}": worst[f"reason_{n}"] for n in (1, 2, 3, 4)},
                }

    def early_warning(self) -> Iterator[Row]:
        scored = self.predictions.set_index("loan_id")
        for _, rows in self.p.sort_values("loan_number").groupby("customer_id"):
            for before, now in zip(rows.iloc[:-1].itertuples(), rows.iloc[1:].itertuples(), strict=True):
                pairs = [(before.debt_to_income, now.debt_to_income), (before.utilisation, now.utilisation)]
                known = not any(pd.isna(value) for pair in pairs for value in pair)
                if now.status == "open" and known and all(then < later for then, later in pairs):
                    yield {
                        "loan_id": now.loan_id,
                        "customer_id": now.customer_id,
                        "application_date": now.application_date,
                        "debt_to_income_before": pairs[0][0],
                        "debt_to_income": pairs[0][1],
                        "utilisation_before": pairs[1][0],
                        "utilisation": pairs[1][1],
                        "days_past_due": now.days_past_due,
                        "outstanding_principal": now.outstanding_principal,
                        "probability": scored.probability.get(now.loan_id),
                        "band": scored.band.get(now.loan_id),
                    }

    def cohort_analysis(self) -> Iterator[Row]:
        people = self.good["customer_profile"]
        for signup, cohort in people.groupby(month(people.signup_date)):
            loans = self.p[self.p.customer_id.isin(cohort.customer_id)]
            first = loans[loans.loan_number == 1]
            waited = first.application_date - first.customer_id.map(people.set_index("customer_id").signup_date)
            sizes = loans.groupby("customer_id").size()
            yield {
                "signup_month": signup,
                "customers": len(cohort),
                "borrowers": len(sizes),
                "repeat_borrowers": int((sizes > 1).sum()),
                "conversion": len(sizes) / len(cohort),
                "mean_days_to_first_loan": waited.dt.days.mean() if len(first) else None,
                "loans": len(loans),
                "amount": loans.amount.sum(),
                "revenue": loans.revenue.sum(),
                "on_time_rate": share(loans.on_time.sum(), loans.due.sum()),
                "labelled": loans.defaulted.count(),
                "default_rate": share(loans.defaulted.sum(), loans.defaulted.count()),
            }

    def vintage_curves(self) -> Iterator[Row]:
        for cohort, rows in self.p.groupby("application_month"):
            for age in range(61):
                end = cohort + pd.DateOffset(months=age) + pd.offsets.MonthEnd(0)
                if end > self.as_of:
                    break
                past = {days: rows[f"first_{days}_date"] <= end for days in (30, 90)}
                yield {
                    "cohort": cohort,
                    "months_on_book": age,
                    "loans": len(rows),
                    "amount": rows.amount.sum(),
                    "past_30": past[30].sum(),
                    "past_90": past[90].sum(),
                    "share_30": past[30].mean(),
                    "share_90": past[90].mean(),
                    "share_90_by_amount": share(rows.amount[past[90]].sum(), rows.amount.sum()),
                }

    def delinquency_buckets(self) -> Iterator[Row]:
        open_ = self.p[self.p.status == "open"]
        for position, (name, _) in enumerate(BUCKETS, 1):
            rows = open_[open_.bucket == name]
            yield {
                "position": position,
                "bucket": name,
                "loans": len(rows),
                "share_of_loans": len(rows) / len(open_),
                "outstanding_principal": rows.outstanding_principal.sum(),
                "share_of_principal": rows.outstanding_principal.sum() / open_.outstanding_principal.sum(),
                "amount_past_due": rows.amount_past_due.sum(),
            }

    def roll_rates(self) -> Iterator[Row]:
        last = self.as_of if self.as_of.is_month_end else self.as_of - pd.offsets.MonthEnd(1)
        ends = [last - pd.offsets.MonthEnd(n) if n else last for n in range(12, -1, -1)]
        states = {end: self._states(end) for end in ends}
        for before, end in zip(ends[:-1], ends[1:], strict=True):
            moves = pd.DataFrame({"then": states[before], "now": states[end]}).dropna()
            moves = moves[moves.then != "closed"]
            for (then, now), rows in moves.groupby(["then", "now"]):
                yield {
                    "month_end": end, "from_bucket": then, "to_bucket": now, "loans": len(rows),
                    "share": len(rows) / (moves.then == then).sum(),
                }  # fmt: skip

    def _states(self, end: pd.Timestamp) -> pd.Series:
        """loan_id -> bucket at the end of that day, or closed."""
        loans = self.p[self.p.application_date <= end]
        unpaid = self.i[(self.i.due_date < end) & ~(self.i.settled_date <= end)]
        oldest = loans.loan_id.map(unpaid.groupby("loan_id").due_date.min())
        states = (end - oldest).dt.days.fillna(0).map(bucket)
        finished = loans.loan_id.map(self.i.groupby("loan_id").settled_date.max())
        return states.mask((loans.status == "closed") & (finished <= end), "closed")

    def operational_bottlenecks(self) -> Iterator[Row]:
        events = self.good["application_event"].sort_values(["loan_id", "occurred_at", "event_id"]).copy()
        events["hours"] = events.groupby("loan_id").occurred_at.diff().dt.total_seconds() / 3600
        events = events[events.hours.notna()]
        groups = [(key, rows) for key, rows in events.groupby(["stage", events.team.fillna("unknown")])]
        groups += [((stage, "all teams"), rows) for stage, rows in events.groupby("stage")]
        for (stage, team), rows in groups:
            yield {
                "stage": stage, "team": team, "applications": len(rows), "mean_hours": rows.hours.mean(),
                "median_hours": rows.hours.median(), "p90_hours": rows.hours.quantile(0.9),
                "p95_hours": rows.hours.quantile(0.95), "share_of_time": rows.hours.sum() / events.hours.sum(),
            }  # fmt: skip

    def segments(self) -> Iterator[Row]:
        for dimension in ("region", "profession", "employment_type", "grade", "tier"):
            for segment, rows in self.p.groupby(self.p[dimension].fillna("unknown")):
                has_due = rows[rows.due > 0]
                labelled, enough = rows.defaulted.count(), len(has_due) >= SMALLEST
                late_30 = (has_due.max_days_late >= 30).sum()
                settled = rows.on_time.sum() + rows.late.sum()
                yield {
                    "dimension": dimension,
                    "segment": segment,
                    "loans": len(rows),
                    "labelled": labelled,
                    **wilson("default_rate", rows.defaulted.sum(), labelled),
                    "loans_due": len(has_due),
                    **wilson("late_30_rate", late_30, len(has_due)),
                    "on_time_rate": share(rows.on_time.sum(), rows.due.sum()) if enough else None,
                    "average_delay": share(rows.days_late.sum(), settled) if enough else None,
                }

    def risk_stratification(self) -> Iterator[Row]:
        people = self.good["customer_profile"].copy()
        people["tier"] = [tier(score) for score in people.credit_score]
        for position, name in (*((n, t) for n, t, _ in TIERS), (6, "No Score")):
            inside = people[[t == (position, name) for t in people.tier]]
            loans = self.p[self.p.customer_id.isin(inside.customer_id)]
            if len(inside):
                yield {
                    "position": position,
                    "tier": name,
                    "customers": len(inside),
                    "loans": len(loans),
                    "amount": float(loans.amount.sum()) / 100,
                    "mean_credit_score": inside.credit_score.mean() if position < 6 else None,
                    "labelled": loans.defaulted.count(),
                    "default_rate": share(loans.defaulted.sum(), loans.defaulted.count()),
                }


def wilson(name: str, events: float, trials: int) -> Row:
    """The roots p of (share - p)^2 = z^2 p (1 - p) / n."""
    if trials < SMALLEST:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    s = float(events) / trials
    low, high = sorted(np.roots([1 + Z**2 / trials, -(2 * s + Z**2 / trials), s**2]).real)
    return {name: s, f"{name}_low": low, f"{name}_high": high}
