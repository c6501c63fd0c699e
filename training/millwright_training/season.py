"""Cells of the season: references by the time of day, as core/drift/baselines/seasonal.ts names and holds windows against them."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from .container import Refused

HOUR = 3_600_000
DAY = 24 * HOUR
#: 1970-01-01 was a Thursday; weeks are counted from Monday.
TO_MONDAY = 3 * 24
#: With fewer a cell says too little of itself; as many make a reference that a device learns (core/drift/baselines/learned.ts).
FEWEST_WINDOWS = 8
#: Of windows in cells with a reference at least, or windows are judged as without a season: charts of a device wait in all
#: others, and with fewer windows the judgement calls itself uncalibrated (core/drift/tolerance/tolerance-test.ts), which it
#: does anyway where there are no more in all.
LEAST_SHARE = 0.5
LEAST_WINDOWS = 100
#: Numbers that the references of all cells have together at most, about 2 MB: devices load them with the package.
MOST_COUNTS = 500_000
#: Cells that a log names; the baseline has all.
NAMED = 12


@dataclass(frozen=True)
class Season:
    """Hours of the day that make one cell, weekdays apart or not, by a clock `offset_minutes` ahead of UTC all the year."""

    hours: int
    weekdays: bool = False
    offset_minutes: int = 0

    @property
    def cells(self) -> int:
        """How many there are."""
        return -(-24 // self.hours) * (7 if self.weekdays else 1)

    def document(self) -> dict:
        return {"hours": self.hours, "weekdays": self.weekdays, "offsetMinutes": self.offset_minutes}

    def cell_of(self, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Cell of windows by the int64 milliseconds of their first and last row, that of the middle; None beyond a day."""
        hour = (first + last + 2 * 60_000 * self.offset_minutes) // (2 * HOUR) + TO_MONDAY
        begins = hour % 24 // self.hours * self.hours
        days = [f"d{d}-" for d in hour // 24 % 7 + 1] if self.weekdays else [""] * len(hour)
        names = [f"{day}h{b:02d}" for day, b in zip(days, begins, strict=True)]
        return np.where(np.abs(last - first) > DAY, None, np.asarray(names, dtype=object))


def season_of(hp: dict[str, str]) -> Season | None:
    """What the hyperparameters of a job say of it; None where the use case has no season."""
    if "season" not in hp:
        return None
    given = json.loads(hp["season"])
    return Season(int(given["hours"]), bool(given.get("weekdays", False)), int(given.get("offsetMinutes", 0)))


def rows_of_cell(season: Season, times: np.ndarray, runs: np.ndarray) -> int:
    """Rows that one machine has in one cell, by the median time between its rows. Rows stand run after run."""
    steps = np.diff(times)[runs[1:] == runs[:-1]]
    steps = steps[steps > 0]
    return int(season.hours * HOUR / np.median(steps)) if len(steps) else len(times)


@dataclass(frozen=True)
class SeasonWindows:
    """Which reference windows lie in which cell."""

    season: Season
    #: Context and cell of each reference, sorted.
    keys: list[tuple[str, str]]
    #: Place of each window among them, -1 for none.
    places: np.ndarray
    #: Cells without a reference, and their windows.
    left_out: list[tuple[str, str, int]]
    #: Windows of more than a day.
    too_long: int

    @property
    def is_thin(self) -> bool:
        """Too few windows lie in a cell that has a reference: judging by it would see less than judging without."""
        placed, windows = int((self.places >= 0).sum()), len(self.places)
        return placed < LEAST_SHARE * windows or placed < LEAST_WINDOWS <= windows

    def without_references(self) -> SeasonWindows:
        """The same with every cell left out."""
        found = np.bincount(self.places[self.places >= 0], minlength=len(self.keys))
        every = [*self.left_out, *((*key, int(n)) for key, n in zip(self.keys, found, strict=True))]
        return SeasonWindows(self.season, [], np.full_like(self.places, -1), sorted(every), self.too_long)

    def sums(self, counts: np.ndarray) -> np.ndarray:
        """Of counts [window, cell of a feature] those of each reference."""
        total = np.zeros((len(self.keys), counts.shape[1]), dtype=int)
        np.add.at(total, self.places[self.places >= 0], counts[self.places >= 0])
        return total

    def document(self, counts: list[np.ndarray], length: int) -> dict:
        """As the baseline has them; counts by feature [reference, cell], windows of `length` rows."""
        windows = np.bincount(self.places[self.places >= 0], minlength=len(self.keys))
        return {
            "of": self.season.document(),
            "cells": [
                {"context": context, "cell": cell, "rows": int(windows[k]) * length, "counts": [c[k].tolist() for c in counts]}
                for k, (context, cell) in enumerate(self.keys)
            ],
            "windows": [None if p < 0 else int(p) for p in self.places],
            "leftOut": [{"context": context, "cell": cell, "windows": n} for context, cell, n in self.left_out],
        }

    def report(self, length: int) -> str:
        """What came of it, for the log of the job."""
        out = ", ".join(f"{context} {cell} ({n})" for context, cell, n in self.left_out[:NAMED]) or "none"
        more = len(self.left_out) - NAMED
        out += f" and {more} more" if more > 0 else ""
        return (
            f"season: {len(self.keys)} cells have a reference, of {FEWEST_WINDOWS} windows of {length} rows at least; "
            f"left out with their windows: {out}; {self.too_long} windows of more than a day are in no cell"
            + (f"; {self._thin()}" if self.is_thin else "")
        )

    def _thin(self) -> str:
        placed = int((self.places >= 0).sum())
        return (
            f"only {placed} of {len(self.places)} windows are in a cell with a reference, expected half of them and, of so many, {LEAST_WINDOWS} at least: "
            "the baseline is made without the season; train on more days, or choose longer cells, the same for all weekdays"
        )


def season_windows(season: Season, contexts: np.ndarray, times: np.ndarray, widths: int) -> SeasonWindows:
    """Puts windows, times int64 [window, row], each of one context, into their cells.

    widths: cells of all features together. A cell of fewer than FEWEST_WINDOWS is left out, and beyond MOST_COUNTS those
    of the fewest windows.
    """
    names = season.cell_of(times.min(axis=1), times.max(axis=1))
    windows: dict[tuple[str, str], list[int]] = {}
    for w, (context, cell) in enumerate(zip(contexts, names, strict=True)):
        if cell is not None:
            windows.setdefault((str(context), cell), []).append(w)
    most = MOST_COUNTS // widths
    by_size = sorted(windows, key=lambda key: (-len(windows[key]), key))
    kept = sorted(key for key in by_size[:most] if len(windows[key]) >= FEWEST_WINDOWS)
    places = np.full(len(names), -1)
    for k, key in enumerate(kept):
        places[windows[key]] = k
    left_out = [(*key, len(windows[key])) for key in sorted(windows) if key not in kept]
    return SeasonWindows(season, kept, places, left_out, int(sum(cell is None for cell in names)))


def require_times(times: np.ndarray | None) -> np.ndarray:
    """Times of rows, which a season needs. Raises Refused where tables have none."""
    if times is None:
        raise Refused("the use case has a season, but rows do not say when they were measured: expected a column source_time in each table")
    return times
