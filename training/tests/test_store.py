"""The store gives each label what was known at its time, and says what is wrong with labels that it cannot join."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from millwright_training.container import Refused
from millwright_training.point_in_time import NEVER, newest_rows, superseded_at
from millwright_training.store import FeatureStore, read_feature_set

SET = "ab" * 32


def day(n: int) -> str:
    return f"2026-01-{n:02d}T00:00:00.000Z"


def write(root: Path, rows: list[tuple], run: str = "r1", source: str = "0" * 16, asset: str = "m1") -> None:
    """Rows (index, valid day, known day, x) of one run, as one object a day."""
    for valid in sorted({r[1] for r in rows}):
        some = [r for r in rows if r[1] == valid]
        folder = root / f"features/store/feature_set={SET}/site=plant-a/date=2026-01-{valid:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        table = pa.table(
            {
                "asset": [asset] * len(some),
                "run": [run] * len(some),
                "index": pa.array([r[0] for r in some], pa.int64()),
                "context": ["c"] * len(some),
                "valid_time": [day(r[1]) for r in some],
                "known_time": [day(r[2]) for r in some],
                "x": pa.array([r[3] for r in some], pa.list_(pa.float64())),
                "source": [source] * len(some),
            }
        )
        pq.write_table(table, folder / f"{asset}.{run}.0000000001-0000000009.{source}.parquet")


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    write(tmp_path, [(1, 1, 1, [1.0, 10.0]), (2, 2, 2, [2.0, 20.0])])
    write(tmp_path, [(1, 1, 5, [9.0, 90.0])], source="1" * 16)
    return FeatureStore(tmp_path, site="plant-a")


def labels(*days: int, **more: list) -> dict:
    return {"asset": ["m1"] * len(days), "time": [day(d) for d in days], **more}


def test_a_label_gets_what_was_known_at_its_time_under_the_names_of_the_features(store: FeatureStore):
    frame = store.frame({"digest": f"sha256:{SET}", "features": ["rms", "slope"]}, labels(1, 3, label=[7, 8]))
    assert frame.select(["label", "index", "rms", "slope"]).to_pylist() == [
        {"label": 7, "index": 1, "rms": 1.0, "slope": 10.0},
        {"label": 8, "index": 2, "rms": 2.0, "slope": 20.0},
    ]


def test_a_correction_reaches_only_who_asks_for_what_was_known_later(store: FeatureStore):
    asked = labels(1, 1, 1, as_of=[day(4), day(5), None], run=["r1"] * 3, other=[1, 2, 3])
    asked["time"] = [day(1), "2026-01-01T00:00:00.001Z", "2026-01-01T00:00:00.002Z"]
    assert store.frame(SET, asked)["x0"].to_pylist() == [1.0, 9.0, 1.0]
    assert store.frame(SET, asked, known_at=day(4))["x0"].to_pylist() == [1.0, 1.0, 1.0]


def test_labels_that_became_known_later_are_not_there_and_the_newest_counts(store: FeatureStore):
    asked = labels(2, 2, 3, label=[1, 2, 3], known_time=[day(4), day(6), None])
    assert store.frame(SET, asked, known_at=day(5))["label"].to_pylist() == [1, 3]
    assert store.frame(SET, asked)["label"].to_pylist() == [2, 3]


def test_labels_without_a_row_are_left_out_or_kept_with_nulls(store: FeatureStore):
    asked = labels(9, 1, label=[1, 2])
    old = datetime.timedelta(days=1)
    assert store.frame(SET, asked, max_age=old)["label"].to_pylist() == [2]
    kept = store.frame(SET, asked, max_age=old, keep_missing=True)
    assert kept.select(["label", "x0", "index"]).to_pylist() == [
        {"label": 1, "x0": None, "index": None},
        {"label": 2, "x0": 1.0, "index": 1},
    ]
    nothing = store.frame("cd" * 32, asked, keep_missing=True)
    assert nothing["features_known_time"].to_pylist() == [None, None]


def test_times_may_be_timestamps(store: FeatureStore):
    times = pa.array([datetime.datetime(2026, 1, 3)], pa.timestamp("us"))
    assert store.frame(SET, pa.table({"asset": ["m1"], "time": times}))["x0"].to_pylist() == [2.0]
    known_at = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    assert store.frame(SET, labels(1), known_at=known_at)["x0"].to_pylist() == [1.0]


def test_the_catalogue_tells_what_is_there(store: FeatureStore, tmp_path: Path):
    write(tmp_path, [(1, 4, 4, [1.0, 2.0])], run="r2")
    (tmp_path / "features/store/readme.txt").write_text("not an object of the store")
    (row,) = store.catalogue().to_pylist()
    assert row.pop("bytes") > 0
    assert row == {
        "feature_set": f"sha256:{SET}",
        "site": "plant-a",
        "first_day": "2026-01-01",
        "last_day": "2026-01-04",
        "assets": 1,
        "runs": 2,
        "objects": 4,
    }
    assert FeatureStore(tmp_path, site="plant-b").catalogue().num_rows == 0


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"time": [day(1)]}, "labels have no column asset"),
        ({"asset": ["m1"], "time": ["monday"]}, "column time of the labels: expected instants"),
        ({"asset": ["m1"], "time": [1]}, "expected timestamps or text"),
        ({"asset": ["m1"], "time": pa.array([None], pa.string())}, "1 values are missing"),
        (labels(1, 2, run=["r1", None]), "1 of 2 labels name a run; expected all or none"),
        (labels(1, x1=[1]), "labels have columns that are features too: x1"),
    ],
)
def test_labels_that_cannot_be_joined_are_refused(store: FeatureStore, asked: dict, says: str):
    with pytest.raises(Refused, match=says):
        store.frame({"digest": SET, "features": ["x0", "x1"]}, asked)


def test_a_feature_set_that_is_none_or_another_is_refused(store: FeatureStore):
    with pytest.raises(Refused, match="expected a digest"):
        store.frame("spindle-health", labels(1))
    with pytest.raises(Refused, match="rows have \\[2\\] features, the feature set 1"):
        store.frame({"digest": SET, "features": ["rms"]}, labels(1))


def test_rows_of_different_widths_are_refused(store: FeatureStore, tmp_path: Path):
    write(tmp_path, [(3, 3, 3, [1.0])])
    with pytest.raises(Refused, match="written by something else"):
        store.frame(SET, labels(2, 3))


def test_a_feature_set_is_read_from_what_the_cli_prints_or_the_manifest_of_a_training_set(tmp_path: Path):
    file = tmp_path / "set.json"
    file.write_text(json.dumps({"digest": "d", "features": [{"name": "rms", "window": 8}]}))
    assert read_feature_set(file) == {"digest": "d", "features": ["rms"]}
    file.write_text(json.dumps({"schema": "training-set/1", "featureSetDigest": "d", "digest": "e", "features": ["rms"]}))
    assert read_feature_set(file) == {"digest": "d", "features": ["rms"]}
    file.write_text("{}")
    with pytest.raises(Refused, match="expected the JSON of a feature set"):
        read_feature_set(file)


def test_the_join_is_that_of_the_definition_for_random_histories():
    random = np.random.default_rng(7)
    for _ in range(300):
        n, labels_count = random.integers(0, 30), 12
        rows = {name: random.integers(0, 9, n) for name in ("valid", "known")}
        rows["index"] = random.integers(1, 6, n)
        rows["source"] = random.permutation(n).astype(str)
        rows["until"] = superseded_at(rows["index"], rows["known"], rows["source"])
        time = random.integers(0, 12, labels_count)
        as_of = np.where(random.random(labels_count) < 0.5, time, random.integers(0, 12, labels_count))
        found = newest_rows(rows, time, as_of, max_age=6)
        for label in range(labels_count):
            versions: dict[int, int] = {}
            for i in np.lexsort((rows["source"], rows["known"])):
                if rows["known"][i] <= as_of[label]:
                    versions[rows["index"][i]] = i
            seen = [i for i in versions.values() if rows["valid"][i] <= time[label]]
            key = lambda i: tuple(rows[c][i] for c in ("valid", "known", "index", "source"))  # noqa: E731
            newest = max(seen, key=key, default=-1)
            wanted = -1 if newest == -1 or time[label] - rows["valid"][newest] > 6 else newest
            assert found[label] == wanted


def test_the_last_version_of_a_row_is_never_superseded():
    until = superseded_at(np.array([1, 2, 1]), np.array([5, 5, 7]), np.array(["a", "a", "a"]))
    assert until.tolist() == [7, NEVER, NEVER]
