"""
Views: the kinds of panels, one class and one module each.

A view draws the static artists of its axes once. Its `draw` then updates the moving artists for a
record of its run, or for a moment if it shows all runs. It declares what it requires of the runs.
It does not know other views, frames or files. To add a view, write its module and add a line to
`VIEWS`.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from animate.system import validation
from animate.system.errors import InputError

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.transforms import TransformedBbox

    from animate.drawing.clock import Clock
    from animate.drawing.theme import RunStyle, Theme
    from animate.training.trajectory import Trajectory

VIEWS = {
    "fit": "Fit",
    "loss": "Loss",
    "surface": "Surface",
    "landscape": "Landscape",
    "landscape3d": "Landscape3D",
    "bowl": "Bowl",
    "weights": "Weights",
    "data": "Data",
    "cliff": "Cliff",
    "map": "Map",
    "losses": "Losses",
    "metric": "Metric",
    "boundary": "Boundary",
    "range": "Range",
    "sharpness": "Sharpness",
    "plane": "Plane",
    "random_plane": "RandomPlane",
}

AnyArtist = TypeVar("AnyArtist", bound="Artist")


@dataclass(frozen=True, slots=True)
class Panel:
    """
    The axes that a view draws in, and the data that it draws.

    Attributes
    ----------
    axes : Axes
        Empty, with position and spines set.
    runs : sequence of Trajectory
        All runs of the scene, so that panels can share their limits.
    index : int or None
        The index of this panel's run; None for a view that shows all runs in one panel.
    theme : Theme
    em : float
        The size of the smallest text, in pixels. Points are pixels, since the dpi is 72.
    clock : Clock
        The time axis of the scene, and the times of all records on it.
    data : mapping of str to object
        The precomputed data that the view lists in `View.needs`.
    """

    axes: Axes
    runs: Sequence[Trajectory]
    index: int | None
    theme: Theme
    em: float
    clock: Clock
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def clip_box(self) -> TransformedBbox:
        """The axes with a margin of 0.3 em, so that a marker on the edge is drawn in full."""
        from matplotlib.transforms import Bbox, TransformedBbox

        box = self.axes.get_window_extent()
        dx, dy = 0.3 * self.em / box.width, 0.3 * self.em / box.height
        return TransformedBbox(Bbox([[-dx, -dy], [1 + dx, 1 + dy]]), self.axes.transAxes)

    @property
    def run(self) -> Trajectory:
        """The run that this panel shows; an InputError if it shows all."""
        return self.runs[self._own_index("run")]

    @property
    def style(self) -> RunStyle:
        """Colours, dashes and marker of that run."""
        return self.theme.run(self._own_index("style"))

    @property
    def problem(self) -> Any:
        """The problem of the panel's run; in a view of all runs, of the first."""
        return self.runs[self.index or 0].problem

    @property
    def times(self) -> Any:
        """The times of the records of the panel's run, on the scene's clock, shape (T,)."""
        return self.clock.times[self._own_index("times")]

    def record_of(self, run: Trajectory, moment: float) -> int:
        """Return the record of `run` shown at `moment`: the last one at or before it."""
        return self.clock.record(self._index_of(run), moment)

    def times_of(self, run: Trajectory) -> Any:
        """Return the times of the records of `run`, on the scene's clock, shape (T,)."""
        return self.clock.times[self._index_of(run)]

    def _index_of(self, run: Trajectory) -> int:
        for index, other in enumerate(self.runs):
            if other is run:
                return index
        raise InputError(f"{run!r} is not a run of this scene; give one of panel.runs")

    def _own_index(self, name: str) -> int:
        if self.index is None:
            raise InputError(
                f"panel.{name} belongs to one run, but this view shows all runs in one panel "
                "(across = True); use panel.runs"
            )
        return self.index


class View(ABC):
    """
    Base class of the views: one kind of panel.

    A subclass adds all artists in ``__init__``, and registers those that change with `moves`. Its
    `draw` sets them all from its argument alone: the result must not depend on earlier calls.
    """

    caption: str = ""
    """The text above a panel; ``{clock}`` is replaced by "epoch" or "step"."""
    full_caption: str = ""
    """A longer caption, used if it fits."""
    across: ClassVar[bool] = False
    """Whether one panel shows all runs; else there is one panel per run."""
    aspects: ClassVar[tuple[float, float]] = (0.75, 2.5)
    """The least and the largest ratio of width to height that the view can use."""
    x_axis: ClassVar[str] = ""
    """Stacked views with the same x axis, such as "time", have its tick labels once."""
    shows_runs: ClassVar[bool] = True
    """Whether the view shows runs, so that the scene needs their headers."""
    requires: ClassVar[tuple[type, ...]] = ()
    """What the runs' problem must provide: protocols such as `animate.Quadratic`, or classes."""
    records: ClassVar[tuple[str, ...]] = ()
    """The records that each run must have: "weights", "losses", "metrics" or several of them."""
    weight_count: ClassVar[int | None] = None
    """The number of weights that each run must have; None for any number."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Data to compute from the runs before drawing: keys of `precomputed.PRECOMPUTED`."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.moving: list[Artist] = []
        self.legend_corner: str = ""
        """The corner for a legend of the labelled lines, if the caption leaves no room for it."""

    @abstractmethod
    def draw(self, record: int) -> None:
        """
        Update the moving artists.

        A view of one run gets a record of that run, counted from 0. A view across runs gets a
        moment of the clock instead; `panel.record_of` returns the record of each run.
        """

    @classmethod
    def lacks(cls, runs: Sequence[Trajectory]) -> str | None:  # noqa: ARG003
        """Return what `runs` lack beyond the above, as "it requires …"; None if nothing."""
        return None

    def moves(self, artist: AnyArtist) -> AnyArtist:
        """Register an artist that `draw` changes. Returns the artist."""
        self.moving.append(artist)
        return artist


def load(view: str | type[View]) -> type[View]:
    """Return the view class with the name `view`; a class is returned unchanged."""
    if isinstance(view, type) and issubclass(view, View):
        return view
    if not isinstance(view, str):
        raise InputError(
            f"view {validation.quoted(view)} is neither a name nor a View class; choose from "
            f"{', '.join(VIEWS)}, or give a subclass of animate.views.View"
        )
    name = validation.choice(view, "view", VIEWS)
    module = importlib.import_module(f"{__name__}.{name}")
    return cast("type[View]", getattr(module, VIEWS[name]))


def load_views(views: str | type[View] | Sequence[str | type[View]]) -> list[type[View]]:
    """Return the view classes for one or several names or classes."""
    result = [views] if isinstance(views, str) or not isinstance(views, Iterable) else list(views)
    if not result:
        raise InputError("views is empty; give at least one, such as fit")
    return [load(view) for view in result]
