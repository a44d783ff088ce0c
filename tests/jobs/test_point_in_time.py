"""Whatever is changed after an observation date, no feature of that observation changes.

A small portfolio is drawn with all its versions; then everything that happened after the observation date is drawn
anew: payments, corrections (of the schedule, too), deletions, states, profiles, later loans and instalments.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from bank import AS_OF, Bank
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solvent import contracts, specification

THEN = date(2025, 6, 30)
Version = dict[str, Any]
Portfolio = Mapping[str, Mapping[str, list[Version]]]  # table -> key -> versions, oldest first

EVER = [THEN + timedelta(days=d) for d in (-700, -400, -200, -100, -91, -90, -89, -40, -2, -1, 0, 1, 2, 60, 200)]
DAYS = st.sampled_from(EVER)
AFTER = st.integers(1, 300).map(lambda days: THEN + timedelta(days=days))
AMOUNT = st.sampled_from([Decimal("0.00"), Decimal("49.98"), Decimal("49.99"), Decimal("50.00"), Decimal("80.00")])

PROFILE = st.fixed_dictionaries(
    {
        "signup_date": st.just(date(2020, 1, 1)),
        "annual_income": st.none() | AMOUNT,
        "credit_score": st.integers(300, 850),
        "job": st.sampled_from(["a", "b"]),
        "employment_since": st.sampled_from(["a", "b"]),
        "residence_since": st.integers(1, 4),
        "housing": st.sampled_from(["a", "b"]),
        "property": st.sampled_from(["a", "b"]),
        "dependents": st.integers(0, 3),
        "telephone": st.sampled_from(["a", "b"]),
    }
)
STATE = st.fixed_dictionaries(
    {"status": st.sampled_from(["open", "closed", "charged_off"]), "published_default": st.none() | st.integers(0, 1)}
)
PAYMENT = st.fixed_dictionaries({"paid_date": st.none() | DAYS, "amount_paid": st.none() | AMOUNT})


def application(applied: st.SearchStrategy[date]) -> st.SearchStrategy[Version]:
    return st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from(["C1", "C1", "C2"]),
            "application_date": applied,
            "amount": AMOUNT,
            "term_months": st.integers(1, 4),
            "annual_rate": st.just(Decimal("0.1")),
            "purpose": st.sampled_from(["a", "b"]),
            "credit_limit": st.none() | AMOUNT,
            "credit_balance": AMOUNT,
        }
    )


def schedule(loan_id: str, number: st.SearchStrategy[int], due: st.SearchStrategy[date]) -> st.SearchStrategy[Version]:
    fields = {"loan_id": st.just(loan_id), "instalment_number": number, "due_date": due, "amount_due": AMOUNT}
    return st.fixed_dictionaries(fields)


class Draw:
    """Draws the versions of a row: one whose fixed part only the first version tells, and what may change."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw

    def first(self, fixed: st.SearchStrategy[Version], changing: st.SearchStrategy[Version]) -> list[Version]:
        """Up to three versions of any day, deletions among them."""
        times = sorted(self.draw(st.sets(st.tuples(DAYS, st.integers(0, 3)), min_size=1, max_size=3)))
        versions = [self._version(day, hour, fixed, changing) for day, hour in times]
        for place in range(1, len(versions)):
            if self.draw(st.integers(0, 4)) == 0:
                versions[place] = {"updated_at": versions[place]["updated_at"], "deleted": True}
        return versions

    def again(
        self, known: list[Version], fixed: st.SearchStrategy[Version], changing: st.SearchStrategy[Version], stays: bool
    ) -> list[Version]:
        """The same row with another future: versions of later days are drawn anew.

        A first version of a later day keeps what is known from the contract on. `stays`: it is not deleted in the end.
        """
        past = [v for v in known if v["updated_at"].date() <= THEN]
        if not past:
            past = [known[0] | self.draw(changing)]
        last = max(past[-1]["updated_at"].date(), THEN)
        days = self.draw(st.lists(st.integers(1, 90), max_size=2, unique=True).map(sorted))
        future = [self._version(last + timedelta(days=d), 0, fixed, changing) for d in days]
        if future and not stays and self.draw(st.booleans()):
            future[-1] = {"updated_at": future[-1]["updated_at"], "deleted": True}
        if stays and (past + future)[-1].get("deleted"):
            future.append(self._version(last + timedelta(days=99), 0, fixed, changing))
        return past + future

    def _version(
        self, day: date, hour: int, fixed: st.SearchStrategy[Version], changing: st.SearchStrategy[Version]
    ) -> Version:
        return {"updated_at": datetime.combine(day, time(hour))} | self.draw(fixed) | self.draw(changing)


NOTHING: st.SearchStrategy[Version] = st.just({})
LOANS = ["L1", "L2", "L3"]


@st.composite
def two_futures(draw: Any) -> tuple[Portfolio, Portfolio]:
    """Two portfolios that agree on all that was known at the end of THEN. L1 exists in both."""
    d = Draw(draw)
    customers = {key: d.first(NOTHING, PROFILE) for key in ("C1", "C2")}
    loans = {key: d.first(application(DAYS), STATE) for key in LOANS}
    if draw(st.integers(0, 3)):
        loans["L1"][0]["application_date"] = THEN  # what the application model observes on that day
    instalments, terms = {}, {}
    for place in range(draw(st.integers(1, 8))):
        terms[f"P{place}"] = schedule(draw(st.sampled_from(LOANS)), st.integers(1, 4), DAYS)
        instalments[f"P{place}"] = d.first(terms[f"P{place}"], PAYMENT)

    loans["L1"] = d.again(loans["L1"], application(DAYS), STATE, stays=True)
    one = {"customers": customers, "loans": loans, "repayments": instalments}
    other_loans = {
        key: d.again(versions, application(DAYS), STATE, stays=key == "L1") for key, versions in loans.items()
    }
    other_instalments = {
        key: d.again(versions, terms[key], PAYMENT, stays=False) for key, versions in instalments.items()
    }
    # New loans, new instalments of old ones: of later days only.
    for place in range(draw(st.integers(0, 2))):
        other_loans[f"N{place}"] = [{"updated_at": datetime(2025, 8, 1)} | draw(application(AFTER)) | draw(STATE)]
    for place in range(draw(st.integers(0, 3))):
        new = schedule(draw(st.sampled_from(sorted(other_loans))), st.integers(2, 4), AFTER)
        other_instalments[f"Q{place}"] = [{"updated_at": datetime(2025, 8, 1)} | draw(new) | draw(PAYMENT)]
    other_customers = {key: d.again(v, NOTHING, PROFILE, stays=False) for key, v in customers.items()}
    return one, {"customers": other_customers, "loans": other_loans, "repayments": other_instalments}


def bank_of(portfolios: Mapping[str, Portfolio]) -> Bank:
    """One bank with all of them, each under keys that begin with its prefix."""
    bank = Bank()
    for table in ("customers", "loans", "repayments"):
        rows = {}
        for prefix, portfolio in portfolios.items():
            for key, versions in portfolio[table].items():
                rows[f"{prefix}{key}"] = [
                    v | {name: f"{prefix}{v[name]}" for name in ("customer_id", "loan_id") if name in v}
                    for v in versions
                ]
        bank.versions(table, rows)
    return bank


def current(portfolio: Portfolio) -> set[str]:
    return {key for key, versions in portfolio["loans"].items() if not versions[-1].get("deleted")}


FEATURES = [f.name for f in specification.load("lending").features]
OTHER = ("loan_id", "customer_id", "as_of", "sex", "foreign_worker")  # not features
BEHAVIOUR = [
    c.name for c in contracts.load()["behaviour_features"].columns if c.known_at != "outcome" and c.name not in OTHER
]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(two_futures(), min_size=8, max_size=8))
def test_no_feature_depends_on_what_came_after_its_observation_date(drawn: list[tuple[Portfolio, Portfolio]]) -> None:
    bank = bank_of(
        {f"{place}{side}": p for place, pair in enumerate(drawn) for side, p in zip("ab", pair, strict=True)}
    )
    bank.compute()
    applied = {row["loan_id"]: row for row in bank.rows("application_features")}
    observed = {row["loan_id"]: row for row in bank.rows("behaviour_features") if row["observation_date"] == THEN}
    for place, (one, other) in enumerate(drawn):
        if one["loans"]["L1"][0]["application_date"] == THEN:
            a, b = (applied[f"{place}{side}L1"] for side in "ab")
            assert {n: a[n] for n in FEATURES} == {n: b[n] for n in FEATURES}
        for loan_id in current(one) & current(other):
            a, b = (observed.get(f"{place}{side}{loan_id}", {}) for side in "ab")
            assert {n: a[n] for n in a if n in BEHAVIOUR} == {n: b[n] for n in b if n in BEHAVIOUR}
        assert not [key for key in observed if key.startswith(f"{place}bN")]  # applied for later


def test_the_portfolios_that_are_drawn_have_something_to_lose() -> None:
    """Without the rule of versions the property would fail: a correction of a later day changes the latest rows."""
    one = Bank()
    one.customer("C1", annual_income=Decimal("100.00"))
    one.loan("L1", "C1", THEN - timedelta(days=100))
    payment = one.payment("L1", THEN - timedelta(days=40), None)
    one.change("repayments", payment, datetime(2025, 7, 1), paid_date=THEN - timedelta(days=40))
    one.change("customers", "C1", datetime(2025, 7, 1), annual_income=Decimal("900.00"))
    then, now = one.behaviour(THEN)["L1"], one.behaviour(AS_OF)
    assert (then["days_past_due"], then["annual_income"]) == (40, 100)
    assert now == {}  # its only instalment is paid
