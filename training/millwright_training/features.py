"""Feature tables as the platform writes them (columns of FeatureRow)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .container import Refused
from .instants import milliseconds


class Features(NamedTuple):
    """Rows that have a label, of all tables."""

    #: float64 [rows, width].
    x: np.ndarray
    #: Labels, float64 [rows].
    y: np.ndarray
    #: `asset/run` [rows].
    runs: np.ndarray
    #: Contexts [rows]; None where a table does not know them.
    contexts: np.ndarray | None
    #: When each row was measured, int64 milliseconds since 1970 [rows]; None where a table does not know it.
    times: np.ndarray | None


def _joined(parts: list[np.ndarray | None]) -> np.ndarray | None:
    return None if not parts or any(p is None for p in parts) else np.concatenate(parts)


def read_features(folder: Path, width: int) -> Features:
    """All Parquet files below a folder, rows without a label left out.

    Raises Refused naming the file when a row is not `width` wide or not finite, or its time is no instant.
    """
    xs, ys, runs, contexts, times = [], [], [], [], []
    for file in sorted(folder.rglob("*.parquet")):
        known_columns = pq.read_schema(file).names
        columns = [c for c in ("asset", "run", "label", "x", "context", "source_time") if c in known_columns]
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
        times.append(milliseconds(table["source_time"], f"{file.name}: source_time")[known] if "source_time" in columns else None)
    if not xs:
        return Features(np.empty((0, width)), np.empty(0), np.empty(0, dtype=object), None, None)
    return Features(np.concatenate(xs), np.concatenate(ys), np.concatenate(runs), _joined(contexts), _joined(times))
