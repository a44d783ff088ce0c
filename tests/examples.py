"""Examples that several tests share: loans, an evaluation, an event, an account with a live model."""

import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from fakes import SageMaker

from solvent import contracts, specification

SPEC = specification.load("lending")
ENDPOINT = "solvent-dev-lending"
EVENT = {
    "event_id": "E-1",
    "loan_id": "L000001",
    "stage": "submitted",
    "team": "north",
    "occurred_at": "2026-06-30T12:00:00Z",
}
GOOD: dict[str, Any] = {
    "auc": 0.78, "gini": 0.56, "ks": 0.4, "brier": 0.17, "accuracy": 0.74, "majority_accuracy": 0.7, "bad_rate": 0.3,
    "rows": 1000, "label_sources": ["observed"], "run_id": "0123456789abcdef",
    "parity": {"rows": 1000, "maximum_difference": 1e-7}, "latency_microseconds": 20.0,
    "decision": {"cost": 0.5, "cost_approve_all": 1.5, "cost_decline_all": 0.7},
    "leakage": {"levels": [], "known_afterwards": [], "feature_auc": {"amount": 0.6}},
    "calibration": {
        "slope": 1.0, "slope_interval": [0.9, 1.1], "expected_calibration_error": 0.02,
        "brier": 0.17, "brier_of_constant": 0.21, "log_loss": 0.5, "log_loss_of_constant": 0.61,
    },
    "stability": {
        "fold_auc_spread": 0.05, "spread_chance": 0.1,
        "shifts": [{"of": "fold 1", "psi": 0.02, "chance": 0.1, "rows": 200}],
    },
    "fairness": {
        name: {"ratio": 0.9, "label_ratio": 0.95, "lowest": "one", "highest": "other"} for name in SPEC.protected
    },
}  # fmt: skip
RUN = {
    "run_id": "0123456789abcdef",
    "portfolio": "lending",
    "endpoint": "solvent-dev-lending",
    "job_name": "solvent-dev-lending-0123456789abcdef-1",
}


MANIFEST = b'{"format": "solvent-model/1"}'


def archive(evaluation: Any, name: str = "./evaluation.json") -> bytes:
    """A model archive with this evaluation, and a model.json."""
    return packed(
        {"model.json": MANIFEST, name: evaluation if isinstance(evaluation, bytes) else json.dumps(evaluation).encode()}
    )


def packed(held: Mapping[str, bytes]) -> bytes:
    """A tar.gz of these members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, body in held.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
    return buffer.getvalue()


def portfolio(rows: int = 400, seed: int = 1) -> pd.DataFrame:
    """Loans whose default depends on amount and checking status; two loans per customer; some values missing."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "loan_id": [f"L{i:06d}" for i in range(rows)],
            "customer_id": [f"C{i // 2:06d}" for i in range(rows)],
            "label_source": "observed",
        }
    )
    for feature in SPEC.features:
        if feature.kind == "numeric":
            column = contracts.load()["application_features"].column(feature.name)
            low = 0.0 if column.minimum is None else float(column.minimum)
            width = 200.0 if column.maximum is None else min(float(column.maximum) - low, 200.0)
            frame[feature.name] = (low + width * random.beta(5, 5, rows)).round(2)
        else:
            frame[feature.name] = random.choice(["low", "high"], rows)
    logit = (frame["amount"] - 100) / 20 + (frame["checking_status"] == "low") * 1.5 - 1.5
    frame["defaulted"] = pd.array((random.random(rows) < 1 / (1 + np.exp(-logit))).astype(int), dtype="Int64")
    frame.loc[random.random(rows) < 0.1, "amount"] = np.nan
    frame.loc[random.random(rows) < 0.1, "savings"] = None
    return frame


def populated() -> SageMaker:
    sagemaker = SageMaker()
    sagemaker.endpoints[ENDPOINT] = {"config": f"{ENDPOINT}-a-1", "statuses": ["Updating", "InService"]}
    for run in ("a-1", "b-1", "c-1"):
        sagemaker.configs[f"{ENDPOINT}-{run}"] = [f"{ENDPOINT}-{run}"]
        sagemaker.models[f"{ENDPOINT}-{run}"] = "s3://x"
    # The names of others, which merely contain or resemble ours.
    sagemaker.models["other-solvent-dev-lending-x"] = "s3://x"
    sagemaker.models["solvent-dev-lendingclub-1"] = "s3://x"
    sagemaker.packages = ["arn:1", "arn:2", "arn:3"]
    return sagemaker
