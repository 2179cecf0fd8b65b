"""Data points, with the best fit and the true line."""

import numpy as np

from animate.drawing.text import replace_missing_glyphs
from animate.drawing.views import Panel
from animate.training.line import Line
from animate.training.problem import Doubles, Quadratic, provides

LONGEST_NAME = 16  # of a column, in characters
CURVE_POINTS = 161  # at which a curve is evaluated


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


def draw_scatter(panel: Panel) -> str:
    """
    Draw points and lines; the limits of the axes must be set.

    Returns the corner for a legend of the lines, or an empty string if there is none.
    """
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
    if not references:
        return ""
    curve = problem.predict(references[0][2], across)
    return "lower right" if curve[-1] >= curve[0] else "lower left"
