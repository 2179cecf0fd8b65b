"""
The loss along the steepest direction, with the next step: why a learning rate can be too large.

Along the eigenvector of the largest eigenvalue λ of the Hessian, the loss is a parabola. One step
takes the error ``e`` to ``e - lr·λ·e``. The arrow shows this step. Below the stability limit it
ends inside the parabola; past the limit the next point is higher than the last. The number at each
jump is the factor ``1 - lr·λ``, which is above 1 in size past the limit.
"""

import itertools
from typing import cast

import numpy as np
from matplotlib.collections import LineCollection

from animate.drawing.tabular_text import TabularText
from animate.drawing.text import text_width
from animate.drawing.views import Panel, View
from animate.drawing.views.curves import (
    RunCurve,
    clip_for_drawing,
    clip_to_axes,
    unique_starts,
    weights_until_overflow,
)
from animate.drawing.views.jump_labels import place_labels
from animate.drawing.views.ticks import set_ticks
from animate.system.numbers import MINUS
from animate.training.problem import Doubles, Quadratic

TRAIL = 8  # jumps
LABELLED, SHORTEST = 5, 1.0  # jumps that have a number, and the least length of one in em
LABEL_GAP, LABEL_HEIGHT = 0.3, 1.0  # em
MARGIN = 2.4  # half the width of the axes, relative to the largest first error


class Bowl(View):
    """Show one run as a ball that jumps across the parabola."""

    caption = "loss along the steepest axis"
    full_caption = "loss along the steepest direction alone"
    aspects = (0.8, 2.0)
    requires = (Quadratic,)
    records = ("weights",)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        axes, theme, em, problem = panel.axes, panel.theme, panel.em, panel.problem
        steepness = problem.curvatures[-1]
        errors = (weights_until_overflow(panel.run) - problem.best_weights) @ problem.sharpest
        starts = (unique_starts(panel.runs) - problem.best_weights) @ problem.sharpest
        reach = MARGIN * (float(np.abs(starts).max(initial=0)) or 1.0)
        top = 0.5 * steepness * reach**2
        axes.set(xlim=(-reach, reach), ylim=(-0.09 * top, 1.02 * top))
        set_ticks(panel)
        across = np.linspace(-reach, reach, 161)
        axes.plot(
            across, 0.5 * steepness * across**2, color=theme.muted, linewidth=em / 8, zorder=2
        )
        plain = [run.is_plain_descent for run in panel.runs]
        if any(plain):
            self.caption = "steepest axis; arrow: next step"
            self.full_caption = "loss along the steepest direction; arrow: the next step"
        style = panel.style
        self._errors, self._heights = errors, clip_for_drawing(0.5 * steepness * errors**2)
        # Only with plain descent does the position alone determine the next step.
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
        self._is_above = self._heights > 1.02 * top
        self._visible_records = np.flatnonzero(self._heights <= 1.02 * top)
        if not len(self._visible_records):  # not even the start is finite
            self._visible_records = np.array([0])
        self._note = TabularText(
            0.5, 0.4, transform=axes.transAxes, fontsize=em, color=style.text,
            horizontalalignment="center", clip_on=True, clip_box=axes.bbox, zorder=5,
        )  # fmt: skip
        axes.add_artist(self._note)
        factor = 1 - panel.run.lr * steepness if known else np.nan
        self._label = factor_text(factor)
        self._factors = [
            TabularText(
                0, 0, transform=axes.transAxes, fontsize=em, color=style.text,
                horizontalalignment="center", clip_on=True, clip_box=axes.bbox, zorder=5,
            )
            for _ in range(LABELLED if known else 0)
        ]  # fmt: skip
        for text in self._factors:
            axes.add_artist(text)
        box = axes.get_window_extent()
        self._pixels = np.array([box.width, box.height])
        self._floor = self._to_pixels(np.column_stack([across, steepness * across**2 / 2])).T
        self._ball = RunCurve(panel, errors, self._heights, style, zorder=5)
        self._ball.artists[0].set_visible(False)
        self.moving += [
            *self._factors,
            self._note,
            self._step,
            self._tip,
            self._landing,
            *self._ball.artists,
        ]

    def draw(self, record: int) -> None:
        """Update the ball, its last jumps, and the arrow of its next step."""
        # Once the ball is out of view, its last visible jumps stay, with the one that left.
        visible = self._visible_records
        last_visible = visible[np.searchsorted(visible, record, "right") - 1]
        newest = min(record, last_visible + 1)
        first = max(0, newest - TRAIL)
        points = np.column_stack([self._errors, self._heights])[first : newest + 1]
        self._trail.set_segments(list(itertools.pairwise(points)))
        self._trail.set_color(self._faded[TRAIL - len(points) + 1 :])
        here, height, goal = self._errors[record], self._heights[record], self._next[record]
        self._step.set_data([here, goal], [height, height])
        x, y, marker = clip_to_axes(self.panel.axes, goal, height)
        (_, right), (_, top) = self.panel.axes.get_xlim(), self.panel.axes.get_ylim()
        # No arrow for a step that is too short, or above the axes, where only a dot would show.
        hidden = not abs(goal - here) >= 0.02 * right or height > top
        self._tip.set_data([] if hidden else [x], [] if hidden else [y])
        self._tip.set_marker(">" if goal > here else "<")
        self._landing.set_data([goal, goal], [height, 0.5 * self._steepness * goal**2])
        self._landing.set_visible(not hidden and not marker)
        self._ball.draw(record)
        self._note.set_text("▲ out of view" if self._is_above[record] else "")
        self._draw_factors(points, np.array([[here, height], [goal, height]]), is_next=not hidden)

    def _draw_factors(self, points: Doubles, step: Doubles, *, is_next: bool) -> None:
        """Write the factor at the next step and at the jumps between `points`, newest first."""
        if not self._factors:
            return
        em = self.panel.em
        width, height = self._pixels.tolist()
        jumps = list(itertools.pairwise(self._to_pixels(points)))[::-1]
        if is_next:
            jumps.insert(0, tuple(self._to_pixels(step)))
        ends = np.clip(np.array(jumps).reshape(-1, 2, 2), -width, 2 * width)
        ball = self._to_pixels(points[-1:])[0]
        obstacles = [
            (ball[0] - 0.4 * em, ball[1] - 0.4 * em, ball[0] + 0.4 * em, ball[1] + 0.4 * em)
        ]
        if self._note.get_text():
            obstacles.append((0.0, 0.4 * height - 0.5 * em, width, 0.4 * height + 1.2 * em))
        places = place_labels(
            [
                jump
                for jump in ends[:LABELLED]
                if np.isfinite(jump).all() and np.hypot(*(jump[1] - jump[0])) > SHORTEST * em
            ],
            (text_width(self._label, em), LABEL_HEIGHT * em),
            LABEL_GAP * em,
            obstacles,
            (self._floor[0], self._floor[1]),
            (0.3 * em, 0.0, width - 0.3 * em, height - 0.3 * em),
        )
        for text, place in itertools.zip_longest(self._factors, places):
            text.set_text("" if place is None else self._label)
            if place is not None:
                text.set_position((place[0] / width, (place[1] - 0.36 * em) / height))

    def _to_pixels(self, points: Doubles) -> Doubles:
        """Return `points`, shape (T, 2), in pixels from the corner of the axes."""
        axes = self.panel.axes
        low = np.array([axes.get_xlim()[0], axes.get_ylim()[0]])
        high = np.array([axes.get_xlim()[1], axes.get_ylim()[1]])
        pixels: Doubles = (points - low) / (high - low) * self._pixels
        return pixels


def factor_text(factor: float) -> str:
    """
    Return the text for what a jump multiplies the error by; with more digits near 1 in size.

    >>> factor_text(0.4), factor_text(-1.0234), factor_text(-9.015)
    ('×0.40', '×−1.023', '×−9.02')
    """
    digits = 3 if abs(abs(factor) - 1) < 0.05 else 2
    return f"×{factor:.{digits}f}".replace("-", MINUS)
