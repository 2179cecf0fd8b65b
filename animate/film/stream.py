"""
Draw the frames of a figure in which only some artists change.

Static artists are drawn once, into a base. For each frame the moving artists are drawn over it,
together with the static ones that belong above them, in matplotlib's order: so every pixel is that
of a full redraw. These artists are grouped into regions that do not overlap. A region is restored
from the base and redrawn, unless nothing in it looks different.
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

# Classes that draw nothing outside of their clip, unless a subclass draws by itself. Others, such
# as an Axis or a legend, clip only some of their parts, or none.
CLIPPED = (Line2D, Patch, Collection, Text, AxesImage, BboxImage, FigureImage)
EVERYWHERE = Bbox([[-np.inf, -np.inf], [np.inf, np.inf]])
MARGIN = 2.0  # pixels by which an artist may draw outside its reported extent


class Stream:
    """
    A figure in which only the `moving` artists change, drawn frame by frame.

    Parameters
    ----------
    figure : Figure
    moving : sequence of Artist
        All artists that change.
    context : callable, optional
        Returns a context manager in which to draw, such as a theme's settings. It is called for
        each frame.
    """

    def __init__(
        self,
        figure: Figure,
        moving: Sequence[Artist],
        context: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._figure = figure
        self._context = context
        with context():
            width, height = [round(side) for side in figure.bbox.size]
            self._renderer = RendererAgg(width, height, figure.dpi)
        self._order = list(draw_order(figure))
        self._children: dict[Artist, list[Artist]] | None = None  # set by `changed_static`
        chosen = {id(artist) for artist in moving}
        chosen |= {id(artist.axes) for artist in moving}  # axes that are drawn as one artist
        self._moves = np.array([id(artist) in chosen for artist in self._order])
        self._above = np.zeros(len(self._order), bool)
        with context():
            self._draw_base()  # first: some artists are positioned only while they are drawn
            self._extents = [_extent_boxes(artist, self._renderer) for artist in self._order]
            if self._promote():
                self._draw_base()
        self._watched = [
            (number, self._order[number]) for number in np.flatnonzero(self._moves).tolist()
        ]
        self._clips = [_clip(artist) for _, artist in self._watched]
        self._regions = list(self._split())

    def draw(self) -> Frame:
        """Return the figure as a new read-only array, (height, width, 4) uint8."""
        with self._context():
            clips = [_clip(artist) for _, artist in self._watched]
            reclipped, self._clips = not _equal_clips(clips, self._clips), clips
            grown = self._update_extents(everywhere=reclipped) and self._promote()
            if grown or reclipped:
                self._draw_base()
                self._regions = list(self._split())
            for region in self._regions:
                region.draw(self._renderer)
        frame = np.array(self._renderer.buffer_rgba())
        frame.flags.writeable = False
        return frame

    def changed_static(self) -> Artist | None:
        """
        Return a static artist that has changed since the first call, or axes with other children.

        It does not check an artist's parts.
        """
        parents: list[Artist] = [self._figure, *self._figure.axes]
        children = {parent: parent.get_children() for parent in parents}
        if self._children is None:
            self._children = children
            for artist in self._order:
                artist.stale = False  # drawing and measuring leave some artists stale
        pairs = zip(self._order, self._moves, strict=True)
        changed = next((artist for artist, moves in pairs if not moves and artist.stale), None)
        others = (parent for parent in parents if children[parent] != self._children.get(parent))
        return changed or next(others, None)

    def _over_base(self) -> list[Artist]:
        drawn = self._moves | self._above
        return [artist for artist, over in zip(self._order, drawn, strict=True) if over]

    def _split(self) -> "Iterator[_Region]":
        """Yield the regions of the artists over the base. The renderer must hold only the base."""
        artists = self._over_base()
        size = self._renderer.width, self._renderer.height
        for box, members in merge_overlapping([_box(artist, *size) for artist in artists]):
            base = self._renderer.copy_from_bbox(box)
            yield _Region([artists[member] for member in members], base)

    def _draw_base(self) -> None:
        with _not_drawn(self._over_base()):
            self._renderer.clear()
            self._figure.draw(self._renderer)

    def _update_extents(self, *, everywhere: bool) -> bool:
        """
        Measure the moving artists again, and return whether one has another extent.

        A clipped artist has its clip as extent, so it is measured only if `everywhere`.
        """
        has_changed = False
        for (number, artist), clip in zip(self._watched, self._clips, strict=True):
            if everywhere or clip is None:
                boxes = _extent_boxes(artist, self._renderer)
                has_changed = has_changed or not np.array_equal(boxes, self._extents[number])
                self._extents[number] = boxes
        return has_changed

    def _promote(self) -> bool:
        """
        Move static artists out of the base that overlap a moving one below them.

        A static artist that leaves the base takes along all later ones that it overlaps. None
        returns, so the base is redrawn only a few times. Returns whether one has left.
        """
        drawn: list[npt.NDArray[np.float64]] = []
        grown = False
        for number, (moves, above) in enumerate(zip(self._moves, self._above, strict=True)):
            here = self._extents[number]
            if not (moves or above) and _overlap(here, drawn):
                self._above[number] = grown = above = True
            if (moves or above) and len(here):
                drawn.append(here)
        return grown


@dataclass
class _Region:
    """A rectangle of the figure, with the artists that are drawn over the base there."""

    artists: list[Artist]
    base: Any  # matplotlib's BufferRegion, which has no public name
    drawn: list[Hashable] | None = None  # keys of the artists when last drawn

    def draw(self, renderer: RendererAgg) -> None:
        """Draw the artists, unless all have the keys that they had when last drawn."""
        keys = [_key(artist) for artist in self.artists]
        if None not in keys and keys == self.drawn:
            return
        renderer.restore_region(self.base)
        for artist in self.artists:
            artist.draw(renderer)
        self.drawn = keys


def _key(artist: Artist) -> Hashable:
    """Return the artist's `drawing_key`, or None. Equal keys mean equal pixels."""
    key: Callable[[], Hashable] = getattr(artist, "drawing_key", lambda: None)
    return key()


def draw_order(figure: Figure) -> Iterator[Artist]:
    """
    Yield the artists that matplotlib draws for `figure`, in its order.

    Axes with their own drawing method, such as polar axes, are one artist. Animated artists of the
    figure itself are left out, because matplotlib leaves them out, even when it saves.
    """
    yield figure.patch
    children = [
        child
        for child in figure.get_children()
        if child is not figure.patch and not child.get_animated()
    ]
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
def _not_drawn(artists: Iterable[Artist]) -> Iterator[None]:
    """
    Make the `draw` of `artists` do nothing inside the block.

    They stay visible, because the positions of titles, for example, depend on that.
    """
    chosen = dict.fromkeys(artists)  # an artist can be among the children twice
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
    """Return the corners of the rectangle outside of which `artist` draws nothing, or None."""
    if not artist.get_clip_on() or artist.get_agg_filter() is not None:
        return None
    box = artist.get_clip_box()
    return None if box is None or not _stays_in_clip(type(artist)) else box.get_points()


def _stays_in_clip(kind: type[Artist]) -> bool:
    # A subclass that overrides `draw` may draw outside of the clip.
    drawn_by = kind.draw.__module__.partition(".")[0]
    known = issubclass(kind, CLIPPED) and not issubclass(kind, Annotation)
    return known and drawn_by in ("matplotlib", __name__.partition(".")[0])


def _equal_clips(
    ones: Sequence[npt.NDArray[np.float64] | None], others: Sequence[npt.NDArray[np.float64] | None]
) -> bool:
    return all(
        one is other or (one is not None and other is not None and np.array_equal(one, other))
        for one, other in zip(ones, others, strict=True)
    )


def _extent_boxes(artist: Artist, renderer: RendererAgg) -> npt.NDArray[np.float64]:
    """
    Return rectangles (left, bottom, right, top) that contain all that `artist` draws, shape (n, 4).

    For a clipped artist that is its whole clip, so that it need not be measured again as it moves.
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
    extents = np.array([box.extents for box in boxes]).reshape(-1, 4)
    flat = (extents[:, 2] <= extents[:, 0]) & (extents[:, 3] <= extents[:, 1])
    empty = flat | (extents[:, 2] < extents[:, 0]) | (extents[:, 3] < extents[:, 1])
    extents = extents[~empty]
    # A clip is exact to the pixel; a reported extent leaves out a part of a stroke.
    margin = 1.0 if clip is not None else MARGIN + renderer.points_to_pixels(_line_width(artist))
    extents += (-margin, -margin, margin, margin)
    extents[~np.isfinite(extents).all(axis=1)] = (-np.inf, -np.inf, np.inf, np.inf)
    return extents


def _boxes(artist: Artist, renderer: RendererAgg) -> list[Bbox]:
    """Return rectangles around a visible artist: `EVERYWHERE` if its extent is not known."""
    if artist.get_path_effects() or artist.get_agg_filter() is not None:
        return [EVERYWHERE]
    tight = artist.get_tightbbox(renderer)
    boxes = [] if tight is None else [tight]
    if artist.get_clip_on():
        boxes.append(artist.get_window_extent(renderer))  # some parts may draw outside of the clip
    frame = artist.get_bbox_patch() if isinstance(artist, Text) else None
    if frame is not None:
        boxes.append(frame.get_window_extent(renderer))
    has_extent = any(box.width > 0 or box.height > 0 for box in boxes)
    return boxes if has_extent or isinstance(artist, (Line2D, Patch, Text)) else [EVERYWHERE]


def _axis_boxes(axis: Axis, renderer: RendererAgg) -> list[Bbox]:
    """Return a rectangle around labels and tick marks, and one around the grid if it is visible."""
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
    """Return the whole pixels that contain the clip of `artist`, or else the figure."""
    clip = _clip(artist)
    if clip is None:  # extents leave out some strokes, boxes and path effects
        return Bbox.from_bounds(0, 0, width, height)
    outer = [np.floor(clip.min(axis=0) - 1), np.ceil(clip.max(axis=0) + 1)]
    return Bbox(np.clip(outer, 0, [width, height]))


def merge_overlapping(boxes: Sequence[Bbox]) -> list[tuple[Bbox, list[int]]]:
    """
    Merge boxes that overlap, until none do.

    Returns the merged boxes, each with the indices of the `boxes` in it.
    """
    merged: list[tuple[Bbox, list[int]]] = []
    for number, box in enumerate(boxes):
        members = [number]
        # The union can overlap further boxes.
        while met := [other for other in merged if other[0].fully_overlaps(box)]:
            merged = [other for other in merged if other not in met]
            box = Bbox.union([box, *(other for other, _ in met)])
            members += [member for _, others in met for member in others]
        merged.append((box, sorted(members)))
    return merged


def _line_width(artist: Artist) -> float:
    """Return the width in points of the widest line that `artist` draws."""
    width = getattr(artist, "get_linewidth", lambda: 0)()
    return float(np.max(width, initial=0))


def _overlap(one: npt.NDArray[np.float64], others: list[npt.NDArray[np.float64]]) -> bool:
    if not others:
        return False
    low, high = np.split(np.concatenate(others), 2, axis=1)
    return any(((low < box[2:]) & (box[:2] < high)).all(axis=1).any() for box in one)
