"""
The kinds of drawing, each one a small class in a module of its own.

A view draws the still parts of its axes once, and then sets its moving artists for a record of its
run, or for a moment if it shows all runs. It says what it requires of the runs, knows its panel,
and nothing of other views, frames or files. To add one, write its module and add its line to
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
    "bowl": "Bowl",
    "weights": "Weights",
    "data": "Data",
    "cliff": "Cliff",
}

AnyArtist = TypeVar("AnyArtist", bound="Artist")


@dataclass(frozen=True, slots=True)
class Panel:
    """
    Where a view draws, and what.

    Attributes
    ----------
    axes : Axes
        Empty, with its place and spines set.
    runs : sequence of Trajectory
        All runs of the scene, so that panels can share their limits.
    index : int or None
        Which run this panel shows; None for a view that shows all of them in one panel.
    theme : Theme
    em : float
        The size of the smallest text, in pixels (72 dots an inch, so points are pixels).
    clock : Clock
        The time of the scene: what the time axis counts, and when each run has its records.
    data : mapping of str to object
        What the view names in `View.needs`.
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
        """The panel and a little of what is clip_box it, where a mark on its edge may reach."""
        from matplotlib.transforms import Bbox, TransformedBbox

        box = self.axes.get_window_extent()
        across, up = 0.3 * self.em / box.width, 0.3 * self.em / box.height
        whole = Bbox([[-across, -up], [1 + across, 1 + up]])
        return TransformedBbox(whole, self.axes.transAxes)

    @property
    def run(self) -> Trajectory:
        """The run that this panel shows."""
        return self.runs[self._own_index("run")]

    @property
    def style(self) -> RunStyle:
        """How that run looks."""
        return self.theme.run(self._own_index("style"))

    @property
    def problem(self) -> Any:
        """What the panel's run was trained on; what all were, in a view of all runs."""
        return self.runs[self.index or 0].problem

    @property
    def times(self) -> Any:
        """When the panel's run has its records, on the scene's clock, shape (T,)."""
        return self.clock.times[self._own_index("times")]

    def record_of(self, run: Trajectory, moment: float) -> int:
        """Return which record of `run` is shown at `moment`: its last one at or before it."""
        return self.clock.record(self._place(run), moment)

    def times_of(self, run: Trajectory) -> Any:
        """Return when `run` has its records, on the scene's clock, shape (T,)."""
        return self.clock.times[self._place(run)]

    def _place(self, run: Trajectory) -> int:
        for place, one in enumerate(self.runs):
            if one is run:
                return place
        raise InputError(f"{run!r} is no run of this scene; give one of panel.runs")

    def _own_index(self, name: str) -> int:
        if self.index is None:
            raise InputError(
                f"panel.{name} is of one run, and this view shows all runs in one panel "
                "(across = True); use panel.runs"
            )
        return self.index


class View(ABC):
    """
    One kind of drawing in one panel.

    A subclass draws what stays in ``__init__``, keeps each moving artist with `moves`, and sets
    them all in `draw`, from its argument alone: whatever was drawn before must not matter.
    """

    caption: str = ""
    """What stands above a panel; ``{clock}`` is replaced by "epoch" or "step"."""
    full_caption: str = ""
    """What stands above a panel instead where it has the room."""
    across: ClassVar[bool] = False
    """Whether one panel shows all runs, instead of one panel each."""
    shows_runs: ClassVar[bool] = True
    """Whether the view shows runs at all, so that their headings are needed."""
    requires: ClassVar[tuple[type, ...]] = ()
    """What the runs' problem must be, as protocols such as `animate.Quadratic`."""
    records: ClassVar[tuple[str, ...]] = ()
    """What each run must hold: "weights", "losses" or both."""
    needs: ClassVar[tuple[str, ...]] = ()
    """What must be computed from the runs beforehand, a name in `animate.training.precomputed`."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.moving: list[Artist] = []

    @abstractmethod
    def draw(self, record: int) -> None:
        """
        Set the moving artists.

        For a view of one run, to a record of that run, counted from 0. For one across runs the
        argument is a moment of the clock, and `panel.record_of` gives each run's record.
        """

    def moves(self, artist: AnyArtist) -> AnyArtist:
        """Register `artist` as one that `draw` changes, and return it."""
        self.moving.append(artist)
        return artist


def load(view: str | type[View]) -> type[View]:
    """Return the view class called `view`; a class is returned as it is."""
    if isinstance(view, type) and issubclass(view, View):
        return view
    if not isinstance(view, str):
        raise InputError(
            f"view {validation.shown(view)} is neither a name nor a View class; choose from "
            f"{', '.join(VIEWS)}, or give a subclass of animate.views.View"
        )
    name = validation.choice(view, "view", VIEWS)
    module = importlib.import_module(f"{__name__}.{name}")
    return cast("type[View]", getattr(module, VIEWS[name]))


def load_views(views: str | type[View] | Sequence[str | type[View]]) -> list[type[View]]:
    """Return the view classes called `views`, one or several."""
    several = [views] if isinstance(views, str) or not isinstance(views, Iterable) else list(views)
    if not several:
        raise InputError("no view is given; give at least one, such as fit")
    return [load(view) for view in several]
