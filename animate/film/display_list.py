"""
Record what matplotlib draws, and draw it again without the artists.

An artist's `draw` is slow because of its Python code, not because of its pixels. A `Recorder` is a
renderer that keeps the calls which would change pixels. Drawing them again gives the same pixels.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends._backend_agg import RendererAgg as AggCanvas  # type: ignore[attr-defined]
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.transforms import TransformNode

Frame = npt.NDArray[np.uint8]
Call = tuple[str, tuple[Any, ...], dict[str, Any]]
Box = tuple[float, float, float, float]

EVERYWHERE: Box = (-np.inf, -np.inf, np.inf, np.inf)
# Methods of matplotlib's Agg canvas that change pixels.
DRAWING = (
    "draw_path", "draw_markers", "draw_text_image", "draw_image", "draw_path_collection",
    "draw_quad_mesh", "draw_gouraud_triangles",
)  # fmt: skip
MITER = 4.0  # Agg's limit: a corner reaches this many half line widths beyond its vertex
MARGIN = 2.0  # pixels: snapping and antialiasing


class Recorder(RendererAgg):
    """A renderer that records instead of drawing, and draws what it has recorded."""

    def __init__(self, width: float, height: float, dpi: float) -> None:
        super().__init__(width, height, dpi)  # type: ignore[no-untyped-call]
        self._canvas = _Canvas(int(width), int(height), dpi)
        self._renderer = self._canvas
        self._update_methods()  # type: ignore[no-untyped-call]

    def record(self, draw: Callable[[RendererAgg], object]) -> list[Call]:
        """Return the calls by which `draw` changes pixels. None is changed."""
        self._canvas.calls = []
        draw(self)
        return self._canvas.calls

    def replay(self, calls: list[Call]) -> None:
        """Draw what was recorded."""
        for name, arguments, options in calls:
            getattr(AggCanvas, name)(self._canvas, *arguments, **options)

    def wipe(self) -> None:
        """Make all pixels transparent."""
        self._canvas.clear()

    def pixels(self) -> Frame:
        """Return the picture: a view, (height, width, 4) uint8."""
        return np.asarray(self._canvas)


class _Canvas(AggCanvas):  # type: ignore[misc]  # matplotlib has no types for its extensions
    """The canvas of a `Recorder`."""

    calls: list[Call]


def _recording(name: str) -> Callable[..., None]:
    def record(self: _Canvas, *arguments: Any, **options: Any) -> None:
        self.calls.append((name, tuple(map(_frozen, arguments)), options))

    return record


def _recording_text(self: _Canvas, image: Any, *arguments: Any) -> None:
    # The image is a font's, and the next text is drawn into it.
    picture = np.array(image, np.uint8)
    self.calls.append(("draw_text_image", (picture, *map(_frozen, arguments)), {}))


for _name in DRAWING:
    setattr(_Canvas, _name, _recording(_name))
_Canvas.draw_text_image = _recording_text


def _frozen(argument: object) -> object:
    """Return a copy of what artists change between the calls of one drawing."""
    if isinstance(argument, GraphicsContextBase):
        return _frozen_context(argument)
    if isinstance(argument, TransformNode):
        return np.array(argument, float)
    return argument


class _FrozenClip:
    """A clip path that no longer follows its transform."""

    def __init__(self, path: object, matrix: object) -> None:
        self._clip = path, matrix

    def get_transformed_path_and_affine(self) -> tuple[object, object]:
        return self._clip


def _frozen_context(context: Any) -> GraphicsContextBase:
    frozen: Any = GraphicsContextBase.__new__(GraphicsContextBase)
    vars(frozen).update(vars(context))
    if context._cliprect is not None:
        frozen._cliprect = np.array(context._cliprect.get_points())
    if context._clippath is not None:
        path, affine = context.get_clip_path()
        frozen._clippath = None if path is None else _FrozenClip(path, np.array(affine, float))
    return frozen  # type: ignore[no-any-return]


def boxes(calls: list[Call], height: float) -> frozenset[Box]:
    """Return rectangles (left, bottom, right, top) that contain all that `calls` draw."""
    return frozenset(box for call in calls for box in _boxes(call, height))


def _boxes(call: Call, height: float) -> Iterator[Box]:
    name, arguments, _ = call
    context = arguments[-1] if name == "draw_text_image" else arguments[0]
    if context._cliprect is not None:
        (left, bottom), (right, top) = np.sort(context._cliprect, axis=0).tolist()
        yield left - 1, bottom - 1, right + 1, top + 1
    elif name == "draw_text_image":
        image, x, y, angle = arguments[:4]
        yield _text_box(image, x, y, angle, height)
    elif name == "draw_image":
        _, x, y, image = arguments[:4]
        yield x - 1, y - 1, x + image.shape[1] + 1, y + image.shape[0] + 1
    elif name == "draw_path" and context._sketch is None:
        _, path, matrix = arguments[:3]
        yield _path_box(path.vertices, matrix, MITER / 2 * context._linewidth + MARGIN)
    elif name == "draw_markers" and context._sketch is None:
        _, marker, marker_matrix, path, matrix = arguments[:5]
        around = _path_box(marker.vertices, marker_matrix, MITER / 2 * context._linewidth + MARGIN)
        reach = max(map(abs, around))
        yield _path_box(path.vertices, matrix, reach)
    else:
        yield EVERYWHERE


def _text_box(image: Frame, x: float, y: float, angle: float, height: float) -> Box:
    high, wide = image.shape[:2]
    bottom = height - y
    if angle:
        reach = high + wide + MARGIN
        return x - reach, bottom - reach, x + reach, bottom + reach
    return x - MARGIN, bottom - MARGIN, x + wide + MARGIN, bottom + high + MARGIN


def _path_box(
    vertices: npt.NDArray[np.float64], matrix: npt.NDArray[np.float64], margin: float
) -> Box:
    points = vertices @ matrix[:2, :2].T + matrix[:2, 2]
    points = points[~np.isnan(points).any(axis=1)]
    if not len(points):
        return 0.0, 0.0, 0.0, 0.0
    low, high = points.min(axis=0), points.max(axis=0)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        return EVERYWHERE
    (left, bottom), (right, top) = (low - margin).tolist(), (high + margin).tolist()
    return left, bottom, right, top


def overlap(one: Box, other: Box) -> bool:
    """Return whether two rectangles have a common inner point."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
