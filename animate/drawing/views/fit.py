"""The data and the current line of one run, with a fading trail of earlier lines."""

import numpy as np
from matplotlib.collections import LineCollection

from animate.drawing.tabular_text import TabularText
from animate.drawing.text import CHARACTER_WIDTH
from animate.drawing.views import Panel, View
from animate.drawing.views.curves import clip_for_drawing, unique_starts, weights_until_overflow
from animate.drawing.views.scatter import draw_scatter
from animate.drawing.views.ticks import set_ticks
from animate.training.line import Line
from animate.training.problem import Doubles, Predicts, Quadratic

# Opacities of earlier lines, the oldest first. Two neighbours share one, since a line that keeps
# its opacity in the next frame costs nothing in a GIF.
TRAIL = (0.15, 0.15, 0.4, 0.4)
OUT_OF_VIEW = ("▲▼ the line swings out of view", "▲▼ out of view")  # the first that fits is used


class Fit(View):
    """Show the line of one run over the data, with the best fit and the true line."""

    caption = "the line, y against x"
    full_caption = "the line at this {clock}, y against x"
    requires = (Predicts, Quadratic)
    records = ("weights",)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        axes, em, problem = panel.axes, panel.em, panel.problem
        left, right, low, high = axes_limits(problem, unique_starts(panel.runs))
        axes.set(xlim=(left, right), ylim=(low, high))
        set_ticks(panel)
        draw_scatter(panel, named=panel.index == 0)
        ends = np.array([left, right])
        style = panel.style
        lines = clip_for_drawing(problem.predict(weights_until_overflow(panel.run), ends))
        is_visible = (lines.min(axis=1) < high) & (lines.max(axis=1) > low)
        self._visible_records = np.flatnonzero(is_visible)
        is_finite = np.isfinite(lines).all(axis=1)
        is_outside = is_finite & ~is_visible
        # While every second line is still visible, a note for the others alone would flicker.
        self._has_note = is_outside | is_finite & np.append(False, is_outside[:-1])
        self._segments = np.stack([np.broadcast_to(ends, lines.shape), lines], axis=-1)
        self._faded = {opacity: panel.theme.with_opacity(style.line, opacity) for opacity in TRAIL}
        self._trail = self.moves(LineCollection([], linewidths=em / 9, zorder=3, capstyle="butt"))
        axes.add_collection(self._trail, autolim=False)
        (self._line,) = axes.plot([], [], color=style.line, linewidth=em / 4.5, zorder=4)
        self.moves(self._line)
        room = axes.get_window_extent().width / em
        self._note_text = next(
            (note for note in OUT_OF_VIEW if CHARACTER_WIDTH * len(note) <= room), OUT_OF_VIEW[-1]
        )
        self._note = self.moves(
            TabularText(
                0.5,
                0.3 * em / axes.get_window_extent().height,
                transform=axes.transAxes,
                fontsize=em,
                color=style.text,
                horizontalalignment="center",
                clip_on=True,
                clip_box=axes.bbox,
                zorder=5,
            )
        )
        axes.add_artist(self._note)

    def draw(self, record: int) -> None:
        """Update the line, its trail, and the note on a line out of view."""
        self._line.set_data(*self._segments[record].T)
        visible = self._visible_records
        shown = visible[: np.searchsorted(visible, record)][-len(TRAIL) :]
        self._trail.set_segments(list(self._segments[shown]))
        opacity = TRAIL[len(TRAIL) - len(shown) :]
        self._trail.set_color([self._faded[alpha] for alpha in opacity])
        self._note.set_text(self._note_text if self._has_note[record] else "")


def axes_limits(problem: Line, starts: Doubles) -> tuple[float, float, float, float]:
    """
    Return left, right, low and high, with room for data, first lines and oscillation.

    Parameters
    ----------
    problem : Line
    starts : float64 array, shape (S, 2)
        The first weights of the runs.
    """
    x, y = problem.x.astype(float), problem.y.astype(float)
    margin = 0.06 * np.ptp(x)
    left, right = x.min() - margin, x.max() + margin
    lines = clip_for_drawing(problem.predict(starts, [left, right]))
    low, high = lines.min(initial=y.min()), lines.max(initial=y.max())
    swing = 0.7 * (high - low) or 1.0
    return left, right, low - swing, high + swing
