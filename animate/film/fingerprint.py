"""
Find out whether an artist would draw the same as before, without drawing it.

matplotlib's `stale` flag does not tell: nothing becomes stale when an array, a path or a transform
is changed in place, and many artists stay stale after they were drawn. So a `Fingerprint` keeps
all that an artist refers to: the values of its attributes and of theirs, the contents of arrays
and lists. It is taken after the artist was drawn. As long as it matches, drawing gives the same.
"""

import datetime
import enum
import functools
import operator
import re
import types
import weakref
from collections import deque
from fractions import Fraction
from itertools import chain
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backend_bases import FigureCanvasBase, RendererBase
from matplotlib.cbook import CallbackRegistry
from matplotlib.collections import (
    LineCollection,
    PatchCollection,
    PathCollection,
    PolyCollection,
    QuadMesh,
)
from matplotlib.figure import FigureBase
from matplotlib.image import AxesImage
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Ellipse, Polygon, Rectangle, Wedge
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Bbox, Transform, TransformedPath, TransformNode

# Values that cannot change, or whose changes have no effect on a drawing.
CONSTANT = (
    type(None), bool, int, float, complex, str, bytes, type, range, slice, enum.Enum, np.generic,
    np.dtype, datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo, Fraction,
    re.Pattern, types.ModuleType, types.BuiltinFunctionType, types.MappingProxyType, np.ufunc,
    weakref.ReferenceType, CallbackRegistry, RendererBase, FigureBase, FigureCanvasBase,
)  # fmt: skip
PRIMITIVE = (bool, int, float, complex, str, bytes, type(None), np.generic)
# Modules whose functions depend on their arguments alone, and whose classes keep what they draw in
# their attributes.
KNOWN_MODULES = frozenset({"matplotlib", "mpl_toolkits", "numpy", "builtins", "operator", "math"})
# Attributes that tell nothing about the next drawing.
IGNORED = frozenset(
    {"_stale", "_renderer", "_parents", "_invalid", "_mtx", "_points", "_inverted", "_xorig",
     "_yorig", "_transformed_path", "_subslice", "titleOffsetTrans"}
)  # fmt: skip
# Attributes that are computed from others. They are still compared by identity.
DERIVED = frozenset(
    {"_imcache", "_rgbacache", "_remove_method", "_callbacks", "callbacks", "stale_callback",
     "_picker", "_contains", "axis"}
)  # fmt: skip
# Artists that read nothing of their axes but what they refer to, if of exactly this class.
INDEPENDENT = frozenset(
    {Line2D, Text, Rectangle, Polygon, Circle, Ellipse, Wedge, PathCollection, LineCollection,
     PolyCollection, PatchCollection, QuadMesh, AxesImage}
)  # fmt: skip
_CONSTANT: dict[type, bool] = {}  # answers of `issubclass(…, CONSTANT)`, which is slow
SMALL = 4096  # elements: larger arrays that are replaced count as changed


class Fingerprint:
    """
    All that the next drawing of some artists depends on, as it is now.

    `is_complete` is false if some of it is not known, such as a function of the user's. Then the
    artist must always be drawn. `is_outdated` is true when parts have been replaced by equal ones,
    whose changes in place are not watched: then another fingerprint must be taken.
    """

    def __init__(self, *artists: Artist) -> None:
        self.is_complete = True
        self.is_outdated = False
        self.unknown: object = None
        self._seen: set[int] = set()
        self._alive: list[object] = []
        self._dicts: list[dict[Any, Any]] = []
        self._lists: list[tuple[Any, list[object]]] = []
        self._arrays: list[tuple[Any, bytes]] = []
        self._pending: list[object] = []
        for artist in artists:
            self._start_at(artist)
        while self._pending and self.is_complete:
            self._visit(self._pending.pop())
        self._values: list[object] = []
        self.accept()

    def _start_at(self, artist: Artist) -> None:
        self._seen.add(id(artist.axes))
        self._visit_attributes(artist)
        if reads_axes(artist):
            self._visit_axes(artist.axes)
        if isinstance(artist, Axis):
            self._pending += artist.axes.spines.values()
        if isinstance(artist, Legend) and artist._loc == 0:  # type: ignore[attr-defined]
            # Its place is the best one beside what the axes show.
            self._pending.append(getattr(artist.axes, "_children", artist))

    def matches(self) -> bool:
        """Return whether everything is still as it was."""
        return self.is_complete and self._has_same_attributes() and self._has_same_items()

    def _has_same_attributes(self) -> bool:
        values = list(chain.from_iterable(map(dict.values, self._dicts)))
        if len(values) != len(self._values):
            return False
        return all(map(operator.is_, values, self._values)) or self._are_equal(values)

    def _has_same_items(self) -> bool:
        for array, content in self._arrays:
            if array.tobytes() != content:
                return False
        for items, before in self._lists:
            if len(items) != len(before):
                return False
            if not all(map(operator.is_, items, before)) and not all(
                map(self._same, items, before)
            ):
                return False
        return True

    def accept(self) -> None:
        """Take attributes that were set again, to what they were, as they are now."""
        self._values = list(chain.from_iterable(map(dict.values, self._dicts)))

    def _are_equal(self, values: list[object]) -> bool:
        """Return whether attributes that were set again have the same values."""
        keys = chain.from_iterable(self._dicts)
        for number, (key, new, old) in enumerate(zip(keys, values, self._values, strict=True)):
            if new is not old:
                if key not in IGNORED and not self._same(new, old):
                    return False
                self._values[number] = new
        return True

    def _same(self, new: object, old: object) -> bool:
        if new is old:
            return True
        if type(new) is not type(old):
            return False
        if isinstance(new, PRIMITIVE):
            return bool(new == old)
        if isinstance(new, tuple) and isinstance(old, tuple):
            return len(new) == len(old) and all(map(self._same, new, old))
        if type(new) is np.ndarray and isinstance(old, np.ndarray):
            return self._same_array(new, old)
        if type(new) is Path and isinstance(old, Path):
            return self._same(new.vertices, old.vertices) and self._same(new.codes, old.codes)
        if isinstance(new, Transform) and isinstance(old, Transform):
            return self._same_transform(new, old)
        if type(new) is list and isinstance(old, list):
            before = next((items for one, items in self._lists if one is old), None)
            if before is None or len(new) != len(before) or not all(map(self._same, new, before)):
                return False
            self.is_outdated = True
            return True
        return False

    def _same_transform(self, new: Transform, old: Transform) -> bool:
        if not (new.is_affine and old.is_affine):
            return False
        if new.get_matrix().tobytes() != old.get_matrix().tobytes():
            return False
        self.is_outdated = True
        return True

    def _same_array(self, new: Any, old: Any) -> bool:
        if new.dtype != old.dtype or new.shape != old.shape or new.size > SMALL:
            return False
        before = next((content for one, content in self._arrays if one is old), None)
        if before is None or new.dtype.hasobject or new.tobytes() != before:
            return False
        self.is_outdated = True
        return True

    def _visit(self, value: Any) -> None:
        if id(value) in self._seen or _is_constant(type(value)):
            return
        self._seen.add(id(value))
        if isinstance(value, (tuple, frozenset)):
            self._alive.append(value)  # else another object can have the same id
            self._pending += value
        elif isinstance(value, np.ndarray):
            self._visit_array(value)
        elif isinstance(value, dict):
            self._dicts.append(value)
            self._lists.append((value.keys(), list(value)))
            self._pending += [*value.keys(), *value.values()]
        elif isinstance(value, (list, deque, set)):
            self._lists.append((value, list(value)))
            self._pending += value
        elif isinstance(value, functools.partial):
            self._alive.append(value)
            self._pending += [value.func, value.args, value.keywords]
        elif isinstance(value, types.MethodType):
            self._alive.append(value)
            self._pending += [value.__func__, value.__self__]
        elif isinstance(value, (types.FunctionType, types.MethodWrapperType)):
            self._alive.append(value)
            if not _is_known(getattr(value, "__module__", None)):
                self._fail(value)
        elif isinstance(value, Axes):
            self._visit_axes(value)
        elif _is_known(type(value).__module__) and hasattr(value, "__dict__"):
            self._visit_attributes(value)
        else:
            self._fail(value)

    def _fail(self, value: object) -> None:
        self.is_complete = False
        self.unknown = value

    def _visit_array(self, array: Any) -> None:
        if isinstance(array, np.ma.MaskedArray):
            self._alive.append(array)
            self._visit(np.ma.getdata(array))
            if array.mask is not np.ma.nomask:
                self._arrays.append((array.mask, array.mask.tobytes()))
        elif array.dtype.hasobject:
            self._lists.append((array.ravel(), list(array.ravel())))
            self._pending += list(array.ravel())
        else:
            plain = np.asarray(array)
            self._alive.append(array)
            self._arrays.append((plain, plain.tobytes()))

    def _visit_attributes(self, value: Any) -> None:
        self._seen.add(id(value))
        if not _is_known(type(value).__module__):
            self._fail(value)
            return
        attributes = vars(value)
        self._alive.append(value)
        if isinstance(value, TransformNode):
            self._visit_transform(value, attributes)
            return
        self._dicts.append(attributes)
        self._pending += [
            item
            for key, item in attributes.items()
            if not _is_constant(type(item)) and key not in DERIVED and key not in IGNORED
        ]

    def _visit_transform(self, node: Any, attributes: dict[str, Any]) -> None:
        """Visit what a transform is made of. Its matrix is derived, except where it is set."""
        if type(node) is Affine2D:
            self._arrays.append((_Matrix(node), node.get_matrix().tobytes()))
        elif type(node) is Bbox:
            self._arrays.append((_Points(node), node.get_points().tobytes()))
        elif isinstance(node, TransformedPath):
            self._pending += [node._path, node._transform]  # type: ignore[attr-defined]
            self._pending += [attributes[key] for key in ("_patch",) if key in attributes]
        else:
            self._dicts.append(attributes)
            self._pending += [
                item
                for key, item in attributes.items()
                if not _is_constant(type(item)) and key not in IGNORED
            ]

    def _visit_axes(self, axes: Any) -> None:
        """Visit the place and the limits of axes."""
        self._alive.append(axes)
        self._dicts.append(vars(axes))
        self._pending += [axes._viewLim, axes.dataLim, axes.bbox, axes.transData, axes.transAxes]
        self._pending += [
            item for item in vars(axes).values() if isinstance(item, (np.ndarray, TransformNode))
        ]


class _Matrix:
    """The matrix of a transform, which is replaced when the transform is set."""

    def __init__(self, transform: Any) -> None:
        self._transform = transform

    def tobytes(self) -> bytes:
        content: bytes = self._transform.get_matrix().tobytes()
        return content


class _Points:
    """The corners of a box."""

    def __init__(self, box: Any) -> None:
        self._box = box

    def tobytes(self) -> bytes:
        content: bytes = self._box.get_points().tobytes()
        return content


def _is_constant(kind: type) -> bool:
    found = _CONSTANT.get(kind)
    if found is None:
        found = _CONSTANT[kind] = issubclass(kind, CONSTANT)
    return found


@functools.cache
def _is_known(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] in KNOWN_MODULES


def reads_axes(artist: Artist) -> bool:
    """Return whether drawing `artist` may read more of its axes than `artist` refers to."""
    is_independent = type(artist) in INDEPENDENT and getattr(artist, "_markevery", None) is None
    return artist.axes is not None and artist.axes is not artist and not is_independent
