"""`solvent migrate`: what of the checkout the warehouse has not seen, and bringing it up to date.

Both go through the function `solvent-<environment>-migrate`, which holds the right to the administrator's secret: who
runs this needs `lambda:InvokeFunction` on it and nothing in the warehouse. It runs the SQL that was deployed with it,
never the caller's.
"""

import json
from typing import Any

from botocore.config import Config
from rich.console import Console

from solvent.client import PlatformError
from solvent.target import Target, configuration
from solvent.warehouse import options, upgrade
from solvent.warehouse.upgrade import Ledgers, Pending

_LONGEST_INVOCATION = 900


class Upgrade:
    """The warehouse of one environment, beside the files of this checkout."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def pending(self) -> Pending:
        """What of the checkout is not in the warehouse. Raises MigrationError, MartError, PlatformError."""
        switches = configuration(self._target.names.environment)["warehouse"]
        wanted = [name for name in options.read() if switches.get(name)]
        return upgrade.pending(Ledgers.of(self._ask("ledgers")), wanted)

    def apply(self) -> dict[str, list[str]]:
        """Apply what was deployed; {"migrations", "marts", "options"}. Raises PlatformError."""
        return dict(self._ask("apply"))

    def _ask(self, action: str) -> Any:
        target, function = self._target, self._target.names.named("migrate")
        patient = Config(read_timeout=_LONGEST_INVOCATION + 10, retries={"max_attempts": 0})
        client = target.session.client("lambda", endpoint_url=target.endpoint_url, config=patient)
        try:
            answer = client.invoke(FunctionName=function, Payload=json.dumps({"action": action}).encode())
        except client.exceptions.ResourceNotFoundException as error:
            raise PlatformError(
                f"There is no function {function}: the platform is not deployed. Try `make demo`."
            ) from error
        body = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise PlatformError(f"{function} failed: {body.get('errorType')}: {body.get('errorMessage')}")
        return body


def show(console: Console, pending: Pending, prefix: str, *, statements: bool) -> None:
    """The plan, in the order in which it would run; with their statements if wanted."""
    lines: list[tuple[str, list[str]]] = [(f"migration {m.file}", m.statements(prefix)) for m in pending.migrations]
    lines += [(f"drop      marts.{name}", []) for name in pending.gone]
    lines += [(f"make      marts.{m.name} ({m.kind})", m.create()) for m in pending.marts]
    lines += [(f"option    {c.option.name}: {c}", c.statements(prefix)) for c in pending.options]
    for line, made in lines:
        console.print(line, markup=False, highlight=False)
        for statement in made if statements else []:
            console.print(f"{statement};", style="dim", markup=False, highlight=False, soft_wrap=True)
