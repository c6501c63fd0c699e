"""What the default rules of others say of windows of raw rows: does the data set drift?

Arguments: file of float64 reference rows, columns. Requests: {"windows": file of float64, "rows": rows of a window, "rules": names}.
Answers: by rule, a flag for each window, and the CPU seconds that all of them took together.
"""

import os
import sys
import time
import warnings

os.environ["DO_NOT_TRACK"] = "1"  # Evidently would tell its authors

import numpy as np
import pandas as pd
from answers import answer
from scipy import stats

warnings.filterwarnings("ignore")

columns = int(sys.argv[2])
names = [f"c{i}" for i in range(columns)]
reference = np.fromfile(sys.argv[1]).reshape(-1, columns)


def evidently():
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    definition = DataDefinition(numerical_columns=names)
    frame = lambda x: Dataset.from_pandas(pd.DataFrame(x, columns=names), data_definition=definition)  # noqa: E731
    known = frame(reference)
    report = Report([DataDriftPreset()])

    def drifts(window):
        result = report.run(frame(window), known)
        share = next(m["value"]["share"] for m in result.dict()["metrics"] if "DriftedColumnsCount" in m["metric_name"])
        return share >= 0.5

    return drifts


def evidently_statistic():
    """The statistic that Evidently chooses for such columns, without its reports: a lower bound of what it could take."""
    scale = np.maximum(reference.std(axis=0), 0.001)

    def drifts(window):
        far = [stats.wasserstein_distance(reference[:, k], window[:, k]) / scale[k] >= 0.1 for k in range(columns)]
        return np.mean(far) >= 0.5

    return drifts


def ks_bonferroni():
    def drifts(window):
        p = [stats.ks_2samp(window[:, k], reference[:, k], method="asymp").pvalue for k in range(columns)]
        return min(p) < 0.05 / columns

    return drifts


def psi_any(limit):
    edges = [np.unique(np.quantile(reference[:, k], np.linspace(0, 1, 11)[1:-1])) for k in range(columns)]

    def shares(x, k):
        counts = np.bincount(np.searchsorted(edges[k], x[:, k], side="right"), minlength=len(edges[k]) + 1)
        floored = np.maximum(counts / counts.sum(), 1e-4)
        return floored / floored.sum()

    known = [shares(reference, k) for k in range(columns)]

    def drifts(window):
        for k in range(columns):
            q = shares(window, k)
            if ((q - known[k]) * np.log(q / known[k])).sum() > limit:
                return True
        return False

    return drifts


RULES = {
    "evidently": evidently,
    "evidently-statistic": evidently_statistic,
    "ks-bonferroni": ks_bonferroni,
    "psi-0.1": lambda: psi_any(0.1),
    "psi-0.25": lambda: psi_any(0.25),
}


def judge(request):
    windows = np.fromfile(request["windows"]).reshape(-1, request["rows"], columns)
    answers = {}
    for rule in request["rules"]:
        drifts = RULES[rule]()
        drifts(windows[0])
        start = time.process_time()
        flags = [bool(drifts(w)) for w in windows]
        answers[rule] = {"flags": flags, "seconds": time.process_time() - start}
    return answers


answer({"windows": judge})
