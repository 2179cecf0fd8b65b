"""What several views draw with: ticks, trails, and a head that says when it is out of sight."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from animate.drawing.theme import RunStyle
from animate.drawing.views import Panel
from animate.training.problem import Doubles
from animate.training.trajectory import Trajectory

MAX_COORDINATE = 1e30  # from here on, coordinate transforms overflow


def clip_for_drawing(values: npt.ArrayLike) -> Doubles:
    """
    Return `values` in float64, limited to what transforms bear, and NaN where not finite.

    A diverging run outgrows every axis, and in the end float32.
    """
    array = np.array(values, np.float64)
    array[~np.isfinite(array)] = np.nan
    return np.clip(array, -MAX_COORDINATE, MAX_COORDINATE)


def weights_until_overflow(run: Trajectory) -> Doubles:
    """
    Return the run's weights to be drawn, shape (T, P); there are none from its overflow on.

    Some after it may be finite, but too large to be drawn where they are.
    """
    assert run.weights is not None
    weights = clip_for_drawing(run.weights)
    weights[overflow_record(run) :] = np.nan
    return weights


def unique_starts(runs: Sequence[Trajectory]) -> Doubles:
    """Return where the runs start, as far as that is finite: (S, P), each start once."""
    first = np.array([run.weights[0] for run in runs if run.weights is not None], np.float64)
    return np.unique(first[np.isfinite(first).all(axis=1)], axis=0)


def overflow_record(run: Trajectory) -> int:
    """Return the record at which `run` overflowed, or the number of its records."""
    overflowed_at = run.diagnosis.overflowed_at
    return len(run.steps) if overflowed_at is None else run.record_at(overflowed_at)


class RunCurve:
    """
    A run's way through a panel up to a record: a line, its head, and the head's stand-in.

    Where the head is out of sight, a triangle on the panel's edge points to it. After an overflow
    a cross marks the last place that there was.

    Parameters
    ----------
    panel : Panel
        Its axes with their limits set.
    x, y : arrays, shape (T,)
        The place at each record.
    style : RunStyle
    dots : bool
        Whether each record's place has a dot.
    dashed : bool
        Whether the line has the run's own dashes.
    """

    def __init__(
        self,
        panel: Panel,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        style: RunStyle,
        *,
        dots: bool = False,
        dashed: bool = True,
        width: float = 0.17,
        zorder: float = 4,
    ) -> None:
        axes, em = panel.axes, panel.em
        self._x, self._y = clip_for_drawing(x), clip_for_drawing(y)
        finite = np.isfinite(self._x) & np.isfinite(self._y)
        self._last = np.maximum.accumulate(np.where(finite, np.arange(len(finite)), 0))
        self._axes = axes
        self._marker = style.marker
        (self._line,) = axes.plot(
            [],
            [],
            color=style.line,
            linewidth=width * em,
            linestyle=style.dash if dashed else "solid",
            marker="o" if dots else "",
            markersize=0.25 * em,
            markeredgewidth=0,
            zorder=zorder,
        )
        (self._head,) = axes.plot(
            [],
            [],
            linestyle="none",
            marker=style.marker,
            markersize=0.62 * em,
            color=style.line,
            markeredgecolor=panel.theme.panel,
            markeredgewidth=em / 14,
            clip_on=False,
            zorder=zorder + 1,
        )
        # So that the head, half out of its panel, reaches no axis' labels.
        self._head.set_clip_box(panel.clip_box)
        self._head.set_clip_on(True)
        self.artists: tuple[Line2D, Line2D] = (self._line, self._head)

    def draw(self, record: int) -> None:
        """Set the line up to `record` and the head at it; before any record, -1, nothing."""
        upto = slice(0, record + 1)  # of -1, nothing
        self._line.set_data(self._x[upto], self._y[upto])
        if record < 0:
            self._head.set_data([], [])
            return
        last = self._last[record]
        x, y, marker = clip_to_axes(self._axes, self._x[last], self._y[last])
        self._head.set_data([x], [y])
        self._head.set_marker("X" if last < record else marker or self._marker)


def clip_to_axes(axes: Axes, x: float, y: float) -> tuple[float, float, str]:
    """Return (x, y) moved into the limits, and the triangle that points to where it was, or ""."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    marker = ""
    if not left <= x <= right:
        marker = "<" if x < left else ">"
    if not low <= y <= high:
        marker = "v" if y < low else "^"
    return float(min(max(x, left), right)), float(min(max(y, low), high)), marker
