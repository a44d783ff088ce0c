"""Lending's marts a second time, in pandas, from the good rows of the raw files. Money is in whole cents."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

TIERS = ((1, "Prime", 750), (2, "Standard", 700), (3, "Near Prime", 650), (4, "Subprime", 600), (5, "High Risk", 0))
GRADES = (("A", 0.04), ("B", 0.055), ("C", 0.07), ("D", 0.09), ("E", 2))
BUCKETS = (("current", 0), ("1_to_29", 29), ("30_to_59", 59), ("60_to_89", 89), ("90_or_more", 10**6))
DUE = ("on_time", "late", "partial", "missed")
Z, SMALLEST = 1.959963984540054, 30


def instalments(good: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> pd.DataFrame:
    """What became of each instalment."""
    loans = good["loan_application"].set_index("loan_id")
    i = good["repayment_history"].copy()
    paid = i.paid_date.notna() & (i.paid_date <= as_of)
    i["paid_date"] = i.paid_date.where(paid)
    i["amount_paid"] = i.amount_paid.fillna(i.amount_due).where(paid, 0)
    i["settled_date"] = i.paid_date.where(i.amount_due - i.amount_paid <= 1)
    i["amount_recovered"] = i.recovered_amount.fillna(0)
    i["is_due"] = i.due_date < as_of
    i["days_late"] = (i.settled_date.fillna(as_of) - i.due_date).dt.days.clip(lower=0)
    settled, in_time = i.settled_date.notna(), i.settled_date <= i.due_date
    i["outcome"] = np.select(
        [~i.is_due & settled, ~i.is_due, settled & in_time, settled, i.amount_paid > 0],
        ["prepaid", "scheduled", "on_time", "late", "partial"],
        default="missed",
    )
    # The debt before an instalment: grown for k - 1 months, less k - 1 annuities grown since each was paid.
    amount = i.loan_id.map(loans.amount).astype(float) / 100
    rate = i.loan_id.map(loans.annual_rate).astype(float) / 12
    term, before = i.loan_id.map(loans.term_months).astype(int), i.instalment_number.astype(int) - 1
    annuity = amount * rate / (1 - (1 + rate) ** -term)
    debt = amount * (1 + rate) ** before - annuity * ((1 + rate) ** before - 1) / rate
    i["interest_due"] = debt * rate
    return i


def loan_payments(good: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> pd.DataFrame:
    """One row per loan."""
    i = instalments(good, as_of)
    people = good["customer_profile"].set_index("customer_id")
    loans = good["loan_application"].sort_values(["customer_id", "application_date", "loan_id"], ignore_index=True)
    loans["loan_number"] = loans.groupby("customer_id").cumcount() + 1
    for name in ("region", "profession", "employment_type"):
        loans[name] = loans.customer_id.map(people[name])
    loans["grade"] = [next(g for g, below in GRADES if rate < below) for rate in loans.annual_rate]
    loans["tier"] = [tier(score)[1] for score in loans.customer_id.map(people.credit_score)]
    signup = loans.customer_id.map(people.signup_date)
    loans["signup_month"], loans["application_month"] = month(signup), month(loans.application_date)
    loans["days_since_signup"] = (loans.application_date - signup).dt.days
    loans["defaulted"] = loans.loan_id.map(labels(good, as_of))
    due = i[i.is_due]
    for name, outcome in {"on_time": "on_time", "late": "late", "part_paid": "partial", "missed": "missed"}.items():
        loans[name] = count(loans, due[due.outcome == outcome])
    loans["due"] = count(loans, due)
    late, unpaid = due[due.outcome == "late"], due[due.settled_date.isna()]
    loans["days_late"] = total(loans, late, "days_late")
    loans["max_days_late"] = loans.loan_id.map(due.groupby("loan_id").days_late.max())
    loans["days_past_due"] = loans.loan_id.map(unpaid.groupby("loan_id").days_late.max()).fillna(0).astype(int)
    loans["bucket"] = [bucket(days) for days in loans.days_past_due]
    loans["amount_due"] = total(loans, due, "amount_due")
    loans["amount_collected"] = total(loans, i, "amount_paid")
    loans["amount_recovered"] = total(loans, i, "amount_recovered")
    loans["amount_past_due"] = total(loans, unpaid, "amount_due") - total(loans, unpaid, "amount_paid")
    settled = i[i.settled_date.notna()]
    interest = total(loans, settled, "interest_due").astype(float)
    loans["revenue"] = interest + loans.fees.fillna(0).astype(float) / 100
    repaid = total(loans, settled, "amount_due").astype(float) / 100 - interest
    open_ = loans.status == "open"
    loans["outstanding_principal"] = (loans.amount.astype(float) / 100 - repaid).clip(lower=0).where(open_, 0.0)
    for days in (30, 90):
        first = i[i.days_late >= days].groupby("loan_id").due_date.min() + pd.Timedelta(days=days)
        loans[f"first_{days}_date"] = loans.loan_id.map(first)
    cured = loans.loan_id.map(late.groupby("loan_id").settled_date.max())
    loans["cured_date"] = cured.where(loans.days_past_due == 0)
    known = loans.customer_id.map(people.updated_at).dt.normalize() <= loans.application_date
    income = loans.customer_id.map(people.annual_income).where(known).astype("Float64")
    loans["utilisation"] = loans.credit_balance / loans.credit_limit.where(loans.credit_limit > 0)
    loans["debt_to_income"] = (loans.credit_balance + loans.amount) / income.where(income > 0)
    return loans


def labels(good: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> dict[str, int | None]:
    """1 = 90 or more days past due within 12 months of the application; nothing while that is not known."""
    found: dict[str, int | None] = {}
    loans = good["loan_application"].set_index("loan_id")
    for loan_id, rows in good["repayment_history"].groupby("loan_id"):
        loan = loans.loc[loan_id]
        end = loan.application_date + pd.DateOffset(months=12)
        if end > as_of:
            continue
        short = (rows.amount_due - rows.amount_paid > 1).fillna(value=False)
        settled = rows.paid_date.mask(short.astype(bool))
        decides = (end - rows.due_date).dt.days >= 90
        bad = decides & (settled.isna() | ((settled - rows.due_date).dt.days >= 90))
        numbers = set(rows.instalment_number[decides])
        later = rows.instalment_number[~decides]
        complete = set(range(1, int(later.min() if len(later) else loan.term_months + 1)))
        found[str(loan_id)] = 1 if bad.any() else 0 if numbers == complete else None
    return found


def month(days: pd.Series) -> pd.Series:
    return days.dt.to_period("M").dt.to_timestamp()


def count(loans: pd.DataFrame, rows: pd.DataFrame) -> pd.Series:
    return loans.loan_id.map(rows.groupby("loan_id").size()).fillna(0).astype(int)


def total(loans: pd.DataFrame, rows: pd.DataFrame, column: str) -> pd.Series:
    return loans.loan_id.map(rows.groupby("loan_id")[column].sum()).fillna(0)


def tier(score: float) -> tuple[int, str]:
    if pd.isna(score):
        return 6, "No Score"
    return next((position, name) for position, name, lowest in TIERS if score >= lowest)


def bucket(days: int) -> str:
    return next(name for name, highest in BUCKETS if days <= highest)


def share(part: float, whole: float) -> float | None:
    return None if whole == 0 else float(part) / float(whole)
