"""Data points, with the best fit and the true line."""

from collections.abc import Sequence

import numpy as np
from matplotlib.lines import Line2D

from animate.drawing.dashes import WholeDashes
from animate.drawing.text import CHARACTER_WIDTH, replace_missing_glyphs
from animate.drawing.views import Panel
from animate.training.line import Line
from animate.training.problem import Doubles, Quadratic, provides

LONGEST_NAME = 16  # of a column, in characters
CURVE_POINTS = 161  # at which a curve is evaluated
CORNERS = "lower right", "upper right", "upper left", "lower left"
HANDLE_WIDTH, LINE_HEIGHT = 3.0, 1.45  # em, of the legend


def curve_inputs(problem: object, left: float, right: float) -> Doubles:
    """Return the inputs at which a model's curve is evaluated: the two ends for a line."""
    return np.linspace(left, right, 2 if isinstance(problem, Line) else CURVE_POINTS)


def axis_names(problem: object) -> str:
    """Return "y against x", in the names of the data."""
    y, x = (" ".join(getattr(problem, f"{axis}_name", axis).split()) for axis in "yx")
    shortened = [
        name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…" for name in (y, x)
    ]
    return replace_missing_glyphs(" against ".join(shortened))


def draw_scatter(panel: Panel, *, named: bool) -> None:
    """Draw points and lines; the limits of the axes must be set. `named` adds a legend."""
    axes, theme, em, problem = panel.axes, panel.theme, panel.em, panel.problem
    axes.plot(
        np.ravel(problem.x),
        np.ravel(problem.y),
        linestyle="none",
        marker="o",
        markersize=0.28 * em,
        markeredgewidth=0,
        color=theme.points,
        zorder=1,
    )
    across = curve_inputs(problem, *axes.get_xlim())
    references = []
    if provides(problem, Quadratic):
        references.append(("best fit", "--", problem.best_weights))
    true_weights = getattr(problem, "true_weights", None)
    if true_weights is not None:
        name = "true line" if isinstance(problem, Line) else "true curve"
        references.append((name, ":", true_weights))
    for name, line, weights in references:
        axes.plot(
            across,
            problem.predict(weights, across),
            color=theme.ink,
            linewidth=em / 9,
            linestyle=line,
            zorder=2,
            label=name,
        )
    if named and references:
        curve = problem.predict(references[0][2], across)
        add_legend(panel, "lower right" if curve[-1] >= curve[0] else "lower left")


def add_legend(panel: Panel, corner: str) -> None:
    """Add a legend of the labelled lines, without a frame, at the location `corner`."""
    panel.axes.legend(
        handles=[
            line for line in panel.axes.get_lines() if not str(line.get_label()).startswith("_")
        ],
        loc=corner,
        fontsize=panel.em,
        labelcolor=panel.theme.muted,
        frameon=False,
        borderaxespad=0.2,
        borderpad=0.2,
        labelspacing=0.25,
        handlelength=1.6,
        handler_map={Line2D: WholeDashes()},
    ).set_zorder(1.5)


def free_corner(panel: Panel, names: Sequence[str], curves: Sequence[Doubles]) -> str:
    """
    Return the location where a legend of `names` hides the fewest points of `curves`.

    `curves` are arrays of shape (T, 2), in data coordinates.
    """
    axes, em = panel.axes, panel.em
    box = axes.get_window_extent()
    wide = (CHARACTER_WIDTH * max(map(len, names)) + HANDLE_WIDTH) * em / box.width
    high = LINE_HEIGHT * len(names) * em / box.height
    to_axes = axes.transScale + axes.transLimits
    with np.errstate(all="ignore"):  # a log axis has no place for a value that is not positive
        x, y = to_axes.transform(np.concatenate(curves)).T

    def hidden(corner: str) -> int:
        across = x > 1 - wide if "right" in corner else x < wide
        up = y < high if "lower" in corner else y > 1 - high
        return int(np.count_nonzero(across & up))

    return min(CORNERS, key=hidden)
