"""The baseline says what training had in its cells, and how much windows of it differ although nothing changed."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from millwright_training.baseline import (
    baseline_of,
    counts_of,
    in_order,
    pooled,
    psi_counts,
    window_rows,
    window_statistic,
    windows_of,
)
from millwright_training.cells import HELD, Cells, cells_of, pool_cells

ROOT = Path(__file__).resolve().parents[2]
DIGEST = "sha256:" + "0" * 64


def runs_of(rows: int, each: int) -> np.ndarray:
    return np.asarray([f"a/{i // each}" for i in range(rows)], dtype=object)


def feature(x: np.ndarray) -> dict:
    return baseline_of(x[:, None], runs_of(len(x), 50), ["f"], DIGEST)["features"][0]


def test_independent_rows_give_the_degrees_of_freedom_of_their_groups():
    statistic = feature(np.random.default_rng(1).normal(size=30_000))["windowStatistic"]
    assert statistic["mean"] == pytest.approx(9, rel=0.15)
    assert statistic["variance"] == pytest.approx(18, rel=0.4)


def test_rows_that_are_like_their_neighbours_give_more():
    rng = np.random.default_rng(2)
    z = [0.0]
    for step in rng.normal(size=29_999):
        z.append(0.9 * z[-1] + np.sqrt(0.19) * step)
    found = feature(np.asarray(z))
    assert found["windowStatistic"]["mean"] > 35
    assert np.std(found["windowMeans"]) > 3 / np.sqrt(300)


def test_a_feature_that_rests_within_a_window_says_so():
    assert feature(np.repeat(np.arange(20.0), 600))["fewestCells"] == 1
    assert feature(np.random.default_rng(3).normal(size=20_000))["fewestCells"] >= 19


def test_too_few_rows_for_two_windows_say_nothing_of_windows():
    found = feature(np.arange(150.0))
    assert not {"windowStatistic", "fewestCells", "windowMeans"} & found.keys()


@pytest.mark.parametrize(("rows", "length"), [(60, 100), (9_999, 100), (20_000, 200), (1_000_000, 500)])
def test_windows_are_as_long_as_leaves_a_hundred_of_them(rows, length):
    assert window_rows(rows) == length


def test_a_window_is_compared_with_the_rows_outside_of_it():
    counts = np.asarray([[100, 0], [0, 100]])
    expected = 100 * 100 / 200 * psi_counts(counts[1], counts[0])
    assert window_statistic(counts, np.full((2, 2), 100)) == {"mean": pytest.approx(expected), "variance": 0}


def test_a_window_that_is_most_of_its_context_says_nothing():
    counts = np.asarray([[60, 40], [50, 50], [50, 50]])
    of_contexts = np.asarray([[60, 40], [300, 300], [300, 300]])
    assert window_statistic(counts, of_contexts) == window_statistic(counts[1:], of_contexts[1:])
    assert window_statistic(counts[:2], of_contexts[:2]) is None


def test_the_index_is_that_of_the_evaluator():
    assert psi_counts(np.asarray([50, 50, 0]), np.asarray([40, 40, 20])) == pytest.approx(0.7752203800735229, rel=1e-12)


def test_rows_of_a_context_and_in_it_of_a_run_stay_together_and_in_order():
    runs = np.asarray(["b", "a", "b", "a", "c"], dtype=object)
    assert in_order(np.zeros(5, dtype=int), runs).tolist() == [0, 2, 1, 3, 4]
    assert in_order(np.asarray([1, 0, 0, 1, 0]), runs).tolist() == [2, 1, 4, 0, 3]


def test_no_window_has_rows_of_two_contexts():
    contexts = np.repeat([0, 1, 2], [250, 99, 230])
    assert windows_of(contexts, 100).tolist() == [0, 100, 349, 449]
    assert counts_of(contexts, 3, windows_of(contexts, 100), 100).tolist() == [[100, 0, 0]] * 2 + [[0, 0, 100]] * 2


def test_a_difference_between_contexts_is_none_between_windows():
    rng = np.random.default_rng(5)
    recipe = np.repeat(np.asarray(["a", "b"], dtype=object), 10_000)
    x = rng.normal(size=20_000) + 5 * (recipe == "b")
    known = baseline_of(x[:, None], runs_of(20_000, 100), ["f"], DIGEST, recipe)
    unknown = baseline_of(x[:, None], runs_of(20_000, 100), ["f"], DIGEST)
    assert known["features"][0]["windowStatistic"]["mean"] < 30
    assert unknown["features"][0]["windowStatistic"]["mean"] > 100
    assert unknown["features"][0]["counts"] == known["features"][0]["counts"]
    assert [c["context"] for c in known["contexts"]] == ["a", "b"]
    assert [c["rows"] for c in known["contexts"]] == [10_000, 10_000]
    both = np.asarray([c["counts"][0] for c in known["contexts"]]).sum(axis=0)
    assert both.tolist() == known["features"][0]["counts"]
    assert unknown["contexts"] == []


def test_means_of_windows_stand_context_after_context_as_contexts_are_listed():
    recipe = np.asarray(["b", "a", "b"], dtype=object).repeat([150, 330, 120])
    x = np.where(recipe == "a", -1.0, 1.0) + 1e-3 * np.random.default_rng(9).normal(size=600)
    document = baseline_of(x[:, None], runs_of(600, 50), ["f"], DIGEST, recipe)
    assert [(c["context"], c["rows"]) for c in document["contexts"]] == [("a", 330), ("b", 270)]
    assert np.sign(document["features"][0]["windowMeans"]).tolist() == [-1, -1, -1, 1, 1]


def test_a_value_that_many_rows_have_gets_a_cell_and_the_others_share_the_rest():
    rng = np.random.default_rng(6)
    x = np.where(rng.random(10_000) < 0.4, 0.0, rng.normal(size=10_000))
    cells = cells_of(x)
    assert cells.atoms.tolist() == [0.0]
    assert len(cells.edges) == 13
    counts = np.bincount(cells.cell_of(x), minlength=cells.count)
    assert counts[cells.inner] == (x == 0).sum()
    assert counts[1 : cells.inner - 1].max() < 0.06 * len(x)
    assert counts[-4:].tolist() == [0, 0, 0, 0]


def test_one_wild_value_moves_neither_cells_nor_scale():
    x = np.random.default_rng(7).normal(size=5_000)
    wild = np.append(x, 1e6)
    assert cells_of(wild).scale == pytest.approx(cells_of(x).scale, rel=0.01)
    assert np.abs(cells_of(wild).edges - cells_of(x).edges)[1:-1].max() < 0.02
    assert cells_of(wild).z_of(wild)[-1] == HELD


def test_a_feature_with_one_value_has_a_cell_for_it_and_others_for_what_is_not():
    cells = cells_of(np.full(300, 3.0))
    assert (cells.edges.tolist(), cells.atoms.tolist(), cells.center, cells.scale) == ([3.0], [3.0], 3.0, 1.0)
    assert cells.cell_of(np.asarray([2.0, 3.0, 4.0])).tolist() == [0, 2, 1]
    groups = pool_cells(cells, np.asarray([0, 0, 300, 0, 0, 0, 0]), 100)
    assert groups.tolist() == [0, 0, 1, 0, 0, -1, -1]


def test_rare_cells_are_pooled_with_their_neighbours():
    cells = Cells(np.asarray([1.0, 2.0, 3.0]), np.asarray([2.5, 9.0]), 0.0, 1.0)
    # Of 100 rows: 1, 40, 20, 2 in the inner cells, 3 on the atom 2.5, 34 on the atom 9.
    counts = np.asarray([10, 400, 200, 20, 30, 340, 0, 0, 0, 0])
    assert pool_cells(cells, counts, 100).tolist() == [0, 0, 1, 1, 1, 2, 0, 1, -1, -1]
    assert pooled(counts, pool_cells(cells, counts, 100)).tolist() == [410, 250, 340]


def test_broken_correlations_show_in_the_joint_features_alone():
    rng = np.random.default_rng(8)
    z = rng.normal(size=(20_000, 3))
    x = np.column_stack([z[:, 0], 0.9 * z[:, 0] + np.sqrt(0.19) * z[:, 1], z[:, 2]])
    document = baseline_of(x, runs_of(20_000, 50), ["a", "b", "c"], DIGEST)
    assert [f["name"] for f in document["features"]] == ["a", "b", "c", "joint:t2", "joint:q"]
    assert len(document["joint"]["loadings"]) == 2
    loadings = np.asarray(document["joint"]["loadings"])
    assert loadings @ loadings.T == pytest.approx(np.eye(2), abs=1e-7)
    assert document["joint"]["variances"] == pytest.approx([1.9, 1.0], rel=0.05)


@pytest.mark.parametrize("x", [np.ones((300, 2)), np.column_stack([np.ones(300), np.arange(300.0)]), np.arange(300.0)[:, None]])
def test_fewer_than_two_features_that_vary_have_no_joint_distribution(x):
    document = baseline_of(x, runs_of(300, 50), [f"f{i}" for i in range(x.shape[1])], DIGEST)
    assert document["joint"] is None
    assert len(document["features"]) == x.shape[1]


def test_it_keeps_its_contract():
    rng = np.random.default_rng(4)
    contexts = np.asarray(["day", "night"] * 250, dtype=object)
    document = baseline_of(rng.normal(size=(500, 2)), runs_of(500, 40), ["a", "b"], DIGEST, contexts)
    jsonschema.validate(document, json.loads((ROOT / "docs/contracts/baseline.schema.json").read_text()))
    assert document["windows"] == {"rows": 100, "count": 4}
