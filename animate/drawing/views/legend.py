"""Legends of the labelled lines of a panel."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from animate.drawing.dashes import WholeDashes
from animate.drawing.text import CHARACTER_WIDTH
from animate.drawing.views import Panel
from animate.training.problem import Doubles

CORNERS = "lower right", "upper right", "upper left", "lower left"
HANDLE_WIDTH, LINE_HEIGHT = 3.0, 1.45  # em


def labelled_lines(axes: Axes) -> list[Line2D]:
    """Return the lines that have a label for a legend."""
    return [line for line in axes.get_lines() if not str(line.get_label()).startswith("_")]


def add_legend(panel: Panel, corner: str) -> None:
    """Add a legend of the labelled lines, without a frame, at the location `corner`."""
    panel.axes.legend(
        handles=labelled_lines(panel.axes),
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
