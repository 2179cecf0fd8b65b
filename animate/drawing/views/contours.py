"""Contours of the loss over two weights, with start, best and true weights."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patheffects import withStroke

from animate.drawing.views import Panel, View
from animate.drawing.views.curves import unique_starts
from animate.drawing.views.ticks import set_ticks

LEVEL_COUNT = 7
# Above all paths and below their heads: readable over the strokes of a run that swings across it.
BEST_ZORDER, STAR_SIZE = 100.0, 1.15
MARKER_SIZES = {"s": 0.5, "*": STAR_SIZE, "+": 0.9}  # em
MAX_ASPECT = 3.0  # width over height, up to which both axes have equal scales


def name_standardized(view: View) -> None:
    """Say in the captions where slope and bias are those of standardized data."""
    if getattr(view.panel.problem, "standardization", None) is not None:
        view.caption = "loss at standardized slope →, bias ↑"
        view.full_caption = "contours of the loss: slope →, bias ↑ of the standardized data"


def draw_contours(panel: Panel) -> None:
    """
    Draw contours of the loss, and mark the start, the best and the true weights.

    Both axes have the same scale, so that angles are true. Only in a wide strip do they differ,
    since most of it would be empty.
    """
    axes, theme, em, problem = panel.axes, panel.theme, panel.em, panel.problem
    best, starts = problem.best_weights, unique_starts(panel.runs)
    box = axes.get_window_extent()
    away = np.abs(starts - best).max(axis=0, initial=0)
    shape = min(box.width / box.height, MAX_ASPECT)
    # Half the height, in units of the weights. The width follows from the aspect.
    half = max(1.9 * away[1], 1.25 * away[0] / shape, 0.1)
    wide = half * shape
    axes.set(
        xlim=(best[0] - wide, best[0] + wide),
        ylim=(best[1] - half, best[1] + half),
    )
    set_ticks(panel)
    axes.grid(visible=False)
    slopes = np.linspace(*axes.get_xlim(), 161)
    biases = np.linspace(*axes.get_ylim(), 91)
    losses = problem.loss(np.stack(np.meshgrid(slopes, biases), axis=-1)) - problem.best_loss
    # Quadratic levels: on a paraboloid, the contours are then evenly spaced.
    levels = losses.max() * (np.arange(LEVEL_COUNT + 1) / LEVEL_COUNT) ** 2
    ramp = LinearSegmentedColormap.from_list("valley", [theme.faint, theme.panel])
    shades = ramp(np.linspace(0, 1, LEVEL_COUNT) ** 0.7)
    axes.contourf(slopes, biases, losses, levels=levels, colors=shades, zorder=1)
    axes.contour(
        slopes, biases, losses, levels=levels[1:], colors=theme.points, linewidths=em / 22, zorder=1
    )
    own = starts if panel.index is None else unique_starts([panel.run])
    markers = [(start, "s", "start") for start in own]  # named in one panel only, as are the others
    markers.append((best, "*", "best"))
    true_weights = getattr(problem, "true_weights", None)
    if true_weights is not None:
        markers.append((true_weights.astype(float), "+", "true"))
    for (slope, bias), marker, name in markers:
        (mark,) = axes.plot(
            [slope],
            [bias],
            marker=marker,
            markersize=MARKER_SIZES[marker] * em,
            color=theme.ink,
            markeredgewidth=em / 10 if marker == "+" else 0,
            zorder=2,
        )
        if name == "best":
            mark.set_zorder(BEST_ZORDER)
            if not theme.transparent:
                halo = withStroke(linewidth=em / 6, foreground=theme.panel)
                mark.set_path_effects([halo])
        if panel.index in (0, None):
            # The paths go from the start towards the best weights.
            above = name == "best" or (name == "start" and bias > best[1])
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
