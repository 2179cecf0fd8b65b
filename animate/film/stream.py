"""
The frames of a figure in which only some artists move, without drawing the others again.

What stands still is drawn once, into a base. Over it the artists that move are drawn, together with
those still ones that belong above them: in matplotlib's own order, so that every pixel is as a full
redraw would leave it. They fall into regions that do not overlap, and for each frame a region is
restored from the base and drawn anew, unless nothing in it looks different.
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
from matplotlib.table import Cell
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

Frame = npt.NDArray[np.uint8]

# What keeps to its clip, unless a subclass draws otherwise. Others, such as an Axis or a legend,
# clip only some of their parts, or none.
CLIPPED = (Line2D, Patch, Collection, Text, AxesImage, BboxImage, FigureImage)
EVERYWHERE = Bbox([[-np.inf, -np.inf], [np.inf, np.inf]])
UNSEEN = 1e-6  # pixels by which an axes may move unnoticed: layouts round anew each time
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
    size : (float, float), optional
        Width and height in pixels, whose fractions are cut off; by default the figure's, rounded.
    """

    def __init__(
        self,
        figure: Figure,
        moving: Sequence[Artist],
        applied: Callable[[], AbstractContextManager[None]] = nullcontext,
        size: tuple[float, float] | None = None,
    ) -> None:
        self._figure = figure
        self._applied = applied
        with applied():
            width, height = size or [round(side) for side in figure.bbox.size]
            self._renderer = RendererAgg(width, height, figure.dpi)
        self._order = list(draw_order(figure))
        self._still: list[tuple[Artist, list[Artist]]] | None = None  # with all their parts
        self._children: dict[Artist, list[Artist]] | None = None  # once `changed_still` is asked
        chosen = {id(artist) for artist in moving}
        chosen |= {id(artist.axes) for artist in moving}  # where they are drawn as one
        self._moves = np.array([id(artist) in chosen for artist in self._order])
        self._above = np.zeros(len(self._order), bool)
        with applied():
            self._draw_base()  # which settles what is only placed while drawing
            self._reaches = [_reach(artist, self._renderer) for artist in self._order]
            if self._promote():
                self._draw_base()
        self._watched = [
            (number, self._order[number]) for number in np.flatnonzero(self._moves).tolist()
        ]
        self._clips = [_clip(artist) for _, artist in self._watched]
        self._regions = list(self._split())

    def draw(self) -> Frame:
        """Return the figure as it now is: (height, width, 4) uint8, read-only, an own copy."""
        with self._applied():
            clips = [_clip(artist) for _, artist in self._watched]
            reclipped, self._clips = not _same(clips, self._clips), clips
            grown = self._wandered(everywhere=reclipped) and self._promote()
            if grown or reclipped:
                self._draw_base()
                self._regions = list(self._split())
            for region in self._regions:
                region.draw(self._renderer)
        frame = np.array(self._renderer.buffer_rgba())
        frame.flags.writeable = False
        return frame

    def part_of_another(self, artists: Iterable[Artist]) -> Artist | None:
        """Return one of `artists` that is not drawn for itself, nor moves with its axes."""
        drawn = set(map(id, self._order))
        parts = (item for item in artists if not drawn & {id(item), id(item.axes)})
        return next(parts, None)

    def changed_still(self) -> Artist | None:
        """
        Return a still artist that was changed since the first call, or one with other children.

        It takes a tenth of the time of `undeclared`, and does not look into an artist's parts.
        """
        parents: list[Artist] = [self._figure, *self._figure.axes]
        children = {parent: parent.get_children() for parent in parents}
        if self._children is None:
            self._children = children
            for artist in self._order:
                artist.stale = False  # drawing and measuring leave some stale
        still = zip(self._order, self._moves, strict=True)
        changed = next((artist for artist, moves in still if not moves and artist.stale), None)
        others = (parent for parent in parents if children[parent] != self._children.get(parent))
        return changed or next(others, None)

    def watch(self) -> None:
        """From now on, `undeclared` finds what changes."""
        if self._still is None:
            self._still = [
                (artist, list(_parts(artist)))
                for artist, moves in zip(self._order, self._moves, strict=True)
                if not moves
            ]
        for _, parts in self._still:
            for part in parts:
                part.stale = False  # also what is invisible, which matplotlib leaves stale

    def undeclared(self) -> Artist | None:
        """Return an artist that is not said to move and has yet changed since the last `watch`."""
        if list(map(id, draw_order(self._figure))) != list(map(id, self._order)):
            return self._figure
        for artist, parts in self._still or ():
            if any(part.stale for part in parts):
                return artist
        return self._moved_axes()

    def lay_out(self) -> Artist | None:
        """
        Run the layout engine if an artist that moves could change the layout.

        Returns axes that it has moved, if it has moved any.
        """
        engine = self._figure.get_layout_engine()
        if engine is None or all(clip is not None for clip in self._clips):
            return None
        engine.execute(self._figure)
        for axes in self._figure.axes:
            if axes.get_axes_locator() is None:
                axes.apply_aspect()
        return self._moved_axes()

    def _moved_axes(self) -> Axes | None:
        with self._applied():
            for axes, place in self._places.items():
                now = _place(axes)
                if not (
                    np.allclose(place[0], now[0], rtol=0, atol=UNSEEN)
                    and np.array_equal(place[1], now[1])
                ):
                    return axes
        return None

    def _over_base(self) -> list[Artist]:
        drawn = self._moves | self._above
        return [artist for artist, over in zip(self._order, drawn, strict=True) if over]

    def _split(self) -> "Iterator[_Region]":
        """Yield the regions of all that is drawn over the base, while the base alone is drawn."""
        artists = self._over_base()
        size = self._renderer.width, self._renderer.height
        for box, members in disjoint([_box(artist, *size) for artist in artists]):
            base = self._renderer.copy_from_bbox(box)
            yield _Region([artists[member] for member in members], base)

    def _draw_base(self) -> None:
        with _left_out(self._over_base()):
            self._renderer.clear()
            self._figure.draw(self._renderer)
        self._still = None
        self._places = {axes: _place(axes) for axes in self._figure.axes}

    def _wandered(self, *, everywhere: bool) -> bool:
        """Return whether a moving artist, by default one that nothing clips, reaches elsewhere."""
        wandered = False
        for (number, artist), clip in zip(self._watched, self._clips, strict=True):
            if everywhere or clip is None:
                reach = _reach(artist, self._renderer)
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
class _Region:
    """A rectangle of the figure, and all artists that are drawn over the base in it."""

    artists: list[Artist]
    base: Any  # matplotlib's BufferRegion, which has no public name
    drawn: list[Hashable] | None = None  # the keys of what is on the renderer now

    def draw(self, renderer: RendererAgg) -> None:
        """Draw the artists, unless all tell that they look as they did when last drawn here."""
        keys = [_key(artist) for artist in self.artists]
        if None not in keys and keys == self.drawn:
            return
        renderer.restore_region(self.base)
        for artist in self.artists:
            artist.draw(renderer)
        self.drawn = keys


def _key(artist: Artist) -> Hashable:
    """Return the `drawing_key` of an artist that has one: equal keys, equal pixels. Else None."""
    key: Callable[[], Hashable] = getattr(artist, "drawing_key", lambda: None)
    return key()


def draw_order(figure: Figure) -> Iterator[Artist]:
    """
    Yield the artists of `figure` that matplotlib draws, in its order.

    Axes that are drawn in a way of their own, such as polar ones, are one artist. Animated artists
    of the figure itself are left out, as matplotlib does even while it saves.
    """
    yield figure.patch
    children = [
        child
        for child in figure.get_children()
        if child is not figure.patch and not child.get_animated()
    ]
    for child in sorted(children, key=lambda artist: artist.get_zorder()):
        yield from _axes_order(child) if _is_plain(child) else [child]


def _parts(artist: Artist) -> Iterator[Artist]:
    """Yield `artist` and all artists in it: of many, `stale` is not passed on to the whole."""
    for part in artist.findobj():
        yield part
        if isinstance(part, Cell):
            yield part.get_text()  # no child of its cell


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


def _clip(artist: Artist) -> npt.NDArray[np.float64] | None:
    """Return the corners of the rectangle that `artist` cannot leave, if there is one."""
    if not artist.get_clip_on() or artist.get_agg_filter() is not None:
        return None
    box = artist.get_clip_box()
    return None if box is None or not _keeps_to_clip(type(artist)) else box.get_points()


def _keeps_to_clip(kind: type[Artist]) -> bool:
    # A subclass with a `draw` of its own may do as it likes.
    drawn_by = kind.draw.__module__.partition(".")[0]
    known = issubclass(kind, CLIPPED) and not issubclass(kind, Annotation)
    return known and drawn_by in ("matplotlib", __name__.partition(".")[0])


def _same(
    ones: Sequence[npt.NDArray[np.float64] | None], others: Sequence[npt.NDArray[np.float64] | None]
) -> bool:
    return all(
        one is other or (one is not None and other is not None and np.array_equal(one, other))
        for one, other in zip(ones, others, strict=True)
    )


def _place(axes: Axes) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return where `axes` are, and what they show."""
    return np.array(axes.bbox.extents), np.array(axes.viewLim.extents)


def _reach(artist: Artist, renderer: RendererAgg) -> npt.NDArray[np.float64]:
    """
    Return rectangles (left, bottom, right, top) that hold all that `artist` draws, shape (n, 4).

    An artist that is clipped gets the whole of its clipping rectangle, so that it need not be
    asked again as it moves.
    """
    clip = _clip(artist)
    if clip is not None:
        boxes = [Bbox(clip)]
    elif not artist.get_visible():
        boxes = []
    elif isinstance(artist, Axis):
        boxes = _axis_boxes(artist, renderer)
    else:
        boxes = _boxes(artist, renderer)
    found = np.array([box.extents for box in boxes]).reshape(-1, 4)
    flat = (found[:, 2] <= found[:, 0]) & (found[:, 3] <= found[:, 1])
    empty = flat | (found[:, 2] < found[:, 0]) | (found[:, 3] < found[:, 1])
    found = found[~empty]
    # A clip is kept to the pixel; an extent leaves out some of a stroke.
    margin = 1.0 if clip is not None else MARGIN + renderer.points_to_pixels(_stroke(artist))
    found += (-margin, -margin, margin, margin)
    found[~np.isfinite(found).all(axis=1)] = (-np.inf, -np.inf, np.inf, np.inf)
    return found


def _boxes(artist: Artist, renderer: RendererAgg) -> list[Bbox]:
    """Return rectangles around a visible artist; an endless one where nothing tells."""
    if artist.get_path_effects() or artist.get_agg_filter() is not None:
        return [EVERYWHERE]
    tight = artist.get_tightbbox(renderer)
    boxes = [] if tight is None else [tight]
    if artist.get_clip_on():
        boxes.append(artist.get_window_extent(renderer))  # some parts may leave the clip
    frame = artist.get_bbox_patch() if isinstance(artist, Text) else None
    if frame is not None:
        boxes.append(frame.get_window_extent(renderer))
    told = any(box.width > 0 or box.height > 0 for box in boxes)
    return boxes if told or isinstance(artist, (Line2D, Patch, Text)) else [EVERYWHERE]


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


def _box(artist: Artist, width: int, height: int) -> Bbox:
    """Return the pixels that `artist` cannot leave: of its clip, or else of the whole figure."""
    clip = _clip(artist)
    if clip is None:  # an extent is no bound: it leaves out some strokes, boxes and path effects
        return Bbox.from_bounds(0, 0, width, height)
    outer = [np.floor(clip.min(axis=0) - 1), np.ceil(clip.max(axis=0) + 1)]
    return Bbox(np.clip(outer, 0, [width, height]))


def disjoint(boxes: Sequence[Bbox]) -> list[tuple[Bbox, list[int]]]:
    """
    Return boxes that do not overlap and hold all of `boxes`, each with the numbers of those in it.

    What overlaps is put into one box, which may overlap others in turn.
    """
    found: list[tuple[Bbox, list[int]]] = []
    for number, box in enumerate(boxes):
        members = [number]
        while met := [other for other in found if other[0].fully_overlaps(box)]:
            found = [other for other in found if other not in met]
            box = Bbox.union([box, *(other for other, _ in met)])  # it grows
            members += [member for _, others in met for member in others]
        found.append((box, sorted(members)))
    return found


def _stroke(artist: Artist) -> float:
    """Return the width in points of the widest line that `artist` draws."""
    width = getattr(artist, "get_linewidth", lambda: 0)()
    return float(np.max(width, initial=0))


def _overlap(one: npt.NDArray[np.float64], others: list[npt.NDArray[np.float64]]) -> bool:
    if not others:
        return False
    low, high = np.split(np.concatenate(others), 2, axis=1)
    return any(((low < box[2:]) & (box[:2] < high)).all(axis=1).any() for box in one)
