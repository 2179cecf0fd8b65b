"""
A zoom into the boundary between runs that converge and runs that diverge.

All levels lie on one lattice: level k has steps of 2⁻ᵏ of the first. So each level takes every
fourth of its runs from the level before, and trains only the others.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from animate.system import files
from animate.training.problem import Array, Doubles
from animate.training.sweep import Grid, results_of
from animate.training.sweeps.engines import Engine
from animate.training.sweeps.plan import Plan
from animate.training.sweeps.results import RESULT, Results

SEARCH_BLOCK = 1 / 12  # of a side: the part in which the boundary must be dense
SHIFT_COST = 0.5  # of a block's boundary, for a centre at the edge of what can be reached
LEAST_BOXES = 8  # along the shorter side, so that the largest boxes still tell something


@dataclass(frozen=True)
class Lattice:
    """
    The places that a zoom may train: ``low + index * step``, in powers of ten if `is_log`.

    Attributes
    ----------
    name : str
        The axis.
    low, step : float
    is_log : bool
    """

    name: str
    low: float
    step: float
    is_log: bool

    @classmethod
    def of(cls, name: str, values: Array, *, is_log: bool) -> Lattice:
        """Return the lattice of evenly spaced values."""
        places = np.log10(values) if is_log else np.asarray(values, np.float64)
        return cls(
            name, float(places[0]), float(places[-1] - places[0]) / (len(places) - 1), is_log
        )

    def values(self, indices: Array, level: int) -> Doubles:
        """Return the values at indices that count in steps of a level."""
        # The same bits for index i of a level and 2i of the next: both only scale by powers of 2.
        places = self.low + indices * (self.step * 2.0**-level)
        return 10.0**places if self.is_log else places


def lattices_of(plan: Plan) -> list[Lattice]:
    """Return the lattices of a sweep whose axes are evenly spaced, as values or as powers."""
    return [
        Lattice.of(name, values, is_log=values[0] > 0 and not _is_even(values))
        for name, values in plan.axes.items()
    ]


def _is_even(values: Array) -> bool:
    steps = np.diff(values)
    return bool(np.allclose(steps, steps[0]))


def zoom(
    first_plan: Plan,
    lattices: Sequence[Lattice],
    depth: int,
    engine: Engine,
    resume: files.AnyPath | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Grid]:
    """
    Return the sweeps of all levels, from the widest on; each shows half the sides of the last.

    Its middle is where the boundary is densest, near the middle of the level before.

    Parameters
    ----------
    first_plan : Plan
        The sweep of the first level, with even numbers of values.
    lattices : two of Lattice
        Of its axes.
    depth : int
        The number of levels after the first.
    engine : Engine
    resume : path, optional
        See `animate.sweep`; each part of a level has a file of this name and a number.
    on_progress : callable, optional
        Called as ``on_progress(done, total)``, in runs.
    """
    resolution = first_plan.shape
    epochs, fixed = first_plan.epochs, first_plan.fixed
    per_level = resolution[0] * resolution[1]
    total = per_level + depth * (per_level - per_level // 4)
    levels: list[Grid] = []
    known: Results | None = None
    first = (0, 0)  # indices of the lower left run
    done = 0
    parts_trained: list[int] = []

    def train(parts: tuple[Array, Array], level: int) -> Results:
        nonlocal done
        axes = {
            lattice.name: lattice.values(indices, level)
            for lattice, indices in zip(lattices, parts, strict=True)
        }
        plan = replace(first_plan, axes=axes)
        before = done

        def tell(count: int, _total: int) -> None:
            if on_progress is not None:
                on_progress(before + count, total)

        path = None if resume is None else f"{os.fspath(resume)}.{len(parts_trained)}"
        parts_trained.append(plan.run_count)
        results = results_of(plan, engine, path, tell).reshape(plan.shape)
        done = before + plan.run_count
        return results

    for level in range(depth + 1):
        indices = [start + np.arange(count) for start, count in zip(first, resolution, strict=True)]
        if known is None:
            results = train((indices[0], indices[1]), level)
        else:
            results = np.empty(resolution, RESULT)
            results[::2, ::2] = known
            results[1::2, :] = train((indices[0][1::2], indices[1]), level)
            results[::2, 1::2] = train((indices[0][::2], indices[1][1::2]), level)
        axes = {
            lattice.name: lattice.values(one, level)
            for lattice, one in zip(lattices, indices, strict=True)
        }
        grid = Grid.of(axes, results, fixed, epochs)
        levels.append(grid)
        corner = densest_corner(boundary(has_trained(grid)))
        half = resolution[0] // 2, resolution[1] // 2
        known = results[corner[0] : corner[0] + half[0], corner[1] : corner[1] + half[1]]
        first = 2 * (first[0] + corner[0]), 2 * (first[1] + corner[1])
    return levels


def has_trained(grid: Grid) -> Array:
    """
    Return which runs converged: the mean of the last 20 losses is below the first.

    The criterion of Sohl-Dickstein, arXiv 2402.06184.
    """
    trained: Array = (grid.tail_loss < grid.first_loss) & np.isfinite(grid.loss_sum)
    return trained


def boundary(trained: Array) -> Array:
    """Return which cells differ from the next one across or up, shape (n, m)."""
    edge = np.zeros_like(trained)
    edge[:-1] |= trained[:-1] != trained[1:]
    edge[:, :-1] |= trained[:, :-1] != trained[:, 1:]
    return edge


def densest_corner(edge: Array) -> tuple[int, int]:
    """Return the lower left cell of the half around which the boundary is densest."""
    across, up = edge.shape
    reach = max(2, round(SEARCH_BLOCK * min(across, up)))
    counts = np.pad(edge.astype(float).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    best, corner = -np.inf, (across // 4, up // 4)
    for x in range(across // 2 + 1):
        for y in range(up // 2 + 1):
            left, low = max(0, x + across // 4 - reach), max(0, y + up // 4 - reach)
            right, high = min(across, left + 2 * reach), min(up, low + 2 * reach)
            count = (
                counts[right, high] - counts[left, high] - counts[right, low] + counts[left, low]
            )
            away = max(abs(x / across - 0.25), abs(y / up - 0.25)) / 0.25
            score = count * (1 - SHIFT_COST * away)
            if score > best:
                best, corner = score, (x, y)
    return corner


def box_dimension(edge: Array) -> float:
    """
    Return the box-counting dimension of a boundary, NaN without one.

    The slope of log(boxes that the boundary touches) against log(1 / size of a box), over sizes
    1, 2, 4, …, of which at least `LEAST_BOXES` lie along the shorter side.
    """
    sizes: list[int] = []
    size = 1
    while min(edge.shape) // size >= LEAST_BOXES:
        sizes.append(size)
        size *= 2
    if not edge.any() or len(sizes) < 2:
        return float("nan")
    counts: list[int] = []
    for size in sizes:
        across, up = (side // size * size for side in edge.shape)
        boxes = edge[:across, :up].reshape(across // size, size, up // size, size).any(axis=(1, 3))
        counts.append(max(1, int(np.count_nonzero(boxes))))
    return float(-np.polyfit(np.log(np.array(sizes)), np.log(np.array(counts)), 1)[0])


def dimension(levels: Sequence[Grid]) -> tuple[float, float]:
    """
    Return the median of the box-counting dimension over all levels, and its standard error.

    The error is that of a median, 1.2533 σ / √levels, with σ from the median absolute deviation.
    """
    found = np.array([box_dimension(boundary(has_trained(grid))) for grid in levels])
    found = found[np.isfinite(found)]
    if not found.size:
        return float("nan"), float("nan")
    middle = float(np.median(found))
    deviation = 1.4826 * float(np.median(np.abs(found - middle)))
    return middle, 1.2533 * deviation / len(found) ** 0.5
