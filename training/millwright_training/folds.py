"""Folds: what each candidate's settings reach on runs that it did not learn from.

Not a job of the platform: `millwright evaluate` calls it on the person's machine, in the container's folders.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import numpy as np
import onnxruntime

from .container import Refused, channel, hyperparameters, root
from .features import read_features
from .train import fit, settings_of

_data: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None


def _load(width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows, their labels and their folds, read once in each process."""
    global _data
    if _data is None:
        x, y, runs, *_ = read_features(channel("train"), width)
        places = json.loads((root() / "input/config/folds.json").read_text())["folds"]
        missing = sorted(set(runs) - set(places))
        if missing:
            raise Refused(f"run {missing[0]} is in no fold ({len(missing)} runs are not); name each run in folds.json")
        _data = x, y, np.asarray([places[run] for run in runs], dtype=int)
    return _data


def fold_error(settings: dict, seed: int, width: int, fold: int) -> dict:
    """Trains on the other folds' rows, answers the fold's rows by the ONNX graph. Squared errors, label units."""
    x, y, folds = _load(width)
    left_out = folds == fold
    if left_out.all() or not left_out.any():
        raise Refused(f"fold {fold} has {left_out.sum()} of {len(x)} rows: nothing to learn from or to answer; give fewer folds")
    with contextlib.redirect_stdout(io.StringIO()):
        model = fit(x[~left_out], y[~left_out], settings, seed, cap=float(y[~left_out].max()))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    predicted = session.run(["y"], {"x": x[left_out].astype(np.float32)})[0][:, 0]
    return {"rows": int(left_out.sum()), "sumSquared": float(np.sum((predicted - y[left_out]) ** 2))}


def folds() -> None:
    """Reads channel `train` and input/config/folds.json {candidates, folds: run -> fold}, writes output/folds.json.

    Prints a line `candidate=…; fold=…; rmse=…;` as each comes in. One process a core: a fold trains on one thread.
    """
    hp = hyperparameters()
    width, seed = len(json.loads(hp["feature_names"])), int(hp["seed"])
    plan = json.loads((root() / "input/config/folds.json").read_text())
    candidates = [settings_of({"settings": json.dumps(c)}) for c in plan["candidates"]]
    count = max(plan["folds"].values()) + 1
    errors: list[list[dict | None]] = [[None] * count for _ in candidates]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=get_context("spawn")) as pool:
        jobs = {
            pool.submit(fold_error, settings, seed, width, fold): (c, fold)
            for c, settings in enumerate(candidates)
            for fold in range(count)
        }
        try:
            for job in as_completed(jobs):
                c, fold = jobs[job]
                error = errors[c][fold] = job.result()
                print(f"candidate={c}; fold={fold}; rmse={(error['sumSquared'] / error['rows']) ** 0.5:.4f};", flush=True)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    output = root() / "output"
    output.mkdir(parents=True, exist_ok=True)
    (output / "folds.json").write_text(json.dumps({"candidates": errors}))
