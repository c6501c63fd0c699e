"""The baseline says how much windows of training differ from the whole although nothing changed."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from millwright_training.baseline import baseline_of, in_order_of_runs, psi_counts, window_rows, window_statistics

ROOT = Path(__file__).resolve().parents[2]


def runs_of(rows: int, each: int) -> np.ndarray:
    return np.asarray([f"a/{i // each}" for i in range(rows)], dtype=object)


def feature(x: np.ndarray) -> dict:
    return baseline_of(x[:, None], runs_of(len(x), 50), ["f"], "sha256:" + "0" * 64)["features"][0]


def test_independent_rows_give_the_degrees_of_freedom_of_their_bins():
    statistic = feature(np.random.default_rng(1).normal(size=30_000))["windowStatistic"]
    assert statistic["mean"] == pytest.approx(9, rel=0.15)
    assert statistic["variance"] == pytest.approx(18, rel=0.4)


def test_rows_that_are_like_their_neighbours_give_more():
    rng = np.random.default_rng(2)
    z = [0.0]
    for step in rng.normal(size=29_999):
        z.append(0.9 * z[-1] + np.sqrt(0.19) * step)
    assert feature(np.asarray(z))["windowStatistic"]["mean"] > 30


def test_a_feature_that_rests_within_a_window_says_so():
    assert feature(np.repeat(np.arange(20.0), 600))["fewestBins"] == 1
    assert feature(np.random.default_rng(3).normal(size=20_000))["fewestBins"] == 10


def test_too_few_rows_for_two_windows_say_nothing_of_windows():
    found = feature(np.arange(150.0))
    assert "windowStatistic" not in found
    assert "fewestBins" not in found


@pytest.mark.parametrize(("rows", "length"), [(60, 100), (9_999, 100), (20_000, 200), (1_000_000, 500)])
def test_windows_are_as_long_as_leaves_a_hundred_of_them(rows, length):
    assert window_rows(rows) == length


def test_a_window_is_compared_with_the_rows_outside_of_it():
    bins = np.asarray([0] * 100 + [1] * 100)
    expected = 100 * 100 / 200 * psi_counts(np.asarray([0, 100]), np.asarray([100, 0]))
    assert window_statistics(bins, 2, 100)["windowStatistic"] == {"mean": pytest.approx(expected), "variance": 0}


def test_the_index_is_that_of_the_evaluator():
    assert psi_counts(np.asarray([50, 50, 0]), np.asarray([40, 40, 20])) == pytest.approx(0.7752203800735229, rel=1e-12)


def test_rows_of_a_run_stay_together_and_in_order():
    runs = np.asarray(["b", "a", "b", "a", "c"], dtype=object)
    assert in_order_of_runs(runs).tolist() == [0, 2, 1, 3, 4]


def test_it_keeps_its_contract():
    rng = np.random.default_rng(4)
    document = baseline_of(rng.normal(size=(500, 2)), runs_of(500, 40), ["a", "b"], "sha256:" + "0" * 64)
    jsonschema.validate(document, json.loads((ROOT / "docs/contracts/baseline.schema.json").read_text()))
    assert document["windows"] == {"rows": 100, "count": 5}
