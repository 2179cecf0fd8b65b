"""
Pictures of a zoom through the levels of a sweep, each of which shows half the sides of the last.

A picture between two levels shows the finer one in its middle, where it is known, and the coarser
one around it. One cell is one run: nothing is smoothed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from animate.drawing.scene import add_background, make_figure
from animate.drawing.text import text_width, truncate
from animate.drawing.theme import Theme
from animate.drawing.views.map import CONVERGES, DIVERGES, Scale, ramp, shades
from animate.training.problem import Array, Doubles

HEADER = 5.2  # em, for title, caption and key
EM_SHARE = 1 / 38  # of the height, down to
LEAST_EM = 11.0  # pixels
KEY_RAMP = 5.0  # em


@dataclass(frozen=True, eq=False)
class Level:
    """
    One level.

    Attributes
    ----------
    x, y : (float, float)
        The extents of its cells.
    trained : bool array, shape (columns, rows)
    ranks : three float64 arrays, shape (columns, rows)
        Of its runs among those of the level before, of its own, and of the next.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    trained: Array
    ranks: Sequence[Doubles]


class ZoomPicture:
    """
    Draws moments of a zoom.

    Parameters
    ----------
    grids : sequence of Grid
        The levels, from the widest on.
    trained : sequence of bool arrays
        Which runs of each level converged.
    theme : Theme
    size : (int, int)
        In pixels.
    title : str
    """

    def __init__(
        self,
        grids: Sequence[Any],
        trained: Sequence[Array],
        theme: Theme,
        size: tuple[int, int],
        title: str,
    ) -> None:
        self.size, self._theme = size, theme
        self.depth = len(grids) - 1
        names = list(grids[0].axes)
        scales = [[Scale.of(name, values) for name, values in grid.axes.items()] for grid in grids]
        self._is_log = [scale.is_log for scale in scales[0]]
        ranks = [Ranks.of(grid, one) for grid, one in zip(grids, trained, strict=True)]
        self._levels = [
            Level(
                x.extent,
                y.extent,
                one.trained,
                [one.among(other) for other in (before, one, after)],
            )
            for (x, y), before, one, after in zip(
                scales, [ranks[0], *ranks], ranks, [*ranks[1:], ranks[-1]], strict=False
            )
        ]
        ramps = (ramp(theme, DIVERGES), ramp(theme, CONVERGES))
        self._ramps = [np.rint(255 * one).astype(np.uint8) for one in ramps]
        with theme.applied():
            self._draw_static(size, title, names)

    def frame(self, level: float) -> Array:
        """Return the picture at a level, which need not be whole, (height, width, 4) uint8."""
        x, y = self.window(level)
        with self._theme.applied():
            self._image.set_data(self._composed(level, x, y))
            self._caption.set_text(self._words(level, x, y))
            self._canvas.draw()
            frame: Array = np.asarray(self._canvas.buffer_rgba()).copy()
        frame.flags.writeable = False
        return frame

    def window(self, level: float) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the extents across and up that a picture shows."""
        whole = min(int(level), self.depth)
        here, part = self._levels[whole], level - whole
        if part == 0 or whole == self.depth:
            return here.x, here.y
        there = self._levels[whole + 1]
        return _between(here.x, there.x, part), _between(here.y, there.y, part)

    def _composed(self, level: float, x: tuple[float, float], y: tuple[float, float]) -> Array:
        """Return the colours of all pixels of the map, from below, (height, width, 3) uint8."""
        width, height = self._map_size
        across = x[0] + (np.arange(width) + 0.5) * (x[1] - x[0]) / width
        up = y[0] + (np.arange(height) + 0.5) * (y[1] - y[0]) / height
        picture = np.empty((height, width, 3), np.uint8)
        whole = min(int(level), self.depth)
        # From level to level, the ranks among one pass into those among the next: no colour jumps.
        part = level - whole
        for offset, one in enumerate(self._levels[whole : whole + 2]):
            here, there = one.ranks[1 - offset], one.ranks[2 - offset]
            rank = (1 - part) * here + part * there
            cells = np.where(
                one.trained[..., None], *(shades(self._ramps[kind], rank) for kind in (1, 0))
            )
            columns, rows = _cells(across, one.x, 0, one), _cells(up, one.y, 1, one)
            inside = np.ix_(rows >= 0, columns >= 0)
            picture[inside] = cells[columns[columns >= 0]][:, rows[rows >= 0]].swapaxes(0, 1)
        return picture

    def _draw_static(self, size: tuple[int, int], title: str, names: Sequence[str]) -> None:
        theme, (width, height) = self._theme, size
        em = max(LEAST_EM, height * EM_SHARE)
        self._em, self._names, self._width = em, names, width
        figure = make_figure(size, theme)
        add_background(figure, theme)
        self._canvas = cast("FigureCanvasAgg", figure.canvas)
        top = 1 - HEADER * em / height
        self._map_size = width, round(height * top)
        axes = figure.add_axes((0, 0, 1, self._map_size[1] / height))
        axes.set_axis_off()
        self._image = axes.imshow(
            np.zeros((*self._map_size[::-1], 3), np.uint8), origin="lower", aspect="auto",
            interpolation="nearest", extent=(0, 1, 0, 1),
        )  # fmt: skip
        left = em / width
        room = width - 2 * em

        def text(x: float, lines_down: float, words: str, **given: Any) -> Any:
            style: dict[str, Any] = {"fontsize": em, "color": theme.ink, "va": "baseline"} | given
            return figure.text(x, 1 - lines_down * em / height, words, **style)

        text(left, 1.75, truncate(title, room / 1.3, em, bold=True), fontsize=1.3 * em,
             weight="bold")  # fmt: skip
        self._caption = text(left, 3.2, "", color=theme.muted)
        x = left
        for hue, words in ((CONVERGES, "converges"), (DIVERGES, "diverges")):
            strip = figure.add_axes(
                (x, 1 - 4.75 * em / height, KEY_RAMP * em / width, 0.9 * em / height)
            )
            strip.imshow(ramp(theme, hue)[None], aspect="auto", interpolation="bilinear")
            strip.set_axis_off()
            x += (KEY_RAMP + 0.5) * em / width
            words = f"{words}, the stronger the faster"
            text(x, 4.6, words)
            x += (text_width(words, em) + 1.8 * em) / width
        theme.typeface.apply(figure)

    def _words(self, level: float, x: tuple[float, float], y: tuple[float, float]) -> str:
        """Return the axes and their middles, and the magnification."""
        parts = []
        for name, arrow, ends, is_log in zip(self._names, "→↑", (x, y), self._is_log, strict=True):
            middle = sum(ends) / 2
            value = 10**middle if is_log else middle
            parts.append(f"{_named(name)} {arrow} around {value:.4g}")
        return f"×{2**level:,.0f}   " + "   ".join(parts)


@dataclass(frozen=True, eq=False)
class Ranks:
    """
    How fast the runs of a level converge or diverge, from 0 to 1.

    Runs that converged are ranked by the sum of their losses, the others by that of 1/loss
    (Sohl-Dickstein, arXiv 2402.06184).

    Attributes
    ----------
    trained : bool array, shape (n, m)
    speeds : float64 array, shape (n, m)
        Comparable among runs that converged, and among the others.
    """

    trained: Array
    speeds: Doubles

    @classmethod
    def of(cls, grid: Any, trained: Array) -> Ranks:
        """Return the ranks of a level."""
        return cls(trained, -np.where(trained, grid.loss_sum, grid.inverse_loss_sum))

    def among(self, other: Ranks) -> Doubles:
        """Return the rank of each run among those of another level, shape (n, m)."""
        found = np.full(self.speeds.shape, 0.5)
        for kind in (True, False):
            scale = np.sort(other.speeds[other.trained == kind])
            if scale.size:
                mine = self.trained == kind
                found[mine] = np.searchsorted(scale, self.speeds[mine]) / scale.size
        return found


def _cells(places: Doubles, extent: tuple[float, float], axis: int, level: Level) -> Array:
    """Return the cell of a level at each place along an axis, -1 outside."""
    count = level.trained.shape[axis]
    cells = np.floor((places - extent[0]) / (extent[1] - extent[0]) * count).astype(int)
    return np.where((cells >= 0) & (cells < count), cells, -1)


def _between(
    wide: tuple[float, float], narrow: tuple[float, float], part: float
) -> tuple[float, float]:
    """Return the extent at a steady zoom from one to the other, of which `part` is done."""
    size, target = wide[1] - wide[0], narrow[1] - narrow[0]
    now = size * (target / size) ** part
    done = (size - now) / (size - target)  # about the point that does not move
    low = wide[0] + (narrow[0] - wide[0]) * done
    return low, low + now


def _named(name: str) -> str:
    return f"{name.removeprefix('lr.')} rate" if name.startswith("lr.") else name
