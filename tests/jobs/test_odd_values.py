"""What a contract says of odd values: read, or rejected. test_steps.py shows that Spark agrees."""

from pathlib import Path

import messy
from lakehouse import Lakehouse


def test_hostile_values_are_judged_as_the_contract_says(lakehouse: Lakehouse, tmp_path: Path) -> None:
    messy.lending(tmp_path / "files")
    job = lakehouse.deliver(tmp_path / "files")
    lakehouse.run(job)
    kept = {r["customer_id"]: r for r in lakehouse.table(job, "cleaned", "customers").to_pylist()}
    number, verdicts = 500_000, {}
    for column, values in messy.HOSTILE.items():
        for value in values:
            number += 1
            verdicts[column, value] = str(kept[f"C{number}"][column]) if f"C{number}" in kept else "rejected"
    assert verdicts["annual_income", "12,345.678"] == "12345.68"
    assert verdicts["annual_income", "(-5)"] == verdicts["annual_income", "1,23"] == "rejected"
    assert verdicts["annual_income", "nan"] == verdicts["annual_income", "1d"] == "rejected"
    assert verdicts["annual_income", "£1"] == "1.00"
    assert verdicts["credit_score", "600.0"] == "600"
    assert verdicts["credit_score", "600.5"] == "rejected"
    assert verdicts["signup_date", "29.02.2024"] == verdicts["signup_date", "2024-02-29"] == "2024-02-29"
    assert verdicts["signup_date", "2023-02-29"] == verdicts["signup_date", "2019"] == "rejected"
    assert verdicts["signup_date", "12/31/2024"] == "2024-12-31"
    assert verdicts["signup_date", "1949-12-31"] == "rejected"
    assert verdicts["updated_at", "2024-01-01 24:00:00"] == "rejected"
    assert verdicts["full_name", "line\nfeed"] == verdicts["full_name", "nul\x00l"] == "rejected"
    assert verdicts["full_name", "N/A"] == "None"
    assert verdicts["housing", " own "] == "own"
    assert verdicts["housing", "OWN"] == "rejected"
