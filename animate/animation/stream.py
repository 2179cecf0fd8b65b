"""
The frames of a figure in which only some artists move, without drawing the others again.

What stands still is drawn once, into a base. Over it the artists that move are drawn, together with
those still ones that belong above them: in matplotlib's own order, so that every pixel is as a full
redraw would leave it. They fall into patches that do not overlap. For each frame the patches are
restored from the base and drawn anew, save those whose artists all tell that they look as before.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage, BboxImage, FigureImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

Frame = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]  # left, bottom, right, top, in pixels

# What keeps to its clip. Others, an Axis or a legend, clip only some of their parts, or none.
CLIPPED = (Line2D, Patch, Collection, Text, AxesImage, BboxImage, FigureImage)
MARGIN = 2.0  # pixels by which an artist's ink may exceed the extent that it tells


class Stream:
    """
    A figure of which `moving` artists change from frame to frame, and nothing else.

    Parameters
    ----------
    figure : Figure
    moving : sequence of Artist
        All artists that change.
    applied : callable, optional
        Makes the context in which to draw, entered anew for each frame.
    """

    def __init__(
        self,
        figure: Figure,
        moving: Sequence[Artist],
        applied: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._figure = figure
        self._applied = applied
        width, height = (round(side) for side in figure.bbox.size)
        self._renderer = RendererAgg(width, height, figure.dpi)
        self._order = list(draw_order(figure))
        chosen = {id(artist) for artist in moving}
        chosen |= {id(artist.axes) for artist in moving}  # where they are drawn as one
        self._moves = np.array([id(artist) in chosen for artist in self._order])
        self._above = np.zeros(len(self._order), bool)
        with applied():
            self._draw_base()  # which settles what is only placed while drawing
            self._reaches = [_reach(artist, self._renderer) for artist in self._order]
            if self._promote():
                self._draw_base()
        self._unclipped = [
            number
            for number in np.flatnonzero(self._moves).tolist()
            if _clip(self._order[number]) is None
        ]
        self._patches: list[_Patch] = []

    def draw(self) -> Frame:
        """Return the figure as it now is: (height, width, 4) uint8, read-only, an own copy."""
        with self._applied():
            if self._wandered():
                if self._promote():
                    self._draw_base()
                self._patches = []
            if not self._patches:
                self._renderer.restore_region(self._base)
                self._patches = list(self._split())
            for patch in self._patches:
                patch.draw(self._renderer)
        frame = np.array(self._renderer.buffer_rgba())
        frame.flags.writeable = False
        return frame

    def undeclared(self) -> Artist | None:
        """Return an artist that is not said to move and has yet changed since the last `draw`."""
        if list(map(id, draw_order(self._figure))) != list(map(id, self._order)):
            return self._figure
        for artist, moves in zip(self._order, self._moves, strict=True):
            if artist.stale and not moves:
                return artist
        for axes, view in self._views.items():
            if not np.array_equal(view, axes.viewLim.get_points()):
                return axes
        return None

    def _over_base(self) -> list[int]:
        numbers: list[int] = np.flatnonzero(self._moves | self._above).tolist()
        return numbers

    def _split(self) -> "Iterator[_Patch]":
        """Yield the patches of all that is drawn over the base, while nothing but that is drawn."""
        numbers = self._over_base()
        size = self._renderer.width, self._renderer.height
        boxes = [_box(self._reaches[number], *size) for number in numbers]
        for box, members in disjoint(boxes):
            yield _Patch(
                [self._order[numbers[member]] for member in members],
                self._renderer.copy_from_bbox(Bbox.from_extents(*box)),
            )

    def _draw_base(self) -> None:
        with _left_out(self._order[number] for number in self._over_base()):
            self._renderer.clear()
            self._figure.draw(self._renderer)
        whole = Bbox.from_bounds(0, 0, self._renderer.width, self._renderer.height)
        self._base = self._renderer.copy_from_bbox(whole)
        for artist in self._order:
            artist.stale = False  # also what has nothing to draw, which matplotlib leaves stale
        self._views = {axes: axes.viewLim.get_points().copy() for axes in self._figure.axes}

    def _wandered(self) -> bool:
        """Return whether a moving artist that nothing clips now reaches elsewhere."""
        wandered = False
        for number in self._unclipped:
            reach = _reach(self._order[number], self._renderer)
            wandered = wandered or not np.array_equal(reach, self._reaches[number])
            self._reaches[number] = reach
        return wandered

    def _promote(self) -> bool:
        """
        Note the still artists that belong above a moving one where they now overlap.

        A still artist that is drawn over the base drags along all later ones that it overlaps.
        None is ever demoted, so the base is drawn anew only a few times.
        """
        drawn: list[npt.NDArray[np.float64]] = []
        grown = False
        for number, (moves, above) in enumerate(zip(self._moves, self._above, strict=True)):
            here = self._reaches[number]
            if not (moves or above) and _overlap(here, drawn):
                self._above[number] = grown = above = True
            if (moves or above) and len(here):
                drawn.append(here)
        return grown


@dataclass
class _Patch:
    """A rectangle of the figure: the base in it, and all artists that are drawn over that."""

    artists: list[Artist]
    base: Any
    drawn: list[Hashable] | None = None

    def draw(self, renderer: RendererAgg) -> None:
        """Draw the artists, unless all tell that they look as they did when last drawn here."""
        looks = [_look(artist) for artist in self.artists]
        if None not in looks and looks == self.drawn:
            return
        renderer.restore_region(self.base)
        for artist in self.artists:
            artist.draw(renderer)
        self.drawn = looks


def _look(artist: Artist) -> Hashable:
    """Return all that what `artist` draws depends on, if it can tell, and otherwise None."""
    tell: Callable[[], Hashable] = getattr(artist, "look", lambda: None)
    return tell()


def draw_order(figure: Figure) -> Iterator[Artist]:
    """
    Yield the artists of `figure` that matplotlib draws, in its order.

    Axes that are drawn in a way of their own, such as polar ones, are one artist.
    """
    yield figure.patch
    children = [child for child in figure.get_children() if child is not figure.patch]
    for child in sorted(children, key=lambda artist: artist.get_zorder()):
        yield from _axes_order(child) if _is_plain(child) else [child]


def _is_plain(artist: Artist) -> TypeGuard[Axes]:
    return isinstance(artist, Axes) and type(artist).draw is Axes.draw


def _axes_order(axes: Axes) -> Iterator[Artist]:
    if not axes.get_visible():
        return
    if axes.axison and axes.get_frame_on():
        yield axes.patch
    omitted: set[Artist] = {axes.patch}
    if not (axes.axison and axes.get_frame_on()):
        omitted.update(axes.spines.values())
    if not axes.axison:
        omitted.update(axes._axis_map.values())  # type: ignore[attr-defined]
    children = [child for child in axes.get_children() if child not in omitted]
    for child in sorted(children, key=lambda artist: artist.get_zorder()):
        yield from _axes_order(child) if _is_plain(child) else [child]


@contextmanager
def _left_out(artists: Iterable[Artist]) -> Iterator[None]:
    """
    Draw none of `artists` inside the block.

    They stay visible, for what is placed while drawing, such as titles, depends on that.
    """
    chosen = dict.fromkeys(artists)  # the same one may be among the children twice
    for artist in chosen:
        artist.draw = _draw_nothing  # type: ignore[method-assign]
    try:
        yield
    finally:
        for artist in chosen:
            del artist.draw


def _draw_nothing(renderer: RendererBase) -> None:
    del renderer


def _clip(artist: Artist) -> Bbox | None:
    """Return the rectangle that `artist` cannot leave, if there is one."""
    if not artist.get_clip_on() or not isinstance(artist, CLIPPED):
        return None
    clip = None if isinstance(artist, Annotation) else artist.get_clip_box()
    return None if clip is None else clip.frozen()


def _reach(artist: Artist, renderer: RendererAgg) -> npt.NDArray[np.float64]:
    """
    Return rectangles (left, bottom, right, top) that hold all that `artist` draws, shape (n, 4).

    An artist that is clipped gets the whole of its clipping rectangle, so that it need not be
    asked again as it moves.
    """
    clip = _clip(artist)
    if clip is not None:
        boxes = [clip]
    elif not artist.get_visible():
        boxes = []
    elif isinstance(artist, Axis):
        boxes = _axis_boxes(artist, renderer)
    else:
        tight = artist.get_tightbbox(renderer)
        boxes = [] if tight is None else [tight]
        if artist.get_clip_on() and artist.get_clip_box() is not None:
            boxes.append(artist.get_window_extent(renderer))  # some parts may leave the clip
    found = np.array([box.extents for box in boxes]).reshape(-1, 4)
    flat = (found[:, 2] <= found[:, 0]) & (found[:, 3] <= found[:, 1])
    empty = flat | (found[:, 2] < found[:, 0]) | (found[:, 3] < found[:, 1])
    found = found[~empty]
    # A clip is kept to the pixel; an extent leaves out some of a stroke.
    margin = 1.0 if clip is not None else MARGIN + _stroke(artist)
    found += (-margin, -margin, margin, margin)
    found[~np.isfinite(found).all(axis=1)] = (-np.inf, -np.inf, np.inf, np.inf)
    return found


def _axis_boxes(axis: Axis, renderer: RendererAgg) -> list[Bbox]:
    """Return a rectangle around labels and tick marks, and another around the grid if it shows."""
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    parts: list[Text | Line2D] = [axis.label, axis.offsetText]
    for tick in ticks:
        parts += tick.label1, tick.label2, tick.tick1line, tick.tick2line
    extents = [part.get_window_extent(renderer) for part in parts if part.get_visible()]
    around = [extent for extent in extents if extent.width or extent.height]
    boxes = [Bbox.union(around)] if around else []
    if any(tick.gridline.get_visible() for tick in ticks):
        boxes.append(axis.axes.bbox.frozen())
    return boxes


def _box(reach: npt.NDArray[np.float64], width: int, height: int) -> Box:
    """Return the pixels of the figure around `reach`; all of them if it is not known."""
    if not len(reach):
        return 0, 0, width, height
    outer = np.r_[np.floor(reach[:, :2].min(axis=0)), np.ceil(reach[:, 2:].max(axis=0))]
    left, bottom, right, top = np.clip(outer, 0, [width, height] * 2).astype(int).tolist()
    return left, bottom, right, top


def disjoint(boxes: Sequence[Box]) -> list[tuple[Box, list[int]]]:
    """
    Return boxes that do not overlap and hold all of `boxes`, each with the numbers of those in it.

    What overlaps is put into one box, which may overlap others in turn.
    """
    found: list[tuple[Box, list[int]]] = []
    for number, box in enumerate(boxes):
        members = [number]
        while met := [other for other in found if _meet(other[0], box)]:
            found = [other for other in found if other not in met]
            members += [member for _, others in met for member in others]
            edges = np.array([box, *(other for other, _ in met)])
            low, high = edges[:, :2].min(axis=0).tolist(), edges[:, 2:].max(axis=0).tolist()
            box = low[0], low[1], high[0], high[1]
        found.append((box, sorted(members)))
    return found


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _stroke(artist: Artist) -> float:
    width = getattr(artist, "get_linewidth", lambda: 0)()
    return float(np.max(width, initial=0))


def _overlap(one: npt.NDArray[np.float64], others: list[npt.NDArray[np.float64]]) -> bool:
    if not len(one) or not others:
        return False
    others_ = np.concatenate(others)
    for left, bottom, right, top in one:
        if (
            (others_[:, 0] < right)
            & (left < others_[:, 2])
            & (others_[:, 1] < top)
            & (bottom < others_[:, 3])
        ).any():
            return True
    return False
