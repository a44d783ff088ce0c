"""Instalment plans and what became of them: the repayment history of loans whose outcome is given."""

from dataclasses import dataclass

import numpy as np

from solvent.datasets.files import Array, Typed

CHARGE_OFF_DAYS = 180  # after the first instalment that stays unpaid


@dataclass(frozen=True)
class Loans:
    """What the ledger needs of each loan. `stops_at`: the instalment from which nothing is paid, 0 for none.

    `lateness`: probability that an instalment is paid late (but below 90 days).
    """

    loan_id: Array
    application_date: Array  # datetime64[D]
    amount: Array
    term_months: Array
    annual_rate: Array
    stops_at: Array
    lateness: Array


def instalment(amount: Array, annual_rate: Array, term_months: Array) -> Array:
    """The annuity: amount * r / (1 - (1 + r)^-n) with r per month, rounded to cents."""
    monthly = annual_rate / 12
    factor = np.where(monthly > 0, monthly / -np.expm1(-term_months * np.log1p(monthly)), 1 / term_months)
    return np.round(amount * factor, 2)


def add_months(days: Array, months: Array) -> Array:
    """The same day of a later month; from the 29th on the 28th."""
    month = days.astype("datetime64[M]")
    day = np.minimum((days - month.astype("datetime64[D]")).astype(int), 27)
    return (month + months.astype("timedelta64[M]")).astype("datetime64[D]") + day


def charged_off(loans: Loans, as_of: np.datetime64) -> Array:
    """Which loans had been given up as a loss by `as_of`."""
    first_missed = add_months(loans.application_date, np.maximum(loans.stops_at, 1))
    return (loans.stops_at > 0) & (first_missed + CHARGE_OFF_DAYS <= as_of)


def repayments(loans: Loans, as_of: np.datetime64, generator: np.random.Generator) -> Typed:
    """One row per scheduled instalment, as it stands on `as_of`. Nothing happens before the application."""
    total = int(loans.term_months.sum())
    loan = np.repeat(np.arange(len(loans.loan_id)), loans.term_months)
    first = np.cumsum(loans.term_months) - loans.term_months
    number = np.arange(total) - np.repeat(first, loans.term_months) + 1
    due = add_months(loans.application_date[loan], number)

    late = generator.random(total) < loans.lateness[loan]
    delay = np.where(late, 1 + np.minimum(generator.geometric(0.07, total), 60), -generator.integers(0, 4, total))
    stopped = (loans.stops_at[loan] > 0) & (number >= loans.stops_at[loan])
    paid_date = due + delay
    paid = ~stopped & (paid_date <= as_of)
    lost = charged_off(loans, as_of)[loan] & stopped & (due <= as_of)

    amount_due = instalment(loans.amount, loans.annual_rate, loans.term_months)[loan]
    # After a charge-off some of the first missed instalments come back through collection.
    collected = lost & (number == loans.stops_at[loan]) & (generator.random(total) < 0.4)
    recovered = np.where(collected, np.round(amount_due * generator.uniform(0.5, 3.0, total), 2), np.nan)

    status = np.select(
        [lost, paid & late, paid, due >= as_of],
        ["written_off", "paid_late", "paid", "scheduled"],
        default="overdue",
    )
    changed = np.select(
        [lost, paid, due < as_of],
        [np.minimum(due + CHARGE_OFF_DAYS, as_of), paid_date, due + 1],
        default=loans.application_date[loan],
    )
    return {
        "payment_id": np.char.add(np.char.replace(loans.loan_id[loan], "L", "P"), np.char.mod("%03d", number)),
        "loan_id": loans.loan_id[loan],
        "instalment_number": number,
        "due_date": due,
        "paid_date": np.where(paid, paid_date, np.datetime64("NaT")),
        "amount_due": amount_due,
        "amount_paid": np.where(paid, amount_due, np.nan),
        "recovered_amount": recovered,
        "status": status,
        "updated_at": changed.astype("datetime64[s]") + generator.integers(0, 86400, total),
    }


def loan_status(loans: Loans, history: Typed, as_of: np.datetime64) -> Array:
    """open, closed (every instalment paid) or charged_off."""
    first = np.cumsum(loans.term_months) - loans.term_months
    unpaid = np.add.reduceat(np.isnat(history["paid_date"]).astype(int), first)
    lost = charged_off(loans, as_of)
    return np.select([lost, unpaid == 0], ["charged_off", "closed"], default="open")
