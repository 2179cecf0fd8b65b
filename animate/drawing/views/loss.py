"""The loss against the epoch, on a log axis, with the other runs' for comparison."""

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

ROOM_ABOVE = 1e3  # times the first loss: as far as the axis follows a run that grows
ROOM_BELOW = 1e-6  # times the first loss: how far below it a known floor is still shown
LEAST_SHARE = 1e-12  # of the first loss: how far the axis follows losses without a known floor
NAME_HEIGHT = 2.0  # em
# Where the name of the turn may start, in em from it, the nearest first; leftwards if negative.
NAME_SPOTS = tuple(itertools.product((0.9, -0.9, 1.8, -1.8, 2.7, -2.7), (-1.25, 0.6)))
FINE = 1000  # places along a curve
OWN = 9  # how much worse it is to hide the panel's own curve
SMALLEST = 1e-12  # for a start that has no loss at all


class Loss(View):
    """One run's loss up to now, the others' as ghosts, and the floor that none can pass."""

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
            np.column_stack([panel.times_of(run), curve])[_given(run)]
            for run, curve in zip(panel.runs, curves, strict=True)
            if run is not panel.run
        ]
        own = curves[own_place]
        given = _given(panel.run)
        self._record = np.cumsum(given) - 1  # among those with a loss
        self._curve = RunCurve(panel, panel.times[given], own[given], panel.style)
        self.moving += self._curve.artists
        self._turn, self._turn_seen = self._draw_turn(own)

    def draw(self, record: int) -> None:
        """Set the curves up to `record`; no ghost shows what is still to come."""
        now = self.panel.times[record]
        self._ghosts.set_segments([other[: _count(other[:, 0], now)] for other in self._others])
        self._curve.draw(int(self._record[record]))
        for artist in self._turn:
            artist.set_visible(record >= self._turn_seen)

    def _set_scale(self, curves: Sequence[Doubles], floors: Sequence[float | None]) -> None:
        """Set the y axis, the same for all runs: a log scale, unless a loss is not positive."""
        panel = self.panel
        height = panel.axes.get_window_extent().height / panel.em
        known = np.concatenate(curves)
        if (known[~np.isnan(known)] > 0).all():
            set_log_scale(panel, *limits(curves, floors, height))
            return
        self.caption = "loss against {clock}"
        first = max(abs(curve[0]) for curve in map(_known, curves) if len(curve))
        bound = ROOM_ABOVE * max(first, SMALLEST)
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

    def _draw_turn(self, losses: Doubles) -> tuple[list[Artist], int]:
        """
        Mark where the loss of a run past its limit is lowest, if that is on its way.

        Only of plain descent is it known that the loss climbs ever after. Returns the artists, and
        the first record at which they are visible.
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
        place = (panel.times[lowest], losses[lowest])
        (ring,) = axes.plot(
            *([part] for part in place),
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
        across, up = self._clear_of_curves(place, len(text))
        name = TabularText(
            *place,
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
        seen = max(lowest + 1, run.record_at(run.diagnosis.verdict_step))
        return [self.moves(ring), self.moves(name)], seen

    def _clear_of_curves(self, place: tuple[float, float], letters: int) -> tuple[float, float]:
        """Return the offset in em at which a name of so many letters hides least of the curves."""
        panel = self.panel
        axes, em, runs = panel.axes, panel.em, panel.runs
        moments = np.linspace(panel.clock.first, panel.clock.last, FINE)
        curves = [(panel.times_of(run), run.losses) for run in runs]
        curves.append((panel.times, np.full(len(panel.times), self._floor)))
        heights = [
            np.exp(np.interp(moments, times, np.log(np.fmax(clip_for_drawing(losses), SMALLEST))))
            for times, losses in curves
        ]
        points = np.column_stack([np.tile(moments, len(heights)), np.ravel(heights)])
        importance = np.repeat([1 + OWN * (run is panel.run) for run in (*runs, None)], FINE)
        middle = axes.transData.transform(place)
        points = (axes.transData.transform(points) - middle) / em
        frame = (axes.bbox.get_points() - middle) / em

        def hidden(spot: tuple[float, float]) -> float:
            across, up = spot
            start, end = sorted((across, across + np.copysign(CHARACTER_WIDTH * letters, across)))
            low, high = np.array([start, up - 0.3]), np.array([end, up + 0.9])
            if (low < frame[0]).any() or (high > frame[1]).any():
                return np.inf
            return float(importance[((points > low) & (points < high)).all(axis=1)].sum())

        return min(NAME_SPOTS, key=hidden)


def limits(
    curves: Sequence[Doubles], floors: Sequence[float | None], height: float
) -> tuple[float, float]:
    """
    Return the lowest and highest loss shown, both positive.

    Parameters
    ----------
    curves : float64 arrays, shape (T,) each
        The runs' losses, NaN where there is none.
    floors : float or None each
        The least possible loss, below which its name needs room; None where it is not known.
    height : float
        Of the panel, in em.
    """
    known = _known(np.concatenate(curves))
    if not len(known):  # all that is known is infinite
        known = np.ones(1)
    starts = [float(curve[0]) for curve in map(_known, curves) if len(curve)]
    first = max(max(starts, default=1.0), SMALLEST)
    given = [floor for floor in floors if floor is not None]
    low = max(min(given), ROOM_BELOW * first) if given else np.inf
    if len(given) < len(floors):
        low = min(low, max(float(known.min()), LEAST_SHARE * first))
    high = max(min(float(known.max()), ROOM_ABOVE * first), 10 * low)
    room = high / low
    share = NAME_HEIGHT / height if given else 0.0
    below = 1.08 * share / (1 - share) if given else 0.08
    return low / room**below, high * room**0.08


def _given(run: Trajectory) -> npt.NDArray[np.bool_]:
    """Return which records have a loss; after an overflow all have, if only NaN."""
    return ~np.isnan(run.losses) | (np.arange(len(run.losses)) >= overflow_record(run))


def _known(curve: Doubles) -> Doubles:
    return curve[~np.isnan(curve)]


def _count(times: Doubles, now: float) -> int:
    """Return how many of the rising `times` have come by `now`."""
    return int(np.searchsorted(times, now, "right"))
