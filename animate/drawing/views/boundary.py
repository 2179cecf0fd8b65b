"""The regions of the classes of a model with two inputs, and the data points."""

from typing import Any

import numpy as np
import numpy.typing as npt
from contourpy import FillType, LineType, contour_generator
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.path import Path

from animate.drawing.views import Panel, View
from animate.drawing.views.curves import overflow_record
from animate.drawing.views.ticks import set_ticks
from animate.training.problem import Classifies, Doubles
from animate.training.regions import class_margins

GRID = 120  # intervals along the longer side, at whose corners the scores are computed
MARGIN = 0.12  # around the data, relative to their extent
MAX_ASPECT = 3.0  # width over height, up to which both axes have equal scales
SHADES = 0.1, 0.5  # opacities of the regions from the second class to the last
ONE_SHADE = 0.3  # opacity of the region of the second of two classes
# Marker and whether it is filled: classes differ in grey and for the colour-blind.
MARKERS = (
    ("o", False), ("^", True), ("s", False), ("D", True), ("v", False), ("o", True), ("^", False),
    ("s", True),
)  # fmt: skip
GLYPHS = "○▲□◆▽●△■"


class Boundary(View):
    """
    Show the regions in which the model of one run prefers each class.

    The regions are shades of grey, the data of each class have a marker, and the boundary has the
    colour of the run.
    """

    caption = "regions of the classes"
    aspects = (0.8, 1.6)
    requires = (Classifies,)
    records = ("weights",)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        axes, theme, em, problem = panel.axes, panel.theme, panel.em, panel.problem
        box = axes.get_window_extent()
        left, right, low, high = axes_limits(problem.x, box.width / box.height)
        axes.set(xlim=(left, right), ylim=(low, high))
        axes.grid(visible=False)
        set_ticks(panel)
        longer = max(box.width, box.height)
        self._x, self._y = (
            np.linspace(*ends, 1 + max(2, round(GRID * side / longer)))
            for ends, side in (((left, right), box.width), ((low, high), box.height))
        )
        self._grid = np.stack(np.meshgrid(self._x, self._y), axis=-1).reshape(-1, 2)
        self._last = overflow_record(panel.run) - 1  # the last record with finite weights
        classes = problem.class_scores(problem.start, self._grid[:1]).shape[-1]
        word = "class " if classes <= 3 else ""
        keys = [f"{glyph} {word}{index}" for index, glyph in enumerate(GLYPHS[:classes])]
        if word:
            self.full_caption = f"regions of {', '.join(keys)}"
        elif classes <= len(GLYPHS):
            self.full_caption = f"regions of the classes {', '.join(keys)}"
        opacities = [ONE_SHADE] if classes == 2 else np.linspace(*SHADES, classes - 1)
        self._regions = []
        for opacity in opacities:
            shade = theme.with_opacity(theme.muted, float(opacity))
            region = PathCollection([], facecolors=[shade], linewidths=0, zorder=1)
            axes.add_collection(region, autolim=False)
            self._regions.append(self.moves(region))
        self._draw_points()
        self._boundary = self.moves(
            LineCollection([], colors=panel.style.line, linewidths=em / 4.5, zorder=4)
        )
        axes.add_collection(self._boundary, autolim=False)

    def draw(self, record: int) -> None:
        """Update the regions and their boundary; after an overflow, the last finite ones stay."""
        margins = self._margins(min(record, self._last))
        lines: list[Doubles] = []
        for region, margin in zip(self._regions, margins, strict=True):
            contours = contour_generator(
                self._x, self._y, margin, line_type=LineType.Separate, fill_type=FillType.OuterCode
            )
            top = max(float(margin.max(initial=0.0)), 0.0) + 1.0
            polygons: Any = contours.filled(0.0, top)
            region.set_paths([Path(points, codes) for points, codes in zip(*polygons, strict=True)])
            some: Any = contours.lines(0.0)
            lines += some
        self._boundary.set_segments(lines)

    def _margins(self, record: int) -> npt.NDArray[np.float64]:
        """
        Return how far each class but the first exceeds all others, (C - 1, rows, columns).

        All are negative if the scores are not finite.
        """
        shape = (len(self._regions), len(self._y), len(self._x))
        return class_margins(self.panel.run, record, self._grid).reshape(shape)

    def _draw_points(self) -> None:
        axes, theme, em, problem = (
            self.panel.axes, self.panel.theme, self.panel.em, self.panel.problem,
        )  # fmt: skip
        classes = class_indices(problem.y, len(problem.x))
        for index in np.unique(classes):
            marker, is_filled = MARKERS[index % len(MARKERS)]
            axes.plot(
                *problem.x[classes == index].T,
                linestyle="none",
                marker=marker,
                markersize=0.36 * em,
                markerfacecolor=theme.ink if is_filled else theme.panel,
                markeredgecolor=theme.ink,
                markeredgewidth=em / 18,
                zorder=2,
            )


def axes_limits(x: npt.ArrayLike, shape: float) -> tuple[float, float, float, float]:
    """
    Return left, right, low and high around points `x` (n, 2), with equal scales on both axes.

    `shape` is the width of the axes over their height. In a wide strip the scales differ, since
    most of it would be empty.
    """
    points = np.asarray(x, np.float64)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    wide, high = (0.5 + MARGIN) * np.ptp(points, axis=0)
    shape = min(shape, MAX_ASPECT)
    high = max(high, wide / shape) or 1.0
    wide = high * shape
    return middle[0] - wide, middle[0] + wide, middle[1] - high, middle[1] + high


def class_indices(y: npt.ArrayLike, count: int) -> npt.NDArray[np.intp]:
    """Return the class of each of `count` points, from its index or from a score per class."""
    targets = np.asarray(y).reshape(count, -1)
    is_index = targets.shape[1] == 1
    classes: npt.NDArray[np.intp] = np.rint(targets[:, 0]) if is_index else targets.argmax(axis=1)
    return classes.astype(np.intp)
