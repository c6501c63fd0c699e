"""Cells of a feature and how its values fall into them: as core/drift/sketch counts them on the device, to the same number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Inner cells of a feature without atoms, at quantiles of the reference.
CELLS = 20
#: The outermost cells begin here, so that values which the reference hardly had are seen for themselves.
TAILS = (0.001, 0.999)
#: A value that so large a share of the rows has exactly gets a cell of its own.
ATOM_SHARE = 0.05
FEWEST_OF_ATOM = 5
#: Rows that a cell has to expect for chi-square to be near enough (Cochran 1954); core/drift/sketch/pool.ts.
FEWEST_EXPECTED = 5
#: And what share of the rows neighbours have to expect together.
SHARE_EXPECTED = 0.08
#: Units of z and how far from the centre it is held; core/drift/sketch/feature-sketch.ts.
UNITS = 256
HELD = 32 * UNITS


@dataclass(frozen=True)
class Cells:
    """Inner edges ascending, atoms, and the centre and scale that moments are counted in."""

    edges: np.ndarray
    atoms: np.ndarray
    center: float
    scale: float

    @property
    def inner(self) -> int:
        return len(self.edges) + 1

    @property
    def count(self) -> int:
        """With under, over, missing and infinite, which the reference has none of."""
        return self.inner + len(self.atoms) + 4

    def cell_of(self, column: np.ndarray) -> np.ndarray:
        """Cell of each finite value."""
        cells = np.searchsorted(self.edges, column, side="right")
        for k, atom in enumerate(self.atoms):
            cells[column == atom] = self.inner + k
        return cells

    def z_of(self, column: np.ndarray) -> np.ndarray:
        """Whole numbers: 256 * (value - center) / scale, held within 32 scales."""
        return np.clip(np.floor((column - self.center) * (UNITS / self.scale) + 0.5), -HELD, HELD)

    def document(self) -> dict:
        return {
            "kind": "numeric",
            "edges": self.edges.tolist(),
            "atoms": self.atoms.tolist(),
            "range": None,
            "center": self.center,
            "scale": self.scale,
        }


def _edges(column: np.ndarray, atoms: np.ndarray) -> np.ndarray:
    rest = column[~np.isin(column, atoms)]
    if len(rest) == 0:
        return (atoms[1:] + atoms[:-1]) / 2 if len(atoms) > 1 else atoms
    cells = max(1, round(CELLS * len(rest) / len(column)))
    inner = np.linspace(0, 1, cells + 1)[1:-1]
    return np.unique(np.quantile(rest, np.concatenate([inner, TAILS])))


def cells_of(column: np.ndarray) -> Cells:
    """Cells of a finite column: quantiles of what is not an atom; centre and scale are mean and standard deviation of the
    values held within the outermost cells (Tukey's winsorising), so that a wild value does not make all others alike."""
    values, counts = np.unique(column, return_counts=True)
    atoms = values[counts >= max(ATOM_SHARE * len(column), FEWEST_OF_ATOM)]
    held = np.clip(column, *np.quantile(column, TAILS))
    center, scale = float(held.mean()), float(held.std())
    if not scale > 1e-9 * abs(center):
        scale = float(column.std())
    if not scale > 1e-9 * abs(center):
        scale = 1.0
    return Cells(_edges(column, atoms), atoms, center, scale)


def _join_neighbours(expected: np.ndarray, enough: float) -> tuple[np.ndarray, bool]:
    """Groups of neighbours that expect enough each, and whether all of them together are too rare."""
    groups, group, total = np.zeros(len(expected), dtype=int), 0, 0.0
    for i, e in enumerate(expected):
        groups[i] = group
        total += e
        if total >= enough:
            group, total = group + 1, 0.0
    return np.minimum(groups, max(group - 1, 0)), group == 0 and total < FEWEST_EXPECTED


def pool_cells(cells: Cells, counts: np.ndarray, rows: int) -> np.ndarray:
    """Group of each cell that tests count together, -1 for none: as poolCells of core/drift/sketch/pool.ts, which says why."""
    inner, atoms = cells.inner, len(cells.atoms)
    under, over = inner + atoms, inner + atoms + 1
    finite = counts[: over + 1]
    expected = finite / finite.sum() * rows if finite.sum() > 0 else np.zeros(len(finite))
    line = np.concatenate([[expected[under]], expected[:inner], [expected[over]]])
    within = np.searchsorted(cells.edges, cells.atoms, side="right") + 1
    own = [k for k in range(atoms) if expected[inner + k] >= FEWEST_EXPECTED]
    for k in range(atoms):
        if k not in own:
            line[within[k]] += expected[inner + k]
    groups, left = _join_neighbours(line, max(FEWEST_EXPECTED, SHARE_EXPECTED * rows))
    joins = left and len(own) > 1
    pooled = np.full(len(counts), -1)
    first = 0 if joins else groups[-1] + 1
    for at, k in enumerate(own):
        pooled[inner + k] = first + at
    if joins:
        rarest = min(own, key=lambda k: expected[inner + k])
        groups = np.full(len(line), pooled[inner + rarest])
    pooled[:inner] = groups[1 : inner + 1]
    for k in range(atoms):
        if k not in own:
            pooled[inner + k] = groups[within[k]]
    pooled[under], pooled[over] = groups[0], groups[-1]
    return pooled
