"""Data sets for a demonstration and for tests: per portfolio a synthetic one, and real files of UCI."""

from pathlib import Path

__all__ = ["SOURCES", "DatasetError", "write"]

SOURCES = ("synthetic", "german", "bankruptcy", "polish")


class DatasetError(Exception):
    """A data set cannot be written; the message says why and what to do."""


def write(
    source: str, folder: Path, *, size: int = 1000, seed: int = 0, leak: bool = False, data_folder: Path | None = None
) -> Path:
    """Write the delivery of a data set into `folder` (emptied of earlier files first) and return it.

    `synthetic`: `size` customers and as many loans; `leak` plants a level that only defaulted loans have.
    `german`: the 1000 real applicants of `data_folder`/german.data.
    `bankruptcy`: `size` companies. `polish`: the 5910 real company-years of `data_folder`/polish_5year.parquet.
    Raises DatasetError when the source is not known or the file is absent or not the published one.
    """
    if source == "synthetic":
        from solvent.datasets import synthetic

        synthetic.generate(folder, customers=size, loans=size, seed=seed, leak=leak)
    elif source == "german":
        from solvent.datasets import german

        if data_folder is None:
            raise DatasetError(
                "The German Credit file is not part of Solvent. Name the folder that holds german.data "
                "(UCI Statlog German Credit): make demo SOURCE=german SOLVENT_DATA=FOLDER. Nothing was written."
            )
        german.load(data_folder, folder, seed=seed)
    elif source == "bankruptcy":
        from solvent.datasets import bankruptcy

        bankruptcy.generate(folder, size=size, seed=seed)
    elif source == "polish":
        from solvent.datasets import polish

        if data_folder is None:
            raise DatasetError(
                "The Polish bankruptcy data are not part of Solvent. Name the folder that holds polish_5year.parquet "
                "(UCI 365): make demo SOURCE=polish SOLVENT_DATA=FOLDER. Nothing was written."
            )
        polish.load(data_folder, folder)
    else:
        raise DatasetError(f"There is no data set {source!r}; there are {', '.join(SOURCES)}. Nothing was written.")
    return folder
