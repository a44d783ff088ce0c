"""`solvent status`: the stacks, the last runs, the live model and the rows in the warehouse."""

from botocore.exceptions import ClientError
from rich.console import Console

from solvent.cli import output
from solvent.client import Platform, saved_query
from solvent.naming import PHASES, PORTFOLIOS
from solvent.warehouse.data_api import DataApiError


def show(console: Console, platform: Platform) -> None:
    """Print the state of a platform, each part read back from AWS."""
    console.print(f"Solvent [bold]{platform.target.place}[/]")
    stacks = platform.stacks()
    if not stacks:
        console.print(
            "Nothing is deployed there. `make demo` deploys into the embedded AWS, `cdk deploy --all` into an account."
        )
        return
    unwell = [s for s in stacks if not s["StackStatus"].endswith(("CREATE_COMPLETE", "UPDATE_COMPLETE"))]
    console.print(f"{len(stacks)} stacks, {len(stacks) - len(unwell)} complete")
    for stack in unwell:
        console.print(
            f"  {stack['StackName']}: {stack['StackStatus']} {stack.get('StackStatusReason', '')}", style="red"
        )
    _runs(console, platform)
    _champions(console, platform)
    _rows(console, platform)


def _runs(console: Console, platform: Platform) -> None:
    states = platform.target.client("stepfunctions")
    runs, causes = [], []
    for phase in PHASES:
        last = states.list_executions(stateMachineArn=platform.machine_arn(phase), maxResults=1)["executions"]
        runs.append(
            [phase, f"{last[0]['startDate']:%Y-%m-%d %H:%M:%S}" if last else "never", last[0]["status"] if last else ""]
        )
        if last and last[0]["status"] not in ("RUNNING", "SUCCEEDED"):
            failed = states.describe_execution(executionArn=last[0]["executionArn"])
            causes.append(f"{phase}: {failed.get('error', '')}: {failed.get('cause', '')}")
    output.rows(console, ["state machine", "last execution", "status"], runs, "Runs")
    for cause in causes:
        console.print(cause, style="red", markup=False, highlight=False, soft_wrap=True)


def _champions(console: Console, platform: Platform) -> None:
    for portfolio in PORTFOLIOS:
        try:
            live = platform.champion(portfolio)
        except ClientError:
            console.print(f"{portfolio}: no model is live yet")
            continue
        figures = ", ".join(f"{k} {v}" for k, v in sorted(live["metrics"].items()))
        console.print(f"{portfolio}: model version {live['version']} is {live['status']} ({figures})")


def _rows(console: Console, platform: Platform) -> None:
    try:
        columns, rows = saved_query(platform.target, "rows_by_source")
    except DataApiError as error:
        console.print(f"The warehouse did not answer: {error}", style="red")
        return
    output.rows(console, columns, rows, "Rows, from the load log")
