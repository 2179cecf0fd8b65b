"""What several views draw with: ticks, trails, and a head that says when it is out of sight."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from animate.drawing.theme import RunStyle
from animate.drawing.views import Panel
from animate.system.numbers import MINUS
from animate.training.problem import Doubles
from animate.training.trajectory import Trajectory

LETTER = 0.55  # em, the width of one
FARTHEST = 1e30  # from here on, coordinate transforms overflow
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def drawable(values: npt.ArrayLike) -> Doubles:
    """
    Return `values` in float64, limited to what transforms bear, and NaN where not finite.

    A diverging run outgrows every axis, and in the end float32.
    """
    array = np.array(values, np.float64)
    array[~np.isfinite(array)] = np.nan
    return np.clip(array, -FARTHEST, FARTHEST)


def weights_of(run: Trajectory) -> Doubles:
    """
    Return the run's weights to be drawn, shape (T, P); there are none from its overflow on.

    Some after it may be finite, but too large to be drawn where they are.
    """
    assert run.weights is not None
    weights = drawable(run.weights)
    weights[overflow_record(run) :] = np.nan
    return weights


def starts_of(runs: Sequence[Trajectory]) -> Doubles:
    """Return where the runs start, as far as that is finite: (S, P), each start once."""
    first = np.array([run.weights[0] for run in runs if run.weights is not None], np.float64)
    return np.unique(first[np.isfinite(first).all(axis=1)], axis=0)


def overflow_record(run: Trajectory) -> int:
    """Return the record at which `run` overflowed, or the number of its records."""
    overflowed_at = run.diagnosis.overflowed_at
    return len(run.steps) if overflowed_at is None else run.record_at(overflowed_at)


class Path:
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
        self._x, self._y = drawable(x), drawable(y)
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
        self._head.set_clip_box(panel.around)
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
        x, y, marker = at_edge(self._axes, self._x[last], self._y[last])
        self._head.set_data([x], [y])
        self._head.set_marker("X" if last < record else marker or self._marker)


def at_edge(axes: Axes, x: float, y: float) -> tuple[float, float, str]:
    """Return (x, y) moved into the limits, and the triangle that points to where it was, or ""."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    marker = ""
    if not left <= x <= right:
        marker = "<" if x < left else ">"
    if not low <= y <= high:
        marker = "v" if y < low else "^"
    return float(min(max(x, left), right)), float(min(max(y, low), high)), marker


def plain_ticks(panel: Panel) -> None:
    """Set a few fixed ticks, written with real minus signs and no more digits than they need."""
    axes = panel.axes
    across, up = _bins(panel)
    axes.xaxis.set_ticks(*labelled(_inside(axes.get_xlim(), across)))
    axes.yaxis.set_ticks(*labelled(_inside(axes.get_ylim(), up)))


def time_ticks(panel: Panel) -> None:
    """Set the x axis to the scene's time, with a tick at the last moment."""
    axes, first, last = panel.axes, panel.clock.first, panel.clock.last
    room = 0.02 * (last - first) or 0.5
    axes.set_xlim(first - room, last + room)
    values = MaxNLocator(4, integer=True).tick_values(first, last)
    ticks = [tick for tick in values if first <= tick <= last]
    axes.xaxis.set_ticks(*labelled(ticks))


def log_ticks(panel: Panel, low: float, high: float) -> None:
    """Set the y axis to a log scale from `low` to `high`, with a few powers of ten."""
    axes = panel.axes
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    first, last = int(np.ceil(np.log10(low))), int(np.floor(np.log10(high)))
    step = 1 + (last - first) // max(_bins(panel)[1], 2)
    powers = range(first, last + 1, step)
    names = [
        f"{10.0**power:g}" if -3 <= power <= 3 else "10" + str(power).translate(SUPERSCRIPT)
        for power in powers
    ]
    if len(powers) > 1:
        axes.yaxis.set_ticks([10.0**power for power in powers], names)
    else:  # too few to read a value by
        between = [part * 10.0**power for power in (first - 1, first) for part in (1, 2, 5)]
        axes.yaxis.set_ticks(*labelled([tick for tick in between if low <= tick <= high]))
    axes.yaxis.set_ticks([], minor=True)


def rate_ticks(panel: Panel) -> None:
    """Set a few ticks on an x axis of learning rates."""
    panel.axes.xaxis.set_ticks(*labelled(_inside(panel.axes.get_xlim(), _bins(panel)[0])))


def value_ticks(panel: Panel) -> None:
    """Set a few ticks on a linear y axis."""
    panel.axes.yaxis.set_ticks(*labelled(_inside(panel.axes.get_ylim(), _bins(panel)[1])))


def labelled(ticks: Sequence[float]) -> tuple[list[float], list[str]]:
    """Return the ticks and how they are written; of equal texts only the first stays."""
    texts = [re.sub(r"e\+?(-?)0*", r"e\1", f"{tick:.6g}").replace("-", MINUS) for tick in ticks]
    return list(ticks), ["" if text in texts[:place] else text for place, text in enumerate(texts)]


def _bins(panel: Panel) -> tuple[int, int]:
    """Return how many intervals between ticks look well across and up."""
    box = panel.axes.get_window_extent()
    across, up = box.width / panel.em / 4.5, box.height / panel.em / 2.4
    return int(np.clip(across, 2, 8)), int(np.clip(up, 2, 5))


def _inside(bounds: tuple[float, float], bins: int) -> list[float]:
    for steps in ([1, 2, 5, 10], [1, 2, 4, 5, 10]):
        found = MaxNLocator(bins, steps=steps).tick_values(*bounds)
        ticks = [tick for tick in found if bounds[0] <= tick <= bounds[1]]
        if len(ticks) > 2:
            break
    return ticks
