"""Features are those of the application's day; the label is what the definition says, to the day."""

import itertools
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from solvent import contracts, specification
from solvent.contracts import Contract
from solvent.etl import statements

AS_OF = date(2026, 6, 30)
STATEMENTS = {s.table: s.sql for s in statements.derive("lending", "duckdb")}
PROFILE = [
    f.name
    for f in specification.load("lending").features
    if any(source == f"customer_profile.{f.name}" for source in f.sources)
]
OTHER: dict[str, Any] = {"string": "y", "integer": 3, "number": Decimal("99.00")}
SAMPLES: dict[str, Any] = {
    "string": "x",
    "integer": 1,
    "number": Decimal("0.50"),
    "date": date(2024, 1, 1),
    "timestamp": datetime(2024, 1, 1),
}


LABEL = specification.load("lending").label


class Bank:
    """Cleaned tables by hand."""

    def __init__(self) -> None:
        self.db = duckdb.connect()
        self.ids = itertools.count(1)
        self.parameters()
        for name in ("customers", "loans", "repayments"):
            columns = ", ".join(f"{c.name} {c.physical}" for c in contracts.load()[name].columns)
            self.db.execute(f"CREATE TABLE {name} ({columns})")

    def parameters(
        self, *, maturity_months: int = LABEL.maturity_months, days_past_due: int = LABEL.days_past_due
    ) -> None:
        self.db.execute(
            "CREATE OR REPLACE TABLE run AS SELECT 'r' AS run_id, CAST(? AS DATE) AS as_of, "
            "CAST(? AS INTEGER) AS maturity_months, CAST(? AS INTEGER) AS days_past_due",
            [AS_OF, maturity_months, days_past_due],
        )

    def _insert(self, contract: Contract, values: dict[str, Any]) -> None:
        row = [values.get(c.name, SAMPLES[c.type] if c.required else None) for c in contract.columns]
        self.db.execute(f"INSERT INTO {contract.name} VALUES ({', '.join('?' * len(row))})", row)

    def customer(self, customer_id: str, **values: Any) -> None:
        self._insert(contracts.load()["customers"], {"customer_id": customer_id, **values})

    def loan(self, loan_id: str, customer_id: str, applied: date, **values: Any) -> None:
        given = {"loan_id": loan_id, "customer_id": customer_id, "application_date": applied, "status": "open"}
        self._insert(contracts.load()["loans"], given | values)

    def payment(self, loan_id: str, due: date, paid: date | None, number: int = 1, **values: Any) -> None:
        given = {"payment_id": f"P{next(self.ids)}", "loan_id": loan_id, "due_date": due, "paid_date": paid}
        self._insert(contracts.load()["repayments"], given | {"instalment_number": number} | values)

    def change_customer(self, customer_id: str, **values: Any) -> None:
        assignments = ", ".join(f"{name} = ?" for name in values)
        self.db.execute(f"UPDATE customers SET {assignments} WHERE customer_id = ?", [*values.values(), customer_id])

    def features(self) -> dict[str, dict[str, Any]]:
        result = self.db.execute(STATEMENTS["application_features"])
        names = [d[0] for d in result.description]
        return {row[0]: dict(zip(names, row, strict=True)) for row in result.fetchall()}


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
    bank.payment("L1", date(2025, 5, 1), None)
    bank.change_customer("C1", updated_at=datetime(2025, 6, 2))  # a later row: nothing in it was known
    before = bank.features()["L2"]
    later = {c.name: OTHER[c.type] for c in contracts.load()["customers"].columns if c.name in PROFILE}
    bank.change_customer("C1", **later, updated_at=datetime(2026, 1, 1))
    bank.db.execute("UPDATE repayments SET paid_date = ? WHERE paid_date IS NULL", [applied + timedelta(days=9)])
    bank.payment("L1", applied, None)
    bank.payment("L2", date(2025, 7, 1), date(2025, 7, 2))
    bank.loan("L3", "C1", date(2025, 6, 2))
    after = bank.features()["L2"]
    names = [f.name for f in specification.load("lending").features]
    assert {n: after[n] for n in names} == {n: before[n] for n in names}
    assert PROFILE
    assert [n for n in PROFILE if after[n] is not None] == []
    assert after["amount_to_income"] is None
    assert after["amount"] is not None  # what the application itself says stays


@pytest.mark.parametrize(
    ("updated", "income"),
    [(datetime(2025, 5, 31, 9), 40000), (datetime(2025, 6, 1, 23), 40000), (datetime(2025, 6, 2), None)],
)
def test_a_profile_counts_from_the_day_of_its_last_change(bank: Bank, updated: datetime, income: int | None) -> None:
    bank.loan("L1", "C1", date(2025, 6, 1), amount=4000)
    bank.loan("L2", "C1", date(2025, 6, 2), amount=4000)
    bank.change_customer("C1", updated_at=updated, sex="female")
    bank.db.execute(f"CREATE TABLE application_features AS {STATEMENTS['application_features']}")
    features = bank.features()
    assert features["L1"]["annual_income"] == income
    assert features["L1"]["amount_to_income"] == (0.1 if income else None)
    assert features["L2"]["annual_income"] == 40000
    assert features["L1"]["sex"] == "female"  # monitored, not a feature: the latest will do
    scored = bank.db.execute(f"SELECT loan_id, annual_income FROM ({STATEMENTS['open_loans']})").fetchall()
    assert dict(scored) == {"L1": income, "L2": 40000}


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
    result = bank.db.execute(STATEMENTS["application_features"])
    columns = [d[0] for d in result.description]
    spec = specification.load("lending")
    assert tuple(columns) == contracts.load()["application_features"].column_names
    assert {f.name for f in spec.features} | set(spec.protected) | {spec.label.column} <= set(columns)


def test_open_loans_carry_the_features_and_nothing_that_may_not_be_scored(bank: Bank) -> None:
    bank.loan("L1", "C1", date(2026, 1, 1))
    bank.loan("L2", "C1", date(2026, 1, 1), status="closed")
    bank.db.execute(f"CREATE TABLE application_features AS {STATEMENTS['application_features']}")
    result = bank.db.execute(STATEMENTS["open_loans"])
    columns = [d[0] for d in result.description]
    assert columns == ["loan_id", "as_of", *(f.name for f in specification.load("lending").features)]
    assert [row[:2] for row in result.fetchall()] == [("L1", "2026-06-30")]
