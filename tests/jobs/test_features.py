"""Features are those of the application's day; the label is what the definition says, to the day."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from bank import Bank

from solvent import contracts, specification

PROFILE = [
    f.name
    for f in specification.load("lending").features
    if any(source == f"customer_profile.{f.name}" for source in f.sources)
]
OTHER: dict[str, Any] = {"string": "y", "integer": 3, "number": Decimal("99.00")}


@pytest.fixture
def bank() -> Bank:
    bank = Bank()
    bank.customer("C1", annual_income=Decimal("40000.00"))
    return bank


def test_history_is_that_of_earlier_loans_as_known_before_the_application(bank: Bank) -> None:
    applied = date(2026, 3, 1)
    bank.loan("L1", "C1", date(2025, 1, 1))
    bank.loan("L2", "C1", applied)
    bank.loan("L3", "C1", applied)  # the same day: neither knows of the other
    bank.payment("L1", date(2025, 2, 1), date(2025, 1, 30))  # early is not late
    bank.payment("L1", date(2025, 3, 1), date(2025, 3, 11))  # 10 days
    bank.payment("L1", date(2026, 2, 1), applied)  # paid on the day itself: still 28 days late as far as one knows
    bank.payment("L1", applied, None)  # not due before the application
    features = bank.features()
    for loan in ("L2", "L3"):
        assert features[loan]["previous_loans"] == 1
        assert features[loan]["previous_late_rate"] == pytest.approx(2 / 3)
        assert features[loan]["previous_max_days_past_due"] == 28
    assert features["L1"]["previous_loans"] == 0
    assert features["L1"]["previous_late_rate"] is None
    assert features["L1"]["previous_max_days_past_due"] is None


def test_nothing_after_the_application_changes_its_features(bank: Bank) -> None:
    applied = date(2025, 6, 1)
    bank.loan("L1", "C1", date(2025, 1, 1))
    bank.loan("L2", "C1", applied)
    bank.payment("L1", date(2025, 2, 1), date(2025, 2, 3))
    unpaid = bank.payment("L1", date(2025, 5, 1), None)
    before = bank.features()["L2"]
    later = {c.name: OTHER[c.type] for c in contracts.load()["customers"].columns if c.name in PROFILE}
    bank.change("customers", "C1", datetime(2026, 1, 1), **later)
    bank.change("repayments", unpaid, datetime(2025, 6, 10), paid_date=applied + timedelta(days=9))
    bank.payment("L1", applied, None)
    bank.payment("L2", date(2025, 7, 1), date(2025, 7, 2))
    bank.loan("L3", "C1", date(2025, 6, 2))
    after = bank.features()["L2"]
    names = [f.name for f in specification.load("lending").features]
    assert {n: after[n] for n in names} == {n: before[n] for n in names}
    assert PROFILE
    assert after["amount_to_income"] == pytest.approx(0.5 / 40000)


@pytest.mark.parametrize(
    ("updated", "income"),
    [(datetime(2025, 5, 31, 9), 40000), (datetime(2025, 6, 1, 23), 40000), (datetime(2025, 6, 2), None)],
)
def test_a_profile_counts_from_the_day_of_its_first_version(bank: Bank, updated: datetime, income: int | None) -> None:
    bank.customer("C2", annual_income=Decimal("40000.00"), updated_at=updated, sex="female")
    bank.loan("L1", "C2", date(2025, 6, 1), amount=4000)
    bank.loan("L2", "C2", date(2025, 6, 2), amount=4000)
    features = bank.features()
    assert features["L1"]["annual_income"] == income
    assert features["L1"]["amount_to_income"] == (0.1 if income else None)
    assert features["L2"]["annual_income"] == 40000
    assert features["L1"]["sex"] == "female"  # monitored, not a feature: the latest will do
    scored = bank.db.execute("SELECT loan_id, annual_income FROM open_loans").fetchall()
    assert dict(scored) == {"L1": income, "L2": 40000}


@pytest.mark.parametrize(
    ("applied", "income"),
    [
        (date(2025, 1, 31), 40000),
        (date(2025, 2, 1), 50000),
        (date(2025, 2, 28), 50000),
        (date(2025, 3, 1), 70000),  # the last version of the day
        (date(2025, 4, 1), None),  # deleted, as far as one knew
        (date(2025, 5, 1), 80000),
    ],
)
def test_a_profile_is_the_version_known_on_the_day(bank: Bank, applied: date, income: int | None) -> None:
    incomes = {
        datetime(2024, 1, 1): 40000,
        datetime(2025, 2, 1, 9): 50000,
        datetime(2025, 3, 1, 9): 60000,
        datetime(2025, 3, 1, 17): 70000,
        datetime(2025, 4, 1): None,
        datetime(2025, 5, 1): 80000,
    }
    required = {"signup_date": date(2024, 1, 1)}
    versions: list[dict[str, Any]] = [
        {"updated_at": at, "deleted": True} if i is None else {"updated_at": at, "annual_income": i, **required}
        for at, i in incomes.items()
    ]
    bank.versions("customers", {"C2": versions})
    bank.loan("L1", "C2", applied)
    assert bank.features()["L1"]["annual_income"] == income


def test_the_applications_own_data_are_those_of_its_first_version(bank: Bank) -> None:
    own = {"amount": Decimal("900.00"), "purpose": "education", "term_months": 12, "credit_balance": Decimal("10.00")}
    bank.loan("L1", "C1", date(2025, 1, 1), **own, credit_limit=Decimal("40.00"), age_years=30)
    before = bank.features()["L1"]
    changed = {"amount": Decimal("1.00"), "purpose": "other", "term_months": 6, "credit_balance": Decimal("9.00")}
    changed |= {"application_date": date(2025, 3, 1), "age_years": 50, "published_default": 1}
    bank.change("loans", "L1", datetime(2025, 1, 1, 12), **changed)  # a correction of the very day, too
    after = bank.features()["L1"]
    assert (after["defaulted"], after["label_source"]) == (1, "published")  # the outcome is the latest
    assert {**after, "defaulted": None, "label_source": None} == before
    assert after["utilisation"] == 0.25


def test_an_earlier_loans_payment_counts_once_it_is_recorded(bank: Bank) -> None:
    bank.loan("L1", "C1", date(2025, 1, 1))
    for number, applied in enumerate((date(2025, 3, 14), date(2025, 3, 15)), 2):
        bank.loan(f"L{number}", "C1", applied)
    bank.payment("L1", date(2025, 2, 1), date(2025, 2, 1), updated_at=datetime(2025, 3, 15, 8))
    features = bank.features()
    assert features["L2"]["previous_max_days_past_due"] == 41  # recorded the day after: unpaid, as far as one knew
    assert features["L3"]["previous_max_days_past_due"] == 0


def test_corrections_of_a_payment_are_seen_from_their_day_on(bank: Bank) -> None:
    """Recorded on 3 Feb as paid in time; withdrawn on 1 May (the debit bounced); deleted on 1 Jul."""
    bank.loan("L1", "C1", date(2025, 1, 1))
    payment = bank.payment("L1", date(2025, 2, 1), date(2025, 2, 1), updated_at=datetime(2025, 2, 3))
    later = {"paid_date": None, "due_date": date(2025, 4, 1), "amount_due": Decimal("7.00")}
    bank.change("repayments", payment, datetime(2025, 5, 1), **later)  # the schedule stays that of the first version
    bank.delete("repayments", payment, datetime(2025, 7, 1))
    days = [
        date(2025, 2, 2),
        date(2025, 2, 3),
        date(2025, 4, 30),
        date(2025, 5, 1),
        date(2025, 6, 30),
        date(2025, 7, 1),
    ]
    for number, applied in enumerate(days, 2):
        bank.loan(f"L{number}", "C1", applied)
    features = bank.features()
    delays = [features[f"L{n}"]["previous_max_days_past_due"] for n in range(2, 8)]
    assert delays == [1, 0, 0, 89, 149, None]


def test_an_earlier_loan_is_known_until_it_is_deleted(bank: Bank) -> None:
    bank.loan("L1", "C1", date(2025, 1, 1))
    bank.loan("L2", "C1", date(2025, 5, 1))
    bank.loan("L3", "C1", date(2025, 5, 2))
    bank.delete("loans", "L1", datetime(2025, 5, 2, 23, 59, 59))
    features = bank.features()
    assert {k: v["previous_loans"] for k, v in features.items()} == {"L2": 1, "L3": 1}  # L3 knows of L2


@pytest.mark.parametrize(
    ("due", "paid", "defaulted"),
    [
        (date(2025, 3, 3), None, 1),  # 90 days past due on 2025-06-01, the last day of the window
        (date(2025, 3, 4), None, 0),  # a day too late
        (date(2024, 8, 1), date(2024, 10, 30), 1),  # paid on the 90th day
        (date(2024, 8, 1), date(2024, 10, 29), 0),  # on the 89th
        (date(2024, 8, 1), date(2024, 8, 1), 0),
    ],
)
def test_default_is_90_days_past_due_within_12_months(bank: Bank, due: date, paid: date | None, defaulted: int) -> None:
    bank.loan("L1", "C1", date(2024, 6, 1), term_months=2)
    bank.payment("L1", date(2024, 7, 1), date(2024, 7, 1), 1)
    bank.payment("L1", due, paid, 2)
    assert bank.features()["L1"]["defaulted"] == defaulted
    assert bank.features()["L1"]["label_source"] == "days_past_due"


@pytest.mark.parametrize(
    ("amount_paid", "defaulted"), [("100.00", 0), ("99.99", 0), ("99.98", 1), ("0.00", 1), (None, 0)]
)
def test_an_underpaid_instalment_is_unpaid(bank: Bank, amount_paid: str | None, defaulted: int) -> None:
    due, paid = date(2024, 7, 1), Decimal(amount_paid) if amount_paid else None
    bank.loan("L1", "C1", date(2024, 6, 1))
    bank.payment("L1", due, due, amount_due=Decimal("100.00"), amount_paid=paid)
    bank.loan("L2", "C1", date(2024, 8, 1))
    features = bank.features()
    assert features["L1"]["defaulted"] == defaulted
    assert features["L2"]["previous_late_rate"] == defaulted
    assert features["L2"]["previous_max_days_past_due"] == 31 * defaulted


def schedule(bank: Bank, *, without: int | None = None, unpaid: int | None = None) -> dict[str, Any]:
    """The features of a mature loan of 24 instalments."""
    bank.loan("L1", "C1", date(2024, 1, 1), term_months=24)
    for number in range(1, 25):
        due = date(2024 + number // 12, number % 12 + 1, 1)
        if number != without:
            bank.payment("L1", due, None if number == unpaid else due, number)
    return bank.features()["L1"]


@pytest.mark.parametrize("lost", range(1, 11))
def test_a_loan_without_one_of_the_instalments_that_decide_has_no_good_label(bank: Bank, lost: int) -> None:
    """It may be the very instalment that was not paid: in quarantine, or never delivered."""
    features = schedule(bank, without=lost)
    assert (features["defaulted"], features["label_source"]) == (None, None)


def test_a_default_that_was_seen_needs_no_complete_schedule(bank: Bank) -> None:
    assert schedule(bank, without=2, unpaid=5)["defaulted"] == 1


@pytest.mark.parametrize("lost", [11, 12, 24])
def test_an_instalment_that_could_not_be_in_arrears_in_time_may_be_absent(bank: Bank, lost: int) -> None:
    """Of 24 the tenth is the first that is due too late to be 90 days past due within 12 months."""
    assert schedule(bank, without=lost)["defaulted"] == 0


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_short_loan_needs_its_last_instalment_too(bank: Bank, lost: int) -> None:
    bank.loan("L1", "C1", date(2024, 1, 1), term_months=3)
    for number in {1, 2, 3} - {lost}:
        bank.payment("L1", date(2024, 1 + number, 1), date(2024, 1 + number, 1), number)
    assert bank.features()["L1"]["defaulted"] is None


def test_two_rows_of_one_instalment_do_not_hide_that_another_is_absent(bank: Bank) -> None:
    bank.loan("L1", "C1", date(2024, 1, 1), term_months=2)
    bank.payment("L1", date(2024, 2, 1), date(2024, 2, 1), 1)
    bank.payment("L1", date(2024, 2, 1), date(2024, 2, 1), 1)
    assert bank.features()["L1"]["defaulted"] is None


def test_window_and_arrears_of_the_label_are_those_of_the_specification(bank: Bank) -> None:
    bank.loan("L1", "C1", date(2025, 1, 1))
    bank.payment("L1", date(2025, 2, 1), date(2025, 3, 5))  # 32 days
    assert bank.features()["L1"]["defaulted"] == 0
    bank.parameters(days_past_due=30)
    assert bank.features()["L1"]["defaulted"] == 1
    bank.parameters(maturity_months=18)
    assert bank.features()["L1"]["defaulted"] is None  # 18 months end after the delivery


@pytest.mark.parametrize(("applied", "label"), [(date(2025, 6, 30), 1), (date(2025, 7, 1), None)])
def test_an_immature_loan_has_no_label_even_if_it_went_bad(bank: Bank, applied: date, label: int | None) -> None:
    bank.loan("L1", "C1", applied)
    bank.payment("L1", applied + timedelta(days=31), None)
    assert bank.features()["L1"]["defaulted"] == label


def test_a_published_outcome_is_the_label_whatever_the_ledger_says(bank: Bank) -> None:
    bank.loan("L1", "C1", date(2026, 6, 1), published_default=1)
    bank.loan("L2", "C1", date(2024, 6, 1), published_default=0)
    bank.payment("L2", date(2024, 7, 1), None)
    features = bank.features()
    assert [(features[k]["defaulted"], features[k]["label_source"]) for k in ("L1", "L2")] == [
        (1, "published"),
        (0, "published"),
    ]


def test_ratios_without_a_denominator_are_absent(bank: Bank) -> None:
    bank.customer("C2", annual_income=Decimal("0.00"))
    bank.loan("L1", "C2", date(2025, 1, 1), credit_balance=Decimal("5.00"), credit_limit=Decimal("0.00"))
    bank.loan("L2", "C1", date(2025, 1, 1), amount=100, credit_balance=Decimal("50.00"), credit_limit=Decimal("200.00"))
    features = bank.features()
    assert features["L1"]["utilisation"] is None
    assert features["L1"]["amount_to_income"] is None
    assert features["L2"]["utilisation"] == 0.25
    assert features["L2"]["amount_to_income"] == 100 / 40000


def test_the_table_has_the_contracts_columns_and_the_specifications_features(bank: Bank) -> None:
    bank.compute()
    columns = bank.columns("application_features")
    spec = specification.load("lending")
    assert columns == contracts.load()["application_features"].column_names
    assert {f.name for f in spec.features} | set(spec.protected) | {spec.label.column} <= set(columns)


def test_open_loans_carry_the_features_and_nothing_that_may_not_be_scored(bank: Bank) -> None:
    bank.loan("L1", "C1", date(2026, 1, 1))
    bank.loan("L2", "C1", date(2026, 1, 1), status="closed")
    bank.compute()
    names = [f.name for f in specification.load("lending").features]
    assert bank.columns("open_loans") == ("loan_id", "as_of", *names)
    assert bank.db.execute("SELECT loan_id, as_of FROM open_loans").fetchall() == [("L1", "2026-06-30")]
