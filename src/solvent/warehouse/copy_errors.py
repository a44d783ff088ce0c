"""What COPY could not take, read back from Redshift and put into quarantine as rows of the run.

A COPY that fails undoes its load, and says only which system view has the rest. The view shows a user its own loads:
docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html. A file whose form as a whole is wrong (a Parquet
schema that does not fit) has no line there; then the load's own message is all there is.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from solvent import contracts, naming
from solvent.warehouse import load
from solvent.warehouse.data_api import DataApi

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KIND = "copy"
# A load stops at its first COPY that fails: its lines have one time, the newest that names a file of the run.
_LAST = """
SELECT file_name, line_number, column_name, error_code, error_message FROM (
  SELECT TRIM(file_name) AS file_name, line_number, TRIM(column_name) AS column_name, error_code,
    TRIM(error_message) AS error_message, start_time, MAX(start_time) OVER () AS newest
  FROM sys_load_error_detail WHERE file_name LIKE :of_run
) AS found WHERE start_time = newest ORDER BY file_name, line_number, column_name LIMIT 1000
"""


def rows(api: DataApi, *, portfolio: str, run_id: str) -> list[dict[str, Any]]:
    """The lines that the run's last failed COPY refused, as rows of quarantine. Raises LoadError or DataApiError.

    They have file, line, column and reason, and nothing of the content.
    """
    load.check(portfolio, run_id)
    found = api.query(_LAST, {"of_run": f"%/run_id={run_id}/%"}, timeout=60).rows
    return [_row(portfolio, run_id, line) for line in found]


def keep(
    api: DataApi, s3: "S3Client", *, error: str, bucket: str, portfolio: str, run_id: str, phase: str, attempt: int
) -> str:
    """Put the lines of a load that failed with `error` into the quarantine zone; returns what to say of the failure.

    An error that is not COPY's is returned as it is. Raises LoadError or DataApiError.
    """
    if "load_error" not in error:
        return error
    refused = rows(api, portfolio=portfolio, run_id=run_id)
    if not refused:
        return error
    key = naming.copy_errors_key(portfolio, run_id, phase, attempt)
    body = "".join(json.dumps(row, sort_keys=True) + "\n" for row in refused)
    s3.put_object(Bucket=bucket, Key=key, Body=body.encode(), ContentType="application/jsonlines")
    return f"{_first(refused)}; all {len(refused)} in s3://{bucket}/{key}. {error}"


def _row(portfolio: str, run_id: str, line: Sequence[Any]) -> dict[str, Any]:
    file, number, column, code, message = line
    return {
        "run_id": run_id,
        "source": _source(portfolio, str(file)),
        "source_file": file,
        "row_number": number,
        "kind": KIND,
        "reason": f"{column} - {message} (COPY, error {code})",
        "record_key": None,
        "payload": "{}",
    }


def _source(portfolio: str, file: str) -> str:
    """The source that a file's table cleans, or the table: of a run's tables by the address, else of predictions."""
    known, folder = contracts.load(), file.partition("/run_id=")[0].rpartition("/")[2]
    contract = known[folder] if folder in known else load.predictions_of(known, portfolio)
    return contract.source or contract.name


def _first(refused: Sequence[Mapping[str, Any]]) -> str:
    row = refused[0]
    return f"COPY refused {row['source_file']}, line {row['row_number']}: {row['reason']}"
