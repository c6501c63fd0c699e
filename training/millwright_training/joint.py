"""T2 and Q of rows against principal components frozen with the model (Jackson & Mudholkar 1979)."""

from __future__ import annotations

import numpy as np

from .cells import Cells

#: Share of the variance that the kept components have at least, where so few do.
KEPT = 0.95
#: A device computes them for every row.
MOST_COMPONENTS = 20
#: A row further out than this does not turn the components towards itself.
HELD = 8.0
#: Least squared rest that is told apart from none; core/drift/sketch/joint.ts.
LEAST_Q = 1e-6


def joint_of(x: np.ndarray, cells: list[Cells]) -> dict | None:
    """Components of the standardised rows x [rows, F]; None where fewer than two features vary.

    One component is always left out, so that Q says something.
    """
    mean = np.asarray([c.center for c in cells])
    scale = np.asarray([c.scale for c in cells])
    z = np.clip((x - mean) / scale, -HELD, HELD)
    varying = int((z.std(axis=0) > 0).sum())
    if varying < 2:
        return None
    variances, vectors = np.linalg.eigh(z.T @ z / len(z))
    variances, vectors = variances[::-1], vectors[:, ::-1]
    total = variances.sum()
    wanted = int(np.searchsorted(np.cumsum(variances), KEPT * total)) + 1
    rank = int((variances > 1e-9 * total).sum())
    kept = min(wanted, varying - 1, rank, MOST_COMPONENTS)
    loadings = vectors[:, :kept].T
    # The sign of a component is nobody's: its largest part is made positive.
    loadings = loadings * np.sign(loadings[np.arange(kept), np.abs(loadings).argmax(axis=1)])[:, None]
    return {
        "mean": mean.tolist(),
        "scale": scale.tolist(),
        "loadings": np.round(loadings, 8).tolist(),
        "variances": variances[:kept].tolist(),
    }


def distances(x: np.ndarray, joint: dict) -> tuple[np.ndarray, np.ndarray]:
    """Roots of T2 and of Q of each row, to float32: a device adds in another order."""
    z = (x - np.asarray(joint["mean"])) * (1 / np.asarray(joint["scale"]))
    scores = z @ np.asarray(joint["loadings"]).T
    t2 = (scores**2 / np.asarray(joint["variances"])).sum(axis=1)
    q = (z**2).sum(axis=1) - (scores**2).sum(axis=1)
    as_counted = lambda squares: np.sqrt(squares).astype(np.float32).astype(np.float64)  # noqa: E731
    return as_counted(t2), as_counted(np.maximum(q, LEAST_Q))
