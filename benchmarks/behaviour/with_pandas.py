"""The behaviour features in pandas, as a careful user would write them: columns pruned, no row-wise Python."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

SCHEDULE = ["loan_id", "instalment_number", "due_date", "amount_due"]
PAYMENT = ["payment_id", "paid_date", "amount_paid", "updated_at"]
PROFILE = ["customer_id", "employment_since", "housing", "annual_income", "credit_score", "updated_at"]
APPLICATION = [
    *("loan_id", "customer_id", "application_date", "purpose", "term_months", "amount", "annual_rate"),
    *("checking_status", "credit_history", "savings", "credit_limit", "credit_balance", "age_years"),
]


def run(folder: Path, out: Path, *, as_of: str) -> None:
    """Read the tables below `folder`, write the features of the latest month end to the file `out`."""
    day = pd.Timestamp(as_of)
    observed = day if day.is_month_end else day - pd.offsets.MonthEnd(1)
    payments = _payments(_instalments(folder, observed), observed)

    loans, past_loans = _read(folder / "loans"), _read(folder / "loans_history")
    versions = _versions(loans, past_loans, "loan_id")
    changed = loans.loan_id.isin(past_loans.loan_id)
    first = versions[~versions.deleted].drop_duplicates("loan_id", keep="first")
    applications = pd.concat([loans.loc[~changed, APPLICATION], first[APPLICATION]])
    states = pd.concat([loans[~changed].assign(deleted=False), versions])
    states = states[states.updated_at.dt.normalize() <= observed].drop_duplicates("loan_id", keep="last")

    loan = applications[applications.application_date <= observed]
    loan = loan.merge(payments, on="loan_id", how="left")
    loan = loan.merge(states[["loan_id", "status", "deleted"]], on="loan_id", how="left")
    gone = loan.deleted.eq(True)
    is_open = loan.status.fillna("open").eq("open") & ~gone & (loan.settled.fillna(0) < loan.term_months)
    # The rank of a day among a customer's applications tells how many came on an earlier day.
    previous = loan[~gone].groupby("customer_id").application_date.rank(method="min").astype("int64") - 1
    loan = loan.assign(previous_loans=previous)[is_open].copy()
    loan["days_past_due"] = loan.days_past_due.fillna(0)
    loan = loan.merge(_others(loan), on="loan_id", how="left")

    customers, past_customers = _read(folder / "customers"), _read(folder / "customers_history")
    profiles = _known(customers, past_customers, "customer_id", observed)[PROFILE[:-1]]
    loan = loan.merge(profiles, on="customer_id", how="left")
    loan = loan.merge(customers[["customer_id", "sex", "foreign_worker"]], on="customer_id", how="left")
    loan = loan[loan.loan_id.isin(loans.loan_id)]
    _write(_features(loan, observed, day), out)


def _read(folder: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Decimals as floats and dates as numpy's, both before pandas makes objects of them."""
    table = pq.read_table(folder, columns=columns)
    fields = [pa.field(f.name, pa.float64()) if pa.types.is_decimal(f.type) else f for f in table.schema]
    return table.cast(pa.schema(fields)).to_pandas(date_as_object=False)


def _versions(current: pd.DataFrame, history: pd.DataFrame, key: str) -> pd.DataFrame:
    """All versions of the keys that have a history, oldest first."""
    changed = current[current[key].isin(history[key])].assign(deleted=False, is_current=1)
    both = pd.concat([history.assign(is_current=0), changed])
    return both.sort_values([key, "updated_at", "is_current", "deleted"])


def _known(current: pd.DataFrame, history: pd.DataFrame, key: str, observed: pd.Timestamp) -> pd.DataFrame:
    """The newest version of each key that was known at the end of the day, unless it is a deletion."""
    both = pd.concat(
        [current[~current[key].isin(history[key])].assign(deleted=False), _versions(current, history, key)]
    )
    known = both[both.updated_at.dt.normalize() <= observed].drop_duplicates(key, keep="last")
    return known[~known.deleted.astype(bool)]


def _instalments(folder: Path, observed: pd.Timestamp) -> pd.DataFrame:
    """Each instalment as known on the day, with `settled_date`."""
    current = _read(folder / "repayments", [*SCHEDULE, *PAYMENT])
    history = _read(folder / "repayments_history", [*SCHEDULE, *PAYMENT, "deleted"])
    versions = _versions(current, history, "payment_id")
    first = versions[~versions.deleted].drop_duplicates("payment_id", keep="first")
    known = versions[versions.updated_at.dt.normalize() <= observed].drop_duplicates("payment_id", keep="last")
    standing = first.loc[~first.payment_id.isin(known.payment_id[known.deleted]), ["payment_id", *SCHEDULE]]
    # Before its first known version an instalment is as scheduled: the payment stays absent.
    corrected = standing.merge(known.loc[~known.deleted, PAYMENT], on="payment_id", how="left")
    whole = pd.concat([current[~current.payment_id.isin(history.payment_id)], corrected])
    settled = (
        ~(whole.amount_due - whole.amount_paid > 0.015)  # cents, as floats
        & (whole.updated_at < observed + pd.Timedelta(days=1))
        & (whole.paid_date <= observed)
    )
    return whole[SCHEDULE].assign(settled_date=whole.paid_date.where(settled))


def _payments(known: pd.DataFrame, observed: pd.Timestamp) -> pd.DataFrame:
    """One row per loan: what its instalments come to."""
    is_due = known.due_date <= observed
    known = known[is_due | known.settled_date.notna() | (known.instalment_number == 1)]
    is_due, unpaid = known.due_date <= observed, known.settled_date.isna()
    end = known.settled_date.fillna(observed)
    late = (end - known.due_date).dt.days.clip(lower=0)
    columns = {
        "loan_id": known.loan_id,
        "instalment": known.amount_due,
        "settled": ~unpaid,
        "due": is_due,
        "late": is_due & (late > 0),
        "max_days_past_due": late.where(is_due),
        "overdue": unpaid & (late > 0),
        "days_past_due": late.where(unpaid, 0),
        "last_late_date": end.where(late > 0),
    }
    for name, months in (("3m", 3), ("6m", 6)):
        start = observed - pd.offsets.MonthEnd(months)
        recent = is_due & (known.due_date > start)
        columns[f"due_{name}"] = recent
        columns[f"late_{name}"] = recent & (late > 0)
        columns[f"days_late_{name}"] = late.where(recent, 0)
        columns[f"max_days_past_due_{name}"] = late.where(is_due & (unpaid | (known.settled_date > start)))
    largest = {"instalment", "days_past_due", "last_late_date"} | {n for n in columns if n.startswith("max_")}
    how = {n: "max" if n in largest else "sum" for n in columns if n != "loan_id"}
    return pd.DataFrame(columns).groupby("loan_id", sort=False).agg(how).reset_index()


def _others(loan: pd.DataFrame) -> pd.DataFrame:
    """The other open loans of the same customer: how many, and the worst of them."""
    shared = loan.loc[loan.customer_id.duplicated(keep=False), ["loan_id", "customer_id", "days_past_due"]]
    pairs = shared.merge(shared, on="customer_id", suffixes=("", "_other"))
    pairs = pairs[pairs.loan_id != pairs.loan_id_other]
    return pairs.groupby("loan_id").agg(
        other_open_loans=("loan_id_other", "size"), other_days_past_due=("days_past_due_other", "max")
    )


def _features(loan: pd.DataFrame, observed: pd.Timestamp, day: pd.Timestamp) -> pd.DataFrame:
    def divided(over: pd.Series, under: pd.Series) -> pd.Series:
        return over / under.where(under != 0)

    opened = loan.application_date.dt
    days = loan.days_past_due
    return pd.DataFrame(
        {
            **{n: loan[n] for n in ("loan_id", "customer_id", "application_date", "purpose", "term_months", "amount")},
            **{n: loan[n] for n in ("annual_rate", "checking_status", "credit_history", "savings")},
            **{n: loan[n] for n in ("employment_since", "housing", "annual_income", "credit_score")},
            **{n: loan[n] for n in ("days_past_due", "max_days_past_due", "max_days_past_due_3m")},
            **{n: loan[n] for n in ("max_days_past_due_6m", "previous_loans", "other_days_past_due")},
            **{n: loan[n] for n in ("sex", "age_years", "foreign_worker")},
            "observation_date": observed,
            "as_of": day,
            "utilisation": divided(loan.credit_balance, loan.credit_limit),
            "payment_to_income": divided(loan.instalment * 12, loan.annual_income),
            "months_on_book": (observed.year - opened.year) * 12 + observed.month - opened.month,
            "share_repaid": loan.settled.fillna(0) / loan.term_months,
            "delinquency_bucket": np.select(
                [days == 0, days < 30, days < 60, days < 90],
                ["current", "1_to_29", "30_to_59", "60_to_89"],
                "90_or_more",
            ),
            "instalments_overdue": loan.overdue.fillna(0),
            "late_rate": divided(loan.late, loan.due),
            "late_rate_3m": divided(loan.late_3m, loan.due_3m),
            "late_rate_6m": divided(loan.late_6m, loan.due_6m),
            "days_since_late": (observed - loan.last_late_date).dt.days,
            "days_past_due_trend": divided(loan.days_late_3m, loan.due_3m)
            - divided(loan.days_late_6m - loan.days_late_3m, loan.due_6m - loan.due_3m),
            "other_open_loans": loan.other_open_loans.fillna(0),
            "defaulted": pd.Series(np.nan, index=loan.index),
            "label_status": np.where(days >= 90, "in_default", "immature"),
        }
    )


def _write(features: pd.DataFrame, out: Path) -> None:
    table = pa.Table.from_pandas(features.sort_values(["loan_id", "observation_date"]), preserve_index=False)
    pq.write_table(table, out, compression="zstd")
