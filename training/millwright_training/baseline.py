"""What drift is measured against: fixed edges, the training distribution, and how much windows of it differ anyway."""

from __future__ import annotations

import numpy as np

BINS = 10
#: Half a count in every bin (Jeffreys): as core/drift/effects/psi.ts does.
PRIOR = 0.5
#: Devices send a digest after this many decisions, so windows are whole multiples of it.
DIGEST_ROWS = 100
#: With fewer windows the judgement calls itself uncalibrated (core/drift/tolerance/tolerance-test.ts).
ENOUGH_WINDOWS = 100
LONGEST_WINDOW = 500


def window_rows(rows: int) -> int:
    """Rows of a reference window: the longest one that still leaves enough windows; a long one sees smaller changes."""
    most = rows // ENOUGH_WINDOWS // DIGEST_ROWS * DIGEST_ROWS
    return int(np.clip(most, DIGEST_ROWS, LONGEST_WINDOW))


def psi_counts(reference: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Population stability index of counts [..., bins] against reference counts of the same shape."""
    p, q = ((c + PRIOR) / (c + PRIOR).sum(axis=-1, keepdims=True) for c in (reference, counts))
    return ((q - p) * np.log(q / p)).sum(axis=-1)


def window_statistics(bins: np.ndarray, width: int, length: int) -> dict:
    """What windows of `length` consecutive entries of `bins` say against the rows outside of them.

    The statistic n m / (n + m) * PSI would be chi-square with bins - 1 degrees of freedom if rows were independent
    (Yurdakul & Naranjo 2020); its mean and variance over windows say how far they are from it (Satterthwaite 1946).
    """
    count = len(bins) // length
    if count < 2:
        return {}
    total = np.bincount(bins, minlength=width)
    windows = np.stack([np.bincount(w, minlength=width) for w in bins[: count * length].reshape(count, length)])
    others = len(bins) - length
    statistic = length * others / len(bins) * psi_counts(total - windows, windows)
    return {
        "windowStatistic": {"mean": float(statistic.mean()), "variance": float(statistic.var(ddof=1))},
        "fewestBins": int((windows > 0).sum(axis=1).min()),
    }


def in_order_of_runs(runs: np.ndarray) -> np.ndarray:
    """Row numbers with each run's rows together and in their order, runs by first appearance."""
    _, first, inverse = np.unique(runs.astype(str), return_index=True, return_inverse=True)
    return np.argsort(first[inverse], kind="stable")


def baseline_of(x: np.ndarray, runs: np.ndarray, names: list[str], feature_set_digest: str) -> dict:
    """Quantile bins of each feature on the training rows x float64 [rows, F] of `runs` [rows].

    Windows are taken over the runs end to end, as a device with one machine sees them: one life, then the next. A device
    with several machines mixes them, and its windows differ less than that; so the test keeps its level there.
    """
    ordered = x[in_order_of_runs(runs)]
    length = window_rows(len(x))
    features = []
    for k, name in enumerate(names):
        column = ordered[:, k]
        edges = np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1]))
        bins = np.searchsorted(edges, column, side="right")
        counts = np.bincount(bins, minlength=len(edges) + 1)
        features.append(
            {
                "name": name,
                "edges": edges.tolist(),
                "shares": (counts / counts.sum()).tolist(),
                "mean": float(column.mean()),
                "std": float(column.std()),
                **window_statistics(bins, len(edges) + 1, length),
            }
        )
    return {
        "schema": "baseline/1",
        "featureSetDigest": feature_set_digest,
        "rows": len(x),
        "windows": {"rows": length, "count": len(x) // length},
        "features": features,
    }
