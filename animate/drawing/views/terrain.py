"""The loss as a landscape over the two weights: contours, and the places worth a name."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from animate.drawing.views import Panel, View
from animate.drawing.views.marks import plain_ticks, starts_of

RINGS = 7
WIDEST = 3.0  # times the height: how far equal scales are kept


def name_standardized(view: View) -> None:
    """Say in the captions where slope and bias are those of standardized data."""
    if getattr(view.panel.problem, "standardization", None) is not None:
        view.caption = "loss at standardized slope →, bias ↑"
        view.full_caption = "contours of the loss: slope →, bias ↑ of the standardized data"


def draw_terrain(panel: Panel) -> None:
    """
    Draw the contours, with the start, the best and the true weights.

    The scales are equal, which shows the true slopes, except in a strip: most of it would be empty.
    """
    axes, theme, em, problem = panel.axes, panel.theme, panel.em, panel.problem
    best, starts = problem.best_weights, starts_of(panel.runs)
    box = axes.get_window_extent()
    away = np.abs(starts - best).max(axis=0, initial=0)
    shape = min(box.width / box.height, WIDEST)
    # Half the height in weights; the width follows.
    half = max(1.9 * away[1], 1.25 * away[0] / shape, 0.1)
    wide = half * shape
    axes.set(
        xlim=(best[0] - wide, best[0] + wide),
        ylim=(best[1] - half, best[1] + half),
    )
    plain_ticks(panel)
    axes.grid(visible=False)
    slopes = np.linspace(*axes.get_xlim(), 161)
    biases = np.linspace(*axes.get_ylim(), 91)
    losses = problem.loss(np.stack(np.meshgrid(slopes, biases), axis=-1)) - problem.best_loss
    # Square roots of equal steps: rings as far apart as the valley is steep.
    levels = losses.max() * (np.arange(RINGS + 1) / RINGS) ** 2
    ramp = LinearSegmentedColormap.from_list("valley", [theme.faint, theme.panel])
    shades = ramp(np.linspace(0, 1, RINGS) ** 0.7)
    axes.contourf(slopes, biases, losses, levels=levels, colors=shades, zorder=1)
    axes.contour(
        slopes, biases, losses, levels=levels[1:], colors=theme.points, linewidths=em / 22, zorder=1
    )
    own = starts if panel.index is None else starts_of([panel.run])
    places = [(start, "s", "start") for start in own]  # named once, clear of the way up
    places.append((best, "*", "best"))
    true_weights = getattr(problem, "true_weights", None)
    if true_weights is not None:
        places.append((true_weights.astype(float), "+", "true"))
    for (slope, bias), marker, name in places:
        axes.plot(
            [slope],
            [bias],
            marker=marker,
            markersize=(0.9 if marker != "s" else 0.5) * em,
            color=theme.ink,
            markeredgewidth=em / 10 if marker == "+" else 0,
            zorder=2,
        )
        if panel.index in (0, None):
            above = name == "best"
            axes.annotate(
                name,
                (slope, bias),
                (0.55 * em, (0.25 if above else -0.25) * em),
                textcoords="offset points",
                fontsize=em,
                color=theme.ink,
                verticalalignment="bottom" if above else "top",
                zorder=2,
            )
