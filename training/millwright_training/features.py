"""Feature tables as the platform writes them (columns of FeatureRow)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .container import Refused


def read_features(folder: Path, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """All Parquet files below a folder.

    Returns x float64 [rows, width], label float64 [rows] (rows without a label are left out), run names [rows], contexts
    [rows], None where a table does not know them.
    Raises Refused naming the file when a row is not `width` wide or not finite.
    """
    xs, ys, runs, contexts = [], [], [], []
    for file in sorted(folder.rglob("*.parquet")):
        known_columns = pq.read_schema(file).names
        columns = [c for c in ("asset", "run", "label", "x", "context") if c in known_columns]
        table = pq.read_table(file, columns=columns)
        labels = table["label"].to_numpy(zero_copy_only=False).astype(np.float64)
        known = ~np.isnan(labels)
        lists = table["x"].combine_chunks()
        flat = np.asarray(lists.flatten().to_numpy(zero_copy_only=False), dtype=np.float64)
        if len(table) * width != len(flat):
            raise Refused(
                f"{file.name}: expected {width} features in each of {len(table)} rows, got {len(flat)} values; "
                "the table and the feature set do not belong together"
            )
        x = flat.reshape(len(table), width)
        if not np.isfinite(x).all():
            raise Refused(f"{file.name}: features are not all finite; materialise the snapshot again")
        xs.append(x[known])
        ys.append(labels[known])
        names = pc.binary_join_element_wise(table["asset"], table["run"], "/").to_pylist()
        runs.append(np.asarray(names, dtype=object)[known])
        contexts.append(np.asarray(table["context"].to_pylist(), dtype=object)[known] if "context" in columns else None)
    if not xs:
        return np.empty((0, width)), np.empty(0), np.empty(0, dtype=object), None
    known_contexts = None if any(c is None for c in contexts) else np.concatenate(contexts)
    return np.concatenate(xs), np.concatenate(ys), np.concatenate(runs), known_contexts
