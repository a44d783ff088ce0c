"""The behaviour features in Polars: one lazy query, collected by the streaming engine."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
from polars import col

SCHEDULE = ["loan_id", "instalment_number", "due_date", "amount_due"]
PROFILE = ["employment_since", "housing", "annual_income", "credit_score"]
APPLICATION = [
    *("loan_id", "customer_id", "application_date", "purpose", "term_months", "amount", "annual_rate"),
    *("checking_status", "credit_history", "savings", "credit_limit", "credit_balance", "age_years"),
]


def run(folder: Path, out: Path, *, as_of: str) -> None:
    """Read the tables below `folder`, write the features of the latest month end to the file `out`."""
    day = date.fromisoformat(as_of)
    observed = day if (day + timedelta(days=1)).day == 1 else day.replace(day=1) - timedelta(days=1)
    payments = _payments(_instalments(folder, observed), observed)

    loans, past_loans = _scan(folder / "loans"), _scan(folder / "loans_history")
    versions = _versions(loans, past_loans, "loan_id")
    unchanged = loans.join(past_loans, on="loan_id", how="anti").with_columns(deleted=False)
    first = versions.filter(~col.deleted).group_by("loan_id", maintain_order=True).first()
    applications = pl.concat([unchanged.select(APPLICATION), first.select(APPLICATION)])
    columns = ["loan_id", "status", "deleted", "updated_at"]
    states = pl.concat([unchanged.select(columns), versions.select(columns)])
    states = states.filter(col.updated_at.dt.date() <= observed).group_by("loan_id", maintain_order=True).last()

    standing = (
        applications.filter(col.application_date <= observed)
        .join(payments, on="loan_id", how="left")
        .join(states, on="loan_id", how="left")
        .filter(~col.deleted.fill_null(False))
        .with_columns(previous_loans=col.application_date.rank("min").over("customer_id").cast(pl.Int64) - 1)
    )
    loan = standing.filter(
        col.status.fill_null("open") == "open", col.settled.fill_null(0) < col.term_months
    ).with_columns(col.days_past_due.fill_null(0))

    customers, past_customers = _scan(folder / "customers"), _scan(folder / "customers_history")
    profiles = _known(customers, past_customers, "customer_id", observed).select("customer_id", *PROFILE)
    loan = (
        loan.join(_others(loan), on="loan_id", how="left")
        .join(profiles, on="customer_id", how="left")
        .join(customers.select("customer_id", "sex", "foreign_worker"), on="customer_id", how="left")
        .join(loans.select("loan_id"), on="loan_id", how="semi")
    )
    features = _features(loan, observed, day).sort("loan_id", "observation_date")
    features.collect(engine="streaming").write_parquet(out, compression="zstd")


def _scan(folder: Path) -> pl.LazyFrame:
    """Decimals as floats, as in pandas: sums and quotients are faster."""
    frame = pl.scan_parquet(folder / "*.parquet")
    decimals = [n for n, t in frame.collect_schema().items() if t.is_decimal()]
    return frame.with_columns(col(n).cast(pl.Float64) for n in decimals)


def _versions(current: pl.LazyFrame, history: pl.LazyFrame, key: str) -> pl.LazyFrame:
    """All versions of the keys that have a history, oldest first."""
    changed = current.join(history, on=key, how="semi").with_columns(deleted=False, is_current=1)
    both = pl.concat([history.with_columns(is_current=0), changed])
    return both.sort(key, "updated_at", "is_current", "deleted")


def _known(current: pl.LazyFrame, history: pl.LazyFrame, key: str, observed: date) -> pl.LazyFrame:
    """The newest version of each key that was known at the end of the day, unless it is a deletion."""
    unchanged = current.join(history, on=key, how="anti").with_columns(deleted=False, is_current=1)
    known = pl.concat([unchanged, _versions(current, history, key)]).filter(col.updated_at.dt.date() <= observed)
    return known.group_by(key, maintain_order=True).last().filter(~col.deleted)


def _instalments(folder: Path, observed: date) -> pl.LazyFrame:
    """Each instalment as known on the day, with `settled_date`."""
    current, history = _scan(folder / "repayments"), _scan(folder / "repayments_history")
    versions = _versions(current, history, "payment_id")
    first = versions.filter(~col.deleted).group_by("payment_id", maintain_order=True).first()
    known = versions.filter(col.updated_at.dt.date() <= observed).group_by("payment_id", maintain_order=True).last()
    payment = known.select("payment_id", "paid_date", "amount_paid", "updated_at", "deleted")
    corrected = (
        first.select("payment_id", *SCHEDULE)
        .join(payment, on="payment_id", how="left")  # before its first known version it is as scheduled
        .filter(~col.deleted.fill_null(False))
    )
    columns = [*SCHEDULE, "paid_date", "amount_paid", "updated_at"]
    unchanged = current.join(history, on="payment_id", how="anti")
    whole = pl.concat([unchanged.select(columns), corrected.select(columns)])
    settled = (
        ~(col.amount_due - col.amount_paid > 0.015).fill_null(False)  # cents, as floats
        & (col.updated_at < pl.lit(observed + timedelta(days=1)).cast(pl.Datetime))
        & (col.paid_date <= observed)
    )
    return whole.select(*SCHEDULE, settled_date=pl.when(settled).then("paid_date"))


def _payments(known: pl.LazyFrame, observed: date) -> pl.LazyFrame:
    """One row per loan: what its instalments come to."""
    unpaid = col.settled_date.is_null()
    known = known.filter((col.due_date <= observed) | ~unpaid | (col.instalment_number == 1)).with_columns(
        is_due=col.due_date <= observed, end=col.settled_date.fill_null(observed)
    )
    known = known.with_columns(days_late=(col.end - col.due_date).dt.total_days().clip(lower_bound=0))
    is_due, late, days = col.is_due, col.days_late > 0, col.days_late
    sums: dict[str, pl.Expr] = {}
    for name, months in (("3m", 3), ("6m", 6)):
        start = pl.lit(observed).dt.offset_by(f"-{months}mo").dt.month_end()
        recent = is_due & (col.due_date > start)
        sums[f"due_{name}"] = recent.sum()
        sums[f"late_{name}"] = (recent & late).sum()
        sums[f"days_late_{name}"] = pl.when(recent).then(days).otherwise(0).sum()
        sums[f"max_days_past_due_{name}"] = pl.when(is_due & (unpaid | (col.settled_date > start))).then(days).max()
    totals = known.group_by("loan_id").agg(
        instalment=col.amount_due.max(),
        settled=(~unpaid).sum(),
        due=is_due.sum(),
        late=(is_due & late).sum(),
        max_days_past_due=pl.when(is_due).then(days).max(),
        overdue=(unpaid & late).sum(),
        days_past_due=pl.when(unpaid).then(days).otherwise(0).max(),
        last_late_date=pl.when(late).then(col.end).max(),
        **sums,
    )
    counts = ["settled", "due", "late", "overdue", "due_3m", "late_3m", "due_6m", "late_6m"]
    return totals.with_columns(col(n).cast(pl.Int64) for n in counts)  # differences may be below zero


def _others(loan: pl.LazyFrame) -> pl.LazyFrame:
    """The other open loans of the same customer: how many, and the worst of them."""
    few = loan.select("loan_id", "customer_id", "days_past_due").filter(pl.len().over("customer_id") > 1)
    pairs = few.join(few, on="customer_id", suffix="_other").filter(col.loan_id != col.loan_id_other)
    return pairs.group_by("loan_id").agg(other_open_loans=pl.len(), other_days_past_due=col.days_past_due_other.max())


def _divided(over: pl.Expr, under: pl.Expr) -> pl.Expr:
    return pl.when(under != 0).then(over / under)


def _features(loan: pl.LazyFrame, observed: date, day: date) -> pl.LazyFrame:
    days = col.days_past_due
    bucket = (
        pl.when(days == 0).then(pl.lit("current"))
        .when(days < 30).then(pl.lit("1_to_29"))
        .when(days < 60).then(pl.lit("30_to_59"))
        .when(days < 90).then(pl.lit("60_to_89"))
        .otherwise(pl.lit("90_or_more"))
    )  # fmt: skip
    opened = col.application_date.dt
    return loan.select(
        *("loan_id", "customer_id", "application_date", "purpose", "term_months", "amount", "annual_rate"),
        *("checking_status", "credit_history", "savings", *PROFILE, "days_past_due", "max_days_past_due"),
        *("max_days_past_due_3m", "max_days_past_due_6m", "previous_loans", "other_days_past_due"),
        *("sex", "age_years", "foreign_worker"),
        observation_date=pl.lit(observed),
        as_of=pl.lit(day),
        utilisation=_divided(col.credit_balance, col.credit_limit),
        payment_to_income=_divided(col.instalment * 12, col.annual_income),
        months_on_book=(observed.year - opened.year()) * 12 + observed.month - opened.month(),
        share_repaid=col.settled.fill_null(0) / col.term_months,
        delinquency_bucket=bucket,
        instalments_overdue=col.overdue.fill_null(0),
        late_rate=_divided(col.late, col.due),
        late_rate_3m=_divided(col.late_3m, col.due_3m),
        late_rate_6m=_divided(col.late_6m, col.due_6m),
        days_since_late=(pl.lit(observed) - col.last_late_date).dt.total_days(),
        days_past_due_trend=_divided(col.days_late_3m, col.due_3m)
        - _divided(col.days_late_6m - col.days_late_3m, col.due_6m - col.due_3m),
        other_open_loans=col.other_open_loans.fill_null(0),
        defaulted=pl.lit(None, pl.Int32),
        label_status=pl.when(days >= 90).then(pl.lit("in_default")).otherwise(pl.lit("immature")),
    )
