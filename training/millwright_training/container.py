"""The SageMaker container contract: where input lies, where output goes, how a failure is told."""

from __future__ import annotations

import json
import os
from pathlib import Path


class Refused(Exception):
    """Input that cannot be learned from; the message says what was wrong and what to do."""


def root() -> Path:
    """`/opt/ml`, below the folder that stands for `/` where there is no mount namespace (the local plant)."""
    return Path(os.environ.get("MILLWRIGHT_ML_ROOT", "/")) / "opt/ml"


def hyperparameters() -> dict[str, str]:
    path = root() / "input/config/hyperparameters.json"
    if not path.exists():
        raise Refused(f"{path} is missing: run under the SageMaker container contract")
    return json.loads(path.read_text())


def channel(name: str) -> Path:
    path = root() / "input/data" / name
    if not path.is_dir():
        raise Refused(f"channel '{name}' is missing: name it in InputDataConfig")
    return path


def fail(reason: str) -> int:
    """Writes the reason where SageMaker reads FailureReason; returns the exit code."""
    output = root() / "output"
    output.mkdir(parents=True, exist_ok=True)
    (output / "failure").write_text(reason[:1024])
    print(f"error: {reason}", flush=True)
    return 1
