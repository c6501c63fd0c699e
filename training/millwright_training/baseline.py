"""What drift is measured against: cells of each feature, what training had in them, and how much its windows differ anyway."""

from __future__ import annotations

import numpy as np

from .cells import UNITS, Cells, cells_of, pool_cells
from .joint import distances, joint_of
from .season import FEWEST_WINDOWS, Season, SeasonWindows, require_times, rows_of_cell, season_windows

#: Half a count in every group (Jeffreys): as core/drift/effects/psi.ts does.
PRIOR = 0.5
#: Devices send a window after this many decisions, so windows are whole multiples of it.
DIGEST_ROWS = 100
#: With fewer windows the judgement calls itself uncalibrated (core/drift/tolerance/tolerance-test.ts).
ENOUGH_WINDOWS = 100
LONGEST_WINDOW = 500
T2, Q = "joint:t2", "joint:q"
#: Context of rows whose tables know none, as the platform names that of frames without one.
UNKNOWN = "default"


def window_rows(rows: int, enough: int = ENOUGH_WINDOWS, longest: int = LONGEST_WINDOW) -> int:
    """Rows of a reference window: the longest one that still leaves enough windows; a long one sees smaller changes."""
    most = min(rows // enough, longest, LONGEST_WINDOW) // DIGEST_ROWS * DIGEST_ROWS
    return max(most, DIGEST_ROWS)


def psi_counts(reference: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Population stability index of counts [..., groups] against reference counts of the same shape."""
    p, q = ((c + PRIOR) / (c + PRIOR).sum(axis=-1, keepdims=True) for c in (reference, counts))
    return ((q - p) * np.log(q / p)).sum(axis=-1)


def in_order(contexts: np.ndarray, runs: np.ndarray) -> np.ndarray:
    """Row numbers with each context's rows together, and in it each run's in their order, runs by first appearance."""
    _, first, inverse = np.unique(runs.astype(str), return_index=True, return_inverse=True)
    return np.lexsort((first[inverse], contexts))


def windows_of(contexts: np.ndarray, length: int, gap: int = 0) -> np.ndarray:
    """First rows of windows of `length` rows without overlap, none in two contexts; the rest of a context is in none.

    gap: up to so many rows are left between two, drawn with a fixed seed. Windows of rows that keep to the clock would else
    begin at one minute of each hour, and those of a device at another.
    """
    begins = np.flatnonzero(np.r_[True, contexts[1:] != contexts[:-1]])
    ends = np.r_[begins[1:], len(contexts)]
    gaps = np.random.default_rng(0)
    found: list[int] = []
    for begin, end in zip(begins, ends, strict=True):
        steps = length + gaps.integers(0, gap + 1, size=(end - begin) // length)
        first = begin + np.r_[0, np.cumsum(steps)[:-1]] if len(steps) else np.empty(0, dtype=int)
        found += first[first + length <= end].tolist()
    return np.asarray(found, dtype=int)


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


def _feature(
    name: str, column: np.ndarray, cells: Cells, contexts: np.ndarray, windows: np.ndarray, length: int, season: SeasonWindows | None
) -> tuple[dict, np.ndarray | None]:
    """A feature of the baseline, and its counts [reference, cell] in cells of the season."""
    numbers = cells.cell_of(column)
    by_context = np.stack([np.bincount(numbers[contexts == c], minlength=cells.count) for c in range(contexts.max() + 1)])
    counts = by_context.sum(axis=0)
    document = {"name": name, "cells": cells.document(), "counts": counts.tolist()}
    seen = counts_of(numbers, cells.count, windows, length)
    by_season = None if season is None else season.sums(seen)
    if len(windows) < 2:
        return document, by_season
    groups = pool_cells(cells, counts, length)
    statistic = window_statistic(pooled(seen, groups), pooled(by_context[contexts[windows]], groups))
    if statistic is not None:
        document["windowStatistic"] = statistic
    if season is not None and season.keys:
        placed = season.places >= 0
        document["seasonStatistic"] = window_statistic(
            pooled(seen[placed], groups), pooled(by_season[season.places[placed]], groups)
        )
    means = cells.z_of(column)[windows[:, None] + np.arange(length)].mean(axis=1) / UNITS
    document |= {"windowMeans": np.round(means, 6).tolist(), "fewestCells": int((seen > 0).sum(axis=1).min())}
    return document, by_season


def _context(name: str, x: np.ndarray, cells: list[Cells], windows: int, length: int) -> dict:
    counts = [np.bincount(c.cell_of(x[:, k]), minlength=c.count).tolist() for k, c in enumerate(cells)]
    document = {"context": name, "rows": len(x), "counts": counts}
    return document if windows == len(x) // length else document | {"windows": windows}


def _cut(
    kind: np.ndarray, kinds: np.ndarray, runs: np.ndarray, season: Season, times: np.ndarray, widths: int
) -> tuple[int, np.ndarray, SeasonWindows | None]:
    """Length and first rows of the windows of a season, and their cells; those of no season where they are too few for it."""

    def placed(windows: np.ndarray, length: int) -> SeasonWindows:
        return season_windows(season, kinds[kind[windows]], times[windows[:, None] + np.arange(length)], widths)

    enough = max(ENOUGH_WINDOWS, 2 * FEWEST_WINDOWS * season.cells * len(kinds))
    length = window_rows(len(kind), enough, rows_of_cell(season, times, runs))
    windows = windows_of(kind, length, length // 4)
    if len(windows) == 0:
        return length, windows, None
    found = placed(windows, length)
    print(found.report(length), flush=True)
    if not found.is_thin:
        return length, windows, found
    length = window_rows(len(kind))
    windows = windows_of(kind, length)
    return length, windows, placed(windows, length).without_references()


def baseline_of(
    x: np.ndarray,
    runs: np.ndarray,
    names: list[str],
    feature_set_digest: str,
    contexts: np.ndarray | None = None,
    season: Season | None = None,
    times: np.ndarray | None = None,
) -> dict:
    """Baseline of the training rows x float64 [rows, F] of `runs` [rows] and, where rows know them, `contexts` [rows].

    Windows are taken over the runs of a context end to end, as a device with one machine sees them: one life, then the
    next. A device with several machines mixes them, and its windows differ less than that; so tests keep their level there.
    With a season, `times` int64 milliseconds [rows] put each window into its cell, and windows are short enough that each
    cell has twice the windows that it needs, and none is longer than a cell, as far as DIGEST_ROWS allow. Where too few of
    them lie in cells that have enough, the baseline is the one without a season, and names every cell as left out.
    """
    kinds, kind = ([UNKNOWN], np.zeros(len(x), dtype=int)) if contexts is None else np.unique(contexts.astype(str), return_inverse=True)
    order = in_order(kind, runs)
    x, kind = x[order], kind[order]
    cells = [cells_of(x[:, k]) for k in range(x.shape[1])]
    joint = joint_of(x, cells)
    if joint is not None:
        x = np.column_stack([x, *distances(x, joint)])
        names = [*names, T2, Q]
        cells += [cells_of(x[:, k]) for k in (-2, -1)]
    if season is None:
        length, placed = window_rows(len(x)), None
        windows = windows_of(kind, length)
    else:
        widths = sum(c.count for c in cells)
        length, windows, placed = _cut(kind, np.asarray(kinds), runs[order], season, require_times(times)[order], widths)
    features = [_feature(name, x[:, k], cells[k], kind, windows, length, placed) for k, name in enumerate(names)]
    document = {
        "schema": "baseline/2",
        "featureSetDigest": feature_set_digest,
        "rows": len(x),
        "windows": {"rows": length, "count": len(windows)},
        "features": [feature for feature, _ in features],
        "joint": joint,
        "contexts": []
        if contexts is None
        else [
            _context(str(c), x[kind == i], cells, int((kind[windows] == i).sum()), length) for i, c in enumerate(kinds)
        ],
    }
    return document if placed is None else document | {"season": placed.document([c for _, c in features], length)}
