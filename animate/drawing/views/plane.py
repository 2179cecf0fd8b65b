"""The paths of all runs over the loss in one plane through their weights."""

import itertools
from collections.abc import Sequence

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from animate.drawing.palette import blend
from animate.drawing.text import text_width
from animate.drawing.views import Panel, View
from animate.drawing.views.curves import RunCurve, overflow_record
from animate.drawing.views.ticks import set_ticks
from animate.system.numbers import share_text, value_text
from animate.training import planes
from animate.training.planes import Plane as LossPlane
from animate.training.problem import Doubles, NamesWeights, provides
from animate.training.trajectory import Trajectory

BAND_COUNT = 9  # of the loss
LOG_RATIO = 20.0  # of the largest to the smallest loss, from which the bands are geometric
MOST_DECADES = 6.0
MARGIN = 0.14  # around the paths, relative to their extent
DOT, DOT_GAP = 0.55, 0.75  # em: the size of a dot, and the least distance of the next
KEY_BAND, KEY_HEIGHT = 1.1, 0.75  # em, of the legend of the bands
START_WIDTH = 2.6  # em
START_OFFSETS = (0.6, -1.0), (-0.6, -1.0), (0.6, 0.4), (-0.6, 0.4)  # em
SHADE = 0.5  # of the highest loss, from the panel's colour to that of text


class PlaneView(View):
    """A view of all runs and of the loss in the plane in which they move most."""

    across = True
    records = ("weights",)
    needs = ("plane",)

    @classmethod
    def lacks(cls, runs: Sequence[Trajectory]) -> str | None:
        """Return what `runs` lack for a plane through their weights."""
        return planes.lacks_plane(runs)

    @property
    def plane(self) -> LossPlane:
        """The plane, with the paths in it."""
        plane: LossPlane = self.panel.data[self.needs[0]]
        return plane


class Plane(PlaneView):
    """Show all paths over contours of the loss in the plane in which they move most."""

    caption = "plane"
    aspects = (0.8, 1.6)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        plane = self.plane
        self.caption, self.full_caption = self.captions(plane, panel.runs)
        self._set_limits(plane)
        edges = self._draw_loss(plane)
        self._draw_key(plane, edges)
        self._name_start(plane)
        self._paths = [
            _Path(self, plane, index, edges, self._shades) for index in range(len(panel.runs))
        ]

    def draw(self, moment: float) -> None:
        """Draw all paths up to `moment`."""
        for run, path in zip(self.panel.runs, self._paths, strict=True):
            path.draw(self.panel.record_of(run, moment), moment >= self.panel.times_of(run)[0])

    @classmethod
    def captions(cls, plane: LossPlane, runs: Sequence[Trajectory]) -> tuple[str, str]:
        """Return a short and a full caption, both with the explained variance."""
        share = share_text(plane.share)
        problem = plane.problem
        if plane.is_whole:
            axes = "both weights"
            if provides(problem, NamesWeights):
                axes = "{} →, {} ↑".format(*problem.weight_names)
            return (
                f"loss at {axes}: {share} of the variance",
                f"loss at {axes}: these are all weights, {share} of the variance",
            )
        last = "; last buffers" if runs[0].buffers else ""
        one, two = map(share_text, plane.explained)
        return (
            f"PCA plane, {share} of the variance{last}; dots: own loss, off the plane",
            f"PCA plane: {one} + {two} = {share} of the variance{last}. Contours are the loss in "
            "it; dots lie off it and show their own loss",
        )

    def _set_limits(self, plane: LossPlane) -> None:
        """Set both axes to equal scales, so that all paths are seen but those that diverge."""
        axes = self.panel.axes
        box = axes.get_window_extent()
        left, right, low, high = axes_limits(plane, box.width, box.height)
        axes.set(xlim=(left, right), ylim=(low, high))
        set_ticks(self.panel)
        axes.grid(visible=False)

    def _draw_loss(self, plane: LossPlane) -> Doubles:
        """Draw the bands of the loss, and return their edges."""
        axes, theme, em = self.panel.axes, self.panel.theme, self.panel.em
        box = axes.get_window_extent()
        limits = (*axes.get_xlim(), *axes.get_ylim())
        x, y, losses, edges = loss_bands(plane, limits, box.width / box.height)
        strong = theme.muted if theme.transparent else blend(theme.panel, theme.ink, SHADE)
        weak = theme.faint if theme.transparent else theme.panel
        self._shades = [blend(weak, strong, share) for share in np.linspace(0, 1, len(edges) - 1)]
        self._highest = float(losses.max())
        inside = np.clip(losses, edges[0], edges[-1])
        axes.contourf(x, y, inside, levels=edges, colors=self._shades, zorder=1)
        axes.contour(
            x, y, inside, levels=edges[1:-1], colors=theme.points, linewidths=em / 22, zorder=1
        )
        return edges

    def _draw_key(self, plane: LossPlane, edges: Doubles) -> None:
        """Draw the bands of the loss with the numbers at their ends, where few points are."""
        panel = self.panel
        axes, theme, em = panel.axes, panel.theme, panel.em
        box = axes.get_window_extent()
        is_cut = self._highest > edges[-1]
        low = f"loss {value_text(edges[0])} "
        high = f" {value_text(edges[-1])}{' and more' if is_cut else ''}"
        left = text_width(low, em)
        bar = KEY_BAND * em * len(self._shades)
        wide, tall = left + bar + text_width(high, em) + 0.8 * em, 1.6 * em
        points = np.concatenate(plane.points)
        pixels = axes.transData.transform(points) - box.p0
        corners = itertools.product((box.width - wide, 0.0), (box.height - tall, 0.0))

        def hidden(corner: tuple[float, float]) -> int:
            inside = (pixels > corner) & (pixels < np.add(corner, (wide, tall)))
            return int(inside.all(axis=1).sum())

        x, y = min(corners, key=hidden)

        def add(start: float, bottom: float, width: float, height: float, color: str) -> None:
            axes.add_patch(
                Rectangle(
                    (start / box.width, bottom / box.height),
                    width / box.width,
                    height / box.height,
                    transform=axes.transAxes,
                    facecolor=color,
                    edgecolor="none",
                    zorder=2,
                )
            )

        add(x, y, wide, tall, theme.panel)
        for index, shade in enumerate(self._shades):
            start = x + 0.4 * em + left + index * KEY_BAND * em
            add(start, y + (tall - KEY_HEIGHT * em) / 2, KEY_BAND * em, KEY_HEIGHT * em, shade)
        for text, start in ((low, x + 0.4 * em), (high, x + 0.4 * em + left + bar)):
            axes.text(
                start / box.width,
                (y + tall / 2 - 0.36 * em) / box.height,
                text,
                transform=axes.transAxes,
                fontsize=em,
                color=theme.ink,
                zorder=2,
            )

    def _name_start(self, plane: LossPlane) -> None:
        """Name the point where all runs start, if they do, and where no path hides it."""
        axes, em = self.panel.axes, self.panel.em
        starts = np.array([points[0] for points in plane.points])
        pixels = axes.transData.transform(np.nan_to_num(starts))
        if np.isfinite(starts).all() and np.ptp(pixels, axis=0).max() < 1:
            room = np.array([START_WIDTH * em, em])
            paths = axes.transData.transform(np.concatenate(plane.points)) - pixels[0]
            for x, y in START_OFFSETS:
                low = np.array([x * em - room[0] * (x < 0), y * em])
                if ((paths > low) & (paths < low + room)).all(axis=1).any():
                    continue
                axes.annotate(
                    "start",
                    starts[0],
                    (x * em, y * em),
                    textcoords="offset points",
                    fontsize=em,
                    color=self.panel.theme.ink,
                    horizontalalignment="right" if x < 0 else "left",
                    zorder=3,
                )
                return


class _Path:
    """The path of one run: a line, dots in the colour of their own loss, and a head."""

    def __init__(
        self, view: Plane, plane: LossPlane, index: int, edges: Doubles, shades: Sequence[str]
    ) -> None:
        panel = view.panel
        axes, em, style, run = panel.axes, panel.em, panel.theme.run(index), panel.runs[index]
        self._records = plane.records[index]
        points = plane.points[index].copy()
        points[self._records >= overflow_record(run)] = np.nan
        base = 4 + 3 * index
        self._curve = RunCurve(
            panel, points[:, 0], points[:, 1], style, dashed=False, width=0.14, zorder=base
        )
        # A dot stands clear of the one before, or nothing could be told of either.
        chosen = _spread(axes.transData.transform(np.nan_to_num(points)), DOT_GAP * em)
        self._dots = chosen[np.isfinite(points[chosen]).all(axis=1)]
        bands = np.searchsorted(edges, plane.losses[index][self._dots], "right") - 1
        self._colors = ListedColormap(shades)(np.clip(bands, 0, len(shades) - 1))
        self._points = points[self._dots]
        self._marks: PathCollection = axes.scatter(
            [],
            [],
            s=(DOT * em) ** 2,
            edgecolors=style.line,
            linewidths=em / 9,
            zorder=base + 1,
        )
        head = self._curve.artists[1]
        head.set_zorder(base + 2)
        view.moving += [*self._curve.artists, self._marks]

    def draw(self, record: int, is_started: bool) -> None:
        """Draw the path up to `record`."""
        last = int(np.searchsorted(self._records, record, "right")) - 1
        self._curve.draw(last)
        # The head takes the place of the newest dot.
        count = int(np.searchsorted(self._dots, last, "left"))
        self._marks.set_offsets(self._points[:count])
        self._marks.set_facecolor(self._colors[:count])
        for artist in (*self._curve.artists, self._marks):
            artist.set_visible(is_started)


def axes_limits(plane: LossPlane, width: float, height: float) -> tuple[float, float, float, float]:
    """
    Return left, right, low and high, so that all paths are seen but those that diverge.

    Both axes have the same scale on a panel of `width` and `height`.
    """
    shown = np.concatenate(
        [points[usual] for points, usual in zip(plane.points, plane.is_usual, strict=True)]
    )
    low, high = shown.min(axis=0), shown.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2 * (1 + 2 * MARGIN)
    if plane.reach:
        middle, half = np.zeros(2), np.maximum(plane.reach, np.maximum(high, -low))
    unit = max(half[0] / width, half[1] / height) or 0.5 / height
    return (
        middle[0] - unit * width,
        middle[0] + unit * width,
        middle[1] - unit * height,
        middle[1] + unit * height,
    )


def loss_bands(
    plane: LossPlane, limits: tuple[float, float, float, float], shape: float
) -> tuple[Doubles, Doubles, Doubles, Doubles]:
    """
    Return x (X,), y (Y,) and the losses there (Y, X), and the edges of the bands.

    `limits` are left, right, low and high; `shape` is the width over the height of the panel.
    """
    across = int(np.sqrt(plane.grid_points * shape))
    up = max(2, plane.grid_points // across)
    x, y = np.linspace(*limits[:2], across), np.linspace(*limits[2:], up)
    losses = plane.grid(x, y)
    own = [one[usual] for one, usual in zip(plane.losses, plane.is_usual, strict=True)]
    return x, y, losses, _edges(losses, np.concatenate(own))


def _edges(losses: Doubles, own: Doubles) -> Doubles:
    """Return the edges of the bands: geometric where the loss spans more than a decade or so."""
    known = np.concatenate([losses[np.isfinite(losses)], own[np.isfinite(own)]])
    if not len(known):
        return np.linspace(0, 1, BAND_COUNT + 1)
    low = float(known.min())
    # As high as the paths go, or as half of the plane: a steep corner must not take all bands.
    on_paths = float(own[np.isfinite(own)].max(initial=low))
    high = min(float(known.max()), max(on_paths, float(np.quantile(known, 0.5))))
    if low > 0 and high > LOG_RATIO * low:
        return np.geomspace(max(low, high * 10**-MOST_DECADES), high, BAND_COUNT + 1)
    room = 1e-6 * max(abs(low), abs(high), 1e-300)
    if high - low <= room:  # flat, up to rounding
        low, high = low - room, high + room
    return np.linspace(low, high, BAND_COUNT + 1)


def _spread(pixels: Doubles, gap: float) -> np.ndarray:
    """Return indices of points of which each is at least `gap` from the one before."""
    chosen = [0]
    for index, pixel in enumerate(pixels):
        if np.hypot(*(pixel - pixels[chosen[-1]])) >= gap:
            chosen.append(index)
    return np.array(chosen)
