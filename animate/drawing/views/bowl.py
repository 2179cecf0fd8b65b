"""
Why a rate can be too large: the loss along the steepest direction alone, and the next step on it.

Along the Hessian's sharpest eigenvector the loss is a parabola, and one step takes the error ``e``
to ``e - lr·λ·e``. The arrow is that step: up to the limit it ends inside the bowl, and past the
limit it goes through the far wall, so that the next point lies higher than the last.
"""

import itertools
from typing import cast

import numpy as np
from matplotlib.collections import LineCollection

from animate.drawing.tabular_text import TabularText
from animate.drawing.views import Panel, View
from animate.drawing.views.curves import (
    RunCurve,
    clip_for_drawing,
    clip_to_axes,
    unique_starts,
    weights_until_overflow,
)
from animate.drawing.views.ticks import set_ticks
from animate.training.problem import Quadratic

TRAIL = 8
ROOM = 2.4  # times the first error: how far to each side the bowl is shown


class Bowl(View):
    """One run as a ball that jumps across the parabola."""

    caption = "loss along the steepest axis"
    full_caption = "loss along the steepest direction alone"
    requires = (Quadratic,)
    records = ("weights",)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        axes, theme, em, problem = panel.axes, panel.theme, panel.em, panel.problem
        steepness = problem.curvatures[-1]
        errors = (weights_until_overflow(panel.run) - problem.best_weights) @ problem.sharpest
        starts = (unique_starts(panel.runs) - problem.best_weights) @ problem.sharpest
        reach = ROOM * (float(np.abs(starts).max(initial=0)) or 1.0)
        top = 0.5 * steepness * reach**2
        axes.set(xlim=(-reach, reach), ylim=(-0.09 * top, 1.02 * top))
        set_ticks(panel)
        across = np.linspace(-reach, reach, 161)
        axes.plot(
            across, 0.5 * steepness * across**2, color=theme.muted, linewidth=em / 8, zorder=2
        )
        plain = [run.is_plain_descent for run in panel.runs]
        if any(plain) and panel.index == plain.index(True):
            axes.text(
                0.5,
                0.97,
                "arrow: the next step",
                transform=axes.transAxes,
                fontsize=em,
                color=theme.muted,
                horizontalalignment="center",
                verticalalignment="top",
                zorder=2,
            )
        style = panel.style
        self._errors, self._heights = errors, clip_for_drawing(0.5 * steepness * errors**2)
        # Only a step of plain descent follows from where the ball is.
        known = plain[cast("int", panel.index)]
        self._next = clip_for_drawing(
            errors - (panel.run.lr if known else np.nan) * steepness * errors
        )
        self._steepness = steepness
        self._faded = [
            theme.with_opacity(style.line, 0.6 * (age + 1) / TRAIL) for age in range(TRAIL)
        ]
        self._trail = self.moves(LineCollection([], linewidths=em / 12, zorder=3))
        axes.add_collection(self._trail, autolim=False)
        (self._step,) = axes.plot([], [], color=theme.ink, linewidth=em / 9, zorder=4)
        (self._tip,) = axes.plot(
            [], [], linestyle="none", markersize=0.45 * em, color=theme.ink, zorder=4
        )
        self._tip.set_markeredgewidth(0)
        (self._landing,) = axes.plot(
            [], [], color=theme.ink, linewidth=em / 12, linestyle=(0, (1.5, 1.5)), zorder=4
        )
        self._left = self._heights > 1.02 * top
        self._seen = np.flatnonzero(self._heights <= 1.02 * top)
        if not len(self._seen):  # not even the start is finite
            self._seen = np.array([0])
        self._gone = TabularText(
            0.5, 0.4, transform=axes.transAxes, fontsize=em, color=style.text,
            horizontalalignment="center", clip_on=True, clip_box=axes.bbox, zorder=5,
        )  # fmt: skip
        axes.add_artist(self._gone)
        self._ball = RunCurve(panel, errors, self._heights, style, zorder=5)
        self._ball.artists[0].set_visible(False)
        self.moving += [self._gone, self._step, self._tip, self._landing, *self._ball.artists]

    def draw(self, record: int) -> None:
        """Set the ball, the jumps that brought it here, and the step that it takes next."""
        # Of a ball that has left, the last jumps that were seen stay, with the one that left.
        seen = self._seen[np.searchsorted(self._seen, record, "right") - 1]
        newest = min(record, seen + 1)
        first = max(0, newest - TRAIL)
        places = np.column_stack([self._errors, self._heights])[first : newest + 1]
        self._trail.set_segments(list(itertools.pairwise(places)))
        self._trail.set_color(self._faded[TRAIL - len(places) + 1 :])
        here, height, goal = self._errors[record], self._heights[record], self._next[record]
        self._step.set_data([here, goal], [height, height])
        x, y, marker = clip_to_axes(self.panel.axes, goal, height)
        (_, right), (_, top) = self.panel.axes.get_xlim(), self.panel.axes.get_ylim()
        # A step too short for an arrow, or above the panel, of which only a speck would be seen.
        hidden = not abs(goal - here) >= 0.02 * right or height > top
        self._tip.set_data([] if hidden else [x], [] if hidden else [y])
        self._tip.set_marker(">" if goal > here else "<")
        self._landing.set_data([goal, goal], [height, 0.5 * self._steepness * goal**2])
        self._landing.set_visible(not hidden and not marker)
        self._ball.draw(record)
        self._gone.set_text("▲ out of view" if self._left[record] else "")
