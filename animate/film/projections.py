"""
Draw polar and 3D axes in parts, so that those which stay as they are need not be drawn again.

matplotlib's `PolarAxes.draw` first places patch, spines and labels, and then draws as other axes
do. `Axes3D.draw` draws the box with its ticks, which takes most of the time, and then what the
axes contain.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from matplotlib import cbook
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.patches import Patch
from matplotlib.path import Path
from matplotlib.projections.polar import PolarAxes

# Attributes that are set anew for each drawing, and mostly stay equal.
OF_3D_AXES = ("M", "invM", "_view_u", "_view_v", "_view_w")
OF_POLAR_PATCH = ("center", "_path")


class Part:
    """A part of axes, which is drawn like an artist."""

    def __init__(self, axes: Any) -> None:
        self.axes = axes

    @property
    def zorder(self) -> float:
        """The place of the axes in the order of drawing."""
        return float(self.axes.zorder)

    @property
    def watched(self) -> tuple[Artist, ...]:
        """The artists that the drawing depends on."""
        raise NotImplementedError

    def get_visible(self) -> bool:
        """Return whether the axes are visible."""
        return bool(self.axes.get_visible())

    def draw(self, renderer: Any) -> None:
        """Draw the part."""
        raise NotImplementedError


class Box3D(Part):
    """The background, and panes, grid and ticks of the three axes."""

    @property
    def watched(self) -> tuple[Artist, ...]:
        """The artists that the drawing depends on."""
        return (self.axes.patch, *self.axes._axis_map.values())

    def draw(self, renderer: Any) -> None:
        """Draw the part, in the order of `Axes3D.draw`."""
        axes = self.axes
        axes.patch.draw(renderer)
        if not axes._axis3don:
            return
        for name in ("draw_pane", "draw_grid", "draw"):
            for axis in axes._axis_map.values():
                getattr(axis, name)(renderer)


class Contents3D(Part):
    """All other artists of the axes, in the order of their depth."""

    @property
    def watched(self) -> tuple[Artist, ...]:
        """The artists that the drawing depends on."""
        return (self.axes,)

    def draw(self, renderer: Any) -> None:
        """Draw the part, in the order of `Axes3D.draw`."""
        _sort_by_depth(self.axes)
        Axes.draw(self.axes, renderer)


def is_3d(artist: Artist) -> bool:
    """Return whether an artist is 3D axes that are drawn as matplotlib's own."""
    module: Any = sys.modules.get("mpl_toolkits.mplot3d.axes3d")
    return (
        module is not None
        and isinstance(artist, module.Axes3D)
        and has_draw_of(artist, module.Axes3D)
        and type(artist).get_proj is module.Axes3D.get_proj
        and "get_proj" not in vars(artist)
    )


def is_polar(artist: Artist) -> bool:
    """Return whether an artist is polar axes that are drawn as matplotlib's own."""
    return isinstance(artist, PolarAxes) and has_draw_of(artist, PolarAxes)


def has_draw_of(artist: Artist, kind: type[Artist]) -> bool:
    """Return whether `artist` is drawn by the method of `kind` alone, and not filtered."""
    return (
        type(artist).draw is kind.draw
        and "draw" not in vars(artist)
        and artist.get_agg_filter() is None
    )


def place_3d(axes: Any, renderer: Any) -> None:
    """Place 3D axes and their view, as `Axes3D.draw` does before it draws the box."""
    axes._unstale_viewLim()
    axes._frameon = False
    locator = axes.get_axes_locator()
    axes.apply_aspect(locator(axes, renderer) if locator else None)
    with _kept_where_equal(axes, OF_3D_AXES):
        axes.M = axes.get_proj()
        axes.invM = np.linalg.inv(axes.M)


def place_polar(axes: Any, renderer: Any) -> None:
    """Place the parts of polar axes, which is all that drawing does while they are hidden."""
    axes.patch.get_path()  # is computed when it is asked for
    with _kept_where_equal(axes.patch, OF_POLAR_PATCH):
        with cbook._setattr_cm(axes, _visible=False):
            axes.draw(renderer)
        axes.patch.get_path()


@contextmanager
def _kept_where_equal(owner: object, names: Sequence[str]) -> Iterator[None]:
    """Give `owner` back the attributes whose values are equal when the context ends."""
    before: dict[str, Any] = {name: vars(owner)[name] for name in names if name in vars(owner)}
    yield
    for name, old in before.items():
        if _is_equal(vars(owner)[name], old):
            setattr(owner, name, old)


def _is_equal(one: Any, other: Any) -> bool:
    if isinstance(one, Path) and isinstance(other, Path):
        return np.array_equal(one.vertices, other.vertices) and _is_equal(one.codes, other.codes)
    return np.array_equal(one, other)


def _sort_by_depth(axes: Any) -> None:
    """Project collections and patches, and give them the z-orders that `Axes3D.draw` gives."""
    solids: list[Any] = [
        artist
        for artist in axes._children
        if isinstance(artist, (Collection, Patch)) and artist.get_visible()
    ]
    if not axes.computed_zorder:
        for artist in solids:
            artist.do_3d_projection()
        return
    first = max(axis.get_zorder() for axis in axes._axis_map.values()) + 1
    next_zorder = {Collection: first, Patch: first}
    for artist in sorted(solids, key=lambda artist: artist.do_3d_projection(), reverse=True):
        kind = Collection if isinstance(artist, Collection) else Patch
        artist.zorder = next_zorder[kind]
        next_zorder[kind] += 1
