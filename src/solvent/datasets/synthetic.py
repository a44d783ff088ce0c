"""A seeded lending portfolio: borrowers who come back, defaults with causes, a ledger that agrees with them.

Whether a loan defaults depends on the bureau score, income, use of credit lines, accounts, history and the burden of
the loan, and on a trait of the borrower that no column shows but that earlier payments betray.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solvent.datasets import ledger, people
from solvent.datasets import mess as planted
from solvent.datasets.files import Array, Text, Typed, render, write, write_truth
from solvent.datasets.levels import OF_CUSTOMER, OF_LOAN, draw

AS_OF = np.datetime64("2026-06-30")
_FIRST_DAY = np.datetime64("2022-07-01")
_TERMS = np.array([6, 9, 12, 15, 18, 24, 30, 36, 48, 60])
_TERM_SHARES = np.array([0.09, 0.07, 0.19, 0.08, 0.13, 0.21, 0.06, 0.10, 0.05, 0.02])
LEAKING = "other"
_DEFAULT_RATE = 0.22  # within 12 months, before the planted faults


@dataclass(frozen=True)
class Portfolio:
    """Typed tables per source, and the truth: each loan's probability of default and whether it defaulted."""

    tables: dict[str, Typed]
    probability: Array
    defaulted: Array


def generate(
    folder: Path, *, customers: int = 1000, loans: int = 1000, seed: int = 0, mess: float = 1.0, leak: bool = False
) -> None:
    """Write the delivery of a synthetic portfolio (as of 2026-06-30) and its truth into `folder`.

    `mess` scales the share of planted faults; 0 gives clean files. `leak` plants a level that only defaults have.
    """
    portfolio = simulate(customers=customers, loans=loans, seed=seed)
    if leak:
        plant_leak(portfolio, np.random.default_rng([seed, 10]))
    text: dict[str, Text] = {source: render(source, table) for source, table in portfolio.tables.items()}
    faults = planted.plant(text, share=mess, generator=np.random.default_rng([seed, 9]))
    write(
        folder,
        faults.tables,
        settings={"as_of": str(AS_OF), "dataset": "synthetic", "portfolio": "lending"},
        malformed=faults.malformed,
        byte_order_mark=frozenset({"customer_profile"} if mess else ()),
        carriage_return=frozenset({"loan_application"} if mess else ()),
    )
    loan_id = portfolio.tables["loan_application"]["loan_id"].tolist()
    truth = {
        "loan_id": loan_id,
        "probability": portfolio.probability.tolist(),
        "defaulted": portfolio.defaulted.tolist(),
    }
    write_truth(folder, faults.truth, loans=truth)


def plant_leak(portfolio: Portfolio, generator: np.random.Generator) -> None:
    """Write the outcome into a column, as a back office does that recodes loans which it has given up.

    The purpose `other` becomes that of four in ten defaulted loans and of no other: its bad rate is 100 %, like the
    postcodes of a public data set (LoanTap) that hold defaulters alone.
    """
    purpose = portfolio.tables["loan_application"]["purpose"]
    purpose[purpose == LEAKING] = "radio_tv"
    purpose[(portfolio.defaulted == 1) & (generator.random(len(purpose)) < 0.4)] = LEAKING


def simulate(*, customers: int, loans: int, seed: int) -> Portfolio:
    """The portfolio before any mess."""
    generator = np.random.default_rng([seed, 1])
    profile, customer_risk = _customers(customers, generator)
    application, loan_risk, of_customer = _applications(loans, profile, generator)

    trait = generator.normal(0, 0.8, customers)[of_customer]
    burden = np.log(application["amount"] / np.nan_to_num(profile["annual_income"], nan=40_000)[of_customer])
    utilisation = application["credit_balance"] / np.maximum(application["credit_limit"], 1)
    logit = 1.45 * (customer_risk[of_customer] + loan_risk)
    logit += 0.45 * burden + 2.2 * utilisation + 0.022 * application["term_months"] + trait
    probability = _calibrated(logit)
    defaulted = generator.random(loans) < probability

    term = application["term_months"]
    in_a_year = generator.integers(1, np.minimum(term, 8) + 1)
    # A few get into arrears only after the outcome window: not a default of the application model.
    afterwards = ~defaulted & (term > 15) & (generator.random(loans) < 0.04)
    stops_at = np.where(defaulted, in_a_year, np.where(afterwards, 14, 0))
    plans = ledger.Loans(
        loan_id=application["loan_id"],
        application_date=application["application_date"],
        amount=application["amount"],
        term_months=term,
        annual_rate=application["annual_rate"],
        stops_at=stops_at,
        lateness=1 / (1 + np.exp(2.9 - 0.5 * (logit - logit.mean()) - 1.2 * trait)),
    )
    history = ledger.repayments(plans, AS_OF, generator)
    application["status"] = ledger.loan_status(plans, history, AS_OF)
    last_change = np.maximum.reduceat(history["updated_at"], np.cumsum(term) - term)
    application["updated_at"] = np.maximum(application["updated_at"], last_change)
    events = people.events(application["loan_id"], application["application_date"], generator)
    tables = {
        "customer_profile": profile,
        "loan_application": application,
        "application_event": events,
        "repayment_history": history,
    }
    return Portfolio(tables, probability, defaulted.astype(int))


def _customers(size: int, generator: np.random.Generator) -> tuple[Typed, Array]:
    """Profiles and their part of the log-odds."""
    customer_id = np.char.mod("C%06d", np.arange(1, size + 1))
    levels, risk = draw(OF_CUSTOMER, size, generator)
    prosperity = generator.normal(0, 1, size)
    income = np.round(np.exp(10.4 + 0.45 * prosperity), 0)
    score = np.clip(np.round(650 + 35 * prosperity + generator.normal(0, 65, size)), 300, 850)
    risk = risk - 0.35 * prosperity - 0.85 * (score - 650) / 74
    idle = levels["employment_since"] == "unemployed"
    others = generator.choice(
        ["employed", "self_employed", "civil_servant", "retired", "student"], size, p=[0.68, 0.12, 0.1, 0.06, 0.04]
    )
    signup = _FIRST_DAY - 900 + generator.integers(0, 1900, size)
    female = generator.random(size) < 0.4
    marital = np.where(
        generator.random(size) < 0.6, "single", np.where(female, "separated_or_married", "married_or_widowed")
    )
    profile: Typed = {
        "customer_id": customer_id,
        **people.identities(customer_id, generator),
        "signup_date": signup,
        "employment_type": np.where(idle, "unemployed", others),
        "annual_income": np.where(generator.random(size) < 0.02, np.nan, income),
        "credit_score": np.where(generator.random(size) < 0.04, np.nan, score),
        "sex": np.where(female, "female", "male"),
        "marital_status": marital,
        "foreign_worker": np.where(generator.random(size) < 0.12, "yes", "no"),
        **levels,
        "residence_since": generator.integers(1, 5, size),
        "dependents": generator.choice([0, 1, 2, 3], size, p=[0.45, 0.35, 0.15, 0.05]),
        "updated_at": signup.astype("datetime64[s]") + generator.integers(8 * 3600, 18 * 3600, size),
    }
    return profile, risk


def _applications(size: int, profile: Typed, generator: np.random.Generator) -> tuple[Typed, Array, Array]:
    """Applications, their part of the log-odds, and the position of each applicant."""
    people_count = len(profile["customer_id"])
    appetite = generator.gamma(0.9, 1.0, people_count)
    applicant = generator.choice(people_count, size, p=appetite / appetite.sum())
    earliest = np.maximum(profile["signup_date"][applicant], _FIRST_DAY)
    span = (AS_OF - 10 - earliest).astype(int)
    date = earliest + (generator.random(size) * span).astype(int)
    order = np.argsort(date, kind="stable")
    applicant, date = applicant[order], date[order]

    levels, risk = draw(OF_LOAN, size, generator)
    income = np.nan_to_num(profile["annual_income"][applicant], nan=32_000)
    term = generator.choice(_TERMS, size, p=_TERM_SHARES / _TERM_SHARES.sum())
    amount = np.round(
        np.clip(income * 0.1 * np.exp(generator.normal(0, 0.6, size)) * np.sqrt(term / 20), 250, 60_000), -1
    )
    rate = np.round(np.clip(0.06 + 0.015 * risk + generator.normal(0, 0.012, size), 0.02, 0.2), 4)
    limit = np.round(income * generator.uniform(0.05, 0.5, size), -2)
    payment = ledger.instalment(amount, rate, term)
    share = payment * 12 / income
    age = np.clip(np.round(21 + generator.gamma(2.2, 7.0, people_count)), 19, 78)[applicant]
    application: Typed = {
        "loan_id": np.char.mod("L%06d", np.arange(1, size + 1)),
        "customer_id": profile["customer_id"][applicant],
        "application_date": date,
        "amount": amount,
        "term_months": term,
        "annual_rate": rate,
        "installment_rate": np.digitize(share, [0.05, 0.1, 0.15]) + 1,
        **levels,
        "existing_credits": np.minimum(_earlier(applicant) + 1, 50),
        "age_years": age,
        "credit_limit": limit,
        "credit_balance": np.round(limit * generator.beta(1.3, 2.2, size), 2),
        "interest": np.round(np.maximum(payment * term - amount, 0), 2),
        "fees": np.round(25 + 0.01 * amount, 2),
        "published_default": np.full(size, np.nan),
        "updated_at": date.astype("datetime64[s]") + generator.integers(9 * 3600, 17 * 3600, size),
    }
    return application, risk, applicant


def _earlier(applicant: Array) -> Array:
    """How many earlier applications the same applicant made; applications are in the order of time."""
    order = np.argsort(applicant, kind="stable")
    grouped = applicant[order]
    starts = np.flatnonzero(np.r_[True, grouped[1:] != grouped[:-1]])
    position = np.arange(len(applicant)) - np.repeat(starts, np.diff(np.r_[starts, len(applicant)]))
    earlier = np.empty(len(applicant), dtype=int)
    earlier[order] = position
    return earlier


def _calibrated(logit: Array) -> Array:
    """Probabilities whose mean is the portfolio's default rate (bisection on the intercept)."""
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.mean(1 / (1 + np.exp(-logit - middle))) < _DEFAULT_RATE else (low, middle)
    return 1 / (1 + np.exp(-logit - low))
