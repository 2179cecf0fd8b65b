"""The paths of all runs over the loss as a surface in three dimensions."""

from collections.abc import Sequence

import contourpy
import numpy as np
from matplotlib.collections import LineCollection, PolyCollection

from animate.drawing.palette import blend
from animate.drawing.projection import Surface, choose_projection
from animate.drawing.text import text_width
from animate.drawing.views import Panel
from animate.drawing.views.contours import BEST_ZORDER, STAR_SIZE
from animate.drawing.views.curves import RunCurve, overflow_record, spread_points, unique_starts
from animate.drawing.views.plane import PlaneView
from animate.drawing.views.ticks import tick_labels, ticks_within
from animate.system.numbers import share_text
from animate.training.planes import Plane
from animate.training.problem import Doubles, NamesWeights, Quadratic, provides

CELLS = 64  # of the surface, along each side
GRID_CELLS = 40  # where the loss takes longer
LEVELS = 9  # lines of equal loss
MARGIN = 0.25  # around the paths, relative to their extent
REACH = 1.5  # half the size around the best weights, relative to the first distance
STEPS = 16  # of a path on the surface from one record to the next
HALO = 0.16  # em, on both sides of a path
DOT_GAP = 0.4  # em
SHADE = 0.30  # of the deepest part, from the panel's colour to that of text
TICKS = 4


class Landscape3D(PlaneView):
    """Show all paths on the loss over two weights, or over the plane in which they move most."""

    caption = "loss (height)"
    aspects = (1.0, 2.0)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        plane = self.plane
        self.caption, self.full_caption = self._captions(plane)
        surface = _surface(panel, plane)
        paths = [_path(panel, plane, surface, index) for index in range(len(panel.runs))]
        self._camera = choose_projection(surface, _shown(surface, paths))
        self._set_limits(surface)
        self._draw_frame(surface, plane)
        self._draw_surface(surface)
        self._mark_best(surface)
        self._curves, self._halos = [], []
        for index, path in enumerate(paths):
            style, flat = panel.theme.run(index), self._camera.flat(path)
            pixels = panel.axes.transData.transform(flat[::STEPS])
            dots = STEPS * spread_points(pixels, DOT_GAP * panel.em)
            curve = RunCurve(
                panel, flat[:, 0], flat[:, 1], style, dots=dots, dashed=False, width=0.15,
                zorder=5 + 2 * index,
            )  # fmt: skip
            line, head = curve.artists
            (halo,) = panel.axes.plot(
                [],
                [],
                color=panel.theme.panel,
                linewidth=line.get_linewidth() + 2 * HALO * panel.em,
                solid_capstyle="round",
                zorder=4.5 + 2 * index,
            )
            head.set_zorder(BEST_ZORDER + 1 + index)
            self._halos.append(halo)
            self._curves.append(curve)
            self.moving += [halo, *curve.artists]
        self._records = plane.records
        # Where a run has left the surface but not overflowed, its head points up at the edge.
        self._has_left = [
            np.isnan(path[::STEPS, 2]) & (records < overflow_record(run))
            for path, records, run in zip(paths, plane.records, panel.runs, strict=True)
        ]

    def draw(self, moment: float) -> None:
        """Draw all paths up to `moment`."""
        for run, curve, halo, records, has_left in zip(
            self.panel.runs, self._curves, self._halos, self._records, self._has_left, strict=True
        ):
            last = int(np.searchsorted(records, self.panel.record_of(run, moment), "right")) - 1
            curve.draw(last * STEPS)
            if has_left[last]:
                curve.artists[1].set_marker("^")
            halo.set_data(*curve.artists[0].get_data())
            for artist in (halo, *curve.artists):
                artist.set_visible(moment >= self.panel.times_of(run)[0])

    def _captions(self, plane: Plane) -> tuple[str, str]:
        """Return a short and a full caption."""
        if plane.is_whole:
            standardized = getattr(plane.problem, "standardization", None) is not None
            what = "standardized weights" if standardized else "both weights"
            return (
                "loss (height) at both weights",
                f"loss (height) at {what}; a step is a line on it",
            )
        share = share_text(plane.share)
        return (
            f"loss (height) in the PCA plane, {share} of the variance",
            f"loss (height) in the PCA plane, {share} of the variance; paths at their own loss",
        )

    def _set_limits(self, surface: Surface) -> None:
        """Set both axes to equal scales, so that the surface and the numbers around it fit."""
        axes, em = self.panel.axes, self.panel.em
        axes.axis("off")
        box = axes.get_window_extent()
        corners = self._camera.flat(_corners(surface))
        low, high = corners.min(axis=0), corners.max(axis=0)
        # In em: the numbers at the left and right, and below.
        room = np.array([box.width - 7.0 * em, box.height - 3.4 * em]).clip(min=em)
        unit = ((high - low) / room).max()
        middle = (low + high) / 2 - (0.0, 0.9 * em * unit)
        half = unit * np.array([box.width, box.height]) / 2
        axes.set(
            xlim=(middle[0] - half[0], middle[0] + half[0]),
            ylim=(middle[1] - half[1], middle[1] + half[1]),
        )
        self._unit = float(unit)

    def _draw_surface(self, surface: Surface) -> None:
        """Draw the surface from back to front, and lines of equal loss on it."""
        panel, camera = self.panel, self._camera
        theme, em = panel.theme, panel.em
        points = np.stack([*np.meshgrid(surface.x, surface.y), surface.z], axis=-1)
        quads = np.stack(
            [points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1]], axis=2
        )
        quads = quads.reshape(-1, 4, 3)
        order = np.argsort(-camera.depth(quads).mean(axis=1), kind="stable")
        low, high = surface.limits[2]
        shares = ((quads[..., 2].mean(axis=1) - low) / (high - low)) ** 0.5
        deep = theme.muted[:7] if theme.transparent else blend(theme.panel, theme.ink, SHADE)
        flat = theme.faint[:7] if theme.transparent else blend(theme.panel, theme.ink, 0.04)
        colors = np.array([blend(deep, flat, share) for share in np.linspace(0, 1, 65)])
        chosen = colors[(shares * 64).round().astype(int)][order]
        panel.axes.add_collection(
            PolyCollection(
                list(camera.flat(quads)[order]),
                facecolors=chosen,
                edgecolors=chosen,  # no seams between cells
                linewidths=em / 40,
                antialiased=False,
                zorder=2,
            ),
            autolim=False,
        )
        lines = contourpy.contour_generator(surface.x, surface.y, surface.z)
        levels = low + (high - low) * (np.arange(1, LEVELS) / LEVELS) ** 2
        parts = [
            camera.flat(np.column_stack([np.asarray(part), np.full(len(part), level)]))
            for level in levels
            for part in lines.lines(level)
        ]
        panel.axes.add_collection(
            LineCollection(parts, colors=theme.points, linewidths=em / 20, zorder=3),
            autolim=False,
        )
        edges = [points[0], points[-1], points[:, 0], points[:, -1]]
        panel.axes.add_collection(
            LineCollection(
                list(map(camera.flat, edges)), colors=theme.muted, linewidths=em / 18, zorder=3
            ),
            autolim=False,
        )

    def _draw_frame(self, surface: Surface, plane: Plane) -> None:
        """Draw the floor, and numbers along two of its sides and one upright edge."""
        panel, camera = self.panel, self._camera
        theme, em = panel.theme, panel.em
        limits = surface.limits
        corners = _corners(surface).reshape(2, 2, 2, 3)  # x, y, z
        floor = camera.flat(corners[:, :, 0])
        outline = [floor[[0, 1, 1, 0, 0], [0, 0, 1, 1, 0]]]
        front = int(camera.flat(corners[:, :, 0]).reshape(4, 2)[:, 1].argmin())
        near = front // 2, front % 2  # the corner of the floor next to the reader
        sides = floor.reshape(4, 2)
        left = int(sides[:, 0].argmin())
        upright = camera.flat(corners[left // 2, left % 2])
        panel.axes.add_collection(
            LineCollection([*outline, upright], colors=theme.muted, linewidths=em / 18, zorder=1),
            autolim=False,
        )
        names: Sequence[str] = ("", "")
        if plane.is_whole:
            problem = plane.problem
            names = problem.weight_names if provides(problem, NamesWeights) else ("w[0]", "w[1]")
        for axis in (0, 1):
            others = limits[1 - axis][near[1 - axis]]
            values, texts = tick_labels(ticks_within(limits[axis], TICKS))
            middle = float(np.mean(limits[axis]))
            is_left = (
                camera.flat(_on_side(middle, others, axis, limits))[0]
                < floor.reshape(4, 2)[front, 0]
            )
            for value, text in zip(values, texts, strict=True):
                place = camera.flat(_on_side(value, others, axis, limits))
                self._label(place, text, (-0.35 if is_left else 0.35, -0.55), is_left=is_left)
            place = camera.flat(_on_side(middle, others, axis, limits))
            shift = text_width(names[axis], em) / em / 4 + 1.6
            self._label(place, names[axis], (-shift if is_left else shift, -1.75), is_left=is_left,
                        color=theme.ink)  # fmt: skip
        values, texts = tick_labels(ticks_within(limits[2], TICKS))
        x, y = corners[left // 2, left % 2, 0, :2]
        for value, text in zip(values, texts, strict=True):
            self._label(camera.flat(np.array([x, y, value])), text, (-0.45, 0.35), is_left=True)
        top = camera.flat(np.array([x, y, limits[2][1]]))
        self._label(top, "loss", (-0.45, 1.5), is_left=True, color=theme.ink)

    def _label(
        self, place: Doubles, text: str, shift: tuple[float, float], *, is_left: bool,
        color: str = "",
    ) -> None:  # fmt: skip
        """Write `text` beside a point, with its middle shifted by `shift` em."""
        panel = self.panel
        panel.axes.annotate(
            text,
            (float(place[0]), float(place[1])),
            (shift[0] * panel.em, (shift[1] - 0.36) * panel.em),
            textcoords="offset points",
            fontsize=panel.em,
            color=color or panel.theme.muted,
            horizontalalignment="right" if is_left else "left",
            zorder=4,
        )

    def _mark_best(self, surface: Surface) -> None:
        """Mark the best weights, if they are known and shown."""
        problem, em = self.panel.problem, self.panel.em
        plane = self.plane
        if not (plane.is_whole and provides(problem, Quadratic)):
            return
        best = np.asarray(problem.best_weights, np.float64)
        height = surface.height(best)
        if not np.isfinite(height):
            return
        x, y = self._camera.flat(np.array([*best, float(height)]))
        self.panel.axes.plot(
            [x], [y], marker="*", markersize=STAR_SIZE * em, color=self.panel.theme.ink,
            markeredgecolor=self.panel.theme.panel, markeredgewidth=em / 14, zorder=BEST_ZORDER,
        )  # fmt: skip


def _surface(panel: Panel, plane: Plane) -> Surface:
    """Return the loss around the best weights if they are known, else around the paths."""
    problem = panel.problem
    is_exact = plane.is_whole and provides(problem, Quadratic)
    if is_exact:
        best = np.asarray(problem.best_weights, np.float64)
        away = np.abs(unique_starts(panel.runs) - best).max(axis=0, initial=0)
        half = np.maximum(REACH * away, 0.5 * REACH * away.max() or 1.0)
        low, high = best - half, best + half
    else:
        shown = np.concatenate(
            [points[usual] for points, usual in zip(plane.points, plane.is_usual, strict=True)]
        )
        low, high = shown.min(axis=0), shown.max(axis=0)
        room = MARGIN * (high - low)
        room = np.maximum(room, 0.1 * room.max() or 0.5)
        low, high = low - room, high + room
    count = (CELLS if is_exact else GRID_CELLS) + 1
    x, y = (np.linspace(*ends, count) for ends in zip(low, high, strict=True))
    losses = plane.grid(x, y)
    own = np.concatenate(
        [one[usual] for one, usual in zip(plane.losses, plane.is_usual, strict=True)]
    )
    known = losses[np.isfinite(losses)]
    highest = float(known.max(initial=0.0))
    if not is_exact:  # a steep corner must not flatten all that the paths show
        top = float(own[np.isfinite(own)].max(initial=0.0))
        highest = min(highest, max(1.2 * top, float(np.median(known)) if len(known) else 0.0))
    return Surface(x, y, np.minimum(losses, highest))


def _path(panel: Panel, plane: Plane, surface: Surface, index: int) -> Doubles:
    """
    Return the path of a run in space, with `STEPS` points from one record to the next, (…, 3).

    Where the weights are only those of the plane, the path is on the surface. Else each record has
    its own loss, and the path goes straight from one to the next. Beside the surface it is NaN.
    """
    points, records = plane.points[index].copy(), plane.records[index]
    own = np.where(np.isfinite(plane.losses[index]), plane.losses[index], np.nan)
    is_gone = records >= overflow_record(panel.runs[index])
    points[is_gone], own[is_gone] = np.nan, np.nan
    whole = np.column_stack([points, own])
    shares = np.linspace(0, 1, STEPS, endpoint=False)[:, None]
    with np.errstate(invalid="ignore", over="ignore"):
        fine = whole[:-1, None] + shares * (whole[1:] - whole[:-1])[:, None]
    path = np.concatenate([fine.reshape(-1, 3), whole[-1:]])
    # A point of which the next one is not finite is not between two.
    path[::STEPS] = whole
    heights = surface.height(path[:, :2])
    path[np.isnan(heights)] = np.nan
    if plane.is_whole:
        path[:, 2] = heights
    return path


def _shown(surface: Surface, paths: Sequence[Doubles]) -> Doubles:
    """Return the points of `paths` over the surface, shape (T, 3)."""
    points = np.concatenate(paths)
    points = points[np.isfinite(points).all(axis=1)]
    return points[np.isfinite(surface.height(points[:, :2]))]


def _corners(surface: Surface) -> Doubles:
    """Return the corners of the box around the surface, shape (8, 3)."""
    return np.stack(np.meshgrid(*surface.limits, indexing="ij"), axis=-1).reshape(8, 3)


def _on_side(
    value: float, other: float, axis: int, limits: Sequence[tuple[float, float]]
) -> Doubles:
    """Return the point of the floor at `value` of one axis and `other` of the second one."""
    place = (value, other) if axis == 0 else (other, value)
    return np.array([*place, limits[2][0]])
