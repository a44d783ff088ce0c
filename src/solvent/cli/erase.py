"""`solvent erase`: ask the platform to erase a person, follow it, and show the proof."""

import json
import time
from typing import Any

from botocore.exceptions import ClientError
from rich.console import Console

from solvent import contracts, naming
from solvent.cli import output
from solvent.client import PlatformError
from solvent.contracts.people import person_source
from solvent.erasure import request
from solvent.target import Target

_AT_WORK = ("STARTING", "RUNNING", "STOPPING", "WAITING")


def ask(target: Target, *, portfolio: str, customer: str, reason: str, dry_run: bool) -> str:
    """Put the request where the job finds it, or find the one that has not ended; returns the erasure's id.

    Raises ErasureError for what is no id, and for a portfolio without natural persons.
    """
    source = person_source(contracts.load(), portfolio)
    if source is None:
        raise request.ErasureError(f"{portfolio} holds no natural person (no contract has a column of class direct).")
    who = str(target.client("sts").get_caller_identity()["Arn"])
    wanted = request.new(
        portfolio=portfolio, source=source, customer=customer, requested_by=who, reason=reason, dry_run=dry_run
    )
    s3, bucket = target.client("s3"), target.bucket("artifacts")
    begun = request.pending(s3, bucket, portfolio, customer, dry_run=dry_run)
    if begun is None:
        request.put(s3, bucket, wanted)
    return (begun or wanted).erasure_id


def follow(target: Target, erasure_id: str, console: Console) -> dict[str, Any]:
    """Start the job and wait for its end; returns the proof. Raises PlatformError."""
    glue, job = target.client("glue"), target.names.erase_job
    try:
        run = glue.start_job_run(JobName=job, Arguments={"--erasure_id": erasure_id})["JobRunId"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConcurrentRunsExceededException":
            raise
        raise PlatformError(
            f"Another erasure is at work. Erasure {erasure_id} waits: give the same command again when it has ended."
        ) from error
    begun, pause = time.monotonic(), 0.2
    with console.status(f"erasure {erasure_id}") as status:
        while True:
            state = glue.get_job_run(JobName=job, RunId=run)["JobRun"]
            if state["JobRunState"] not in _AT_WORK:
                break
            step = _step(target, erasure_id) or state["JobRunState"].lower()
            status.update(f"erasure {erasure_id}: {step}, {time.monotonic() - begun:.0f} s")
            time.sleep(pause)
            pause = min(pause * 1.2, 5 if target.endpoint_url is None else 0.5)
    if state["JobRunState"] != "SUCCEEDED":
        raise PlatformError(
            f"Erasure {erasure_id} {state['JobRunState']}: {state.get('ErrorMessage', 'no message')} "
            "Give the same command again: it goes on where this one ended."
        )
    return proof(target, erasure_id)


def proof(target: Target, erasure_id: str) -> dict[str, Any]:
    """The proof of an erasure that has ended."""
    body = target.client("s3").get_object(Bucket=target.bucket("artifacts"), Key=naming.proof_key(erasure_id))["Body"]
    return dict(json.loads(body.read()))


def show(console: Console, proof: dict[str, Any]) -> None:
    """What was done, in figures; nothing of the person."""
    names = ("objects", "versions") if proof.get("dry_run") else ("rewritten", "deleted", "rows", "versions_removed")
    rows = [[zone, *(_figure(of[name]) for name in names)] for zone, of in proof["zones"].items()]
    output.rows(console, ["zone", *(n.replace("_", " ") for n in names)], rows, "Lake")
    output.rows(console, ["table", "rows"], [[t, n] for t, n in proof["warehouse"].items()], "Warehouse")
    if proof.get("dry_run"):
        console.print("A dry run: nothing was changed.")
    else:
        kept, years = proof["decisions"]["retained"], proof["decisions"]["years"]
        looked = proof["verification"]["zones"].values()
        objects, versions = (sum(zone[what] for zone in looked) for what in ("objects", "versions"))
        console.print(f"{kept} decisions stay for {years} years, under a random pseudonym (ops.retained_decisions).")
        console.print(
            f"Looked through again: {versions} versions of {objects} objects and "
            f"{len(proof['verification']['tables'])} tables: nothing is left."
        )
    if not proof["known"]:
        console.print("No row of such a customer was known. Nobody was barred.", style="yellow")
    console.print(f"{'Report' if proof.get('dry_run') else 'Proof'}: {proof['proof']}", soft_wrap=True)
    for line in proof.get("not_reached", []):
        console.print(f"Not reached: {line}", style="dim", soft_wrap=True)


def _figure(value: Any) -> int:
    return value if isinstance(value, int) else len(value)


def _step(target: Target, erasure_id: str) -> str:
    """How far the job says it is."""
    at = {"Bucket": target.bucket("artifacts"), "Key": naming.erasure_work(erasure_id) + "step.json"}
    try:
        return str(json.loads(target.client("s3").get_object(**at)["Body"].read())["step"])
    except ClientError:
        return ""
