"""Statistics of whole series by numpy and by tsfresh's minimal set, and of sliding windows by numpy.

Arguments: file of float64 series, samples of a series, file of float64 rows, signals of a row, rows of a window.
"""

import sys

import numpy as np
import pandas as pd
from answers import answer, best_batch, in_batches, rate
from tsfresh import extract_features
from tsfresh.feature_extraction import MinimalFCParameters

series = np.fromfile(sys.argv[1]).reshape(-1, int(sys.argv[2]))
rows = np.fromfile(sys.argv[3]).reshape(-1, int(sys.argv[4]))
window = int(sys.argv[5])


def of_series(x):
    return np.stack(
        [
            x.mean(axis=1),
            x.std(axis=1),
            np.sqrt(np.mean(x**2, axis=1)),
            np.abs(x).max(axis=1),
            x.min(axis=1),
            np.median(x, axis=1),
            x.max(axis=1),
        ],
        axis=1,
    )


ages = np.arange(window)[::-1]
weights = 0.9**ages
times = -ages - np.mean(-ages)


def of_rows(x):
    """Seven statistics of each signal over the window that ends at each row."""
    # One signal's windows after the other lie together in memory.
    views = np.lib.stride_tricks.sliding_window_view(np.ascontiguousarray(x.T), window, axis=1)
    statistics = [
        views.mean(axis=2),
        views.std(axis=2),
        views @ times / (times @ times),
        views @ weights / weights.sum(),
        views.min(axis=2),
        np.median(views, axis=2),
        views.max(axis=2),
    ]
    return np.stack(statistics, axis=2).transpose(1, 0, 2).reshape(views.shape[1], -1)


# A frame of long form, as tsfresh takes it; made once, not counted.
some = 200
long = pd.DataFrame({"id": np.repeat(np.arange(some), series.shape[1]), "value": series[:some].ravel()})
settings = MinimalFCParameters()


def tsfresh_minimal():
    extract_features(long, column_id="id", default_fc_parameters=settings, n_jobs=0, disable_progressbar=True)


works = {}


def prepare(_):
    batch = best_batch(of_series, series)
    works["numpy, vectorised"] = (len(series), in_batches(of_series, series, batch))
    works["tsfresh, minimal set"] = (some, tsfresh_minimal)
    works["numpy, sliding windows"] = (len(rows), lambda: of_rows(rows))
    return {"batch": batch}


def features(_):
    return {"series": of_series(series).tolist(), "rows": of_rows(rows).tolist()}


answer(
    {
        "prepare": prepare,
        "features": features,
        "measure": lambda request: {"rate": rate(*works[request["measure"]], request["seconds"])},
    }
)
