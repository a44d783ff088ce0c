"""The real UCI Statlog German Credit file as a delivery: 1000 applicants, 20 attributes, real outcomes.

Hofmann, H. (1994), https://doi.org/10.24432/C5NC77, CC BY 4.0. What the file lacks is generated and listed as such in
`delivery.json`; no feature may rest on it. Of all that is generated only the repayment history looks at the outcome,
and it starts after the application.
"""

from pathlib import Path

import numpy as np

from solvent import contracts
from solvent.datasets import DatasetError, ledger, people
from solvent.datasets import mess as planted
from solvent.datasets.files import Array, Text, Typed, render, write, write_truth

FILE = "german.data"
AS_OF = np.datetime64("2026-06-30")
ROWS = 1000
GOOD, BAD = "1", "2"

# Where each of the 20 attributes goes, in the order of the file.
_ATTRIBUTES: tuple[tuple[str, ...], ...] = (
    ("loan_application.checking_status",),
    ("loan_application.term_months",),
    ("loan_application.credit_history",),
    ("loan_application.purpose",),
    ("loan_application.amount",),
    ("loan_application.savings",),
    ("customer_profile.employment_since",),
    ("loan_application.installment_rate",),
    ("customer_profile.sex", "customer_profile.marital_status"),
    ("loan_application.other_debtors",),
    ("customer_profile.residence_since",),
    ("customer_profile.property",),
    ("loan_application.age_years",),
    ("loan_application.other_installment_plans",),
    ("customer_profile.housing",),
    ("loan_application.existing_credits",),
    ("customer_profile.job",),
    ("customer_profile.dependents",),
    ("customer_profile.telephone",),
    ("customer_profile.foreign_worker",),
)
_DELIVERED = {target for targets in _ATTRIBUTES for target in targets} | {"loan_application.published_default"}


def load(source_folder: Path, folder: Path, *, seed: int = 0, mess: float = 0.0) -> None:
    """Write the delivery of `source_folder`/german.data (as of 2026-06-30) into `folder`; clean unless `mess` is given.

    Raises DatasetError that names the file when it is absent or not the published one.
    """
    real, bad = read(source_folder / FILE)
    tables = complete(real, bad, seed=seed)
    text: dict[str, Text] = {source: render(source, table) for source, table in tables.items()}
    faults = planted.plant(text, share=mess, generator=np.random.default_rng([seed, 9]))
    settings = {"as_of": str(AS_OF), "dataset": "german", "portfolio": "lending", "provenance": provenance()}
    write(folder, faults.tables, settings=settings, malformed=faults.malformed)
    loan_id = tables["loan_application"]["loan_id"].tolist()
    write_truth(folder, faults.truth, loans={"loan_id": loan_id, "defaulted": bad.astype(int).tolist()})


def provenance() -> dict[str, dict[str, str]]:
    """{source: {column: "generated"}} for every column that the file does not hold."""
    return {
        c.name: {column: "generated" for column in c.column_names if f"{c.name}.{column}" not in _DELIVERED}
        for c in contracts.load().sources("lending")
    }


def read(path: Path) -> tuple[Typed, Array]:
    """The attributes as {"source.column": values of shape (1000,)}, and which loans went bad."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        raise DatasetError(
            f"{path} does not exist. SOLVENT_DATA must name the folder with UCI's {FILE}; nothing was written."
        ) from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path} is not a text file; fetch {FILE} again. Nothing was written.") from None
    fields = [line.split() for line in lines if line.strip()]
    wanted = len(_ATTRIBUTES) + 1
    if len(fields) != ROWS or any(len(f) != wanted for f in fields):
        odd = next(
            (f"line {i} has {len(f)}" for i, f in enumerate(fields, 1) if len(f) != wanted), f"{len(fields)} lines"
        )
        raise DatasetError(f"{path} should have {ROWS} lines of {wanted} fields, but {odd}. Nothing was written.")
    by_attribute = [np.array(values) for values in zip(*fields, strict=True)]
    outcome = by_attribute.pop()
    if set(outcome.tolist()) != {GOOD, BAD}:
        raise DatasetError(f"{path}: the last field should be 1 or 2. Nothing was written.")
    real: Typed = {}
    for number, (targets, values) in enumerate(zip(_ATTRIBUTES, by_attribute, strict=True), 1):
        for target in targets:
            real[target] = _translated(target, values, f"{path}, attribute {number}")
    return real, outcome == BAD


def complete(real: Typed, bad: Array, *, seed: int) -> dict[str, Typed]:
    """The source tables: the real columns, and generated ones around them. Each part has a random stream of its own."""
    size = len(bad)
    stream = [np.random.default_rng([seed, part]) for part in range(4)]
    number = np.arange(1, size + 1)
    # Identifiers of their own: delivered beside the synthetic portfolio, neither overwrites the other.
    customer_id, loan_id = np.char.mod("C8%05d", number), np.char.mod("L8%05d", number)
    application_date = AS_OF - 20 - np.sort(stream[0].integers(0, 1100, size))[::-1]
    profile = _profile(customer_id, application_date, stream[1]) | _of("customer_profile", real)
    application = {"loan_id": loan_id, "customer_id": customer_id, "application_date": application_date}
    application |= _of("loan_application", real)
    application |= _terms(application, stream[2]) | {"published_default": bad.astype(int)}
    events = people.events(loan_id, application_date, stream[3])
    # Only from here on may the outcome be looked at.
    return {
        "customer_profile": profile,
        "loan_application": application,
        "application_event": events,
        "repayment_history": _history(application, bad, np.random.default_rng([seed, 4])),
    }


def _profile(customer_id: Array, application_date: Array, generator: np.random.Generator) -> Typed:
    size = len(customer_id)
    signup = application_date - generator.integers(0, 2000, size)
    return {
        "customer_id": customer_id,
        **people.identities(customer_id, generator),
        "signup_date": signup,
        "employment_type": generator.choice(["employed", "self_employed", "civil_servant"], size, p=[0.8, 0.1, 0.1]),
        "annual_income": np.round(np.exp(generator.normal(10.4, 0.4, size)), 0),
        "credit_score": np.clip(np.round(generator.normal(650, 70, size)), 300, 850),
        "updated_at": signup.astype("datetime64[s]") + generator.integers(8 * 3600, 18 * 3600, size),
    }


def _terms(application: Typed, generator: np.random.Generator) -> Typed:
    amount, months, opened = application["amount"], application["term_months"], application["application_date"]
    size = len(amount)
    rate = np.round(generator.uniform(0.03, 0.14, size), 4)
    limit = np.round(generator.uniform(500, 20_000, size), -2)
    return {
        "annual_rate": rate,
        "credit_limit": limit,
        "credit_balance": np.round(limit * generator.beta(1.3, 2.2, size), 2),
        "interest": np.round(ledger.instalment(amount, rate, months) * months - amount, 2),
        "fees": np.round(25 + 0.01 * amount, 2),
        "status": np.where(ledger.add_months(opened, months) <= AS_OF, "closed", "open"),
        "updated_at": opened.astype("datetime64[s]") + generator.integers(9 * 3600, 17 * 3600, size),
    }


def _history(application: Typed, bad: Array, generator: np.random.Generator) -> Typed:
    months = application["term_months"]
    missed = generator.integers(1, np.minimum(months, 8) + 1)
    loans = ledger.Loans(
        loan_id=application["loan_id"],
        application_date=application["application_date"],
        amount=application["amount"],
        term_months=months,
        annual_rate=application["annual_rate"],
        stops_at=np.where(bad, missed, 0),
        lateness=np.where(bad, 0.2, 0.06),
    )
    return ledger.repayments(loans, AS_OF, generator)


def _translated(target: str, values: Array, where: str) -> Array:
    """A code becomes the contract's level, a number a number."""
    source, _, name = target.partition(".")
    column = contracts.load()[source].column(name)
    if not column.codes:
        try:
            return values.astype(float if column.type == "number" else int)
        except ValueError:
            raise DatasetError(f"{where} should be numbers. Nothing was written.") from None
    unknown = set(values.tolist()) - set(column.codes)
    if unknown:
        raise DatasetError(f"{where} has the codes {sorted(unknown)}, not in contract {source}. Nothing was written.")
    return np.array([column.codes[v] for v in values.tolist()])


def _of(source: str, real: Typed) -> Typed:
    return {target.partition(".")[2]: values for target, values in real.items() if target.startswith(f"{source}.")}
