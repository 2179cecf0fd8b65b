"""The loss against time, on a log axis, with the other runs for comparison."""

import itertools
from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection
from matplotlib.transforms import offset_copy

from animate.drawing.tabular_text import TabularText
from animate.drawing.text import CHARACTER_WIDTH
from animate.drawing.views import Panel, View
from animate.drawing.views.curves import RunCurve, clip_for_drawing, overflow_record
from animate.drawing.views.ticks import set_log_scale, set_time_ticks, set_y_ticks
from animate.system.numbers import moment_text
from animate.training.problem import Doubles, Quadratic, provides
from animate.training.trajectory import Trajectory

# Limits of the axis, relative to the first loss.
MAX_GROWTH = 1e3  # the axis does not follow a run that grows beyond
MIN_FLOOR = 1e-6  # the lowest known minimum that is shown
MIN_LOSS = 1e-12  # the lowest loss that is shown if the minimum is unknown
FLOOR_LABEL_HEIGHT = 2.0  # em
# Offsets in em of the label of the lowest loss, the nearest first. With a negative x the label ends
# there.
LABEL_OFFSETS = tuple(itertools.product((0.9, -0.9, 1.8, -1.8, 2.7, -2.7), (-1.25, 0.6)))
SAMPLES = 1000  # points per curve, to find a free point for the label
OWN_CURVE_WEIGHT = 9  # additional cost of hiding the curve of the panel's own run
TINY = 1e-12  # replaces a first loss of 0


class Loss(View):
    """Plot the loss of one run, those of the others in grey, and the lowest possible loss."""

    caption = "loss against {clock} (log)"
    records = ("losses",)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        axes, theme, em = panel.axes, panel.theme, panel.em
        floors = [
            run.problem.best_loss if provides(run.problem, Quadratic) else None
            for run in panel.runs
        ]
        own_place = cast("int", panel.index)
        self._floor = floors[own_place]
        set_time_ticks(panel)
        curves = [clip_for_drawing(run.losses) for run in panel.runs]
        self._set_scale(curves, floors)
        if self._floor is not None and self._floor > axes.get_ylim()[0]:
            self._draw_floor(self._floor, is_named=own_place == floors.index(self._floor))
        self._ghosts = self.moves(
            LineCollection([], colors=theme.points, linewidths=em / 9, zorder=3)
        )
        axes.add_collection(self._ghosts, autolim=False)
        self._others = [
            np.column_stack([panel.times_of(run), curve])[_has_loss(run)]
            for run, curve in zip(panel.runs, curves, strict=True)
            if run is not panel.run
        ]
        own = curves[own_place]
        given = _has_loss(panel.run)
        self._point = np.cumsum(given) - 1  # index of each record among those with a loss
        self._curve = RunCurve(panel, panel.times[given], own[given], panel.style)
        self.moving += self._curve.artists
        self._minimum_artists, self._minimum_visible_from = self._draw_minimum(own)

    def draw(self, record: int) -> None:
        """Draw all curves up to the time of `record`."""
        now = self.panel.times[record]
        self._ghosts.set_segments(
            [other[: _count_until(other[:, 0], now)] for other in self._others]
        )
        self._curve.draw(int(self._point[record]))
        for artist in self._minimum_artists:
            artist.set_visible(record >= self._minimum_visible_from)

    def _set_scale(self, curves: Sequence[Doubles], floors: Sequence[float | None]) -> None:
        """Set the y axis, the same for all runs: linear if a loss is not positive, else log."""
        panel = self.panel
        height = panel.axes.get_window_extent().height / panel.em
        known = np.concatenate(curves)
        if (known[~np.isnan(known)] > 0).all():
            set_log_scale(panel, *log_limits(curves, floors, height))
            return
        self.caption = "loss against {clock}"
        first = max(abs(curve[0]) for curve in map(_without_nan, curves) if len(curve))
        bound = MAX_GROWTH * max(first, TINY)
        low, high = np.clip([np.nanmin(known), np.nanmax(known)], -bound, bound)
        room = 0.08 * (high - low) or 1.0
        panel.axes.set_ylim(low - room, high + room)
        set_y_ticks(panel)

    def _draw_floor(self, floor: float, *, is_named: bool) -> None:
        panel = self.panel
        axes, theme, em = panel.axes, panel.theme, panel.em
        axes.axhline(floor, color=theme.ink, linewidth=em / 9, linestyle=":", zorder=2)
        if is_named:
            axes.annotate(
                "the best fit's loss",
                (0.99, floor),
                (0, -0.45 * em),
                xycoords=axes.get_yaxis_transform(),
                textcoords="offset points",
                fontsize=em,
                color=theme.muted,
                horizontalalignment="right",
                verticalalignment="top",
                zorder=2,
            )

    def _draw_minimum(self, losses: Doubles) -> tuple[list[Artist], int]:
        """
        Mark the lowest loss of a run past its stability limit, unless it is at an end.

        Only with plain descent is it certain that the loss rises from there on. Returns the
        artists, and the first record at which they are visible.
        """
        panel, run = self.panel, self.panel.run
        if (
            not run.is_plain_descent
            or run.diagnosis.verdict != "diverging"
            or run.diagnosis.basis != "theory"
        ):
            return [], 0
        lowest = int(np.nanargmin(losses))
        if lowest in (0, len(losses) - 1):
            return [], 0
        axes, theme, em = panel.axes, panel.theme, panel.em
        point = (panel.times[lowest], losses[lowest])
        (ring,) = axes.plot(
            *([part] for part in point),
            linestyle="none",
            marker="o",
            markersize=0.62 * em,
            markerfacecolor=theme.panel,
            markeredgecolor=theme.ink,
            markeredgewidth=em / 9,
            zorder=3.5,
        )
        is_exact = run.steps[lowest + 1] - run.steps[lowest - 1] == 2
        at = moment_text(panel.times[lowest], panel.clock.unit)
        text = f"turns {'at' if is_exact else 'near'} {at}"
        across, up = self._find_label_offset(point, len(text))
        name = TabularText(
            *point,
            text,
            transform=offset_copy(
                axes.transData, axes.get_figure(root=True), across * em, up * em, units="points"
            ),
            fontsize=em,
            color=theme.ink,
            horizontalalignment="left" if across > 0 else "right",
            clip_on=True,
            clip_box=axes.bbox,
            zorder=6,
        )
        axes.add_artist(name)
        visible_from = max(lowest + 1, run.record_at(run.diagnosis.verdict_step))
        return [self.moves(ring), self.moves(name)], visible_from

    def _find_label_offset(self, point: tuple[float, float], letters: int) -> tuple[float, float]:
        """Return the offset in em at which a label of `letters` letters hides few curve points."""
        panel = self.panel
        axes, em, runs = panel.axes, panel.em, panel.runs
        moments = np.linspace(panel.clock.first, panel.clock.last, SAMPLES)
        curves = [(panel.times_of(run), run.losses) for run in runs]
        curves.append((panel.times, np.full(len(panel.times), self._floor)))
        heights = [
            np.exp(np.interp(moments, times, np.log(np.fmax(clip_for_drawing(losses), TINY))))
            for times, losses in curves
        ]
        points = np.column_stack([np.tile(moments, len(heights)), np.ravel(heights)])
        importance = np.repeat(
            [1 + OWN_CURVE_WEIGHT * (run is panel.run) for run in (*runs, None)], SAMPLES
        )
        middle = axes.transData.transform(point)
        points = (axes.transData.transform(points) - middle) / em
        frame = (axes.bbox.get_points() - middle) / em

        def hidden(offset: tuple[float, float]) -> float:
            across, up = offset
            start, end = sorted((across, across + np.copysign(CHARACTER_WIDTH * letters, across)))
            low, high = np.array([start, up - 0.3]), np.array([end, up + 0.9])
            if (low < frame[0]).any() or (high > frame[1]).any():
                return np.inf
            return float(importance[((points > low) & (points < high)).all(axis=1)].sum())

        return min(LABEL_OFFSETS, key=hidden)


def log_limits(
    curves: Sequence[Doubles], floors: Sequence[float | None], height: float
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


def _has_loss(run: Trajectory) -> npt.NDArray[np.bool_]:
    """Return a mask of records with a loss; from an overflow on all are true."""
    return ~np.isnan(run.losses) | (np.arange(len(run.losses)) >= overflow_record(run))


def _without_nan(curve: Doubles) -> Doubles:
    return curve[~np.isnan(curve)]


def _count_until(times: Doubles, now: float) -> int:
    """Return how many of the ascending `times` are at or before `now`."""
    return int(np.searchsorted(times, now, "right"))
