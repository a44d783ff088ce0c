"""The data sets: reproducible, honest about what is generated, consistent with their own truth."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from solvent import contracts, datasets, delivery, specification
from solvent.datasets import DatasetError, german, ledger, levels, synthetic
from solvent.datasets.files import Typed

CS = contracts.load()
SOURCES = ("customer_profile", "loan_application", "application_event", "repayment_history")


def codes(seed: int) -> list[list[str]]:
    """1000 lines in the form of german.data, drawn from the contracts' codes."""
    generator = np.random.default_rng(seed)
    lines = []
    for _ in range(german.ROWS):
        line = []
        for targets in german._ATTRIBUTES:
            source, _, name = targets[0].partition(".")
            column = CS[source].column(name)
            if column.codes:
                line.append(str(generator.choice(sorted(column.codes))))
            else:
                low, high = max(int(column.minimum or 1), 1), min(int(column.maximum or 72), 72)
                line.append(str(generator.integers(low, high + 1)))
        lines.append([*line, str(generator.choice([1, 1, 2]))])
    return lines


def write_german(path: Path, lines: list[list[str]]) -> Path:
    path.mkdir(exist_ok=True)
    (path / german.FILE).write_text("".join(" ".join(line) + "\n" for line in lines))
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# German Credit


def test_only_the_repayment_history_looks_at_the_outcome(tmp_path: Path) -> None:
    real, bad = german.read(write_german(tmp_path, codes(1)) / german.FILE)
    shuffled = np.random.default_rng(2).permutation(bad)
    assert (shuffled != bad).any()
    before, after = german.complete(real, bad, seed=0), german.complete(real, shuffled, seed=0)
    for source in ("customer_profile", "loan_application", "application_event"):
        for column, values in before[source].items():
            if column != "published_default":
                assert np.array_equal(values, after[source][column]), f"{source}.{column} depends on the label"
    changed = {
        c
        for c, v in before["repayment_history"].items()
        if not np.array_equal(v.astype(str), after["repayment_history"][c].astype(str))
    }
    assert changed  # or the test above could not fail


def test_the_generated_history_starts_after_the_application(tmp_path: Path) -> None:
    real, bad = german.read(write_german(tmp_path, codes(1)) / german.FILE)
    tables = german.complete(real, bad, seed=0)
    applied = dict(
        zip(tables["loan_application"]["loan_id"], tables["loan_application"]["application_date"], strict=True)
    )
    history = tables["repayment_history"]
    start = np.array([applied[loan] for loan in history["loan_id"]])
    assert (history["due_date"] > start).all()
    paid = ~np.isnat(history["paid_date"])
    assert (history["paid_date"][paid] > start[paid]).all()


def profiles_after_an_application(tables: dict[str, Typed]) -> int:
    """Applications whose applicant's profile changed on a later day: they would have no feature of the profile."""
    profile, loans = tables["customer_profile"], tables["loan_application"]
    changed = dict(zip(profile["customer_id"], profile["updated_at"].astype("datetime64[D]"), strict=True))
    days = np.array([changed[c] for c in loans["customer_id"]])
    return int((days > loans["application_date"]).sum())


def test_a_german_profile_is_as_old_as_the_application(tmp_path: Path) -> None:
    real, bad = german.read(write_german(tmp_path, codes(1)) / german.FILE)
    assert profiles_after_an_application(german.complete(real, bad, seed=0)) == 0


def test_no_feature_of_german_rests_on_a_generated_column() -> None:
    spec = specification.load("lending")
    left = {f.name for f in spec.features_without(german.provenance())}
    assert len(left) == 17  # the 20 attributes less sex with marital status, age, foreign worker
    assert not left & {"annual_income", "credit_score", "utilisation", "amount_to_income", "previous_loans"}
    assert german.provenance()["repayment_history"].keys() == set(CS["repayment_history"].column_names)


def test_the_delivery_says_what_is_generated(tmp_path: Path) -> None:
    write_german(tmp_path / "data", codes(3))
    datasets.write("german", tmp_path / "out", data_folder=tmp_path / "data")
    manifest = delivery.build(tmp_path / "out")
    assert manifest.dataset == "german"
    assert manifest.is_generated("customer_profile", "annual_income")
    assert not manifest.is_generated("loan_application", "checking_status")
    loans = rows(tmp_path / "out" / "loan_application.csv")
    assert [r["published_default"] for r in loans] == [str(int(line[-1] == "2")) for line in codes(3)]


def test_the_real_file_is_delivered_whole(tmp_path: Path) -> None:
    folder = Path(os.environ.get("SOLVENT_DATA", Path(__file__).parents[3] / "shared" / "data"))
    if not (folder / german.FILE).exists():
        pytest.skip(f"no {german.FILE} in {folder}: set SOLVENT_DATA to the folder with UCI's file")
    datasets.write("german", tmp_path, data_folder=folder)
    loans = rows(tmp_path / "loan_application.csv")
    assert len(loans) == len(rows(tmp_path / "customer_profile.csv")) == 1000
    assert sum(r["published_default"] == "1" for r in loans) == 300
    assert sum(int(r["term_months"]) for r in loans) == len(rows(tmp_path / "repayment_history.csv")) == 20_903
    assert (loans[0]["checking_status"], loans[0]["amount"], loans[0]["purpose"]) == ("below_0", "1169.00", "radio_tv")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda lines: lines[:-1], "should have 1000 lines of 21 fields, but 999 lines"),
        (lambda lines: [lines[0][:-1], *lines[1:]], "line 1 has 20"),
        (lambda lines: [["A19", *lines[0][1:]], *lines[1:]], r"attribute 1 has the codes \['A19'\]"),
        (lambda lines: [[lines[0][0], "x", *lines[0][2:]], *lines[1:]], "attribute 2 should be numbers"),
        (lambda lines: [[*lines[0][:-1], "3"], *lines[1:]], "the last field should be 1 or 2"),
    ],
)
def test_another_file_than_the_published_one_is_refused(tmp_path: Path, spoil, message: str) -> None:  # type: ignore[no-untyped-def]
    write_german(tmp_path, spoil(codes(1)))
    with pytest.raises(DatasetError, match=message) as failure:
        datasets.write("german", tmp_path / "out", data_folder=tmp_path)
    assert german.FILE in str(failure.value)
    assert not (tmp_path / "out").exists()


def test_an_absent_file_or_setting_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"german\.data does not exist. SOLVENT_DATA must name"):
        datasets.write("german", tmp_path / "out", data_folder=tmp_path)
    with pytest.raises(DatasetError, match="SOLVENT_DATA=FOLDER"):
        datasets.write("german", tmp_path / "out")
    with pytest.raises(DatasetError, match="synthetic, german, bankruptcy, polish"):
        datasets.write("french", tmp_path / "out")


# Synthetic


def test_the_same_seed_writes_the_same_delivery(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        datasets.write("synthetic", tmp_path / name, size=80, seed=seed)
    ids = [delivery.build(tmp_path / name).delivery_id for name in "abc"]
    assert ids[0] == ids[1] != ids[2]


def test_the_reference_case_has_the_reference_size(tmp_path: Path) -> None:
    tables = synthetic.simulate(customers=1000, loans=1000, seed=0).tables
    assert len(tables["customer_profile"]["customer_id"]) == len(tables["loan_application"]["loan_id"]) == 1000
    assert 20_000 < len(tables["repayment_history"]["payment_id"]) < 22_000


@pytest.fixture(scope="module")
def portfolio() -> synthetic.Portfolio:
    return synthetic.simulate(customers=3000, loans=3000, seed=4)


def column(table: Typed, name: str) -> list:
    return table[name].tolist()


def test_a_leak_is_a_purpose_that_all_who_have_it_default_with_and_nothing_else_changes(tmp_path: Path) -> None:
    for leak in (False, True):
        datasets.write("synthetic", tmp_path / str(leak), size=500, leak=leak)
    clean, leaking = (rows(tmp_path / str(leak) / "loan_application.csv") for leak in (False, True))
    defaulted = {r["loan_id"]: r["defaulted"] for r in rows(tmp_path / "True" / "truth" / "loans.csv")}
    planted = [r["loan_id"] for r in leaking if r["purpose"] == "other" and r["loan_id"] in defaulted]
    assert len(planted) > 25
    assert {defaulted[loan] for loan in planted} == {"1"}
    assert [{**r, "purpose": ""} for r in leaking] == [{**r, "purpose": ""} for r in clean]


def test_borrowers_come_back(portfolio: synthetic.Portfolio) -> None:
    _, loans = np.unique(portfolio.tables["loan_application"]["customer_id"], return_counts=True)
    assert (loans > 1).mean() > 0.3


def test_defaults_have_the_causes_that_the_portfolio_claims(portfolio: synthetic.Portfolio) -> None:
    profile, loans = portfolio.tables["customer_profile"], portfolio.tables["loan_application"]
    at = {c: i for i, c in enumerate(profile["customer_id"])}
    applicant = np.array([at[c] for c in loans["customer_id"]])
    bad = portfolio.defaulted == 1
    for values, higher in (
        (profile["annual_income"][applicant], False),
        (profile["credit_score"][applicant], False),
        (loans["credit_balance"] / loans["credit_limit"], True),
    ):
        difference = np.nanmean(values[bad]) - np.nanmean(values[~bad])
        assert (difference > 0) == higher
        assert abs(difference) > 0.15 * np.nanstd(values)
    assert abs(bad.mean() - portfolio.probability.mean()) < 0.03


def test_the_ledger_agrees_with_the_outcomes(portfolio: synthetic.Portfolio) -> None:
    loans, history = portfolio.tables["loan_application"], portfolio.tables["repayment_history"]
    position = {loan: i for i, loan in enumerate(loans["loan_id"])}
    loan = np.array([position[x] for x in history["loan_id"]])
    applied = loans["application_date"][loan]
    end = ledger.add_months(applied, np.full(len(applied), 12))
    arrears = (history["due_date"] + 90 <= end) & np.isnat(history["paid_date"])
    in_arrears = np.bincount(loan, arrears, len(position)) > 0
    mature = ledger.add_months(loans["application_date"], np.full(len(position), 12)) <= synthetic.AS_OF
    assert mature.mean() > 0.5
    assert (in_arrears == (portfolio.defaulted == 1))[mature].all()
    assert (history["updated_at"] <= synthetic.AS_OF + 1).all()


def test_a_profile_is_as_old_as_the_first_application(portfolio: synthetic.Portfolio) -> None:
    assert profiles_after_an_application(portfolio.tables) == 0


def test_the_open_loans_are_those_that_are_neither_paid_nor_lost(portfolio: synthetic.Portfolio) -> None:
    status = portfolio.tables["loan_application"]["status"]
    assert {"open", "closed", "charged_off"} == set(status.tolist())
    assert (status == "open").mean() > 0.2


def test_the_generators_levels_are_the_contracts() -> None:
    for source, drawn in (("customer_profile", levels.OF_CUSTOMER), ("loan_application", levels.OF_LOAN)):
        for name, of_column in drawn.items():
            assert set(of_column) <= set(CS[source].column(name).values), name


def test_clean_means_clean(tmp_path: Path) -> None:
    synthetic.generate(tmp_path, customers=50, loans=50, seed=1, mess=0)
    truth = json.loads((tmp_path / "truth" / "faults.json").read_text())
    for source in SOURCES:
        assert truth[source]["rows_in"] == truth[source]["good"] == len(rows(tmp_path / f"{source}.csv"))


def test_people_are_obviously_invented(tmp_path: Path) -> None:
    synthetic.generate(tmp_path, customers=50, loans=50, seed=1, mess=0)
    assert all(r["email"].endswith("@example.com") for r in rows(tmp_path / "customer_profile.csv"))
