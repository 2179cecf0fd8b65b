"""The loss against the learning rate of a range test, with the rates that it tells."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.artist import Artist

from animate.drawing.palette import LineStyle
from animate.drawing.tabular_text import TabularText
from animate.drawing.views import Panel, View
from animate.drawing.views.curves import RunCurve, clip_for_drawing, draw_ring
from animate.drawing.views.ticks import set_log_x_scale, set_y_ticks
from animate.system.numbers import limit_text, rate_texts
from animate.training.problem import Quadratic, provides
from animate.training.range_test import is_range_test, range_test
from animate.training.trajectory import Trajectory

# In em: the height of a row of the key below the curves, the first baseline above the axis, the
# ends of a row's line, and the start of its text.
ROW, FOOT, KEY, TEXT_LEFT = 1.35, 0.5, (0.5, 2.3), 2.8
TEXT_MIDDLE = 0.33  # em, from the baseline of a row to its middle
MAX_GROWTH = 1.5  # of the first loss, to which the axis follows the rise
STEEPEST, DIVERGING, LIMIT = "solid", (0, (3.0, 1.5)), (0, (1.0, 1.2))


class Range(View):
    """
    Plot the loss of one range test against its learning rate.

    The rate of the steepest fall is shown once the lowest loss is reached, and the rate from which
    the run diverges once that is reached. The stability limit is known beforehand.
    """

    caption = "loss against learning rate"
    aspects = (1.2, 2.5)
    records = ("losses",)

    @classmethod
    def lacks(cls, runs: Sequence[Trajectory]) -> str | None:
        """Return which run is not a range test."""
        for number, run in enumerate(runs, 1):
            if not is_range_test(run):
                name = run.label or f"run {number}"
                return (
                    f"it requires the schedule range, of at least two steps, but {name} has it not"
                )
        return None

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        run = panel.run
        tests = [range_test(each) for each in panel.runs]
        test = tests[panel.runs.index(run)]
        rates = np.concatenate([each.lrs for each in tests])
        room = (rates.max() / rates.min()) ** 0.02
        set_log_x_scale(panel, rates.min() / room, rates.max() * room)
        self._rows = 2 + any(self._limit(place) is not None for place in range(len(panel.runs)))
        self._set_loss_scale()
        losses = clip_for_drawing(test.losses)
        given = ~np.isnan(test.losses)
        self._point = np.append(-1, np.cumsum(given) - 1)
        self._curve = RunCurve(panel, test.lrs[given], losses[given], panel.style)
        self.moving += self._curve.artists
        self._revealed: list[tuple[int, list[Artist]]] = []
        limit = self._limit(panel.runs.index(run))
        if limit is not None:
            self._mark(limit, f"stability limit {limit_text(limit, 2 * limit)}", 2, LIMIT)
        if test.diverging_lr is not None:
            text = f"diverges from {_rate_text(test.diverging_lr)}"
            first = int(np.searchsorted(test.lrs, test.diverging_lr)) + 1
            self._revealed.append((first, self._mark(test.diverging_lr, text, 1, DIVERGING)))
        if test.suggested_lr is not None and test.suggested_from is not None:
            text = f"steepest fall at {_rate_text(test.suggested_lr)}"
            made = self._mark(test.suggested_lr, text, 0, STEEPEST)
            loss = losses[np.searchsorted(test.lrs, test.suggested_lr)]
            ring = draw_ring(panel, test.suggested_lr, loss)
            self._revealed.append((test.suggested_from, [*made, ring]))
        for _, artists in self._revealed:
            self.moving += artists

    def draw(self, record: int) -> None:
        """Draw the curve up to `record`, and the rates that are known by then."""
        self._curve.draw(int(self._point[record]))
        for visible_from, artists in self._revealed:
            for artist in artists:
                artist.set_visible(record >= visible_from)

    def _set_loss_scale(self) -> None:
        """Set the y axis, linear so that the steepest fall looks so, with room for the key."""
        panel = self.panel
        curves = [clip_for_drawing(run.losses) for run in panel.runs]
        known = np.concatenate(curves)
        starts = [float(curve[0]) for curve in curves if np.isfinite(curve[0])]
        first = max(map(abs, starts), default=1.0)
        low, high = float(np.nanmin(known)), min(float(np.nanmax(known)), MAX_GROWTH * first)
        low = min(low, high)
        room = 0.06 * (high - low) or 0.5
        low, high = low - room, high + room
        panel.axes.set_ylim(low, high)
        set_y_ticks(panel)  # before the room is added, so that none is in the key
        height = panel.axes.get_window_extent().height / panel.em
        share = min((FOOT + ROW * self._rows) / height, 0.5)
        panel.axes.set_ylim(low - (high - low) * share / (1 - share), high)

    def _limit(self, place: int) -> float | None:
        """Return the limit of a constant rate for the run with this index, if theory knows it."""
        run = self.panel.runs[place]
        known, problem = run.effective_hyperparameters, run.problem
        if known is None or not provides(problem, Quadratic):
            return None
        return replace(known, schedule="constant").stability_limit(problem.curvatures[-1])

    def _mark(self, lr: float, text: str, row: int, dash: LineStyle) -> list[Artist]:
        """Draw a vertical line at `lr`, and its row of the key below the curves."""
        axes, theme, em = self.panel.axes, self.panel.theme, self.panel.em
        box = axes.get_window_extent()
        width, height = box.width / em, box.height / em
        color = theme.muted if dash is LIMIT else theme.ink
        baseline = FOOT + ROW * (self._rows - 1 - row)
        (line,) = axes.plot(
            [lr, lr],
            [(FOOT + ROW * self._rows) / height, 1],
            transform=axes.get_xaxis_transform(),
            color=color,
            linewidth=em / 10,
            linestyle=dash,
            zorder=3,
        )
        (key,) = axes.plot(
            np.array(KEY) / width,
            [(baseline + TEXT_MIDDLE) / height] * 2,
            transform=axes.transAxes,
            color=color,
            linewidth=em / 10,
            linestyle=dash,
            zorder=3,
        )
        label = TabularText(
            TEXT_LEFT / width,
            baseline / height,
            text,
            transform=axes.transAxes,
            fontsize=em,
            color=color,
            clip_on=True,
            clip_box=axes.bbox,
            zorder=3,
        )
        axes.add_artist(label)
        return [line, key, label]


def _rate_text(rate: float) -> str:
    """Return a measured rate with three significant digits."""
    return rate_texts([float(f"{rate:.3g}")])[0]
