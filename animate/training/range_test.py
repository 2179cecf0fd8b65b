"""Learning rate range tests: runs whose rate rises exponentially, with the schedule `range`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from animate.system.errors import InputError
from animate.training.problem import Array, Doubles
from animate.training.trajectory import Trajectory

SMOOTHED_SHARE = 0.05  # of the steps


@dataclass(frozen=True, eq=False)
class RangeTest:
    """
    Loss against learning rate (Smith, arXiv 1506.01186).

    Attributes
    ----------
    lrs, losses : arrays, shape (T - 1,)
        The learning rate of each step, and the loss after it.
    suggested_lr : float or None
        Where the smoothed loss falls most steeply, before it is lowest; None where it never falls.
    suggested_from : int or None
        The first record at which that is known: the last one of those over which the lowest loss
        is smoothed. None without a `suggested_lr`.
    diverging_lr : float or None
        The first rate from which the loss stays more than halfway back from its lowest value to its
        first, or not finite; None where it does not.
    """

    lrs: Array
    losses: Array
    suggested_lr: float | None
    suggested_from: int | None
    diverging_lr: float | None


def range_test(run: Trajectory) -> RangeTest:
    """
    Return what the range test `run` tells.

    Raises
    ------
    InputError
        If it has another schedule, or fewer than three records.
    """
    if not has_range_schedule(run):
        raise InputError(
            f"{run.label or 'the run'} is not a range test; train with "
            'Hyperparameters(lr, schedule="range")'
        )
    if not is_range_test(run):
        raise InputError(
            "a range test of fewer than two steps tells nothing; train for more epochs"
        )
    lrs, losses = run.lrs[:-1], run.losses[1:]
    is_higher = ~(losses <= (run.losses[0] + run.losses.min()) / 2)
    first_higher = len(losses) - int((~is_higher[::-1]).argmax()) if not is_higher.all() else 0
    diverging = None if first_higher == len(losses) else float(lrs[first_higher])
    smoothed = _smoothed(run.losses.astype(np.float64))
    # Up to the lowest loss: past it, a spike falls more steeply than anything learned. The rates
    # rise by the same factor each step.
    lowest = int(np.where(np.isfinite(smoothed), smoothed, np.inf).argmin())
    suggested = float(lrs[(-np.diff(smoothed[: lowest + 1])).argmax()]) if lowest else None
    last = len(smoothed) - 1
    suggested_from = min(lowest + _half_width(len(smoothed)), last) if lowest else None
    return RangeTest(lrs, losses, suggested, suggested_from, diverging)


def has_range_schedule(run: Trajectory) -> bool:
    """Return whether `run` is known to have the schedule `range`."""
    known = run.hyperparameters
    return known is not None and known.schedule == "range"


def is_range_test(run: Trajectory) -> bool:
    """Return whether `range_test` can be called with `run`."""
    return has_range_schedule(run) and len(run.losses) >= 3


def _half_width(count: int) -> int:
    """Return how many records on each side a mean is taken over."""
    return int(SMOOTHED_SHARE * (count - 1)) // 2


def _smoothed(losses: Doubles) -> Doubles:
    """Return the mean over 5 % of the records around each; fewer at the ends."""
    half = _half_width(len(losses))
    with np.errstate(all="ignore"):
        return np.array(
            [losses[max(i - half, 0) : i + half + 1].mean() for i in range(len(losses))]
        )
