"""One statement asked, and how its answer is written: a table, CSV, JSON or Parquet."""

import csv
import io
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console

from solvent.cli import output
from solvent.warehouse import advice, catalog
from solvent.warehouse.data_api import DataApi, DataApiError, Result, StatementFailed

FORMS = ("csv", "json", "parquet")
_PATIENCE = 3600  # seconds; the workgroup's own limit ends a statement before
_AROUND_THE_ROWS = 7  # lines of a screen that a table's frame, the count and the next prompt take
_FEWEST = 5


class AnswerError(Exception):
    """The answer cannot be written as asked; the message says how it can."""


@dataclass(frozen=True)
class Answer:
    """`rows` that a statement returned, or how many it `changed`; None where the warehouse does not say."""

    result: Result | None
    changed: int | None
    seconds: float


def ask(api: DataApi, sql: str, parameters: Mapping[str, str] | None = None) -> Answer:
    """Run one statement. Ctrl-C cancels it in the warehouse, too, and is raised again.

    Raises DataApiError; the error of a statement says where and what to do about it.
    """
    begun = time.monotonic()
    statement_id = api.submit(sql, parameters)
    try:
        done = api.wait(statement_id, timeout=_PATIENCE)
        result = api.rows(statement_id) if done.get("HasResultSet") else None
    except KeyboardInterrupt:
        _cancel(api, statement_id)
        raise
    except StatementFailed as error:
        raise DataApiError(advice.explain(str(error), sql, catalog.relations()), statement_id) from error
    changed = int(done.get("ResultRows", -1))
    return Answer(result, changed if changed >= 0 else None, time.monotonic() - begun)


def _cancel(api: DataApi, statement_id: str) -> None:
    try:
        api.cancel(statement_id)
    except DataApiError:
        return  # it has ended meanwhile


def form_of(chosen: Mapping[str, bool], out: Path | None) -> str:
    """`table`, `csv`, `json` or `parquet`: what is chosen, else what the file's name ends in. Raises AnswerError."""
    forms = [form for form in FORMS if chosen.get(form)]
    if len(forms) > 1:
        raise AnswerError(f"Choose one of {', '.join('--' + form for form in forms)}.")
    if out and not forms:
        forms = [form for form in FORMS if out.suffix == f".{form}"]
        if not forms:
            raise AnswerError(f"{out} ends in none of .csv, .json, .parquet: choose --csv, --json or --parquet.")
    if forms == ["parquet"] and not out:
        raise AnswerError("Parquet is no text for a screen: add --out FILE.parquet.")
    if out and not out.absolute().parent.is_dir():
        raise AnswerError(f"There is no folder {out.absolute().parent} for {out.name}. Nothing was asked.")
    return forms[0] if forms else "table"


def show(to: Console, answer: Answer, *, everything: bool = False, timed: bool = True, more: str = "--all") -> None:
    """A table and its count; cut to the screen's height unless `everything`, which `more` asks for."""
    said, rows = "Done", answer.result.rows if answer.result else []
    if answer.result:
        most = len(rows) if everything or not to.is_terminal else max(_FEWEST, to.height - _AROUND_THE_ROWS)
        output.rows(to, answer.result.columns, rows[:most])
        said = _counted(len(rows)) + (f", the first {most} shown: {more} shows every row" if most < len(rows) else "")
    elif answer.changed is not None:
        said = f"Done, {_counted(answer.changed)}"
    to.print(said + (f" ({answer.seconds:.2f} s)" if timed else ""), style="dim", soft_wrap=True, highlight=False)


def write(to: Console, answer: Answer, form: str, out: Path | None) -> None:
    """CSV, JSON or Parquet to a file, or to standard output. Raises AnswerError when there are no rows to write."""
    if answer.result is None:
        raise AnswerError(f"The statement was run and returns no rows; nothing was written as {form}.")
    content = _FORMS[form](answer.result)
    if out is None:
        sys.stdout.write(content.decode())
        return
    out.write_bytes(content)
    to.print(f"{_counted(len(answer.result.rows))} in {out} ({answer.seconds:.2f} s)", soft_wrap=True)


def _counted(rows: int) -> str:
    return f"{rows:,} row{'' if rows == 1 else 's'}"


def _csv(result: Result) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(result.columns)
    writer.writerows(result.rows)
    return text.getvalue().encode()


def _json(result: Result) -> bytes:
    """A list of objects; decimals become numbers, SUPER becomes what it holds."""
    rows = [dict(zip(result.columns, _plain(result, row), strict=True)) for row in result.rows]
    return (json.dumps(rows, default=float, ensure_ascii=False, indent=1) + "\n").encode()


def _plain(result: Result, row: list[Any]) -> list[Any]:
    kinds = result.types or [""] * len(row)
    return [json.loads(v) if k == "super" and isinstance(v, str) else v for v, k in zip(row, kinds, strict=True)]


def _parquet(result: Result) -> bytes:
    """Dates, times, integers and decimals with their types; what Redshift has beyond these as text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    repeated = sorted({name for name in result.columns if result.columns.count(name) > 1})
    if repeated:
        raise AnswerError(f"Parquet needs names of its own for the columns {', '.join(repeated)}: use AS.")
    kinds = result.types or ["varchar"] * len(result.columns)
    columns = [_column(pa, [row[i] for row in result.rows], kind) for i, kind in enumerate(kinds)]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, names=result.columns), sink)
    return sink.getvalue()


def _column(pa: Any, values: list[Any], kind: str) -> Any:
    kind = kind.lower()
    if kind in ("numeric", "decimal"):
        exact = [None if v is None else Decimal(str(v)) for v in values]
        places = max((-int(v.as_tuple().exponent) for v in exact if v is not None), default=0)
        return pa.array(exact, pa.decimal128(38, max(places, 0)))
    typed: dict[str, tuple[Any, Callable[[Any], Any]]] = {
        "int2": (pa.int16(), int), "int4": (pa.int32(), int), "int8": (pa.int64(), int), "bool": (pa.bool_(), bool),
        "float4": (pa.float32(), float), "float8": (pa.float64(), float), "date": (pa.date32(), date.fromisoformat),
        "timestamp": (pa.timestamp("us"), datetime.fromisoformat),
        "timestamptz": (pa.timestamp("us", "UTC"), datetime.fromisoformat),
    }  # fmt: skip
    made, read = typed.get(kind, (pa.string(), str))
    return pa.array([None if v is None else read(v) for v in values], made)


_FORMS = {"csv": _csv, "json": _json, "parquet": _parquet}
