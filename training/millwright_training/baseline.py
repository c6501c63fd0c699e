"""What drift is measured against: cells of each feature, what training had in them, and how much its windows differ anyway."""

from __future__ import annotations

import numpy as np

from .cells import UNITS, Cells, cells_of, pool_cells
from .joint import distances, joint_of

#: Half a count in every group (Jeffreys): as core/drift/effects/psi.ts does.
PRIOR = 0.5
#: Devices send a window after this many decisions, so windows are whole multiples of it.
DIGEST_ROWS = 100
#: With fewer windows the judgement calls itself uncalibrated (core/drift/tolerance/tolerance-test.ts).
ENOUGH_WINDOWS = 100
LONGEST_WINDOW = 500
T2, Q = "joint:t2", "joint:q"


def window_rows(rows: int) -> int:
    """Rows of a reference window: the longest one that still leaves enough windows; a long one sees smaller changes."""
    most = rows // ENOUGH_WINDOWS // DIGEST_ROWS * DIGEST_ROWS
    return int(np.clip(most, DIGEST_ROWS, LONGEST_WINDOW))


def psi_counts(reference: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Population stability index of counts [..., groups] against reference counts of the same shape."""
    p, q = ((c + PRIOR) / (c + PRIOR).sum(axis=-1, keepdims=True) for c in (reference, counts))
    return ((q - p) * np.log(q / p)).sum(axis=-1)


def in_order(contexts: np.ndarray, runs: np.ndarray) -> np.ndarray:
    """Row numbers with each context's rows together, and in it each run's in their order, runs by first appearance."""
    _, first, inverse = np.unique(runs.astype(str), return_index=True, return_inverse=True)
    return np.lexsort((first[inverse], contexts))


def windows_of(contexts: np.ndarray, length: int) -> np.ndarray:
    """First rows of windows of `length` rows without overlap, none in two contexts; the rest of a context is in none."""
    begins = np.flatnonzero(np.r_[True, contexts[1:] != contexts[:-1]])
    ends = np.r_[begins[1:], len(contexts)]
    return np.concatenate([np.arange(b, e - length + 1, length) for b, e in zip(begins, ends, strict=True)]).astype(int)


def counts_of(cells: np.ndarray, width: int, windows: np.ndarray, length: int) -> np.ndarray:
    """Rows [window, cell] of the windows."""
    within = cells[windows[:, None] + np.arange(length)] + width * np.arange(len(windows))[:, None]
    return np.bincount(within.ravel(), minlength=width * len(windows)).reshape(len(windows), width)


def window_statistic(counts: np.ndarray, totals: np.ndarray) -> dict | None:
    """Mean and variance over windows of n m / (n + m) * PSI against the m other rows of the context.

    counts [window, group], totals [window, group]: of the window's context, itself included. The statistic would be
    chi-square with groups - 1 degrees of freedom if rows were independent (Yurdakul & Naranjo 2020); its mean and
    variance say how far rows are from that (Satterthwaite 1946). None with fewer than two windows that have as many
    other rows at least to be held against.
    """
    n, rows = counts.sum(axis=1), totals.sum(axis=1)
    counts, totals, n, rows = (a[rows >= 2 * n] for a in (counts, totals, n, rows))
    if len(n) < 2:
        return None
    found = n * (rows - n) / rows * psi_counts(totals - counts, counts)
    mean, variance = float(found.mean()), float(found.var(ddof=1))
    # Windows that are all alike differ by rounding, which is no variance.
    return {"mean": mean, "variance": variance if variance > 1e-12 * mean**2 else 0.0}


def pooled(counts: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Counts [..., cell] as counts [..., group]; a cell that is in no group is left out."""
    return counts @ (groups[:, None] == np.arange(groups.max() + 1))


def _feature(name: str, column: np.ndarray, cells: Cells, contexts: np.ndarray, windows: np.ndarray, length: int) -> dict:
    numbers = cells.cell_of(column)
    by_context = np.stack([np.bincount(numbers[contexts == c], minlength=cells.count) for c in range(contexts.max() + 1)])
    counts = by_context.sum(axis=0)
    document = {"name": name, "cells": cells.document(), "counts": counts.tolist()}
    if len(windows) < 2:
        return document
    seen = counts_of(numbers, cells.count, windows, length)
    groups = pool_cells(cells, counts, length)
    statistic = window_statistic(pooled(seen, groups), pooled(by_context[contexts[windows]], groups))
    if statistic is not None:
        document["windowStatistic"] = statistic
    means = cells.z_of(column)[windows[:, None] + np.arange(length)].mean(axis=1) / UNITS
    return document | {"windowMeans": np.round(means, 6).tolist(), "fewestCells": int((seen > 0).sum(axis=1).min())}


def _context(name: str, x: np.ndarray, cells: list[Cells]) -> dict:
    counts = [np.bincount(c.cell_of(x[:, k]), minlength=c.count).tolist() for k, c in enumerate(cells)]
    return {"context": name, "rows": len(x), "counts": counts}


def baseline_of(
    x: np.ndarray, runs: np.ndarray, names: list[str], feature_set_digest: str, contexts: np.ndarray | None = None
) -> dict:
    """Baseline of the training rows x float64 [rows, F] of `runs` [rows] and, where rows know them, `contexts` [rows].

    Windows are taken over the runs of a context end to end, as a device with one machine sees them: one life, then the
    next. A device with several machines mixes them, and its windows differ less than that; so tests keep their level there.
    """
    kinds, kind = (["all"], np.zeros(len(x), dtype=int)) if contexts is None else np.unique(contexts.astype(str), return_inverse=True)
    order = in_order(kind, runs)
    x, kind = x[order], kind[order]
    length = window_rows(len(x))
    windows = windows_of(kind, length)
    cells = [cells_of(x[:, k]) for k in range(x.shape[1])]
    joint = joint_of(x, cells)
    if joint is not None:
        x = np.column_stack([x, *distances(x, joint)])
        names = [*names, T2, Q]
        cells += [cells_of(x[:, k]) for k in (-2, -1)]
    return {
        "schema": "baseline/2",
        "featureSetDigest": feature_set_digest,
        "rows": len(x),
        "windows": {"rows": length, "count": len(windows)},
        "features": [_feature(name, x[:, k], cells[k], kind, windows, length) for k, name in enumerate(names)],
        "joint": joint,
        "contexts": [] if contexts is None else [_context(str(c), x[kind == i], cells) for i, c in enumerate(kinds)],
    }
