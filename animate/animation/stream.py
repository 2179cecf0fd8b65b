"""
The frames of a figure in which only some artists move, without drawing the others again.

What stands still is drawn once, into a base. For each frame the base is restored, and only the
artists that move are drawn over it, together with those still ones that belong above them: in
matplotlib's own order, so that every pixel is as a full redraw would leave it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeGuard

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

Frame = npt.NDArray[np.uint8]

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

    def draw(self) -> Frame:
        """Return the figure as it now is: (height, width, 4) uint8, read-only, an own copy."""
        with self._applied():
            if self._wandered() and self._promote():
                self._draw_base()
            self._renderer.restore_region(self._base)
            for artist in self._over_base():
                artist.draw(self._renderer)
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

    def _over_base(self) -> Iterator[Artist]:
        for artist, moves, above in zip(self._order, self._moves, self._above, strict=True):
            if moves or above:
                yield artist

    def _draw_base(self) -> None:
        with _left_out(self._over_base()):
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
    chosen = list(artists)
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
    clip = artist.get_clip_box() if artist.get_clip_on() else None
    return None if clip is None else clip.frozen()


def _reach(artist: Artist, renderer: RendererAgg) -> npt.NDArray[np.float64]:
    """
    Return rectangles (left, bottom, right, top) that hold all that `artist` draws, shape (n, 4).

    An artist that is clipped gets the whole of its clipping rectangle, so that it need not be
    asked again as it moves.
    """
    boxes: list[Bbox] = []
    clip = _clip(artist)
    if clip is not None:
        boxes.append(clip)
    elif isinstance(artist, Axis):
        if artist.get_visible():
            tight = artist.get_tightbbox(renderer)
            boxes += [] if tight is None else [tight]
            ticks = [*artist.get_major_ticks(), *artist.get_minor_ticks()]
            if any(tick.gridline.get_visible() for tick in ticks):
                boxes.append(artist.axes.bbox.frozen())
            marks = [
                line.get_window_extent(renderer)
                for tick in ticks
                for line in (tick.tick1line, tick.tick2line)
                if line.get_visible() and line.get_markersize() > 0
            ]
            boxes += [Bbox.union(marks)] if marks else []
    else:
        tight = artist.get_tightbbox(renderer)
        boxes += [] if tight is None else [tight]
    found = np.array([box.extents for box in boxes]).reshape(-1, 4)
    flat = (found[:, 2] <= found[:, 0]) & (found[:, 3] <= found[:, 1])
    empty = flat | (found[:, 2] < found[:, 0]) | (found[:, 3] < found[:, 1])
    found = found[~empty]
    # A clip is kept to the pixel; an extent leaves out some of a stroke.
    margin = 1.0 if clip is not None else MARGIN + _stroke(artist)
    found += (-margin, -margin, margin, margin)
    found[~np.isfinite(found).all(axis=1)] = (-np.inf, -np.inf, np.inf, np.inf)
    return found


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
