"""The curve of a run up to a record, and the values to draw, shared by several views."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from animate.drawing.palette import LineStyle
from animate.drawing.theme import RunStyle
from animate.drawing.views import Panel
from animate.training.problem import Doubles
from animate.training.trajectory import Trajectory

VALIDATION_DASH: LineStyle = (0, (1.0, 1.2))
PALE = 0.6  # opacity of what belongs to another run
DOT_GAP = 0.2  # em, between dots that can be told apart
MAX_COORDINATE = 1e30  # matplotlib's transforms overflow above
MAX_DISTANCE = 1e3  # of resampled points, in em


def clip_for_drawing(values: npt.ArrayLike) -> Doubles:
    """
    Return `values` as float64, clipped to ±`MAX_COORDINATE`, with NaN for non-finite ones.

    The values of a diverging run outgrow every axis, and finally float32.
    """
    array = np.array(values, np.float64)
    array[~np.isfinite(array)] = np.nan
    return np.clip(array, -MAX_COORDINATE, MAX_COORDINATE)


def weights_until_overflow(run: Trajectory) -> Doubles:
    """
    Return the weights of `run` for drawing, float64 (T, P), with NaN from its overflow on.

    Weights after the overflow may be finite, but are too large to be drawn.
    """
    return weights_at(run, np.arange(len(run.steps)))


def weights_at(run: Trajectory, records: npt.NDArray[np.intp]) -> Doubles:
    """Return the rows of `weights_until_overflow` at `records`, without a copy of the others."""
    assert run.weights is not None
    weights = clip_for_drawing(run.weights[records])
    weights[records >= overflow_record(run)] = np.nan
    return weights


def unique_starts(runs: Sequence[Trajectory]) -> Doubles:
    """Return the distinct finite first weights of `runs`, float64 (S, P)."""
    first = np.array([run.weights[0] for run in runs if run.weights is not None], np.float64)
    return np.unique(first[np.isfinite(first).all(axis=1)], axis=0)


def overflow_record(run: Trajectory) -> int:
    """Return the record of the overflow of `run`, or the number of its records."""
    overflowed_at = run.diagnosis.overflowed_at
    return len(run.steps) if overflowed_at is None else run.record_at(overflowed_at)


def draw_ring(panel: Panel, x: float, y: float) -> Line2D:
    """Add a hollow ring around a point, such as a lowest loss."""
    (ring,) = panel.axes.plot(
        [x],
        [y],
        linestyle="none",
        marker="o",
        markersize=0.62 * panel.em,
        markerfacecolor=panel.theme.panel,
        markeredgecolor=panel.theme.ink,
        markeredgewidth=panel.em / 9,
        zorder=3.5,
    )
    return ring


class OtherCurves:
    """
    The curves of the other runs, thin and pale in their colours, up to a time.

    Parameters
    ----------
    panel : Panel
    curves : sequence of (int, array of shape (T, 2))
        The index of a run, and time and value of each point, in the order of time.

    Attributes
    ----------
    artist : LineCollection
        To be registered as moving.
    """

    def __init__(self, panel: Panel, curves: Sequence[tuple[int, Doubles]]) -> None:
        theme = panel.theme
        self._curves = [curve for _, curve in curves]
        self.artist = LineCollection(
            [],
            colors=[theme.with_opacity(theme.run(index).line, PALE) for index, _ in curves],
            linewidths=panel.em / 9,
            zorder=3,
        )
        panel.axes.add_collection(self.artist, autolim=False)

    def draw(self, now: float) -> None:
        """Draw the curves up to the time `now`."""
        self.artist.set_segments([curve[: count_until(curve[:, 0], now)] for curve in self._curves])


class RunCurve:
    """
    The curve of one run up to a record: a line, and a marker at its head.

    If the head is outside the axes, a triangle on their edge points to it. After an overflow, a
    cross marks the last finite point.

    Parameters
    ----------
    panel : Panel
        Its axes must have their limits set.
    x, y : arrays, shape (T,)
        The point of each record.
    style : RunStyle
    dots : bool, or array of int
        Whether records have a dot, unless another one hides it; or the points that have one.
    dashed : bool or dashes
        Whether the line has the dashes of `style`, or its own.
    width : float
        The line width in em.
    has_head : bool
        Whether the marker at the head is shown.
    zorder : float
        Of the line; the marker is above it.

    Attributes
    ----------
    artists : tuple of Line2D
        The line and the marker, to be registered as moving.
    """

    def __init__(
        self,
        panel: Panel,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        style: RunStyle,
        *,
        dots: bool | npt.NDArray[np.intp] = False,
        dashed: bool | LineStyle = True,
        width: float = 0.17,
        has_head: bool = True,
        zorder: float = 4,
    ) -> None:
        axes, em = panel.axes, panel.em
        self._x, self._y = clip_for_drawing(x), clip_for_drawing(y)
        finite = np.isfinite(self._x) & np.isfinite(self._y)
        self._last = np.maximum.accumulate(np.where(finite, np.arange(len(finite)), 0))
        self._axes = axes
        self._marker = style.marker
        dash = style.dash if isinstance(dashed, bool) else dashed
        (self._line,) = axes.plot(
            [],
            [],
            color=style.line,
            linewidth=width * em,
            linestyle=dash if dashed else "solid",
            marker="" if dots is False else "o",
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
        # A marker on the edge is drawn in full, but must not reach the tick labels.
        self._head.set_clip_box(panel.clip_box)
        self._head.set_clip_on(True)
        self._dots = dots
        if dots is True:
            pixels = axes.transData.transform(np.column_stack([self._x, self._y]))
            self._dots = spread_points(pixels, DOT_GAP * em)
        self._has_head = has_head
        self.artists: tuple[Line2D, Line2D] = (self._line, self._head)

    def draw(self, record: int) -> None:
        """Draw the line up to `record` with the marker at it; nothing for record -1."""
        shown = slice(0, record + 1)
        self._line.set_data(self._x[shown], self._y[shown])
        if not isinstance(self._dots, bool):
            self._line.set_markevery(self._dots[: count_until(self._dots, record)].tolist())
        if record < 0 or not self._has_head:
            self._head.set_data([], [])
            return
        x, y, marker = self._clipped(record)
        self._head.set_data([x], [y])
        self._head.set_marker("X" if self._last[record] < record else marker or self._marker)

    def head(self, record: int) -> tuple[float, float]:
        """Return where the marker is at `record`, in data coordinates."""
        return self._clipped(record)[:2]

    def _clipped(self, record: int) -> tuple[float, float, str]:
        last = self._last[record]
        return clip_to_axes(self._axes, self._x[last], self._y[last])


def spread_points(pixels: Doubles, gap: float) -> npt.NDArray[np.intp]:
    """
    Return ascending indices of `pixels`, shape (T, 2), without those close to an earlier one.

    A point is close if it is in the same square of side `gap`. Points that are not finite are
    left out.

    >>> spread_points(np.array([[0.1, 0], [5, 0], [0.2, 0]]), gap=1).tolist()
    [0, 1]
    """
    is_finite = np.atleast_1d(np.isfinite(pixels).all(axis=1))
    cells = np.floor(np.where(is_finite[:, None], pixels, 0) / gap)
    _, first = np.unique(cells[is_finite], axis=0, return_index=True)
    return np.flatnonzero(is_finite)[np.sort(first)]


def clip_to_axes(axes: Axes, x: float, y: float) -> tuple[float, float, str]:
    """Return (x, y) clipped to the limits, and a triangle marker that points to it, or ""."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    marker = ""
    if not left <= x <= right:
        marker = "<" if x < left else ">"
    if not low <= y <= high:
        marker = "v" if y < low else "^"
    return float(min(max(x, left), right)), float(min(max(y, low), high)), marker


def count_until(times: npt.NDArray[Any], now: float) -> int:
    """Return how many of the ascending `times` are at or before `now`."""
    return int(np.searchsorted(times, now, "right"))


def resample(path: Doubles, gap: float) -> Doubles:
    """
    Return points on the line through `path`, shape (T, 2), at most about `gap` apart.

    Points that are not finite interrupt the line; parts far from the origin are left out.

    >>> resample(np.array([[0.0, 0.0], [0.0, 1.0]]), gap=0.5).tolist()
    [[0.0, 0.0], [0.0, 0.5], [0.0, 1.0]]
    """
    near = np.clip(path, -MAX_DISTANCE, MAX_DISTANCE)
    parts = [near[np.isfinite(near).all(axis=1)]]
    for start, end in itertools.pairwise(near):
        count = np.hypot(*(end - start)) / gap
        if np.isfinite(count) and count > 1:
            parts.append(np.linspace(start, end, int(np.ceil(count)) + 1)[1:-1])
    points: Doubles = np.concatenate(parts)
    return points[np.lexsort(points.T[::-1])]
