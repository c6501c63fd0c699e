"""Windows are put into cells of the day as devices' windows are held against them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow as pa
import pytest

import millwright_training.season as module
from millwright_training.baseline import baseline_of, windows_of
from millwright_training.container import Refused
from millwright_training.instants import milliseconds
from millwright_training.season import HOUR, Season, rows_of_cell, season_of, season_windows

ROOT = Path(__file__).resolve().parents[2]
DIGEST = "sha256:" + "0" * 64
TABLE = json.loads((ROOT / "test/parity/season-cells.json").read_text())
#: A Monday.
START = 1_767_571_200_000


def season_in(given: dict) -> Season:
    found = season_of({"season": json.dumps(given)})
    assert found is not None
    return found


@pytest.mark.parametrize("row", TABLE, ids=[row["why"] for row in TABLE])
def test_a_window_has_the_cell_that_the_evaluator_gives_it(row):
    first, last = (milliseconds(pa.chunked_array([[row[end]]]), end) for end in ("from", "to"))
    assert season_in(row["season"]).cell_of(first, last).tolist() == [row["cell"]]


@pytest.mark.parametrize(("hours", "weekdays", "cells"), [(1, False, 24), (5, False, 5), (24, False, 1), (8, True, 21), (1, True, 168)])
def test_a_season_has_so_many_cells(hours, weekdays, cells):
    assert Season(hours, weekdays).cells == cells


def test_no_season_is_none():
    assert season_of({"settings": "{}"}) is None


def daily(days: int, rows_an_hour: int = 100, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a signal that follows the day, by two standard deviations up and down, and their times."""
    times = START + np.arange(days * 24 * rows_an_hour) * (HOUR // rows_an_hour)
    cycle = 2 * np.sin(2 * np.pi * (times // HOUR % 24) / 24)
    return cycle + np.random.default_rng(seed).normal(size=len(times)), times


def baseline(x: np.ndarray, times: np.ndarray, season: Season | None, contexts: np.ndarray | None = None) -> dict:
    runs = np.asarray(["a/r"] * len(x), dtype=object)
    return baseline_of(x[:, None], runs, ["heat"], DIGEST, contexts, season, times)


def test_each_cell_has_the_rows_of_its_windows_and_the_rest_of_the_baseline_stays():
    x, times = daily(40)
    of = Season(4)
    document = baseline(x, times, of)
    season = document.pop("season")
    assert [c["cell"] for c in season["cells"]] == ["h00", "h04", "h08", "h12", "h16", "h20"]
    assert {c["context"] for c in season["cells"]} == {"default"}
    assert season["leftOut"] == []
    assert [c["rows"] for c in season["cells"]] == [400 * season["windows"].count(k) for k in range(6)]
    every = np.asarray([c["counts"][0] for c in season["cells"]])
    assert every.sum(axis=1).tolist() == [c["rows"] for c in season["cells"]]
    assert every.sum() == 400 * document["windows"]["count"] > 0.8 * len(x)
    within = document["features"][0].pop("seasonStatistic")
    plain = baseline(x, times, None)
    assert document["windows"]["rows"] == 400
    assert plain["windows"]["rows"] == 500
    assert plain["features"][0]["counts"] == document["features"][0]["counts"]
    assert within["mean"] < document["features"][0]["windowStatistic"]["mean"] / 5


def test_windows_of_a_cell_differ_as_independent_rows_do_where_nothing_else_varies():
    x, times = daily(40)
    x -= 2 * np.sin(2 * np.pi * (times // HOUR % 24) / 24)
    found = baseline(x, times, Season(1))["features"][0]
    assert found["seasonStatistic"]["mean"] == pytest.approx(9, rel=0.1)
    assert found["seasonStatistic"]["variance"] == pytest.approx(18, rel=0.3)


def test_windows_begin_at_any_minute_although_rows_keep_to_the_clock():
    contexts = np.repeat([0, 1, 2], [60_000, 30_000, 50])
    begins = windows_of(contexts, 100, 25)
    steps = np.diff(begins[begins < 60_000])
    assert (steps.min(), steps.max()) == (100, 125)
    assert np.bincount(begins % 100 // 10, minlength=10).min() > 0.05 * len(begins)
    assert (contexts[begins] == contexts[begins + 99]).all() and 2 not in contexts[begins]
    assert windows_of(contexts, 100, 25).tolist() == begins.tolist()
    assert windows_of(contexts, 100).tolist() == list(range(0, 90_000, 100))


def test_a_context_says_how_many_windows_it_has_where_its_rows_would_hold_more():
    x, times = daily(40)
    contexts = np.where(times // HOUR % 2 == 0, "red", "blue").astype(object)
    document = baseline(x, times, Season(12), contexts)
    assert sum(c["windows"] for c in document["contexts"]) == document["windows"]["count"]
    assert "windows" not in baseline(x, times, None, contexts)["contexts"][0]


def test_windows_are_short_enough_for_each_cell_and_no_longer_than_one():
    x, times = daily(100, rows_an_hour=400)
    assert baseline(x, times, Season(1))["windows"]["rows"] == 400
    assert baseline(x, times, Season(2))["windows"]["rows"] == 500
    x, times = daily(16, rows_an_hour=400)
    assert baseline(x, times, Season(2, weekdays=True))["windows"]["rows"] == 100


def test_a_cell_with_too_few_windows_is_left_out_and_named(capsys):
    x, times = daily(40)
    seldom = (times // HOUR % 24 >= 20) & (times >= START + 4 * 24 * HOUR)
    document = baseline(x[~seldom], times[~seldom], Season(1))
    season = document["season"]
    left_out = {c["cell"]: c["windows"] for c in season["leftOut"]}
    # The hours between are those of windows that begin in the evening and end in the morning.
    assert left_out.keys() == {"h20", "h23"}
    assert max(left_out.values()) < 8
    assert not left_out.keys() & {c["cell"] for c in season["cells"]}
    assert len(season["windows"]) == document["windows"]["count"] == len(document["features"][0]["windowMeans"])
    assert season["windows"].count(None) == sum(left_out.values())
    assert f"left out with their windows: default h20 ({left_out['h20']}), default h23" in capsys.readouterr().out


def test_a_season_too_fine_for_its_windows_is_left_out_with_their_length(capsys):
    x, times = daily(38)
    document = baseline(x, times, Season(1, weekdays=True))
    season = document.pop("season")
    said = capsys.readouterr().out
    assert re.search(r"only \d+ of \d+ windows are in a cell with a reference, expected half of them", said)
    assert "the baseline is made without the season" in said
    assert season["of"] == Season(1, weekdays=True).document()
    assert (season["cells"], season["windows"]) == ([], [None] * document["windows"]["count"])
    assert [c["cell"] for c in season["leftOut"]] == sorted(c["cell"] for c in season["leftOut"])
    assert sum(c["windows"] for c in season["leftOut"]) == document["windows"]["count"]
    # Rows are judged as if there were no season: by the windows of a baseline that has none.
    assert document == baseline(x, times, None)


@pytest.mark.parametrize(
    ("cells", "thin"),
    [
        ([50] * 2 + [5] * 20, False),
        ([60] * 2 + [5] * 25, True),
        ([100] + [5], False),
        ([99] + [5], True),
        ([99], False),
        ([20] + [5] * 4, False),
        ([20] + [5] * 5, True),
    ],
    ids=[
        "half of the windows",
        "less than half",
        "a hundred",
        "one less",
        "one less, and no more in all",
        "half of few",
        "less than half of few",
    ],
)
def test_a_season_needs_half_of_the_windows_and_a_hundred_where_there_are_in_cells_with_a_reference(cells, thin):
    contexts = np.repeat([f"c{i}" for i in range(len(cells))], cells).astype(object)
    found = season_windows(Season(24), contexts, np.full((len(contexts), 2), START), widths=10)
    assert found.is_thin == thin
    assert ("without the season" in found.report(100)) == thin


def test_contexts_have_cells_of_their_own():
    x, times = daily(40)
    contexts = np.where(times // HOUR % 2 == 0, "red", "blue").astype(object)
    cells = baseline(x, times, Season(12), contexts)["season"]["cells"]
    assert [(c["context"], c["cell"]) for c in cells] == [("blue", "h00"), ("blue", "h12"), ("red", "h00"), ("red", "h12")]


def test_windows_of_more_than_a_day_are_in_no_cell(capsys):
    x, _ = daily(40)
    document = baseline(x, START + np.arange(len(x)) * HOUR, Season(8))
    assert document["season"]["cells"] == []
    assert set(document["season"]["windows"]) == {None}
    assert "849 windows of more than a day are in no cell" in capsys.readouterr().out


def test_references_of_the_fewest_windows_are_left_out_beyond_what_a_package_carries(monkeypatch):
    monkeypatch.setattr(module, "MOST_COUNTS", 250)
    contexts = np.asarray(["a"] * 20 + ["b"] * 10 + ["c"] * 15, dtype=object)
    times = np.full((45, 2), START)
    found = season_windows(Season(8), contexts, times, widths=100)
    assert found.keys == [("a", "h00"), ("c", "h00")]
    assert found.left_out == [("b", "h00", 10)]
    assert found.places.tolist() == [0] * 20 + [-1] * 10 + [1] * 15


def test_a_log_names_a_dozen_of_many_cells_that_are_left_out():
    times = START + np.arange(24)[:, None] * HOUR
    said = season_windows(Season(1), np.asarray(["a"] * 24, dtype=object), times, widths=10).report(100)
    assert "a h00 (1)" in said and "a h11 (1) and 12 more" in said and "a h12" not in said


def test_rows_of_a_cell_are_counted_by_the_usual_time_between_them():
    times = np.asarray([0, 60_000, 120_000, 180_000, 10**9, 10**9 + 60_000])
    assert rows_of_cell(Season(2), times, np.asarray(list("aaaabb"))) == 120
    assert rows_of_cell(Season(2), np.zeros(3, dtype=int), np.asarray(list("aaa"))) == 3


def test_a_season_without_times_is_refused():
    x, _ = daily(2)
    with pytest.raises(Refused, match="source_time"):
        baseline(x, None, Season(8))


def test_it_keeps_its_contract():
    x, times = daily(40)
    document = baseline(x, times, Season(8, weekdays=True, offset_minutes=60))
    jsonschema.validate(document, json.loads((ROOT / "docs/contracts/baseline.schema.json").read_text()))
    assert document["season"]["of"] == {"hours": 8, "weekdays": True, "offsetMinutes": 60}
