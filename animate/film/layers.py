"""
Draw the frames of a figure without knowing which of its artists change.

Each artist that matplotlib draws for a figure is a layer. Before each frame, `LayeredFigure` finds
the layers that changed, by their fingerprints. Only these artists are drawn again, into display
lists. Layers that have not changed yet were drawn once, into a base. Over it are drawn, from their
display lists and in matplotlib's order, the layers that have changed and those that belong above
them: so every pixel is that of a full redraw.
"""

from collections.abc import Iterator
from typing import Any, TypeGuard

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure, FigureBase, SubFigure
from matplotlib.offsetbox import OffsetBox
from matplotlib.text import Text

from animate.film.display_list import Box, Call, Frame, Recorder, boxes, overlap
from animate.film.fingerprint import Fingerprint
from animate.film.projections import (
    Box3D,
    Contents3D,
    Part,
    has_draw_of,
    is_3d,
    is_polar,
    place_3d,
    place_polar,
)
from animate.film.ticks import TickMemory

PATIENCE = 2  # changes in a row after which an artist is drawn without being looked at first
LONGEST_SLEEP = 64  # frames for which it then is not looked at: 4, 16, 64
Drawn = Artist | Part
UNSEEN: tuple[float, ...] = ()  # the extent of an artist that has no influence on a layout
LAYOUT_TOLERANCE = 1e-6  # pixels: extents that differ by less give the same layout


class LayeredFigure:
    """
    A figure that is drawn again and again, while somebody else changes it.

    Attributes
    ----------
    drawn, kept, created : int
        Artists of the last frame that were drawn, that were not, and that were new.
    ticks : TickMemory
    """

    def __init__(self, figure: Figure) -> None:
        self.drawn = self.kept = self.created = 0
        self._figure = figure
        self._layers: dict[int, _Layer] = {}
        self._order: list[_Layer] = []
        self._drawn_order: list[_Layer] = []  # the order of the last frame
        self._same_order = False
        self._based: list[_Layer] = []
        self._base: Frame | None = None
        self._frame: Frame | None = None
        self._shown: set[int] = set()  # artists of the last frame, which `_order` keeps alive
        self._boxes_above: object = None
        self._plain_axes: list[Axes] = []
        self._places: dict[int, tuple[Axes, Any, list[float]]] = {}  # of the titles of axes
        self._parts: dict[Artist, tuple[Part, ...]] = {}
        self._known_parts: dict[Artist, tuple[Part, ...]] = {}
        self._settings: dict[str, object] = {}
        self.ticks = TickMemory()
        self._key: tuple[float, ...] = ()
        self.renderer = self._new_renderer()

    def _new_renderer(self) -> Recorder:
        figure = self._figure
        width, height = figure.bbox.size
        self._key = width, height, figure.dpi
        return Recorder(width, height, figure.dpi)

    def prepare(self) -> Recorder:
        """Return the renderer, for the current size of the figure."""
        width, height = self._figure.bbox.size
        settings = dict.copy(mpl.rcParams)
        if self._key != (width, height, self._figure.dpi):
            self.renderer = self._new_renderer()
            self._forget()
        elif settings != self._settings:
            self._forget()
        self._settings = settings
        return self.renderer

    def _forget(self) -> None:
        self._layers, self._base, self._based, self._frame = {}, None, [], None
        self._places = {}

    def draw(self) -> Frame:
        """
        Return the figure as a read-only array, (height, width, 4) uint8.

        It is the same object as the last one if nothing has changed.
        """
        self.prepare()
        changed = self.changed()
        order = self._order
        self.drawn, self.kept = len(changed), len(order) - len(changed)
        self.created = sum(id(layer.artist) not in self._shown for layer in order)
        self._shown = {id(layer.artist) for layer in order}
        is_first = not self._layers
        alive = {id(layer.artist): layer for layer in order}
        same_layers = self._frame is not None and len(alive) == len(self._layers)
        same_layers = same_layers and all(key in self._layers for key in alive)
        if not changed and same_layers and self._same_order:
            assert self._frame is not None
            return self._frame
        for layer in changed:
            layer.record(self.renderer, self.ticks, is_first=is_first)
        if self._figure.get_layout_engine() is not None:
            for layer in changed:
                layer.extent = _layout_extent(layer.artist, self.renderer)
        self._layers, self._drawn_order = alive, order
        axes_shown = set(map(id, self._plain_axes))
        self._places = {key: place for key, place in self._places.items() if key in axes_shown}
        self._compose(is_first)
        frame = self.renderer.pixels().copy()
        frame.flags.writeable = False
        self._frame = frame
        return frame

    def draw_in_full(self) -> Frame:
        """Return the figure as its own `draw` draws it, and forget what was drawn before."""
        self._forget()
        canvas: Any = self._figure.canvas
        if isinstance(canvas, FigureCanvasAgg):
            FigureCanvasAgg.draw(canvas)
            renderer = canvas.get_renderer()
        else:
            renderer = RendererAgg(*self._figure.bbox.size, self._figure.dpi)
            self._figure.draw(renderer)
        frame = np.array(renderer.buffer_rgba())
        frame.flags.writeable = False
        return frame

    def changed(self) -> list["_Layer"]:
        """Return the layers that must be drawn again, and update the positions of the axes."""
        self._plain_axes = []
        self.ticks.clear()
        self._known_parts, self._parts = self._parts, {}
        artists = self._ordered(self._figure) if self._figure.get_visible() else ()
        self._order = [self._layers.get(id(artist)) or _Layer(artist) for artist in artists]
        self._same_order = self._drawn_order == self._order
        changed = {id(layer.artist): layer for layer in self._order if layer.has_changed()}
        for axes in self._plain_axes:
            for layer in self._place_titles(axes, changed):
                changed[id(layer.artist)] = layer
        return [layer for layer in self._order if id(layer.artist) in changed]

    def _place_titles(self, axes: Any, changed: dict[int, "_Layer"]) -> Iterator["_Layer"]:
        """Place the titles of `axes` as matplotlib does, and yield the layers that this moves."""
        titles = axes.title, axes._left_title, axes._right_title
        if not any(title.get_text() for title in titles) or axes._autotitlepos is False:
            return
        neighbors = _neighbors(axes)
        parts = [part for one in [axes, *neighbors] for part in (one.xaxis, one.yaxis)]
        stable = all(id(part) in self._layers and id(part) not in changed for part in parts)
        stable = stable and not neighbors and not axes.yaxis.offsetText.get_text()
        if stable and not any(id(title) in changed for title in titles):
            return
        if not (stable and self._placed_again(axes, titles)):
            with self.ticks.applied(*parts):
                axes._update_title_position(self.renderer)
            self._note_places(axes, titles)
            for part in parts:  # they were measured, which sets their ticks again
                if id(part) in self._layers and id(part) not in changed:
                    self._layers[id(part)].accept()
        for title in titles:
            layer = self._layers.get(id(title))
            if layer is not None and id(title) not in changed and layer.has_changed():
                yield layer

    def _note_places(self, axes: Any, titles: tuple[Any, ...]) -> None:
        """Remember where titles were placed, and what it depends on if only they change."""
        heights = [title.get_position()[1] for title in titles]
        self._places[id(axes)] = axes, self._starting_extents(titles), heights
        for title, height in zip(titles, heights, strict=True):
            title.set_y(height)

    def _placed_again(self, axes: Any, titles: tuple[Any, ...]) -> bool:
        """Place the titles where they were, if other texts of the same heights were there."""
        _, before, heights = self._places.get(id(axes), (axes, None, []))
        if before is None or self._starting_extents(titles) != before:
            return False
        for title, height in zip(titles, heights, strict=True):
            title.set_y(height)
        return True

    def _starting_extents(self, titles: tuple[Any, ...]) -> list[tuple[float, float] | None]:
        """Return the lower and upper ends of titles where matplotlib starts to place them."""
        extents: list[tuple[float, float] | None] = []
        for title in titles:
            title.set_y(1.0)
            box = title.get_window_extent(self.renderer) if title.get_text() else None
            extents.append(None if box is None else (box.y0, box.y1))
        return extents

    def _ordered(self, container: Any) -> Iterator[Drawn]:
        """Yield the artists in matplotlib's order of drawing, and place the axes as it does."""
        artists = container._get_draw_artists(self.renderer)
        yield container.patch
        for artist in artists:
            if _is_plain_subfigure(artist):
                if artist.get_visible():
                    yield from self._ordered(artist)
            else:
                yield from self._ordered_child(artist)

    def _ordered_child(self, artist: Artist) -> Iterator[Drawn]:
        if is_plain(artist):
            yield from self._ordered_axes(artist)
        elif is_polar(artist):
            place_polar(artist, self.renderer)
            yield from self._ordered_axes(artist)
        elif is_3d(artist) and artist.get_visible():
            place_3d(artist, self.renderer)
            parts = self._known_parts.get(artist) or (Box3D(artist), Contents3D(artist))
            self._parts[artist] = parts
            yield from parts
        else:
            yield artist

    def _ordered_axes(self, axes: Any) -> Iterator[Drawn]:
        if not axes.get_visible():
            return
        axes._unstale_viewLim()
        locator = axes.get_axes_locator()
        axes.apply_aspect(locator(axes, self.renderer) if locator else None)
        self._plain_axes.append(axes)
        has_frame = axes.axison and axes.get_frame_on()
        omitted = {id(axes.patch)}
        if not has_frame:
            omitted |= set(map(id, axes.spines.values()))
        if not axes.axison:
            omitted |= set(map(id, axes._axis_map.values()))
        if has_frame:
            yield axes.patch
        children = [child for child in axes.get_children() if id(child) not in omitted]
        for child in sorted(children, key=lambda artist: artist.zorder):
            yield from self._ordered_child(child)

    def _compose(self, is_first: bool) -> None:
        """Draw all layers in order, those in the base only if others are in it than before."""
        renderer = self.renderer
        if is_first:  # nothing is known yet about what changes
            renderer.wipe()
            for layer in self._order:
                renderer.replay(layer.drawing)
            return
        self._raise_overlapping()
        based = [layer for layer in self._order if not layer.is_over]
        if self._base is None or based != self._based:
            renderer.wipe()
            for layer in based:
                renderer.replay(layer.drawing)
            self._based, self._base = based, renderer.pixels().copy()
        else:
            renderer.pixels()[:] = self._base
        for layer in self._order:
            if layer.is_over:
                renderer.replay(layer.drawing)

    def _raise_overlapping(self) -> None:
        """Take layers out of the base that lie above one which is not in it. None returns."""
        height = self.renderer.height
        over = [(id(layer), layer.boxes(height)) for layer in self._order if layer.is_over]
        if over == self._boxes_above and self._same_order:
            return
        drawn: set[Box] = set()
        for layer in self._order:
            if not layer.is_over and any(
                overlap(one, other) for one in layer.boxes(height) for other in drawn
            ):
                layer.is_over = True
            if layer.is_over:
                drawn |= layer.boxes(height)
        self._boxes_above = [
            (id(layer), layer.boxes(height)) for layer in self._order if layer.is_over
        ]

    def keeps_layout(self) -> bool:
        """Return whether a layout engine would find nothing changed that it looks at."""
        changed = self.changed()
        order = {id(layer.artist) for layer in self._order}
        gone = (layer for key, layer in self._layers.items() if key not in order)
        return all(layer.extent == UNSEEN for layer in gone) and all(
            layer.keeps_layout(self.renderer) for layer in changed
        )


class _Layer:
    """One artist, or a part of one, and its drawing."""

    def __init__(self, artist: Drawn) -> None:
        self.artist = artist
        self.calls: list[Call] | None = None
        self.is_over = False
        self.extent: tuple[float, ...] | None = None  # for a layout engine
        self._boxes: frozenset[Box] | None = None
        self._fingerprint: Fingerprint | None = None
        self._changes = 0  # in a row
        self._sleep = 0
        self._is_known = True

    @property
    def drawing(self) -> list[Call]:
        assert self.calls is not None
        return self.calls

    def has_changed(self) -> bool:
        """Return whether the artist may look different than when it was last drawn."""
        if self._fingerprint is None:
            return True
        if not (self.calls or self.artist.get_visible()):
            return False  # it drew nothing, and still draws nothing
        if not self._fingerprint.matches():
            return True
        if self._fingerprint.is_outdated:
            self._take_fingerprint()
        return self._fingerprint is None

    def _take_fingerprint(self) -> None:
        artist = self.artist
        watched = artist.watched if isinstance(artist, Part) else (artist,)
        self._fingerprint = Fingerprint(*watched)
        if not self._fingerprint.is_complete:
            self._is_known, self._fingerprint = False, None

    def accept(self) -> None:
        """Take the artist as unchanged."""
        if self._fingerprint is not None:
            self._fingerprint.accept()

    def record(self, renderer: Recorder, ticks: TickMemory, *, is_first: bool) -> None:
        """Draw the artist into its display list."""
        was_drawn = self.calls is not None
        with ticks.applied(self.artist):
            self.calls = renderer.record(self.artist.draw)
        self._boxes = None
        self.is_over = not is_first
        if was_drawn:
            self._changes = self._changes + 1 if self._fingerprint is not None else self._changes
        if not self._is_known or (not was_drawn and not is_first):
            # A new artist is looked at when it has lasted for a frame.
            return
        if self._sleep > 0:
            self._sleep -= 1
            self._fingerprint = None
            return
        if self._changes > PATIENCE and self._fingerprint is not None:
            self._sleep = min(2 ** (self._changes - PATIENCE), LONGEST_SLEEP)
            self._fingerprint = None
            return
        self._take_fingerprint()

    def keeps_layout(self, renderer: Recorder) -> bool:
        """Return whether a layout engine would take the artist to be as it was when last drawn."""
        extent = _layout_extent(self.artist, renderer)
        before = UNSEEN if self.calls is None else self.extent
        if extent is None or before is None or len(extent) != len(before):
            return False
        return bool(np.allclose(extent, before, rtol=0, atol=LAYOUT_TOLERANCE))

    def boxes(self, height: float) -> frozenset[Box]:
        """Return rectangles that contain the drawing."""
        if self._boxes is None:
            self._boxes = boxes(self.drawing, height)
        return self._boxes


def _neighbors(axes: Any) -> list[Any]:
    """Return the other axes that the titles of `axes` are placed by."""
    figure = axes.get_figure(root=False)
    found = {*axes.child_axes, *axes._twinned_axes.get_siblings(axes)}
    found |= set(figure._align_label_groups["title"].get_siblings(axes))
    return [other for other in found if other is not axes]


def _layout_extent(artist: Any, renderer: Recorder) -> tuple[float, ...] | None:
    """
    Return what a layout engine knows of an artist's extent: `UNSEEN` if it has no influence.

    None means that this is not known.
    """
    if isinstance(artist, (Axes, Part, FigureBase)):
        return None
    if not artist.get_visible() or not artist.get_in_layout():
        return UNSEEN
    axes = artist.axes
    if axes is None:
        return _layout_extent_in_figure(artist, renderer)
    if not isinstance(artist, (Axis, OffsetBox)) and artist._fully_clipped_to_axes():
        return UNSEEN
    if artist in (axes.title, axes._left_title, axes._right_title):
        box = artist.get_window_extent(renderer)
        return (box.y0, box.y1) if box.width > 0 else UNSEEN
    if isinstance(artist, Axis):
        box = artist.get_tightbbox(renderer, for_layout_only=True)
    else:
        box = artist.get_tightbbox(renderer)
    if box is None or not np.isfinite(box.extents).all() or not (box.width or box.height):
        return UNSEEN
    inner, outer = box.extents, axes.bbox.extents
    if (inner[:2] > outer[:2]).all() and (inner[2:] < outer[2:]).all():
        return UNSEEN
    return tuple(inner.tolist())


def _layout_extent_in_figure(artist: Any, renderer: Recorder) -> tuple[float, ...] | None:
    figure = artist.get_figure(root=False)
    if artist is figure.patch:
        return UNSEEN
    if not isinstance(artist, Text):
        return None
    box = artist.get_window_extent(renderer)
    if artist in (figure._suptitle, figure._supxlabel):
        return box.y0, box.y1
    if artist is figure._supylabel:
        return box.x0, box.x1
    return UNSEEN


def is_plain(artist: object) -> TypeGuard[Axes]:
    """Return whether axes are drawn by drawing their parts one after the other."""
    return isinstance(artist, Axes) and has_draw_of(artist, Axes)


def _is_plain_subfigure(artist: object) -> TypeGuard[SubFigure]:
    return isinstance(artist, SubFigure) and has_draw_of(artist, SubFigure)
