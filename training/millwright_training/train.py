"""Training: features in, one ONNX graph and what must be known about it out.

Method: an ensemble of multilayer perceptrons on standardised features, Adam, squared loss
(piecewise-linear remaining useful life: Heimes 2008).
"""

from __future__ import annotations

import json
import warnings

import numpy as np
import onnx
import onnxruntime
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from .baseline import baseline_of
from .container import Refused, channel, hyperparameters, root
from .features import read_features
from .onnx_graph import build_graph
from .season import require_times, season_of

MIN_ROWS = 50
#: The validated range is the training range, widened by this share of its width on each side.
ENVELOPE_MARGIN = 0.1


def settings_of(hp: dict[str, str]) -> dict:
    """Trainer settings with their defaults. Raises Refused naming one that is unknown."""
    given = json.loads(hp["settings"])
    settings = {"hidden": "64,32", "alpha": 0.01, "epochs": 100, "members": 3, "learningRate": 0.001, "batch": 256} | given
    unknown = set(given) - {"hidden", "alpha", "epochs", "members", "learningRate", "batch"}
    if unknown:
        raise Refused(f"unknown trainer settings {sorted(unknown)}; known: hidden, alpha, epochs, members, learningRate, batch")
    return settings


def envelope_of(x: np.ndarray) -> dict:
    low, high = x.min(axis=0), x.max(axis=0)
    margin = ENVELOPE_MARGIN * (high - low) + 1e-9 + 1e-6 * np.abs(high)
    return {"schema": "envelope/1", "ranges": np.stack([low - margin, high + margin], axis=1).tolist()}


def rmse(model: onnx.ModelProto, x: np.ndarray, y: np.ndarray) -> float:
    if len(x) == 0:
        return 0.0
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    predicted = session.run(["y"], {"x": x.astype(np.float32)})[0][:, 0]
    return float(np.sqrt(np.mean((predicted - y) ** 2)))


def fit(x: np.ndarray, y: np.ndarray, settings: dict, seed: int, cap: float) -> onnx.ModelProto:
    """An ensemble on float64 [rows, F] and labels [rows]. Raises Refused when a loss is not finite."""
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    z = np.clip((x - mean) / scale, -8, 8)
    hidden = tuple(int(h) for h in str(settings["hidden"]).split(","))
    target_scale = max(float(np.abs(y).max()), 1e-9)
    members = []
    for m in range(int(settings["members"])):
        net = MLPRegressor(
            hidden_layer_sizes=hidden,
            alpha=float(settings["alpha"]),
            batch_size=min(int(settings["batch"]), len(z)),
            learning_rate_init=float(settings["learningRate"]),
            max_iter=int(settings["epochs"]),
            n_iter_no_change=int(settings["epochs"]),
            random_state=seed * 1000 + m,
        )
        with warnings.catch_warnings():
            # The number of epochs is the setting; not to converge within it is no news.
            warnings.simplefilter("ignore", ConvergenceWarning)
            try:
                net.fit(z, y / target_scale)
            except ValueError as error:
                raise Refused(f"member {m}: training broke down ({error}); lower learningRate") from error
        if not np.isfinite(net.loss_):
            raise Refused(f"member {m}: loss is {net.loss_}; lower learningRate, now {settings['learningRate']}")
        print(f"member={m}; loss={net.loss_:.6f};", flush=True)
        members.append(list(zip(net.coefs_, net.intercepts_, strict=True)))
    return build_graph(members, mean, scale, cap, target_scale)


def train() -> None:
    """Reads channels `train` and `calibration`, writes model.fp32.onnx, metrics, baseline, envelope to the model folder."""
    hp = hyperparameters()
    names = json.loads(hp["feature_names"])
    settings = settings_of(hp)
    seed = int(hp["seed"])
    season = season_of(hp)
    x, y, runs, contexts, times = read_features(channel("train"), len(names))
    cx, cy, *_ = read_features(channel("calibration"), len(names))
    if len(x) < MIN_ROWS:
        raise Refused(f"{len(x)} labelled rows in channel 'train', at least {MIN_ROWS} are needed; record more runs that ended")
    if not np.isfinite(y).all():
        raise Refused("labels are not all finite; materialise the snapshot again")
    if season is not None:
        require_times(times)
    print(f"rows={len(x)}; runs={len(set(runs))}; features={len(names)};", flush=True)
    model = fit(x, y, settings, seed, cap=float(y.max()))
    metrics = {
        "schema": "training-metrics/1",
        "snapshotDigest": hp["snapshot_digest"],
        "featureSetDigest": hp["feature_set_digest"],
        "trainRows": len(x),
        "calibrationRows": len(cx),
        "trainRmse": rmse(model, x, y),
        "calibrationRmse": rmse(model, cx, cy),
        "seed": seed,
        "settings": settings,
        "libraries": {
            "scikit-learn": sklearn.__version__,
            "onnx": onnx.__version__,
            "onnxruntime": onnxruntime.__version__,
            "numpy": np.__version__,
        },
    }
    if not np.isfinite([metrics["trainRmse"], metrics["calibrationRmse"]]).all():
        raise Refused("the trained model answers NaN; lower learningRate")
    out = root() / "model"
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.fp32.onnx").write_bytes(model.SerializeToString(deterministic=True))
    for name, document in {
        "metrics.json": metrics,
        "baseline.json": baseline_of(x, runs, names, hp["feature_set_digest"], contexts, season, times),
        "envelope.json": envelope_of(x),
    }.items():
        (out / name).write_text(json.dumps(document))
    print(f"train_rmse={metrics['trainRmse']:.4f}; calibration_rmse={metrics['calibrationRmse']:.4f};", flush=True)


