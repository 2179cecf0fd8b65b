"""Data points, with the best fit and the true line."""

import numpy as np

from animate.drawing.views import Panel


def draw_scatter(panel: Panel, *, named: bool) -> None:
    """Draw points and lines; the limits of the axes must be set. `named` adds a legend."""
    axes, theme, em, problem = panel.axes, panel.theme, panel.em, panel.problem
    axes.plot(
        problem.x,
        problem.y,
        linestyle="none",
        marker="o",
        markersize=0.28 * em,
        markeredgewidth=0,
        color=theme.points,
        zorder=1,
    )
    ends = np.array(axes.get_xlim())
    references = [("best fit", "--", problem.best_weights)]
    true_weights = getattr(problem, "true_weights", None)
    if true_weights is not None:
        references.append(("true line", ":", true_weights))
    for name, line, weights in references:
        axes.plot(
            ends,
            problem.predict(weights, ends),
            color=theme.ink,
            linewidth=em / 9,
            linestyle=line,
            zorder=2,
            label=name,
        )
    if named:
        left, right = problem.predict(problem.best_weights, ends)
        add_legend(panel, "lower right" if right >= left else "lower left")


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
    ).set_zorder(1.5)
