"""Instants as the platform writes them, as whole numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from .container import Refused


def milliseconds(column: pa.ChunkedArray, what: str) -> np.ndarray:
    """Instants as int64 milliseconds since 1970; text is ISO 8601 in UTC, timestamps without a zone are UTC."""
    if column.null_count > 0:
        raise Refused(f"{what}: {column.null_count} values are missing; expected an instant in each row")
    try:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = column.cast(pa.timestamp("ms", "UTC"))
        elif not pa.types.is_timestamp(column.type):
            raise Refused(f"{what}: expected timestamps or text like 2026-01-31T08:00:00.000Z, got {column.type}")
        return column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64()).to_numpy()
    except pa.ArrowInvalid as error:
        raise Refused(f"{what}: expected instants like 2026-01-31T08:00:00.000Z: {error}") from None
