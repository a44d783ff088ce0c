"""Data sets for a demonstration and for tests: a synthetic portfolio, and the real UCI German Credit file."""

from pathlib import Path

__all__ = ["SOURCES", "DatasetError", "write"]

SOURCES = ("synthetic", "german")


class DatasetError(Exception):
    """A data set cannot be written; the message says why and what to do."""


def write(source: str, folder: Path, *, size: int = 1000, seed: int = 0, data_folder: Path | None = None) -> Path:
    """Write the delivery of a data set into `folder` (emptied of earlier CSV files first) and return it.

    `synthetic`: `size` customers and as many loans. `german`: the 1000 real applicants of `data_folder`/german.data.
    Raises DatasetError when the source is not known or the file is absent or not the published one.
    """
    if source == "synthetic":
        from solvent.datasets import synthetic

        synthetic.generate(folder, customers=size, loans=size, seed=seed)
    elif source == "german":
        from solvent.datasets import german

        if data_folder is None:
            raise DatasetError(
                "The German Credit file is not part of Solvent. Name the folder that holds german.data "
                "(UCI Statlog German Credit): make demo SOURCE=german SOLVENT_DATA=FOLDER. Nothing was written."
            )
        german.load(data_folder, folder, seed=seed)
    else:
        raise DatasetError(f"There is no data set {source!r}; there are {' and '.join(SOURCES)}. Nothing was written.")
    return folder
