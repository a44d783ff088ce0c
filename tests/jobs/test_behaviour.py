"""Behaviour features are those of the month end, and their label is what became of the loan afterwards."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from bank import AS_OF, Bank

from solvent import contracts, specification

SPECIFICATION = specification.load("lending")
THEN = date(2025, 6, 30)  # the observation before the latest


def months(start: date, number: int) -> date:
    return date(start.year + (start.month - 1 + number) // 12, (start.month - 1 + number) % 12 + 1, start.day)


@pytest.fixture
def bank() -> Bank:
    bank = Bank()
    bank.customer("C1", annual_income=Decimal("12000.00"), credit_score=640, housing="own")
    return bank


@pytest.fixture
def troubled(bank: Bank) -> Bank:
    """A loan of 12 instalments of 100, due on the 10th from Nov 2025; on 2026-06-30 eight are due."""
    bank.loan("L1", "C1", date(2025, 10, 10), term_months=12, credit_balance=Decimal("5"), credit_limit=Decimal("20"))
    delays = {1: 0, 2: 25, 3: -2, 4: 0, 5: 6, 6: 9, 7: None, 8: None}
    for number in range(1, 13):
        due = months(date(2025, 10, 10), number)
        delay = delays.get(number)
        paid = None if delay is None else date.fromordinal(due.toordinal() + delay)
        bank.payment("L1", due, paid, number, amount_due=Decimal("100.00"), amount_paid=Decimal("100.00"))
    return bank


@pytest.mark.parametrize(
    ("feature", "value"),
    [
        ("months_on_book", 8),  # October to June
        ("share_repaid", 6 / 12),
        ("days_past_due", 51),  # the seventh, due 10 May
        ("delinquency_bucket", "30_to_59"),
        ("instalments_overdue", 2),
        ("late_rate", 5 / 8),  # 2, 5, 6, 7, 8
        ("late_rate_3m", 3 / 3),  # due after 31 March: 6, 7, 8
        ("late_rate_6m", 4 / 6),  # due after 31 December: 3 to 8
        ("max_days_past_due", 51),
        ("max_days_past_due_3m", 51),
        ("max_days_past_due_6m", 51),
        ("days_since_late", 0),
        ("days_past_due_trend", (9 + 51 + 20) / 3 - (0 + 0 + 6) / 3),
        ("payment_to_income", 100 * 12 / 12000),
        ("utilisation", 0.25),
        ("annual_income", 12000),
        ("credit_score", 640),
        ("housing", "own"),
        ("previous_loans", 0),
        ("other_open_loans", 0),
        ("other_days_past_due", None),
        ("label_status", "immature"),
        ("defaulted", None),
    ],
)
def test_features_of_a_loan_in_arrears(troubled: Bank, feature: str, value: object) -> None:
    found = troubled.behaviour()["L1"][feature]
    assert found == (pytest.approx(value) if isinstance(value, float) else value)


def test_features_of_the_same_loan_earlier(troubled: Bank) -> None:
    """On 31 March five are due; the fifth, of 10 March, was paid on the 16th, the second on 4 January."""
    troubled.parameters(as_of=date(2026, 4, 29))
    found = troubled.behaviour(date(2026, 3, 31))["L1"]
    assert found["as_of"] == date(2026, 4, 29)
    expected = {
        "months_on_book": 5,
        "share_repaid": 5 / 12,
        "days_past_due": 0,
        "delinquency_bucket": "current",
        "instalments_overdue": 0,
        "late_rate": 2 / 5,
        "late_rate_3m": 1 / 3,
        "late_rate_6m": 2 / 5,
        "max_days_past_due": 25,
        "max_days_past_due_3m": 25,  # the second was due before the window, and still unpaid in it
        "max_days_past_due_6m": 25,
        "days_since_late": 15,
    }
    assert {n: found[n] for n in expected} == pytest.approx(expected)
    assert found["days_past_due_trend"] == pytest.approx((0 + 0 + 6) / 3 - (0 + 25) / 2)


def test_a_new_loan_has_no_behaviour_yet(bank: Bank) -> None:
    bank.loan("L1", "C1", date(2026, 6, 20), term_months=2)
    bank.payment("L1", date(2026, 7, 20), None, 1, amount_due=Decimal("50.00"))
    bank.payment("L1", date(2026, 8, 20), None, 2, amount_due=Decimal("80.00"))
    found = bank.behaviour()["L1"]
    absent = [
        *("late_rate", "late_rate_3m", "late_rate_6m", "max_days_past_due", "max_days_past_due_3m"),
        *("max_days_past_due_6m", "days_since_late", "days_past_due_trend"),
    ]
    assert [n for n in absent if found[n] is not None] == []
    assert (found["months_on_book"], found["share_repaid"], found["days_past_due"]) == (0, 0, 0)
    assert found["payment_to_income"] == pytest.approx(50 * 12 / 12000)  # the first instalment is known


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (0, "current"),
        (1, "1_to_29"),
        (29, "1_to_29"),
        (30, "30_to_59"),
        (59, "30_to_59"),
        (60, "60_to_89"),
        (89, "60_to_89"),
        (90, "90_or_more"),
        (400, "90_or_more"),
    ],
)
def test_buckets(bank: Bank, days: int, bucket: str) -> None:
    bank.loan("L1", "C1", date(2024, 1, 1))
    bank.payment("L1", date.fromordinal(AS_OF.toordinal() - days), None)
    found = bank.behaviour()["L1"]
    assert (found["days_past_due"], found["delinquency_bucket"]) == (days, bucket)
    assert found["label_status"] == ("in_default" if days >= 90 else "immature")


def test_a_payment_counts_on_the_day_it_is_made_and_recorded(bank: Bank) -> None:
    bank.loan("L1", "C1", date(2026, 5, 1), term_months=5)
    paid = bank.payment("L1", date(2026, 6, 10), AS_OF, 1)
    bank.payment("L1", date(2026, 6, 12), AS_OF, 2, updated_at=datetime(2026, 7, 1))  # recorded the day after
    bank.payment("L1", date(2026, 6, 14), date(2026, 7, 1), 3)  # announced, not made
    bank.payment("L1", date(2026, 6, 16), AS_OF, 4, amount_due=Decimal("9.00"), amount_paid=Decimal("8.98"))
    bank.payment("L1", date(2026, 7, 16), AS_OF, 5)  # ahead of time
    found = bank.behaviour()["L1"]
    assert (found["days_past_due"], found["instalments_overdue"], found["share_repaid"]) == (18, 3, 2 / 5)
    assert found["late_rate"] == 1
    bank.change("repayments", paid, datetime(2026, 7, 2), paid_date=None)
    assert bank.behaviour()["L1"] == found


@pytest.mark.parametrize(
    ("as_of", "observed"),
    [
        (date(2026, 6, 30), date(2026, 6, 30)),
        (date(2026, 6, 29), date(2026, 5, 31)),
        (date(2026, 1, 1), date(2025, 12, 31)),
        (date(2024, 3, 1), date(2024, 2, 29)),
    ],
)
def test_observed_is_the_latest_month_end_and_those_before(bank: Bank, as_of: date, observed: date) -> None:
    bank.parameters(as_of=as_of, behaviour_every_months=12, behaviour_observations=3)
    bank.compute()
    found = [d for (d,) in bank.db.execute("SELECT observation_date FROM month_ends ORDER BY 1 DESC").fetchall()]
    day = 28 if observed.month == 2 else observed.day
    assert found == [
        observed,
        date(observed.year - 1, observed.month, day),
        date(observed.year - 2, observed.month, day),
    ]
    assert len(found) == len(set(found))


def test_windows_are_whole_months(bank: Bank) -> None:
    bank.parameters(as_of=date(2025, 2, 28), behaviour_every_months=1, behaviour_observations=13)
    bank.compute()
    result = bank.db.execute(
        "SELECT observation_date, three_months_before, six_months_before, window_end FROM month_ends ORDER BY 1"
    ).fetchall()
    assert result[0] == (date(2024, 2, 29), date(2023, 11, 30), date(2023, 8, 31), date(2025, 2, 28))
    assert result[-1] == (date(2025, 2, 28), date(2024, 11, 30), date(2024, 8, 31), date(2026, 2, 28))


def test_outcome_windows_of_the_specification_do_not_overlap() -> None:
    parameters = SPECIFICATION.parameters
    assert parameters["behaviour_every_months"] >= SPECIFICATION.label.maturity_months
    assert parameters["behaviour_observations"] >= 2


@pytest.mark.parametrize(
    ("name", "observed"),
    [
        ("open", True),
        ("closed", False),
        ("charged_off", False),
        ("closed later", True),
        ("deleted", False),
        ("deleted later", True),
        ("applied later", False),
        ("paid back", False),
        ("paid back, as it turned out later", True),
    ],
)
def test_observed_are_the_loans_that_were_open_then(bank: Bank, name: str, observed: bool) -> None:
    before, after = datetime(2025, 6, 30, 12), datetime(2025, 7, 1)
    applied = date(2025, 7, 1) if name == "applied later" else date(2025, 4, 1)
    bank.loan("L1", "C1", applied, term_months=1)
    bank.loan("L2", "C1", date(2025, 4, 2))  # of the same customer: sees the other
    paid = name.startswith("paid back")
    recorded = after if "later" in name else before
    bank.payment("L1", date(2025, 5, 1), date(2025, 5, 1) if paid else None, updated_at=recorded)
    if name.split()[0] in ("closed", "charged_off"):
        bank.change("loans", "L1", recorded, status=name.split()[0])
    if name.startswith("deleted"):
        bank.delete("loans", "L1", recorded)
    rows = bank.behaviour(THEN)
    assert rows["L2"]["other_open_loans"] == observed
    assert rows["L2"]["other_days_past_due"] == (60 if observed else None)
    # Deleted since: nothing is published of it, though others remember that it was there.
    assert ("L1" in rows) == (observed and not name.startswith("deleted"))
    assert rows["L2"]["previous_loans"] == (name not in ("deleted", "applied later"))


def test_the_profile_is_the_one_known_on_the_observation_date(bank: Bank) -> None:
    bank.loan("L1", "C1", date(2025, 4, 1), amount=Decimal("7.00"), term_months=24)
    bank.payment("L1", date(2026, 4, 1), None, amount_due=Decimal("10.00"))
    bank.change("customers", "C1", datetime(2025, 7, 1), annual_income=Decimal("24000.00"), housing="rent")
    bank.change("loans", "L1", datetime(2025, 7, 1), amount=Decimal("8.00"), term_months=36)
    then, now = bank.behaviour(THEN)["L1"], bank.behaviour()["L1"]
    assert (then["annual_income"], then["housing"], then["payment_to_income"]) == (12000, "own", 0.01)
    assert (now["annual_income"], now["housing"], now["payment_to_income"]) == (24000, "rent", 0.005)
    assert (then["amount"], now["amount"], now["term_months"]) == (7, 7, 24)


WINDOW_END = date(2026, 6, 30)  # of THEN


@pytest.mark.parametrize(
    ("due", "paid", "defaulted", "status"),
    [
        (date(2026, 4, 1), None, 1, "known"),  # 90 days past due on the window's last day
        (date(2026, 4, 2), None, 0, "known"),  # a day too late
        (date(2025, 8, 1), date(2025, 10, 30), 1, "known"),  # paid on the 90th day
        (date(2025, 8, 1), date(2025, 10, 29), 0, "known"),
        (date(2025, 5, 1), None, 1, "known"),  # 60 days past due then, unpaid ever since
        (date(2025, 4, 2), date(2025, 7, 1), 1, "known"),  # 89 days then, the 90th after
        (date(2025, 4, 1), date(2025, 8, 1), None, "in_default"),  # 90 days then
        (date(2025, 1, 1), date(2025, 6, 30), 0, "known"),  # long in default, paid by then: in the population again
    ],
)
def test_default_is_90_days_past_due_within_12_months_of_the_observation(
    bank: Bank, due: date, paid: date | None, defaulted: int | None, status: str
) -> None:
    bank.loan("L1", "C1", date(2024, 12, 1), term_months=2)
    bank.payment("L1", due, paid, 1)
    bank.payment("L1", WINDOW_END, None, 2)
    found = bank.behaviour(THEN)["L1"]
    assert (found["defaulted"], found["label_status"]) == (defaulted, status)


def test_the_label_knows_what_was_corrected_later_and_the_features_do_not(bank: Bank) -> None:
    bank.loan("L1", "C1", date(2025, 1, 1), term_months=2)
    bounced = bank.payment("L1", date(2025, 2, 1), date(2025, 2, 1), 1)
    bank.payment("L1", WINDOW_END, None, 2)
    bank.change("repayments", bounced, datetime(2026, 1, 1), paid_date=None)
    found = bank.behaviour(THEN)["L1"]
    assert (found["days_past_due"], found["defaulted"], found["label_status"]) == (0, 1, "known")


@pytest.mark.parametrize(("as_of", "status"), [(date(2026, 6, 30), "known"), (date(2026, 6, 29), "immature")])
def test_an_immature_observation_has_no_label_even_if_the_loan_went_bad(bank: Bank, as_of: date, status: str) -> None:
    bank.parameters(as_of=as_of, behaviour_every_months=1, behaviour_observations=13)
    bank.loan("L1", "C1", date(2025, 6, 1))
    bank.payment("L1", date(2025, 7, 1), None)
    found = bank.behaviour(THEN)["L1"]
    assert (found["defaulted"], found["label_status"]) == (1 if status == "known" else None, status)


@pytest.mark.parametrize(
    ("lost", "defaulted"),
    # The 15th, due 1 May 2026, is the first that is due too late; without it, nobody knows that it is.
    [*((n, None) for n in range(1, 16)), (16, 0), (24, 0)],
)
def test_a_missing_instalment_decides_nothing(bank: Bank, lost: int, defaulted: int | None) -> None:
    bank.loan("L1", "C1", date(2025, 2, 1), term_months=24)
    for number in set(range(1, 25)) - {lost}:
        due = months(date(2025, 2, 1), number)
        bank.payment("L1", due, due if due < AS_OF else None, number)
    found = bank.behaviour(THEN)["L1"]
    assert found["defaulted"] == defaulted
    assert found["label_status"] == ("incomplete" if defaulted is None else "known")


def test_window_and_arrears_of_the_label_are_those_of_the_specification(bank: Bank) -> None:
    bank.loan("L1", "C1", date(2025, 6, 1), term_months=2)
    bank.payment("L1", date(2025, 7, 1), date(2025, 8, 2), 1)  # 32 days
    bank.payment("L1", date(2026, 7, 1), None, 2)
    assert bank.behaviour(THEN)["L1"]["defaulted"] == 0
    bank.parameters(days_past_due=30)
    assert bank.behaviour(THEN)["L1"]["defaulted"] == 1
    bank.parameters(maturity_months=18)
    assert bank.behaviour(THEN)["L1"]["label_status"] == "immature"


def test_the_table_has_the_contracts_columns_and_nothing_protected_among_its_features(bank: Bank) -> None:
    bank.compute()
    contract = contracts.load()["behaviour_features"]
    assert bank.columns("behaviour_features") == contract.column_names
    assert {c.name for c in contract.columns if c.pii == "protected"} == set(SPECIFICATION.protected)
    assert [c.name for c in contract.columns if c.pii == "direct"] == []
