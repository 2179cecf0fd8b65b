"""The data and the current line or curve of one run, with a fading trail of earlier ones."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.collections import LineCollection

from animate.drawing.tabular_text import TabularText
from animate.drawing.text import CHARACTER_WIDTH
from animate.drawing.views import Panel, View
from animate.drawing.views.curves import clip_for_drawing, unique_starts, weights_at
from animate.drawing.views.legend import free_corner, labelled_lines
from animate.drawing.views.scatter import axis_names, curve_inputs, draw_scatter
from animate.drawing.views.ticks import set_ticks
from animate.training.line import Line
from animate.training.problem import Doubles, Predicts, Problem

# Opacities of earlier lines, the oldest first. Two neighbours share one, since a line that keeps
# its opacity in the next frame costs nothing in a GIF.
TRAIL = (0.15, 0.15, 0.4, 0.4)
MAX_CURVES = 2000  # of a run, from which the trail is chosen
# The first that fits is used; the very first only where it is known to be true.
OUT_OF_VIEW = (
    "▲▼ out of view: each jump lands farther off",
    "▲▼ the line swings out of view",
    "▲▼ out of view",
)
LEGEND_SAMPLES = 40  # lines, and points of each, that a legend should not hide
LEAST_IN_VIEW = 0.15  # share of the width; a line of which less is seen is a scrap in a corner
LINE_SWING, CURVE_SWING = 0.7, 0.25  # room above and below, relative to what is there at first


class Fit(View):
    """Show the line or curve of one run over the data, with the best fit and the true one."""

    requires = (Problem, Predicts)
    aspects = (1.0, 2.0)
    records = ("weights",)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        axes, em, problem = panel.axes, panel.em, panel.problem
        kind, names = "line" if isinstance(problem, Line) else "curve", axis_names(problem)
        self.caption, self.full_caption = (
            f"the {kind}, {names}",
            f"the {kind} at this {{clock}}, {names}",
        )
        run = panel.run
        grows = run.is_plain_descent and run.diagnosis.basis == "theory"
        notes = [text.replace("line", kind) for text in OUT_OF_VIEW[0 if grows else 1 :]]
        left, right, low, high = axes_limits(problem, unique_starts(panel.runs))
        axes.set(xlim=(left, right), ylim=(low, high))
        set_ticks(panel)
        has_legend = draw_scatter(panel)
        style, count = panel.style, len(run.steps)
        self._x = curve_inputs(problem, left, right)
        # A straight line costs little; of many curves, only some are computed beforehand.
        most = count if isinstance(problem, Line) else MAX_CURVES
        self._chosen = np.linspace(0, count - 1, min(count, most)).round().astype(int)
        self._curves = self._predict(self._chosen)
        is_visible = self._share_in_view() > LEAST_IN_VIEW
        self._visible = np.flatnonzero(is_visible)
        is_finite = np.isfinite(self._curves).all(axis=1)
        is_outside = is_finite & ~is_visible
        # While every second line is still visible, a note for the others alone would flicker.
        self._has_note = is_outside | is_finite & np.append(False, is_outside[:-1])
        if has_legend and panel.index == 0:
            references = [str(line.get_label()) for line in labelled_lines(axes)]
            self.legend_corner = free_corner(panel, references, self._all_points())
        self._faded = {opacity: panel.theme.with_opacity(style.line, opacity) for opacity in TRAIL}
        self._trail = self.moves(LineCollection([], linewidths=em / 9, zorder=3, capstyle="butt"))
        axes.add_collection(self._trail, autolim=False)
        (self._line,) = axes.plot([], [], color=style.line, linewidth=em / 4.5, zorder=4)
        self.moves(self._line)
        room = axes.get_window_extent().width / em
        self._note_text = next(
            (note for note in notes if CHARACTER_WIDTH * len(note) <= room), notes[-1]
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
        place = int(np.searchsorted(self._chosen, record))  # the first chosen one not before
        is_chosen = self._chosen[place] == record
        curve = self._curves[place] if is_chosen else self._predict(np.array([record]))[0]
        self._line.set_data(self._x, curve)
        shown = self._visible[: np.searchsorted(self._visible, place)][-len(TRAIL) :]
        self._trail.set_segments([np.column_stack([self._x, self._curves[i]]) for i in shown])
        opacity = TRAIL[len(TRAIL) - len(shown) :]
        self._trail.set_color([self._faded[alpha] for alpha in opacity])
        self._note.set_text(self._note_text if self._has_note[place] else "")

    def _share_in_view(self) -> Doubles:
        """Return the share of the width in which each of the curves is inside the panel, (C,)."""
        low, high = self.panel.axes.get_ylim()
        inputs = np.linspace(*self.panel.axes.get_xlim(), LEGEND_SAMPLES)
        places = np.interp(inputs, self._x, np.arange(len(self._x)))
        before = np.minimum(places.astype(int), len(self._x) - 2)
        weight = places - before
        curves = self._curves[:, before] * (1 - weight) + self._curves[:, before + 1] * weight
        share: Doubles = ((curves > low) & (curves < high)).mean(axis=1)
        return share

    def _all_points(self) -> list[Doubles]:
        """Return points of all lines that are drawn at some time, and the data, (N, 2) each."""
        problem, axes = self.panel.problem, self.panel.axes
        inputs = np.linspace(*axes.get_xlim(), LEGEND_SAMPLES)
        some = self._curves[:: max(1, len(self._curves) // LEGEND_SAMPLES)]
        lines = [np.interp(inputs, self._x, curve) for curve in some]
        lines += [
            np.interp(inputs, *np.transpose(line.get_xydata())) for line in labelled_lines(axes)
        ]
        return [
            np.column_stack([np.ravel(problem.x), np.ravel(problem.y)]),
            *(np.column_stack([inputs, line]) for line in lines),
        ]

    def _predict(self, records: npt.NDArray[np.intp]) -> Doubles:
        """Return the curve at each of `records`, shape (R, len(x)), NaN after an overflow."""
        run, problem = self.panel.run, self.panel.problem
        weights = weights_at(run, records)
        with np.errstate(all="ignore"):  # large weights may overflow in the model
            if not run.buffers:
                return clip_for_drawing(problem.predict(weights, self._x))
            curves = [
                run.problem_at(record).predict(row, self._x)
                for record, row in zip(records.tolist(), weights, strict=True)
            ]
        return clip_for_drawing(np.array(curves))


def _finite(values: npt.ArrayLike) -> Doubles:
    """Return the finite ones of `values`, or 0 if there is none."""
    flat = np.ravel(values).astype(float)
    is_finite = np.isfinite(flat)
    return flat[is_finite] if is_finite.any() else np.zeros(1)


def axes_limits(problem: Any, starts: Doubles) -> tuple[float, float, float, float]:
    """
    Return left, right, low and high, with room for data, first lines and oscillation.

    Parameters
    ----------
    problem : Problem that provides Predicts
    starts : float64 array, shape (S, P)
        The first weights of the runs.
    """
    x, y = (_finite(values) for values in (problem.x, problem.y))
    margin = 0.06 * np.ptp(x) or 0.5
    left, right = x.min() - margin, x.max() + margin
    curves = clip_for_drawing(problem.predict(starts, curve_inputs(problem, left, right)))
    known = curves[np.isfinite(curves)]
    low, high = known.min(initial=y.min()), known.max(initial=y.max())
    swing = (LINE_SWING if isinstance(problem, Line) else CURVE_SWING) * (high - low) or 1.0
    return left, right, low - swing, high + swing
