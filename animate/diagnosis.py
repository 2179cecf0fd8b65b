"""
What a run did, and why: the verdict that theory gives and the epochs at which it shows.

Only numbers go in (the weights and losses after each epoch, and what the problem knows of
itself), and only a small frozen value comes out. Nothing here draws or trains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from animate.problem import Doubles, Problem
from animate.wording import epochs_text, limit_text, share_text

Verdict = Literal["converged", "converging", "diverging"]

ARRIVED = 0.01  # of the initial distance to the best weights
FLOAT32_FLOOR = 1e-5  # of the best weights: nearer than this, float32 steps may no longer move


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """
    The verdict on one run and the epochs at which it shows.

    Attributes
    ----------
    verdict : {"converged", "converging", "diverging"}
        Diverging if and only if the rate is at or past the stability limit; otherwise converged,
        or converging where the run is not there within its epochs.
    converged_at : int or None
        The first epoch from which the distance to the best weights stays at or below 1 % of the
        initial distance.
    overflowed_at : int or None
        The first epoch with a loss or weight that float32 cannot hold.
    earned_at : int
        The first epoch at which a watcher can tell the verdict: where it converged, where a
        diverging run's loss first rose, and otherwise the last epoch.
    distance_left : float
        The distance to the best weights at the end, as a share of the initial one; infinite
        after an overflow.
    sentence : str
        The verdict in words, with its figures.
    """

    verdict: Verdict
    converged_at: int | None
    overflowed_at: int | None
    earned_at: int
    distance_left: float
    sentence: str


def diagnoses(
    lrs: Sequence[float], weights: npt.ArrayLike, losses: npt.ArrayLike, problem: Problem
) -> list[Diagnosis]:
    """
    Return the diagnosis of each of several runs.

    Parameters
    ----------
    lrs : sequence of float
        Their learning rates.
    weights, losses : arrays, shapes (runs, epochs + 1, 2) and (runs, epochs + 1)
        After each epoch, the start first.
    problem : Problem
        What they were trained on.
    """
    weights, losses = np.asarray(weights), np.asarray(losses)
    distances = distance(weights, problem)
    lost = ~(np.isfinite(losses) & np.isfinite(weights).all(axis=-1))
    rises = np.zeros_like(lost)
    rises[:, 1:] = ~(losses[:, 1:] <= losses[:, :-1])
    numbers = zip(
        lrs,
        epochs_to_converge(distances, problem).tolist(),
        _first(lost),
        _first(rises),
        share_left(distances)[:, -1].tolist(),
        strict=True,
    )
    limit, last = problem.stability_limit, losses.shape[1] - 1
    return [
        _diagnosis(
            lr,
            limit,
            last,
            arrived_at=arrived if arrived <= last else None,
            overflowed_at=overflowed,
            rose_at=rose,
            left=left,
        )
        for lr, arrived, overflowed, rose, left in numbers
    ]


def _first(marked: npt.NDArray[np.bool_]) -> list[int | None]:
    """Return where each row is first true, or None."""
    places = np.where(marked.any(axis=1), marked.argmax(axis=1), -1).tolist()
    return [None if place < 0 else place for place in places]


def _diagnosis(
    lr: float,
    limit: float,
    last: int,
    *,
    arrived_at: int | None,
    overflowed_at: int | None,
    rose_at: int | None,
    left: float,
) -> Diagnosis:
    if lr >= limit:
        relation = "past" if lr > limit else "at"
        sentence = f"diverging: {relation} the limit {limit_text(limit, lr)}"
        earned_at = last if rose_at is None else rose_at
        return Diagnosis("diverging", None, overflowed_at, earned_at, left, sentence)
    if arrived_at is not None:
        sentence = f"converged at epoch {arrived_at}"
        return Diagnosis("converged", arrived_at, overflowed_at, arrived_at, left, sentence)
    sentence = f"{share_text(left)} of the way left after {epochs_text(last)}"
    return Diagnosis("converging", None, overflowed_at, last, left, sentence)


def distance(weights: npt.ArrayLike, problem: Problem) -> Doubles:
    """Return the distance of `weights`, shape (..., 2), to the best weights; infinite for NaN."""
    offset = np.asarray(weights, np.float64) - problem.best_weights
    result: Doubles = np.hypot(offset[..., 0], offset[..., 1])
    return np.where(np.isnan(result), np.inf, result)


def share_left(distances: Doubles) -> Doubles:
    """Return the distances as shares of the first; 0 where there was none to go."""
    first = distances[..., :1]
    return np.divide(distances, first, out=np.zeros_like(distances), where=first > 0)


def epochs_to_converge(distances: npt.ArrayLike, problem: Problem) -> npt.NDArray[np.int64]:
    """
    Return the first epoch from which each run's distance stays at or below 1 % of its first.

    `distances` has shape (..., epochs + 1); the result has shape (...), and is ``epochs + 1``
    where a run never arrives. A run that starts nearer to the best weights than float32 resolves
    is there from the start.
    """
    distances = np.asarray(distances)
    floor = FLOAT32_FLOOR * max(1.0, float(np.abs(problem.best_weights).max()))
    away = distances > np.maximum(ARRIVED * distances[..., :1], floor)
    from_the_end: npt.NDArray[np.int64] = away[..., ::-1].argmax(axis=-1)
    count = distances.shape[-1]
    return np.where(away.any(axis=-1), count - from_the_end, 0)
