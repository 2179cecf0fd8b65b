"""The loss against time, on a log axis, with the other runs for comparison."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.transforms import offset_copy

from animate.drawing.palette import LineStyle
from animate.drawing.tabular_text import TabularText
from animate.drawing.text import text_width
from animate.drawing.views import Panel, View
from animate.drawing.views.curves import (
    VALIDATION_DASH,
    OtherCurves,
    RunCurve,
    clip_for_drawing,
    count_until,
    draw_ring,
    resample,
)
from animate.drawing.views.legend import free_corner
from animate.drawing.views.loss_axis import TINY, has_loss, set_loss_scale
from animate.drawing.views.ticks import set_time_ticks
from animate.system.numbers import moment_text
from animate.training.problem import Array, Doubles, Quadratic, provides
from animate.training.trajectory import BATCH_LOSS, VALIDATION, Trajectory

VALIDATION_LOSS = VALIDATION + "loss"
# Offsets in em of the label of the lowest loss, the nearest first. With a negative x the label ends
# there.
LABEL_OFFSETS = sorted(
    itertools.product((0.9, -0.9, 1.8, -1.8, 2.7, -2.7, 3.6), (-1.25, 0.6, -0.35, -2.2, 1.6)),
    key=lambda offset: abs(offset[0]) + abs(offset[1] + 0.35),
)
LABEL_MARGIN = 0.4  # em, between the label and the curves with their markers


@dataclass(frozen=True)
class _Beside:
    """A metric that is a loss too: its name in the legend, and its line, with the width in em."""

    metric: str
    name: str
    width: float
    dash: LineStyle
    opacity: float
    zorder: float


METRICS = (
    _Beside(VALIDATION_LOSS, "validation", 0.13, VALIDATION_DASH, 1.0, 4),
    _Beside(BATCH_LOSS, "each batch", 0.08, "solid", 0.5, 1.9),
)


class Loss(View):
    """
    Plot the loss of one run, pale ones of the others, and the lowest possible loss.

    Beside it are the validation loss and the loss of each mini-batch, if there are any.
    """

    caption = "loss against {clock} (log)"
    aspects = (1.2, 2.5)
    x_axis = "time"
    records = ("losses",)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        axes = panel.axes
        floors = [
            run.problem.best_loss if provides(run.problem, Quadratic) else None
            for run in panel.runs
        ]
        own_place = cast("int", panel.index)
        self._floor = floors[own_place]
        set_time_ticks(panel)
        curves = [clip_for_drawing(run.losses) for run in panel.runs]
        validations = [
            clip_for_drawing(run.metrics[VALIDATION_LOSS])
            for run in panel.runs
            if _has_metric(run, VALIDATION_LOSS)
        ]
        if not set_loss_scale(
            panel, [*curves, *validations], [*floors, *([None] * len(validations))]
        ):
            self.caption = "loss against {clock}"
        if getattr(panel.problem, "standardization", None) is not None:
            self.caption = f"standardized {self.caption}"
        if self._floor is not None and self._floor > axes.get_ylim()[0]:
            self._draw_floor(self._floor, is_named=own_place == floors.index(self._floor))
        self._others = OtherCurves(
            panel,
            [
                (index, np.column_stack([panel.times_of(run), curve])[has_loss(run)])
                for index, (run, curve) in enumerate(zip(panel.runs, curves, strict=True))
                if run is not panel.run
            ],
        )
        self.moves(self._others.artist)
        own = curves[own_place]
        given = has_loss(panel.run)
        self._point = np.cumsum(given) - 1  # index of each record among those with a loss
        self._curve = RunCurve(panel, panel.times[given], own[given], panel.style)
        self.moving += self._curve.artists
        self._metrics = [
            (beside.name, *self._draw_metric(beside))
            for beside in METRICS
            if _has_metric(panel.run, beside.metric)
        ]
        if own_place == _first_with_metrics(panel.runs):
            self._draw_legend(own[given])
        self._minimum_artists, self._minimum_visible_from = self._draw_minimum(own)

    def draw(self, record: int) -> None:
        """Draw all curves up to the time of `record`."""
        now = self.panel.times[record]
        self._others.draw(now)
        self._curve.draw(int(self._point[record]))
        for _, line, times, values in self._metrics:
            shown = count_until(times, now)
            line.set_data(times[:shown], values[:shown])
        for artist in self._minimum_artists:
            artist.set_visible(record >= self._minimum_visible_from)

    def _draw_metric(self, beside: _Beside) -> tuple[Line2D, Array, Doubles]:
        """Add an empty line for a metric beside the loss; returns it with its times and values."""
        panel, em = self.panel, self.panel.em
        (line,) = panel.axes.plot(
            [],
            [],
            color=panel.theme.with_opacity(panel.style.line, beside.opacity),
            linewidth=beside.width * em,
            linestyle=beside.dash,
            zorder=beside.zorder,
        )
        self.moves(line)
        values = clip_for_drawing(panel.run.metrics[beside.metric])
        given = ~np.isnan(values)
        return line, panel.times[given], values[given]

    def _draw_legend(self, losses: Doubles) -> None:
        panel = self.panel
        self._curve.artists[0].set_label("training")
        names = ["training"]
        curves = [np.column_stack([panel.times[has_loss(panel.run)], losses])]
        for name, line, times, values in self._metrics:
            line.set_label(name)
            names.append(name)
            curves.append(np.column_stack([times, values]))
        self.legend_corner = free_corner(panel, names, curves)

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
        ring = draw_ring(panel, *point)
        is_exact = run.steps[lowest + 1] - run.steps[lowest - 1] == 2
        at = moment_text(panel.times[lowest], panel.clock.unit)
        text = f"turns {'at' if is_exact else 'near'} {at}"
        visible_from = max(lowest + 1, run.record_at(run.diagnosis.verdict_step))
        offset = self._find_label_offset(point, text_width(text, em) / em)
        if offset is None:
            return [self.moves(ring)], visible_from
        across, up = offset
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
        leader = self._draw_leader(point, np.array([across, up + 0.25]))
        return [self.moves(artist) for artist in (ring, leader, name)], visible_from

    def _draw_leader(self, point: tuple[float, float], offset: Doubles) -> Line2D:
        """Draw a thin line from the ring around `point` to its label, at an offset in em."""
        axes, em = self.panel.axes, self.panel.em
        direction = offset / np.hypot(*offset)
        pixels = axes.transData.transform(point) + em * np.array([0.42 * direction, 0.85 * offset])
        (leader,) = axes.plot(
            *axes.transData.inverted().transform(pixels).T,
            color=self.panel.theme.muted,
            linewidth=em / 14,
            zorder=3.4,
        )
        return leader

    def _find_label_offset(
        self, point: tuple[float, float], width: float
    ) -> tuple[float, float] | None:
        """
        Return the nearest offset in em at which a label hides no curve; None if there is none.

        `width` is that of the label, in em.
        """
        panel = self.panel
        axes, em, runs = panel.axes, panel.em, panel.runs
        curves = [
            np.column_stack([panel.times_of(run), np.fmax(clip_for_drawing(run.losses), TINY)])
            for run in runs
        ]
        curves += [np.column_stack([times, values]) for _, _, times, values in self._metrics]
        middle = axes.transData.transform(point)
        frame = (axes.bbox.get_points() - middle) / em
        bottom = frame[0]
        if self._floor is not None:  # below it is its name
            floor = (axes.transData.transform((point[0], max(self._floor, TINY))) - middle) / em
            bottom = np.maximum(bottom, (bottom[0], floor[1]))
        paths = [(axes.transData.transform(curve) - middle) / em for curve in curves]
        points = np.concatenate([resample(path, LABEL_MARGIN / 2) for path in paths])
        margin = np.array([LABEL_MARGIN, LABEL_MARGIN])

        def is_free(offset: tuple[float, float]) -> bool:
            across, up = offset
            start, end = sorted((across, across + np.copysign(width, across)))
            low, high = np.array([start, up - 0.25]), np.array([end, up + 0.8])
            if (low < bottom + margin / 2).any() or (high > frame[1]).any():
                return False
            return not ((points > low - margin) & (points < high + margin)).all(axis=1).any()

        return next(filter(is_free, LABEL_OFFSETS), None)


def _has_metric(run: Trajectory, metric: str) -> bool:
    """Return whether `run` has a finite value of `metric`."""
    return metric in run.metrics and bool(np.isfinite(run.metrics[metric]).any())


def _first_with_metrics(runs: Sequence[Trajectory]) -> int | None:
    """Return the index of the first run with most of `METRICS`; None if none has any."""
    counts = [sum(_has_metric(run, beside.metric) for beside in METRICS) for run in runs]
    return counts.index(max(counts)) if any(counts) else None
