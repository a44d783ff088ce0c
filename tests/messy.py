"""Portfolios that are small and as bad as files get: what engines read differently if one lets them."""

import csv
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

from solvent import contracts
from solvent.contracts import Contract
from solvent.datasets import synthetic
from solvent.delivery import DELETED

HOSTILE: dict[str, list[str]] = {
    "annual_income": [
        *(
            "1_000",
            "1d",
            "nan",
            "inf",
            "1e5",
            "0x10",
            "(12.50)",
            "(-5)",
            "-$5",
            "$-5",
            "1,23",
            "12,345.678",
            "1,234,567",
        ),
        *("2.675", "0.125", "1.005", ".5", "5.", "  7 ", "\u00a07", "\uff15", "$ 9", "€9.10", "£1", "+4", "--4", "4-"),
        *("123456789012345", "99999999999.99", "1234567890123456"),
    ],
    "credit_score": [
        *("600.0", "600.", "600.5", "6e2", "0600", "-600", "3000000000", "\u0666\u0660\u0660", "299", "851", " 700 "),
    ],
    "signup_date": [
        *("2024-02-29", "2023-02-29", "2015-2-3", "2019", "29.02.2024", "1.2.2024", "31.04.2024", "12/31/2024"),
        *("31/12/2024", "2024-01-01\n", "1949-12-31", "0001-01-01", "9999-12-31", "2024-01-01 00:00:00", "01-02-2024"),
    ],
    "updated_at": [
        *("2024-01-01T10:00:00Z", "2024-01-01 24:00:00", "2024-01-01 23:59:60", "2024-01-01 10:00", "2024-01-01"),
        *(
            "2024-01-01 10:00:00.123456",
            "2024-01-01 10:00:00.1234567",
            "2024-01-01 10:00:00+02:00",
            "2024-03-31 02:30:00",
        ),
    ],
    "full_name": [
        'Ann "Q" Lee',
        "back\\slash",
        "tab\there",
        "line\nfeed",
        "nul\x00l",
        "Zoë 你好",
        "N/A",
        "x" * 101,
        "a,b",
    ],
    "housing": ["OWN", " own ", "own\n", "own\u00a0", "none"],
    "email": ["a@b", "a b@c", "@", "ä@ö.example", "a@b\n", "-"],
}


# Per file of the bankruptcy portfolio: texts by the header of their column.
HOSTILE_COMPANIES: dict[str, dict[str, list[str]]] = {
    "company_financials.csv": {
        "company_id": ["7", "7.0", "KRS 7", "KRS-7", "krs7", "123456789", "-7", "７", "1e3", "0000000", "7.5"],
        "company_name": [
            "",
            "Ltd",
            "Å&B+C, Inc.",
            "ﬁne ﬂour",
            "İstanbul ıI",
            "Straße SE",
            "e\u0301tude S.A.",
            "ŉ",
            "你好 AG",
        ],
        "fiscal_year": [
            "2019/20",
            "1999/00",
            "1999/2000",
            "2019/21",
            "FY 2019",
            "fy2019",
            "19",
            "2019-20",
            "ſ2019",
            "2019.5",
        ],
        "fiscal_year_end": ["Feb 29, 2020", "29 February 2019", "31-DEC-2020", "1 Sept. 2020", "20201301", "20200630"],
        "published_date": ["March 5 2021", "5. March 2021", "05-Mär-2021", "ſep 5 2021", "2021-13-01", "13/12/2021"],
        "total_assets": ["(1)", "$(1)", "1.0000000000000000005", "1e9", "0", "-0", "999999999999999.99", "#DIV/0!"],
        "sales": ["0", "-5", "(5.5)", "0.001", "#N/A"],
    },
    "accounting_ratios.txt": {
        "company_no": ["", "#", "99999999", "123456789"],
        "current_ratio": ["1e5", "NaN", "inf", "0.000000123456789012", "123456789.123456789012345678", "-.5", "-0.0"],
        "fy": ["2019/20", "FY2019/2020", "2019/2021", "2019."],
    },
    "bankruptcy_filings.txt": {
        "chapter": ["CH-7", "c h 7", "vii", "Chapter 7.", "Chapter 77", "\u212aapitel 7", "７"],
        "filing_date": [
            "20230229",
            "Feb 29, 2024",
            "31-Apr-2023",
            "12/31/2023",
            "31/12/2023",
            "1.1.2023",
            "May 1, 2023",
        ],
        "company_name": ["Nobody", ""],
    },
}


def change(path: Path, column: str, value: str, *, every: int) -> None:
    """Write `value` into a column of each record of that many that has one."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    at = header.index(column)
    for row in rows[::every]:
        if len(row) == len(header) and row[at]:
            row[at] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def lending(folder: Path) -> None:
    """A messy portfolio, and one customer more for each hostile value."""
    synthetic.generate(folder, customers=60, loans=60, seed=11, mess=3.0)
    path = folder / "customer_profile.csv"
    # What the features must tell apart: late profiles, underpaid instalments, a window from a leap day.
    change(path, "updated_at", "2025-12-31 10:00:00", every=3)
    change(folder / "repayment_history.csv", "amount_paid", "1.00", every=40)
    change(folder / "loan_application.csv", "application_date", "2024-02-29", every=9)
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    template = next(r for r in rows if len(r) == len(header) and r[0].startswith("C"))
    number = 500_000
    for column, values in HOSTILE.items():
        for value in values:
            number += 1
            row = dict(zip(header, template, strict=True)) | {"customer_id": f"C{number}", column: value}
            rows.append(list(row.values()))
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def bankruptcy(folder: Path) -> None:
    """Companies with their files' odd formats and planted faults, and one row more for each hostile value."""
    from solvent.datasets import bankruptcy as companies

    companies.generate(folder, size=60, seed=11, mess=3.0)
    for name, columns in HOSTILE_COMPANIES.items():
        path = folder / name
        delimiter = "\t" if name == "accounting_ratios.txt" else ";"
        head, *lines = path.read_text(encoding="utf-8-sig").splitlines()
        header = head.split(delimiter)
        templates = itertools.cycle([f for line in lines if len(f := line.split(delimiter)) == len(header)])
        for column, values in columns.items():
            for value in values:
                fields = next(templates).copy()
                fields[header.index(column)] = value
                lines.append(delimiter.join(fields))
        path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")


def redeliver(portfolio: str, folder: Path, target: Path) -> None:
    """A later state of a delivered folder, as a snapshot: rows are gone, changed, older than before, or tombstones.

    One row in 40 each, and one in 40 has a new version that breaks its contract: the version before stays.
    """
    target.mkdir(parents=True)
    shutil.copy(folder / "delivery.json", target)
    for source in contracts.load().sources(portfolio):
        for path in sorted(folder.glob(f"{source.name}*.*")):
            with path.open(encoding="utf-8-sig", newline="") as file:
                header, *rows = csv.reader(file, delimiter=source.delimiter)
            with (target / path.name).open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, delimiter=source.delimiter)
                writer.writerow([*header, DELETED])
                writer.writerows(_later(source, header, rows))


def _later(source: Contract, header: list[str], rows: list[list[str]]) -> Iterator[list[str]]:
    names = [source.headers.get(name, name) for name in header]
    version = names.index(source.version_column) if source.version_column else None
    typed = next((names.index(c.name) for c in source.columns if c.required and c.type in ("date", "integer")), None)
    for number, row in enumerate(rows):
        kind = number % 40
        if len(row) != len(header):
            yield row
        elif kind != 1:  # the second is gone
            later = [*row, "true" if kind == 3 else ""]
            if version is not None and kind in (2, 3, 4, 5):
                year = "2010" if kind == 4 else "2026"
                later[version] = f"{year}-06-2{kind} 12:00:00"
            if typed is not None and kind == 5:
                later[typed] = "unknown"
            yield later
