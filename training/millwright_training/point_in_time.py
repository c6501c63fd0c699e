"""The bi-temporal join of core/point-in-time, vectorised: which row was the newest, of those valid and known by then."""

from __future__ import annotations

import numpy as np

#: Milliseconds; stands for "never" in times that are int64.
NEVER = np.iinfo(np.int64).max
#: Labels and superseded rows that are compared at once: 32 MB of booleans at most.
PAIRS_AT_ONCE = 32_000_000


def superseded_at(index: np.ndarray, known: np.ndarray, source: np.ndarray) -> np.ndarray:
    """When each row of one run was known to be superseded: the known time of the next version of its index.

    Of two versions that were known at one instant the one with the larger source counts. Times are int64 milliseconds;
    `NEVER` for the last version.
    """
    until = np.full(len(index), NEVER, dtype=np.int64)
    order = np.lexsort((source, known, index))
    followed = index[order][1:] == index[order][:-1]
    until[order[:-1][followed]] = known[order][1:][followed]
    return until


def newest_rows(
    rows: dict[str, np.ndarray],
    time: np.ndarray,
    as_of: np.ndarray,
    max_age: int | None = None,
) -> np.ndarray:
    """For each label the row that is the newest for it; -1 where there is none.

    Of the rows with `valid` <= time and `known` <= as_of < `until` the one with the largest valid time, then known time,
    then index, then source. All rows are of one entity, all labels of the same.

    rows: `valid`, `known`, `until`, `index` int64, `source` of text; time, as_of, max_age: int64 milliseconds.
    """
    found = np.full(len(time), -1, dtype=np.int64)
    if len(rows["valid"]) == 0 or len(time) == 0:
        return found
    order = np.lexsort((rows["source"], rows["index"], rows["known"], rows["valid"]))
    valid, known, until = (rows[name][order] for name in ("valid", "known", "until"))
    best = np.full(len(time), -1, dtype=np.int64)  # places in `order`

    plain = as_of == time
    lasting = np.flatnonzero((until == NEVER) & (known < NEVER))
    if plain.any():
        # A row that is never superseded is seen from max(valid, known) on: the newest so far, by when it was seen.
        seen_from = np.maximum(valid, known)[lasting]
        by_seen = np.argsort(seen_from, kind="stable")
        newest = np.maximum.accumulate(lasting[by_seen]) if len(lasting) else lasting
        at = np.searchsorted(seen_from[by_seen], time[plain], side="right") - 1
        best[plain] = np.where(at >= 0, newest[np.maximum(at, 0)] if len(newest) else -1, -1)
        replaced = np.flatnonzero(until != NEVER)
        labels = np.flatnonzero(plain)
        step = max(1, PAIRS_AT_ONCE // max(1, len(replaced)))
        for start in range(0, len(labels) if len(replaced) else 0, step):
            some = labels[start : start + step]
            t = time[some, None]
            sees = (valid[replaced] <= t) & (known[replaced] <= t) & (t < until[replaced])
            last = np.where(sees, replaced, -1).max(axis=1)
            best[some] = np.maximum(best[some], last)
    for instant in np.unique(as_of[~plain]):
        labels = np.flatnonzero(~plain & (as_of == instant))
        there = np.flatnonzero((known <= instant) & (instant < until))
        at = np.searchsorted(valid[there], time[labels], side="right") - 1
        if len(there):
            best[labels] = np.where(at >= 0, there[np.maximum(at, 0)], -1)

    has = best >= 0
    if max_age is not None:
        has[has] &= time[has] - valid[best[has]] <= max_age
    found[has] = order[best[has]]
    return found
