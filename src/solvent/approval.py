"""While a person decides on a model package: the portfolio is free for others, and the lock is taken again afterwards.

Training may wait for days. Nothing of the portfolio is touched in that time, so the lock is not needed; what another
execution did meanwhile is looked at when the lock is held again.
"""

from collections.abc import Mapping
from typing import Any

from solvent import champion
from solvent.ledger import AWAITING_APPROVAL, RUNNING, Ledger, key_of
from solvent.logs import log


class NewerChampion(Exception):
    """The approved package is older than what went live while it waited."""


class Approval:
    """Pausing and resuming a run. `sagemaker` is a boto3 client."""

    def __init__(self, ledger: Ledger, sagemaker: Any) -> None:
        self._ledger, self._sagemaker = ledger, sagemaker

    def pause(self, *, run: Mapping[str, Any], package: str) -> dict[str, Any]:
        """Note which package is waited for, then release the lock, which is the root execution's. Can be repeated."""
        self._ledger.note(key_of(run), AWAITING_APPROVAL, {"model_package": package})
        released = self._ledger.release(run["portfolio"], run["root"])
        log("run_paused", portfolio=run["portfolio"], run_id=run["run_id"], package=package, released=released)
        return {"released": released}

    def resume(self, *, run: Mapping[str, Any], version: int) -> dict[str, Any]:
        """Take the lock for the root execution again, and see that package version `version` may still go live.

        Returns {"live_version"}, None when nothing is live. Raises PortfolioBusy, NewerChampion, UnknownVersion.
        """
        self._ledger.acquire(run["portfolio"], run["root"])
        live = champion.live_version(self._sagemaker, run["endpoint"])
        if live is not None and live > int(version):
            raise NewerChampion(
                f"Version {version} of {run['model_package_group']} was approved, but version {live} went live while "
                f"it waited, and an older model does not replace a newer one. {run['endpoint']} stays on version "
                f"{live}. Start `train` again for a newer version of this run, if it is the data you want."
            )
        self._ledger.note(key_of(run), RUNNING, {})
        log("run_resumed", portfolio=run["portfolio"], run_id=run["run_id"], version=int(version), live=live)
        return {"live_version": live}
