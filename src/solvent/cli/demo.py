"""`solvent demo`: one pass from nothing to predictions, every figure read back through AWS APIs."""

import json
import os
import platform as machine
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.rule import Rule

from embedded_aws import lifecycle
from embedded_aws.lifecycle import LifecycleError
from solvent import datasets, deployment
from solvent.cli import output
from solvent.cli.showcases import ABOUT, SHOWCASES, Showcase
from solvent.client import Platform, PlatformError, query, saved_query
from solvent.datasets import DatasetError
from solvent.delivery import DeliveryError
from solvent.target import Target, checkout, home
from solvent.warehouse.data_api import DataApiError

ENVIRONMENT = "dev"
API_PORTFOLIO = "lending"  # what the REST API and the stream are about
EVENTS = 20
MOST_ROWS = 12
EXPECTED = (
    LifecycleError,
    deployment.DeploymentError,
    DatasetError,
    DeliveryError,
    PlatformError,
    DataApiError,
    ClientError,
    BotoCoreError,
    OSError,
)


@dataclass
class Demo:
    """The steps in order. Each returns one line that says what came of it."""

    console: Console
    source: str
    size: int
    seed: int
    reset: bool
    out: Path
    leak: bool = False
    steps: list[dict[str, Any]] = field(default_factory=list)
    _executions: dict[str, str] = field(default_factory=dict, init=False)  # portfolio -> ARN of its pipeline
    found: dict[str, Any] = field(default_factory=dict)
    answers: list[tuple[str, list[str], list[list[Any]]]] = field(default_factory=list)

    def run(self) -> int:
        """Returns the exit code; out/demo.json is written either way."""
        begun = time.monotonic()
        shown = SHOWCASES[self.source]
        failed = next((name for name, step in self._all(shown) if not self._step(name, step)), None)
        self._write(time.monotonic() - begun)
        if failed:
            self.console.print(
                f"\n[red]The demo failed at '{failed}'.[/] The platform is left as it is: `solvent status`."
            )
            return 1
        self._panel(time.monotonic() - begun)
        return 0

    def _all(self, shown: tuple[Showcase, ...]) -> Iterator[tuple[str, Callable[[], str]]]:
        """The steps in order; those of a portfolio are named after it."""
        for show in shown:
            yield f"write the {show.dataset} data", partial(self._data, show)
        yield "start the embedded AWS", self._up
        yield "synthesize dev", self._synthesize
        yield "cdk bootstrap", self._bootstrap
        yield "cdk deploy --all", self._deploy
        for show in shown:
            yield f"load {show.portfolio}", partial(self._load, show)
        for show in shown:  # all are under way from here on: portfolios do not wait for each other
            yield f"pipeline {show.portfolio}", partial(self._pipeline, show)
            yield f"score {show.portfolio} through SageMaker", partial(self._score, show)
        for show in shown:
            if show.portfolio == API_PORTFOLIO:
                yield "score through the REST API", partial(self._score_by_api, show)
                yield "stream events", partial(self._stream, show)
        for show in shown:
            yield f"query the {show.portfolio} warehouse", partial(self._query, show)
            yield f"read back the {show.portfolio} figures", partial(self._read_back, show)

    def _step(self, name: str, step: Callable[[], str]) -> bool:
        begun = time.monotonic()
        with self.console.status(name) as self._status:
            try:
                line, state = step(), "ok"
            except EXPECTED as error:
                line, state = str(error), "failed"
        seconds = time.monotonic() - begun
        self.steps.append({"name": name, "seconds": round(seconds, 2), "status": state})
        mark = "[green]✓[/]" if state == "ok" else "[red]✗[/]"
        self.console.print(f"{mark} {name:<28}[dim]{seconds:6.1f} s[/]  ", end="")
        self.console.print(line, markup=False, highlight=False, soft_wrap=True, style=None if state == "ok" else "red")
        return state == "ok"

    def _tell(self, text: str) -> None:
        self._status.update(f"{text[:100]}")

    # The steps

    def _up(self) -> str:
        running = lifecycle.up(home(), reset=self.reset)
        self.target = Target.at(running.url, ENVIRONMENT)
        self.platform = Platform(self.target)
        return running.notice or running.url

    def _synthesize(self) -> str:
        self.assembly = deployment.synthesize(ENVIRONMENT, self._log("synth"))
        return str(self.assembly.relative_to(checkout()))

    def _bootstrap(self) -> str:
        deployment.bootstrap(self.target, self.assembly, self._log("bootstrap"))
        return f"account {self.target.account_id}, {self.target.region}"

    def _deploy(self) -> str:
        deployment.deploy(self.target, self.assembly, self._log("deploy"), self._tell)
        return f"{len(self.platform.stacks())} stacks"

    def _data(self, show: Showcase) -> str:
        folder = self.out / "deliveries" / show.dataset
        data = os.environ.get("SOLVENT_DATA")
        datasets.write(
            show.dataset,
            folder,
            size=self.size,
            seed=self.seed,
            leak=self.leak,
            data_folder=Path(data) if data else None,
        )
        return str(folder)

    def _of(self, show: Showcase) -> dict[str, Any]:
        """What was found of a portfolio."""
        found: dict[str, Any] = self.found.setdefault("portfolios", {}).setdefault(show.portfolio, {})
        return found

    def _load(self, show: Showcase) -> str:
        """Deliver the files, and start the pipeline for them."""
        manifest = self._of(show)["manifest"] = self.platform.load(self.out / "deliveries" / show.dataset)
        self._executions[show.portfolio] = self.platform.start("pipeline", {"manifest": manifest})
        return manifest

    def _pipeline(self, show: Showcase) -> str:
        done = self.platform.follow(
            self._executions[show.portfolio],
            on_state=lambda state: self._tell(f"pipeline: {state}"),
            timeout=900,
        )
        if done.status != "SUCCEEDED":
            raise PlatformError(f"{done.status}: {done.error}: {done.cause}")
        run_id = self._of(show)["run_id"] = done.output["run_id"]
        return f"run {run_id} SUCCEEDED"

    def _score(self, show: Showcase) -> str:
        example = json.loads((checkout() / show.example).read_text())
        answer = self._of(show)["prediction"] = self.platform.score(example, show.portfolio)
        said = f"probability of {show.scored} {answer['probability']:.3f}, score {answer['score']}"
        return f"{said}: {answer['decision']}"

    def _score_by_api(self, show: Showcase) -> str:
        answer = self.platform.score_by_api(json.loads((checkout() / show.example).read_text()))
        prediction = self._of(show)["prediction"]
        if answer["probability"] != prediction["probability"]:
            raise PlatformError(f"The API answered {answer['probability']}, SageMaker {prediction}")
        return f"{self.platform.api_url}/v1/score agrees"

    def _stream(self, show: Showcase) -> str:
        marks = [f"demo-{self._of(show)['run_id']}-{int(time.time())}-{i}" for i in range(EVENTS)]
        rows = query(self.target, "SELECT loan_id FROM lending.loans ORDER BY loan_id LIMIT 20")[1]
        self.platform.put_events(
            [
                {
                    "event_id": m,
                    "loan_id": row[0],
                    "stage": "submitted",
                    "team": "branch",
                    "occurred_at": "2026-06-30T09:00:00",
                }
                for m, row in zip(marks, rows, strict=True)
            ]
        )
        for _ in range(150):
            arrived = {e["event_id"] for e in self.platform.stream_events()} & set(marks)
            if len(arrived) == EVENTS:
                return f"{EVENTS} Kinesis records are in the raw zone"
            time.sleep(0.2)
        raise PlatformError(f"only {len(arrived)} of {EVENTS} records arrived in the raw zone within 30 s")

    def _query(self, show: Showcase) -> str:
        columns, rows = saved_query(self.target, show.question)
        self.answers.append((show.question.replace("_", " "), columns, rows))
        return f"{len(rows)} rows"

    def _read_back(self, show: Showcase) -> str:
        found = self._of(show)
        columns, rows = saved_query(self.target, "rows_of_run", run_id=found["run_id"])
        counts = found["rows"] = {c.removeprefix("rows_"): int(v) for c, v in zip(columns, rows[0], strict=True)}
        if counts["in"] != counts["good"] + counts["quarantined"] + counts["duplicates"]:
            raise PlatformError(f"Rows are not accounted for: {counts}")
        live = self.platform.champion(show.portfolio)
        metrics = live["metrics"]
        found["model"] = {
            "version": live["version"],
            "auc": float(metrics["auc"]),
            "accuracy": float(metrics["accuracy"]),
            "majority_accuracy": float(metrics["majority_accuracy"]),
            "rows": int(float(metrics["rows"])),
        }
        parts = f"{counts['good']} good + {counts['quarantined']} quarantined + {counts['duplicates']} duplicates"
        return f"{counts['in']} rows in = {parts}"

    # What is left behind

    def _log(self, name: str) -> Path:
        return home() / "logs" / f"{name}.log"

    def _write(self, seconds: float) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        versions = {name: version(name) for name in ("solvent", "ministack", "aws-cdk-lib", "duckdb", "scikit-learn")}
        report = {
            "steps": self.steps,
            **self.found,
            "versions": {"python": machine.python_version(), **versions},
            "total_seconds": round(seconds, 2),
        }
        (self.out / "demo.json").write_text(json.dumps(report, indent=2) + "\n")

    def _panel(self, seconds: float) -> None:
        shown, address = SHOWCASES[self.source], self.target.endpoint_url
        for title, columns, rows in self.answers:
            output.rows(self.console, columns, rows[:MOST_ROWS], title)
        models = []
        for show in shown:
            model = self._of(show)["model"]
            models += [
                f"{show.portfolio}, version {model['version']}: out-of-fold AUC {model['auc']:.3f} on {model['rows']} "
                f"rows,",
                f'accuracy {model["accuracy"]:.3f} (always "{show.always}": {model["majority_accuracy"]:.3f})',
            ]
        of_portfolio = "" if shown[0].portfolio == API_PORTFOLIO else f" --portfolio {shown[0].portfolio}"
        model_lines = "\n              ".join(models)
        lines = f"""
Everything ran in {seconds:.0f} s in the embedded AWS, from the templates that go to AWS.
{ABOUT[self.source]}

AWS endpoint  {address}; for the AWS CLI and boto3: export AWS_ENDPOINT_URL={address}
              export AWS_REGION={self.target.region} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
REST API      {self.platform.api_url}/v1/health
Models        {model_lines}
Seconds       {" · ".join(f"{step['name']} {step['seconds']:.1f}" for step in self.steps)}
Figures       {self.out / "demo.json"}

Next, after `source .venv/bin/activate`:
  solvent status
  solvent score {shown[0].example}{of_portfolio}
  solvent query {shown[0].question}
  solvent run{of_portfolio}      (again: a completed run changes nothing)
  solvent down
"""
        width = min(self.console.width, 120)  # a pipe has no width
        self.console.print(Rule("Solvent"), width=width)
        self.console.print(lines.strip(), markup=False, highlight=False, soft_wrap=True)
        self.console.print(Rule(), width=width)
