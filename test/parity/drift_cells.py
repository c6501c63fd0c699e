"""Baseline of rows, and what the trainer counts of others on it: JSON on stdin, JSON on stdout."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))

from millwright_training.baseline import baseline_of  # noqa: E402
from millwright_training.cells import Cells, pool_cells  # noqa: E402
from millwright_training.joint import distances  # noqa: E402


def cells_in(document: dict) -> Cells:
    return Cells(np.asarray(document["edges"]), np.asarray(document["atoms"]), document["center"], document["scale"])


def main() -> None:
    given = json.load(sys.stdin)
    rows = np.asarray(given["reference"])
    runs = np.asarray([f"a/{i // 50}" for i in range(len(rows))], dtype=object)
    names = [f"f{k}" for k in range(rows.shape[1])]
    baseline = baseline_of(rows, runs, names, "sha256:" + "0" * 64)
    x = np.asarray(given["rows"])
    if baseline["joint"] is not None:
        x = np.column_stack([x, *distances(x, baseline["joint"])])
    length = baseline["windows"]["rows"]
    found = []
    for k, feature in enumerate(baseline["features"]):
        cells = cells_in(feature["cells"])
        z = cells.z_of(x[:, k])
        found.append(
            {
                "counts": np.bincount(cells.cell_of(x[:, k]), minlength=cells.count).tolist(),
                "z": int(z.sum()),
                "zz": int((z * z).sum()),
                "groups": pool_cells(cells, np.asarray(feature["counts"]), length).tolist(),
            }
        )
    json.dump({"baseline": baseline, "found": found}, sys.stdout)


main()
