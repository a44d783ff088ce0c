"""The fifth year of UCI's Polish companies bankruptcy data as a delivery: 5910 companies, 64 ratios, real labels.

Tomczak, S. (2016), https://doi.org/10.24432/C5F600, CC BY 4.0. The data set has neither names nor dates nor
statements: numbers, names, years and times are generated and listed as such in `delivery.json`. Features and labels
are the published ones.
"""

from pathlib import Path

import numpy as np

from solvent import contracts
from solvent.contracts import Column
from solvent.datasets import DatasetError
from solvent.datasets.files import Array, Text, write

FILE = "polish_5year.parquet"
ROWS, RATIOS = 5910, 64
LABEL = "class"  # 1 = bankrupt within a year
AS_OF = np.datetime64("2014-12-31")
YEAR = 2012
_GENERATED = ("company_id", "company_name", "fiscal_year", "updated_at")


def load(source_folder: Path, folder: Path) -> None:
    """Write the delivery of `source_folder`/polish_5year.parquet (as of 2014-12-31) into `folder`.

    Statements are left out, filings are a header without rows. Raises DatasetError that names the file when it is
    absent or not the published one.
    """
    ratios, bankrupt = read(source_folder / FILE)
    table: Text = {name: [] for name in contracts.load()["accounting_ratios"].column_names}
    company, years_before = _companies(ratios)
    year = (YEAR - years_before).tolist()
    table["company_id"] = [f"{n:08d}" for n in company.tolist()]
    table["company_name"] = [f"Polish company {n}" for n in company.tolist()]
    table["fiscal_year"] = [str(y) for y in year]
    # Known a hundred days after the year, so on the day of observation.
    table["updated_at"] = [f"{y + 1}-04-10 12:00:00" for y in year]
    table["published_bankrupt"] = [str(b) for b in bankrupt.tolist()]
    for column in attributes():
        table[column.name] = [_exact(v) for v in ratios[column.name].tolist()]
    settings = {
        "as_of": str(AS_OF),
        "dataset": "polish",
        "portfolio": "bankruptcy",
        "provenance": {"accounting_ratios": dict.fromkeys(_GENERATED, "generated")},
    }
    filings: Text = {name: [] for name in contracts.load()["bankruptcy_filings"].column_names}
    write(folder, {"accounting_ratios": table, "bankruptcy_filings": filings}, settings=settings)


def attributes() -> list[Column]:
    """The ratios of the contract in the order Attr1 to Attr64, which is that of the file's columns."""
    columns = contracts.load()["accounting_ratios"].columns
    ratios = [c for c in columns if c.description.startswith("Attr")]
    return sorted(ratios, key=lambda c: int(c.description.partition(":")[0].removeprefix("Attr")))


def read(path: Path) -> tuple[dict[str, Array], Array]:
    """The ratios {name: (5910,) floats with NaN}, and the published label, (5910,) of 0 and 1."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise DatasetError(
            f"{path} does not exist. SOLVENT_DATA must name the folder with {FILE}; nothing was written."
        ) from None
    except pa.ArrowInvalid:
        raise DatasetError(f"{path} is not a Parquet file; fetch {FILE} again. Nothing was written.") from None
    names = table.column_names
    if table.num_rows != ROWS or len(names) != RATIOS + 1 or names[-1] != LABEL:
        raise DatasetError(
            f"{path} should have {ROWS} rows, {RATIOS} ratios and {LABEL}; it has {table.num_rows} rows and "
            f"{len(names)} columns. Nothing was written."
        )
    ratios = {
        column.name: np.asarray(table.column(at).to_numpy(zero_copy_only=False), dtype=np.float64)
        for at, column in enumerate(attributes())
    }
    return ratios, table.column(LABEL).to_numpy().astype(int)


def _companies(ratios: dict[str, Array]) -> tuple[Array, Array]:
    """A number per row, and how many years before YEAR it is set, both (5910,).

    Equal rows are made one company in different years: a model that was fitted on one of them must not be judged by
    another, and rows of one company share a fold.
    """
    rows = np.nan_to_num(np.stack(list(ratios.values()), axis=1), nan=np.inf)
    _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    company = first[inverse.ravel()] + 1
    order = np.argsort(company, kind="stable")
    starts = np.flatnonzero(np.diff(company[order], prepend=0))
    years_before = np.empty(len(company), dtype=int)
    years_before[order] = np.arange(len(company)) - np.repeat(starts, np.diff(np.append(starts, len(company))))
    return company, years_before


def _exact(value: float) -> str:
    """The shortest text that reads back as the same number, without an exponent."""
    return "" if value != value else np.format_float_positional(value, trim="-")
