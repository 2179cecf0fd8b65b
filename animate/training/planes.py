"""
Planes through the weights of runs, and the loss on them.

The plane of the first two principal components of all weights shows most of the paths (Li et al.,
"Visualizing the Loss Landscape of Neural Nets", arXiv 1712.09913, section 7). Random directions are
normalised by filter, as there in section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from animate.system.errors import InputError
from animate.training.problem import (
    Array,
    Doubles,
    HasBuffers,
    HasLoss,
    HasModel,
    HasTorchLoss,
    Problem,
    Quadratic,
    provides,
)
from animate.training.sharpness import sample_records
from animate.training.trajectory import Trajectory, labels

MAX_GROWTH = 10.0  # of the loss: records above do not determine the plane
CHUNK_BYTES = 64_000_000  # of the weights that are in memory at a time, beside the two directions
BATCH_NUMBERS = 2**22  # of the weights or the inputs of models that are evaluated together
MOST_TOGETHER = 32
DENSE = 500  # size of a matrix up to which all eigenvalues are computed
# At how many points the loss is computed: of a quadratic, of a small and of a large model.
QUADRATIC_GRID, GRID, LARGE_GRID = 16_000, 4000, 625
LARGE = 100_000  # weights
RANK_TOLERANCE = 1e-12  # relative variance below which paths do not leave a line
ROUNDING = 1e-9  # of a share
AGREEMENT = 1e-3  # relative, of losses that are the same


@dataclass(frozen=True, eq=False)
class Plane:
    """
    A plane through the weights of runs.

    Attributes
    ----------
    problem : HasLoss
        Whose loss it shows: that of the runs, with the first run's last buffers.
    origin, directions : float64 arrays, shapes (P,) and (2, P)
        The point (x, y) of the plane is ``origin + x * directions[0] + y * directions[1]``. The
        directions are orthogonal and of length 1, so that distances are those of the weights.
    explained : (float, float)
        The share of the variance of the records along each direction. Diverging records, with a
        loss of more than ten times the largest first one, are not counted.
    records : tuple of int arrays, shape (R,) each
        The records of each run that are shown, at most 300.
    points : tuple of float64 arrays, shape (R, 2) each
        Their orthogonal projections.
    losses : tuple of float64 arrays, shape (R,) each
        Their own losses, at the weights themselves and not at their projections.
    is_usual : tuple of bool arrays, shape (R,) each
        Which records were counted.
    reach : float
        Half the size of what is to be shown at least, 0 for as much as the paths need.
    """

    problem: HasLoss
    origin: Doubles
    directions: Doubles
    explained: tuple[float, float]
    records: tuple[npt.NDArray[np.int64], ...]
    points: tuple[Doubles, ...]
    losses: tuple[Doubles, ...]
    is_usual: tuple[npt.NDArray[np.bool_], ...]
    reach: float = 0.0
    _grids: dict[tuple[bytes, bytes], Doubles] = field(default_factory=dict, repr=False)

    @property
    def share(self) -> float:
        """The share of the variance in the plane."""
        total = sum(self.explained)
        return 1.0 if total > 1 - ROUNDING else total

    @property
    def is_whole(self) -> bool:
        """Whether there are no other weights than those of the plane."""
        return len(self.origin) == 2

    @property
    def grid_points(self) -> int:
        """At how many points the loss can be computed in a bearable time."""
        if provides(self.problem, Quadratic):
            return QUADRATIC_GRID
        return GRID if len(self.origin) <= LARGE else LARGE_GRID

    def grid(self, x: Doubles, y: Doubles) -> Doubles:
        """Return the loss at each point of a grid, shape (len(y), len(x)), inf if not finite."""
        key = x.tobytes(), y.tobytes()
        if key not in self._grids:
            points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
            losses = _losses_on(self, points).reshape(len(y), len(x))
            losses[~np.isfinite(losses)] = np.inf
            self._grids[key] = losses
        return self._grids[key]


def plane(runs: Sequence[Trajectory]) -> Plane:
    """
    Return the plane of the first two principal components of the weights of `runs`.

    Of two weights, it is the weights themselves.

    Raises
    ------
    InputError
        If the runs have no loss at other weights, or not the same, or too few or different weights.
    """
    weights = _Weights.of(runs)
    if weights.count == 2:
        return weights.plane(np.zeros(2), np.eye(2))
    mean, directions = weights.principal_components()
    found = weights.plane(mean, directions)
    # Each path is to go right and up rather than left and down: the sign is arbitrary.
    moved = [
        points[usual][[0, -1]]
        for points, usual in zip(found.points, found.is_usual, strict=True)
        if usual.any()
    ]
    signs = np.where(sum(ends[1] - ends[0] for ends in moved) < 0, -1.0, 1.0)
    return replace(
        found,
        directions=directions * signs[:, None],
        points=tuple(points * signs for points in found.points),
    )


def random_plane(runs: Sequence[Trajectory]) -> Plane:
    """
    Return a plane of two random directions through the end of the first run.

    Each direction has normally distributed components. Those of one filter (a row of a matrix, or
    what gives one output channel of a convolution) are scaled to the length of the weights of that
    filter; those of biases and other vectors are 0.

    Raises
    ------
    InputError
        As `plane`, and if the shapes of the parameters are unknown.
    """
    weights = _Weights.of(runs)
    lacking = lacks_random_plane(runs)
    if lacking is not None:
        raise InputError(f"the random plane cannot be computed: {lacking}")
    model = cast("HasModel", runs[0].problem).model
    shapes = [tuple(one.shape) for one in model.parameters()]
    end = int(np.flatnonzero(weights.is_usual[0])[-1]) if weights.is_usual[0].any() else 0
    center = np.array(weights.rows(0, [end], slice(None))[0])
    random = np.random.default_rng(0)
    drawn = np.stack([_filter_normalised(random, center, shapes) for _ in range(2)])
    reach = float(np.linalg.norm(drawn[0]))
    return weights.plane(center, _orthonormal(drawn), reach)


def lacks_plane(runs: Sequence[Trajectory]) -> str | None:
    """Return what `runs` lack for a plane through their weights, or None."""
    counts = []
    for name, run in zip(labels(runs), runs, strict=True):
        if not provides(run.problem, HasLoss):
            actual = "has no problem" if run.problem is None else "has another kind of problem"
            return (
                f"it requires a problem that computes its loss at any weights, but {name} {actual}"
            )
        if run.weights is None:
            return f"it requires weights, but {name} has none"
        counts.append(run.weights.shape[1])
        if counts[-1] < 2:
            return f"it requires at least two weights, but {name} has one"
        if counts[-1] != counts[0]:
            return (
                f"it requires as many weights of all runs, but {labels(runs)[0]} has {counts[0]} "
                f"and {name} {counts[-1]}"
            )
    if not any(np.isfinite(row).all() for run in runs for row in cast("Array", run.weights)):
        return "it requires finite weights, but no record has any"
    # Each recording has a problem of its own; whether their losses are the same is seen later.
    problems = {id(run.problem): run.problem for run in runs}
    if len(problems) > 1 and any(provides(one, Problem) for one in problems.values()):
        return "it requires one problem, whose loss it shows, but the runs have different problems"
    return None


def lacks_random_plane(runs: Sequence[Trajectory]) -> str | None:
    """Return what `runs` lack for a plane of filter-normalised directions, or None."""
    lacking = lacks_plane(runs)
    if lacking is None and not provides(runs[0].problem, HasModel):
        name = labels(runs)[0]
        return f"it requires a PyTorch model, whose filters it compares, but {name} has none"
    return lacking


@dataclass(frozen=True, eq=False)
class _Weights:
    """The shown weights of several runs, read a part at a time."""

    runs: Sequence[Trajectory]
    problem: HasLoss
    records: tuple[npt.NDArray[np.int64], ...]
    losses: tuple[Doubles, ...]
    is_usual: tuple[npt.NDArray[np.bool_], ...]

    @classmethod
    def of(cls, runs: Sequence[Trajectory]) -> _Weights:
        lacking = lacks_plane(runs)
        if lacking is not None:
            raise InputError(f"the plane cannot be computed: {lacking}")
        problem = _common_problem(runs)
        records = tuple(sample_records(len(run.steps)) for run in runs)
        losses = tuple(_own_losses(run, chosen) for run, chosen in zip(runs, records, strict=True))
        first = max([one[0] for one in losses if np.isfinite(one[0])], default=np.inf)
        is_finite = [_finite(run, chosen) for run, chosen in zip(runs, records, strict=True)]
        is_usual = tuple(
            finite & ~(one > MAX_GROWTH * first)
            for finite, one in zip(is_finite, losses, strict=True)
        )
        if sum(one.sum() for one in is_usual) < 2:  # a run that starts at its least loss
            is_usual = tuple(is_finite)
        return cls(runs, problem, records, losses, is_usual)

    @property
    def count(self) -> int:
        return int(cast("Array", self.runs[0].weights).shape[1])

    def rows(self, run: int, chosen: Any, part: slice) -> Doubles:
        """Return some of a run's shown weights, float64, of columns `part`."""
        weights = cast("Array", self.runs[run].weights)
        records = self.records[run][chosen]
        return np.stack([weights[record, part] for record in records]).astype(np.float64)

    def parts(self) -> Iterator[slice]:
        """Yield slices of the weights, of which those of all records fit into memory."""
        records = sum(map(len, self.records))
        step = max(1, CHUNK_BYTES // (8 * max(records, 1)))
        for start in range(0, self.count, step):
            yield slice(start, min(start + step, self.count))

    def usual_rows(self, part: slice) -> Doubles:
        """Return the weights that determine the plane, of columns `part`, shape (T, part)."""
        rows = [
            self.rows(index, np.flatnonzero(usual), part)
            for index, usual in enumerate(self.is_usual)
            if usual.any()
        ]
        return np.concatenate(rows)

    def principal_components(self) -> tuple[Doubles, Doubles]:
        """Return the mean of the weights, and the two directions of the largest variance."""
        total = sum(int(one.sum()) for one in self.is_usual)
        mean, directions = np.empty(self.count), np.zeros((2, self.count))
        if self.count <= total:
            rows = self.usual_rows(slice(None))
            mean = rows.mean(axis=0)
            rows -= mean
            values, vectors = _two_largest(rows.T @ rows)
            directions[:] = vectors.T
        else:  # by the products of the records, since there are too many of the weights
            gram = np.zeros((total, total))
            for part in self.parts():
                rows = self.usual_rows(part)
                mean[part] = rows.mean(axis=0)
                rows -= mean[part]
                gram += rows @ rows.T
            values, vectors = _two_largest(gram)
            for part in self.parts():
                directions[: vectors.shape[1], part] = vectors.T @ (
                    self.usual_rows(part) - mean[part]
                )
        # Where the paths do not leave a line or a point, any other direction is as good.
        random = np.random.default_rng(0)
        for index in range(2):
            if index >= len(values) or values[index] <= RANK_TOLERANCE * max(values[0], 0):
                directions[index] = random.standard_normal(self.count)
        return mean, _orthonormal(directions)

    def plane(self, origin: Doubles, directions: Doubles, reach: float = 0.0) -> Plane:
        """Return the plane through `origin` with the paths projected on it."""
        points = [np.zeros((len(chosen), 2)) for chosen in self.records]
        variance = 0.0
        for part in self.parts():
            for index, chosen in enumerate(points):
                rows = self.rows(index, slice(None), part) - origin[part]
                with np.errstate(all="ignore"):  # of weights that have overflowed
                    chosen += rows @ directions[:, part].T
            usual = self.usual_rows(part)
            variance += float(((usual - usual.mean(axis=0)) ** 2).sum())
        shown = np.concatenate(
            [one[usual] for one, usual in zip(points, self.is_usual, strict=True)]
        )
        along = ((shown - shown.mean(axis=0)) ** 2).sum(axis=0)
        shares = along / variance if variance else np.ones(2) / 2
        return Plane(
            self.problem,
            origin,
            directions,
            (min(float(shares[0]), 1.0), min(float(shares[1]), 1.0)),
            self.records,
            tuple(points),
            self.losses,
            self.is_usual,
            reach,
        )


def _common_problem(runs: Sequence[Trajectory]) -> HasLoss:
    """Return the problem whose loss is shown, with the last buffers of the first run."""
    first = runs[0]
    problem = first.problem_at(-1)
    names = labels(runs)
    for name, run in zip(names[1:], runs[1:], strict=True):
        other: Any = run.problem
        if other is first.problem:
            continue
        if first.buffers and provides(other, HasBuffers):
            other = other.with_buffers({name: one[-1] for name, one in first.buffers.items()})
        for record in (0, -1):
            row = cast("Array", run.weights)[record]
            one, two = float(problem.loss(row)), float(other.loss(row))
            if np.isfinite([one, two]).all() and abs(one - two) > AGREEMENT * abs(one):
                raise InputError(
                    f"the losses of {names[0]} and {name} differ at the same weights ({one:.4g} "
                    f"and {two:.4g}), so they have no plane in common; draw them one at a time"
                )
    return cast("HasLoss", problem)


def _own_losses(run: Trajectory, records: npt.NDArray[np.int64]) -> Doubles:
    """Return the loss of each of `records`, as it was recorded, or else at its weights."""
    losses = np.array(run.losses[records], np.float64)
    for index in np.flatnonzero(np.isnan(losses)):
        row = cast("Array", run.weights)[records[index]]
        losses[index] = float(cast("HasLoss", run.problem).loss(row))
    return np.where(np.isnan(losses), np.inf, losses)


def _finite(run: Trajectory, records: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    weights = cast("Array", run.weights)
    return np.array([bool(np.isfinite(weights[record]).all()) for record in records])


def _two_largest(matrix: Doubles) -> tuple[Doubles, Doubles]:
    """Return the two largest eigenvalues of a symmetric matrix, and their vectors as columns."""
    if len(matrix) <= DENSE:
        values, vectors = np.linalg.eigh(matrix)
        return values[:-3:-1], vectors[:, :-3:-1]
    from scipy.sparse.linalg import eigsh

    start = np.random.default_rng(0).standard_normal(len(matrix))
    values, vectors = eigsh(matrix, k=2, which="LA", v0=start)
    order = np.argsort(-values)
    return values[order], vectors[:, order]


def _orthonormal(directions: Doubles) -> Doubles:
    """Return two orthogonal directions of length 1, the first one along the first of those."""
    one = directions[0] / np.linalg.norm(directions[0])
    two = directions[1] / np.linalg.norm(directions[1])
    for _ in range(2):  # once more for the rounding
        two = two - (two @ one) * one
        two /= np.linalg.norm(two)
    return np.stack([one, two])


def _filter_normalised(
    random: np.random.Generator, weights: Doubles, shapes: Sequence[tuple[int, ...]]
) -> Doubles:
    """Return a random direction whose filters are as long as those of `weights`."""
    parts, start = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        part = np.zeros((1, size))
        if len(shape) > 1 and size:
            own = weights[start : start + size].reshape(shape[0], -1)
            part = random.standard_normal(own.shape)
            part *= np.linalg.norm(own, axis=1, keepdims=True) / np.linalg.norm(
                part, axis=1, keepdims=True
            )
        parts.append(part.ravel())
        start += size
    direction = np.concatenate(parts)
    if not direction.any():  # only vectors, or all weights are 0
        direction = random.standard_normal(len(weights))
    return direction


def _losses_on(plane: Plane, points: Doubles) -> Doubles:
    """Return the losses at `points` (N, 2) of a plane, several together where that works."""
    problem, count = plane.problem, len(plane.origin)
    if provides(problem, Quadratic) or not provides(problem, HasTorchLoss):
        return _in_batches(plane, points, max(1, BATCH_NUMBERS // count), problem.loss)
    inputs = int(np.size(getattr(problem, "x", ())))
    together = min(BATCH_NUMBERS // max(count, inputs), MOST_TOGETHER)
    if together > 1:
        losses = _vectorized(plane, points, together)
        if losses is not None:
            return losses
    from animate.training.model_loss import single_threaded

    with single_threaded():
        return _in_batches(plane, points, 1, problem.loss)


def _vectorized(plane: Plane, points: Doubles, together: int) -> Doubles | None:
    """Return the losses by vmap; None if the model does not allow it."""
    import torch

    from animate.training.model_loss import single_threaded

    problem: Any = plane.problem
    several = torch.func.vmap(problem.torch_loss)

    def evaluate(rows: Doubles) -> Doubles:
        with torch.no_grad():
            losses: Doubles = several(torch.from_numpy(rows)).double().cpu().numpy()
        return losses

    try:
        with single_threaded():
            first = plane.origin + points[:1] @ plane.directions
            one, same = float(evaluate(first)[0]), float(problem.loss(first[0]))
            if np.isfinite([one, same]).all() and abs(one - same) > AGREEMENT * abs(same):
                return None
            return _in_batches(plane, points, together, evaluate)
    except Exception:  # of the model's own code, or an operation that vmap does not know
        return None


def _in_batches(
    plane: Plane, points: Doubles, size: int, evaluate: Callable[[Doubles], Doubles]
) -> Doubles:
    losses = np.empty(len(points))
    with np.errstate(all="ignore"):  # an overflow is a valid loss
        for start in range(0, len(points), size):
            batch = slice(start, start + size)
            losses[batch] = evaluate(plane.origin + points[batch] @ plane.directions)
    return losses
