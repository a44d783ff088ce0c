"""Beginning, completing and failing a phase of a run: what each state machine's first and last state call.

A run's id is a hash of manifest and code version: the same delivery under the same code is the same run, and a phase
of it that has completed is not done again. One execution per portfolio at a time; one that waits for a person
(`solvent.approval`) makes way for the others.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from solvent import delivery, failures, ledger, naming, specification
from solvent.champion import live_model
from solvent.delivery import DeliveryError
from solvent.holders import Holders
from solvent.ledger import AWAITING_APPROVAL, COMPLETED, FAILED, RUNNING, Ledger, Table, key_of, utc_now
from solvent.logs import log
from solvent.naming import NO_BASE, Names

_RUN_ID = re.compile(r"[0-9a-f]{16}")


class NothingIngested(Exception):
    """There is no completed ingest to train on or to score."""


class NoChampion(Exception):
    """There is no endpoint, so there is no model to score with."""


class RunUnderWay(Exception):
    """Another execution has begun this very run and goes on with it."""


class InvalidRun(Exception):
    """A state machine's input that no run can be made of; the message says what to change."""


class RunControl:
    """The runs of one environment. `s3`, `states`, `sagemaker` and `glue` are boto3 clients."""

    def __init__(
        self,
        *,
        table: Table,
        s3: Any,
        states: Any,
        sagemaker: Any,
        glue: Any,
        names: Names,
        account: str,
        region: str,
        code_version: str,
    ) -> None:
        self._s3, self._states, self._sagemaker, self._names = s3, states, sagemaker, names
        self._code_version = code_version
        self._buckets = {zone: names.bucket(zone, account, region) for zone in naming.ZONES}
        self._alive = Holders(states, glue).alive
        self.ledger = Ledger(table, alive=self._alive)

    def begin(self, *, phase: str, execution: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Take the portfolio's lock and describe the run to do; `completed` says that there is nothing left to do.

        `request` is the execution's input: {"manifest"} or {"portfolio"[, "run_id"][, "challenger_weight"]}, and "root"
        when a pipeline calls. Phase `score`, and a challenger's `train`, are described with the `champion`. Raises
        DeliveryError, NothingIngested, NoChampion, PortfolioBusy, RunUnderWay, InvalidRun.
        """
        if phase not in naming.PHASES:
            raise InvalidRun(f"phase is one of {', '.join(naming.PHASES)}, not {phase!r}.")
        root = self._root(request.get("root"), execution)
        weight = _challenger_weight(phase, request.get("challenger_weight"))
        delivered = self._delivered(str(request["manifest"])) if request.get("manifest") else None
        portfolio = delivered["portfolio"] if delivered else _portfolio(request.get("portfolio"))
        # Before the look-up of latest ingest and champion: what is under way, and may change them, ends first.
        self.ledger.acquire(portfolio, root)
        try:
            facts = delivered or self._ingested(portfolio, request.get("run_id"))
            champion = self.champion(portfolio) if phase == "score" or weight else None
            if phase == "ingest":
                facts = {**facts, "base": self.ledger.base(portfolio, facts["dataset"], facts["run_id"]) or NO_BASE}
            key = ledger.key(phase, portfolio, facts["run_id"], champion)
            done = self.ledger.run(key)
            self._refuse_twice(key, done, execution)
            completed = done.get("status") == COMPLETED
            if delivered and not completed:
                self._refuse_older(delivered)
            attempt = (
                int(done["attempt"]) if completed else self.ledger.begin(key, execution, {"phase": phase, **facts})
            )
        except Exception:
            self._release(portfolio, execution)
            raise
        if completed:
            self._release(portfolio, execution)
        log("run_begun", phase=phase, portfolio=portfolio, run_id=facts["run_id"], attempt=attempt, completed=completed)
        return {
            **self._described(phase, facts, attempt, champion),
            "challenger_weight": weight,
            "execution": execution,
            "root": root,
            "completed": completed,
        }

    def complete(self, *, run: Mapping[str, Any], result: Any) -> dict[str, Any]:
        """Write the phase's report, mark it completed, and release the lock if this execution holds it."""
        facts = {name: run[name] for name in ("portfolio", "run_id", "as_of", "dataset", "manifest")}
        facts["excluded_features"] = json.loads(run["excluded_features"])
        facts["base"] = None if run["base"] == NO_BASE else run["base"]
        report = self._report(run, "completed", {"result": result})
        if run["phase"] == "ingest":
            # Before the run is marked: were it the other way round, a crash in between would leave an old pointer,
            # and the next attempt would find nothing to do.
            self.ledger.point_latest(run["portfolio"], facts)
        self.ledger.note(key_of(run), COMPLETED, {**facts, "report": report})
        self._release(run["portfolio"], run["execution"])
        log("run_completed", phase=run["phase"], portfolio=run["portfolio"], run_id=run["run_id"])
        return {name: run[name] for name in ("run_id", "phase", "portfolio")} | {"report": report}

    def fail(self, *, execution: str, error: Mapping[str, Any], run: Mapping[str, Any] | None) -> dict[str, Any]:
        """Say which state failed and why, write that as the report, and release what this execution holds.

        Returns {"error", "cause"} for the Fail state. `run` is absent when its beginning is what failed.
        """
        state = failures.failed_state(self._history(execution)) or "an unknown state"
        name = str(error.get("Error") or "States.TaskFailed")
        cause = f"state {state} failed: {failures.explain(str(error.get('Cause') or name))}"
        if run:
            report = self._report(run, "failed", {"error": name, "cause": cause})
            # What has completed stays so, even if the state that said it failed afterwards.
            if self.ledger.run(key_of(run)).get("status") != COMPLETED:
                self.ledger.note(key_of(run), FAILED, {"report": report})
        for portfolio in naming.PORTFOLIOS:
            self._release(portfolio, execution)
        log("run_failed", level="ERROR", execution=execution, error=name, state=state)
        return {"error": name, "cause": cause}

    def _root(self, named: Any, execution: str) -> str:
        """The execution that owns the lock: a pipeline of this environment that is at work, else this one itself."""
        if not named or named == execution:
            return execution
        if f":execution:{self._names.state_machine('pipeline')}:" not in str(named) or not self._alive(str(named)):
            raise InvalidRun("root is the running pipeline that calls; leave it out to run this machine by itself.")
        return str(named)

    def _refuse_older(self, delivered: Mapping[str, Any]) -> None:
        """An older state of affairs must not overwrite a newer one of the same data set. Raises DeliveryError."""
        latest = self.ledger.latest(delivered["portfolio"], delivered["dataset"])
        if latest and str(latest["as_of"]) > str(delivered["as_of"]):
            raise DeliveryError(
                f"{delivered['manifest']} is as of {delivered['as_of']}, but {latest['as_of']} is loaded already (run "
                f"{latest['run_id']}): it would overwrite newer rows. Deliver a newer state of affairs; nothing ran."
            )

    def _delivered(self, uri: str) -> dict[str, Any]:
        """The facts of a run from its manifest in the landing zone. Raises DeliveryError."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if bucket != self._buckets["landing"] or not key.endswith("/" + delivery.MANIFEST):
            raise DeliveryError(
                f"{uri} is no manifest of the landing zone: expected s3://{self._buckets['landing']}/<portfolio>/"
                f"<delivery>/{delivery.MANIFEST}. Deliver with `solvent load`; nothing ran."
            )
        try:
            body = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchKey", "NoSuchBucket"):
                raise
            raise DeliveryError(f"{uri} does not exist. Deliver with `solvent load`; nothing ran.") from error
        manifest = delivery.parse(body)
        if key != naming.manifest_key(manifest.portfolio, manifest.delivery_id):
            raise DeliveryError(
                f"{uri} describes {manifest.portfolio}/{manifest.delivery_id}: it lies in the wrong place."
            )
        spec = specification.load(_portfolio(manifest.portfolio))
        return {
            "portfolio": manifest.portfolio,
            "run_id": delivery.run_id(body, self._code_version),
            "as_of": manifest.as_of,
            "dataset": manifest.dataset,
            "manifest": uri,
            "excluded_features": list(spec.generated_features(manifest.provenance)),
        }

    def _ingested(self, portfolio: str, run_id: str | None) -> dict[str, Any]:
        """The facts of the given run's completed ingest, or of the latest one. Raises NothingIngested."""
        if run_id:
            if not _RUN_ID.fullmatch(str(run_id)):
                raise InvalidRun(f"run_id is 16 hexadecimal digits, not {str(run_id)[:40]!r}.")
            item = self.ledger.run(ledger.key("ingest", portfolio, run_id, None))
            item = item if item.get("status") == COMPLETED else {}
        else:
            item = self.ledger.latest(portfolio)
        if not item:
            which = f"Run {run_id} of {portfolio}" if run_id else portfolio
            raise NothingIngested(f"{which} has no completed ingest. Deliver with `solvent load`, then run `ingest`.")
        names = ("portfolio", "run_id", "as_of", "dataset", "manifest", "excluded_features")
        return {name: item[name] for name in names}

    def champion(self, portfolio: str) -> str:
        """The model that is live. Raises NoChampion."""
        endpoint = self._names.endpoint(portfolio)
        model = live_model(self._sagemaker, endpoint)
        if model is None:
            raise NoChampion(
                f"{portfolio} has no champion yet: there is no endpoint {endpoint}. Run `train` (or `pipeline`) first, "
                "and where a person approves models, approve its package; nothing was done."
            )
        return model

    def _refuse_twice(self, key: str, item: Mapping[str, Any], execution: str) -> None:
        """Who waits for an approval holds no lock: its run is not begun a second time. Raises RunUnderWay."""
        status, other = item.get("status"), str(item.get("execution"))
        if status not in (RUNNING, AWAITING_APPROVAL) or other == execution or not self._alive(other):
            return
        package = item["model_package"] if status == AWAITING_APPROVAL else "a model package, if it waits for one"
        raise RunUnderWay(
            f"{key} is under way in {other} and goes on by itself. Approve or reject {package}; to begin anew, stop "
            "that execution first. Nothing ran."
        )

    def _described(self, phase: str, facts: dict[str, Any], attempt: int, champion: str | None) -> dict[str, Any]:
        portfolio, run_id = facts["portfolio"], facts["run_id"]
        spec = specification.load(portfolio)
        return {
            **facts,
            "phase": phase,
            "attempt": attempt,
            "base": facts.get("base") or NO_BASE,
            "champion": champion or "",
            "excluded_features": json.dumps(facts["excluded_features"]),
            "job_name": self._job_name(portfolio, run_id, attempt, champion),
            "report": self._uri("artifacts", naming.report_key(portfolio, run_id, f"{phase}{_mark(champion)}")),
            "training_prefix": self._uri("training", naming.table_prefix(portfolio, spec.features_table, run_id)),
            "batch_prefix": self._uri("training", naming.table_prefix(portfolio, spec.batch_table, run_id)),
            "predictions_prefix": self._uri(
                "artifacts", naming.predictions_prefix(portfolio, run_id, champion or "none")
            ),
            "endpoint": self._names.endpoint(portfolio),
            "model_package_group": self._names.model_package_group(portfolio),
        }

    def _job_name(self, portfolio: str, run_id: str, attempt: int, champion: str | None) -> str:
        # SageMaker allows 63 characters.
        return f"{self._names.endpoint(portfolio)}-{run_id}{_mark(champion)}-{attempt}"

    def _report(self, run: Mapping[str, Any], status: str, more: dict[str, Any]) -> str:
        key = naming.report_key(run["portfolio"], run["run_id"], f"{run['phase']}{_mark(run['champion'])}")
        body = {"status": status, "finished_at": utc_now(), "run": dict(run), **more}
        self._s3.put_object(
            Bucket=self._buckets["artifacts"],
            Key=key,
            Body=json.dumps(body, indent=1, sort_keys=True, default=str).encode(),
            ContentType="application/json",
        )
        return self._uri("artifacts", key)

    def _release(self, portfolio: str, execution: str) -> None:
        if self.ledger.release(portfolio, execution):
            log("lock_released", portfolio=portfolio)

    def _history(self, execution: str) -> Iterator[Mapping[str, Any]]:
        more: dict[str, str] = {}
        while True:
            page = self._states.get_execution_history(executionArn=execution, reverseOrder=True, maxResults=200, **more)
            yield from page["events"]
            if not page.get("nextToken"):
                return
            more = {"nextToken": page["nextToken"]}

    def _uri(self, zone: str, key: str) -> str:
        return f"s3://{self._buckets[zone]}/{key}"


def _mark(champion: str | None) -> str:
    """What tells apart the jobs and reports of one run by its champion: two may score it, or be challenged on it."""
    return f"-{hashlib.sha256(champion.encode()).hexdigest()[:6]}" if champion else ""


def _portfolio(name: Any) -> str:
    if name not in naming.PORTFOLIOS:
        raise InvalidRun(f"portfolio is one of {', '.join(naming.PORTFOLIOS)}, not {str(name)[:40]!r}.")
    return str(name)


def _challenger_weight(phase: str, weight: Any) -> float:
    """The share of requests that a challenger is to get; 0 for a model that is to be champion. Raises InvalidRun."""
    if weight is None:
        return 0.0
    if phase != "train" or isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < 1:
        raise InvalidRun(
            f"challenger_weight is an input of `train`, above 0 and below 1, not {str(weight)[:40]!r}; leave it out to "
            "train a champion. Nothing ran."
        )
    return float(weight)
