"""The axis of losses, the same for all runs, shared by several views."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from animate.drawing.views import Panel
from animate.drawing.views.curves import overflow_record
from animate.drawing.views.ticks import set_y_scale
from animate.training.problem import Doubles
from animate.training.trajectory import Trajectory

# Limits of the axis, relative to the first loss.
MAX_GROWTH = 1e3  # the axis does not follow a run that grows beyond
MIN_FLOOR = 1e-6  # the lowest known minimum that is shown
MIN_LOSS = 1e-12  # the lowest loss that is shown if the minimum is unknown
FLOOR_LABEL_HEIGHT = 2.0  # em
TINY = 1e-12  # replaces a first loss of 0


def set_loss_scale(
    panel: Panel,
    curves: Sequence[Doubles],
    floors: Sequence[float | None],
) -> bool:
    """
    Set the y axis: linear if a loss is not positive, else log.

    Returns whether it is log. The parameters are those of `log_limits`.
    """
    height = panel.axes.get_window_extent().height / panel.em
    return set_y_scale(panel, *loss_scale(curves, floors, height))


def loss_scale(
    curves: Sequence[Doubles], floors: Sequence[float | None], height: float
) -> tuple[float, float, bool]:
    """Return the limits of the y axis, and whether it is log; see `log_limits`."""
    known = np.concatenate(curves)
    if (known[~np.isnan(known)] > 0).all():
        return *log_limits(curves, floors, height), True
    first = max(abs(curve[0]) for curve in map(_without_nan, curves) if len(curve))
    bound = MAX_GROWTH * max(first, TINY)
    low, high = np.clip([np.nanmin(known), np.nanmax(known)], -bound, bound)
    room = 0.08 * (high - low) or 1.0
    return float(low - room), float(high + room), False


def log_limits(
    curves: Sequence[Doubles],
    floors: Sequence[float | None],
    height: float,
) -> tuple[float, float]:
    """
    Return the limits of the log axis, both positive.

    Parameters
    ----------
    curves : float64 arrays, shape (T,) each
        The losses of each run, NaN for a missing one.
    floors : sequence of float or None
        The lowest possible loss of each run, with room for a label below it; None if unknown.
    height : float
        Of the panel, in em.
    """
    known = _without_nan(np.concatenate(curves))
    if not len(known):  # every known loss is infinite
        known = np.ones(1)
    starts = [float(curve[0]) for curve in map(_without_nan, curves) if len(curve)]
    first = max(max(starts, default=1.0), TINY)
    given = [floor for floor in floors if floor is not None]
    low = max(min(given), MIN_FLOOR * first) if given else np.inf
    if len(given) < len(floors):
        low = min(low, max(float(known.min()), MIN_LOSS * first))
    high = max(min(float(known.max()), MAX_GROWTH * first), 10 * low)
    room = high / low
    share = FLOOR_LABEL_HEIGHT / height if given else 0.0
    below = 1.08 * share / (1 - share) if given else 0.08
    return low / room**below, high * room**0.08


def has_loss(run: Trajectory) -> npt.NDArray[np.bool_]:
    """Return a mask of records with a loss; from an overflow on all are true."""
    return ~np.isnan(run.losses) | (np.arange(len(run.losses)) >= overflow_record(run))


def _without_nan(curve: Doubles) -> Doubles:
    return curve[~np.isnan(curve)]
