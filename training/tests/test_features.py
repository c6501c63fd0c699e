"""Feature tables as trainers read them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from millwright_training.features import read_features


def write(folder: Path, name: str, contexts: list[str] | None) -> None:
    table = {"asset": ["a"] * 2, "run": ["r"] * 2, "label": [1.0, None], "x": [[1.0], [2.0]]}
    pq.write_table(pa.table(table if contexts is None else table | {"context": contexts}), folder / name)


def test_rows_with_a_label_come_with_the_context_of_their_frame(tmp_path):
    write(tmp_path, "a.parquet", ["day", "night"])
    write(tmp_path, "b.parquet", ["night", "day"])
    x, y, runs, contexts, _ = read_features(tmp_path, 1)
    assert (x.tolist(), y.tolist(), runs.tolist()) == ([[1.0], [1.0]], [1.0, 1.0], ["a/r", "a/r"])
    assert contexts is not None and contexts.tolist() == ["day", "night"]


def test_contexts_are_not_known_where_a_table_lacks_them(tmp_path):
    write(tmp_path, "a.parquet", ["day", "night"])
    write(tmp_path, "b.parquet", None)
    assert read_features(tmp_path, 1)[3] is None


def test_rows_with_a_label_come_with_their_time_where_every_table_knows_it(tmp_path):
    write(tmp_path, "a.parquet", None)
    table = pq.read_table(tmp_path / "a.parquet")
    for name in ("a.parquet", "b.parquet"):
        pq.write_table(table.append_column("source_time", pa.array(["1970-01-01T00:00:01.500Z"] * 2)), tmp_path / name)
    assert read_features(tmp_path, 1).times.tolist() == [1500, 1500]
    pq.write_table(table, tmp_path / "b.parquet")
    assert read_features(tmp_path, 1).times is None


def test_no_table_has_no_rows(tmp_path):
    x, y, runs, contexts, _ = read_features(tmp_path, 3)
    assert (x.shape, len(y), len(runs), contexts) == ((0, 3), 0, 0, None)
    assert x.dtype == np.float64
