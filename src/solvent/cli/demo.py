"""`solvent demo`: one pass from nothing to predictions, every figure read back through AWS APIs."""

import json
import os
import platform as machine
import time
from collections.abc import Callable
from dataclasses import dataclass, field
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
from solvent.client import Platform, PlatformError, query
from solvent.datasets import DatasetError
from solvent.delivery import DeliveryError
from solvent.target import Target, checkout, home
from solvent.warehouse.data_api import DataApiError

ENVIRONMENT = "dev"
ANALYST_QUERY = "sql/analytics/risk_bands.sql"
EVENTS = 20
ABOUT = {
    "synthetic": "The portfolio is synthetic. With a real file: make demo SOURCE=german SOLVENT_DATA=FOLDER",
    "german": "The 1,000 applicants, their 20 attributes and their labels are real (UCI German Credit). What the file\n"
    "lacks (dates, payments, events, income...) is generated, and nothing generated is a feature. Each loan\n"
    "has a label, so the batch predictions are in-sample; the AUC is out of fold.",
}
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
    steps: list[dict[str, Any]] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)

    def run(self) -> int:
        """Returns the exit code; out/demo.json is written either way."""
        begun = time.monotonic()
        steps: tuple[tuple[str, Callable[[], str]], ...] = (
            (f"write the {self.source} data", self._data),
            ("start the embedded AWS", self._up),
            ("synthesize dev", self._synthesize),
            ("cdk bootstrap", self._bootstrap),
            ("cdk deploy --all", self._deploy),
            ("load", self._load),
            ("pipeline", self._pipeline),
            ("score through SageMaker", self._score),
            ("score through the REST API", self._score_by_api),
            ("stream events", self._stream),
            ("query the warehouse", self._query),
            ("read back the figures", self._read_back),
        )
        failed = next((name for name, step in steps if not self._step(name, step)), None)
        self._write(time.monotonic() - begun)
        if failed:
            self.console.print(
                f"\n[red]The demo failed at '{failed}'.[/] The platform is left as it is: `solvent status`."
            )
            return 1
        self._panel(time.monotonic() - begun)
        return 0

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

    def _data(self) -> str:
        self.folder = self.out / "deliveries" / self.source
        data = os.environ.get("SOLVENT_DATA")
        datasets.write(
            self.source, self.folder, size=self.size, seed=self.seed, data_folder=Path(data) if data else None
        )
        return str(self.folder)

    def _load(self) -> str:
        self.manifest = self.platform.load(self.folder)
        return self.manifest

    def _pipeline(self) -> str:
        done = self.platform.run(
            "pipeline",
            {"manifest": self.manifest},
            on_state=lambda state: self._tell(f"pipeline: {state}"),
            timeout=900,
        )
        if done.status != "SUCCEEDED":
            raise PlatformError(f"{done.status}: {done.error}: {done.cause}")
        self.run_id = done.output["run_id"]
        return f"run {self.run_id} SUCCEEDED"

    def _score(self) -> str:
        applicant = json.loads((checkout() / "examples" / "applicant.json").read_text())
        answer = self.found["prediction"] = self.platform.score(applicant)
        return f"probability of default {answer['probability']:.3f}, score {answer['score']}: {answer['decision']}"

    def _score_by_api(self) -> str:
        applicant = json.loads((checkout() / "examples" / "applicant.json").read_text())
        answer = self.platform.score_by_api(applicant)
        if answer["probability"] != self.found["prediction"]["probability"]:
            raise PlatformError(f"The API answered {answer['probability']}, SageMaker {self.found['prediction']}")
        return f"{self.platform.api_url}/v1/score agrees"

    def _stream(self) -> str:
        marks = [f"demo-{self.run_id}-{int(time.time())}-{i}" for i in range(EVENTS)]
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

    def _query(self) -> str:
        columns, rows = query(self.target, (checkout() / ANALYST_QUERY).read_text())
        self.answer = columns, rows
        return f"{len(rows)} rows"

    def _read_back(self) -> str:
        sql = (checkout() / "sql/analytics/rows_of_run.sql").read_text()
        columns, rows = query(self.target, sql, {"run_id": self.run_id})
        counts = self.found["rows"] = {c.removeprefix("rows_"): int(v) for c, v in zip(columns, rows[0], strict=True)}
        if counts["in"] != counts["good"] + counts["quarantined"] + counts["duplicates"]:
            raise PlatformError(f"Rows are not accounted for: {counts}")
        live = self.platform.champion()
        metrics = live["metrics"]
        self.found["model"] = {
            "auc": float(metrics["auc"]),
            "accuracy": float(metrics["accuracy"]),
            "majority_accuracy": float(metrics["majority_accuracy"]),
            "rows": int(float(metrics["rows"])),
        }
        self.found["versions"] = {
            "model": live["version"],
            "python": machine.python_version(),
            **{name: version(name) for name in ("solvent", "ministack", "aws-cdk-lib", "duckdb", "scikit-learn")},
        }
        parts = f"{counts['good']} good + {counts['quarantined']} quarantined + {counts['duplicates']} duplicates"
        return f"{counts['in']} rows in = {parts}"

    # What is left behind

    def _log(self, name: str) -> Path:
        return home() / "logs" / f"{name}.log"

    def _write(self, seconds: float) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        report = {"steps": self.steps, **self.found, "total_seconds": round(seconds, 2)}
        (self.out / "demo.json").write_text(json.dumps(report, indent=2) + "\n")

    def _panel(self, seconds: float) -> None:
        model, address = self.found["model"], self.target.endpoint_url
        output.rows(self.console, *self.answer, Path(ANALYST_QUERY).stem.replace("_", " "))
        lines = f"""
Everything ran in {seconds:.0f} s in the embedded AWS, from the templates that go to AWS.
{ABOUT[self.source]}

AWS endpoint  {address}; for the AWS CLI and boto3: export AWS_ENDPOINT_URL={address}
              export AWS_REGION={self.target.region} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
REST API      {self.platform.api_url}/v1/health
Model         version {self.found["versions"]["model"]}: out-of-fold AUC {model["auc"]:.3f} on {model["rows"]} loans,
              accuracy {model["accuracy"]:.3f} (always "repays": {model["majority_accuracy"]:.3f})
Seconds       {" · ".join(f"{step['name']} {step['seconds']:.1f}" for step in self.steps)}
Figures       {self.out / "demo.json"}

Next, after `source .venv/bin/activate`:
  solvent status
  solvent score examples/applicant.json
  solvent sql {ANALYST_QUERY}
  solvent run      (again: a completed run changes nothing)
  solvent down
"""
        width = min(self.console.width, 120)  # a pipe has no width
        self.console.print(Rule("Solvent"), width=width)
        self.console.print(lines.strip(), markup=False, highlight=False, soft_wrap=True)
        self.console.print(Rule(), width=width)
