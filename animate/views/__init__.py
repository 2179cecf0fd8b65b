"""
The kinds of drawing, each one a small class in a module of its own.

A view draws the still parts of its axes once, and then sets its moving artists for an epoch. It
knows its panel, and nothing of other views, frames or files. To add one, write its module and add
its line to `VIEWS`.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from animate import inputs

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.transforms import TransformedBbox

    from animate.problem import Problem
    from animate.theme import RunStyle, Theme
    from animate.trajectory import Trajectory

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
    """

    axes: Axes
    runs: Sequence[Trajectory]
    index: int | None
    theme: Theme
    em: float

    @property
    def around(self) -> TransformedBbox:
        """The panel and a little of what is around it, where a mark on its edge may reach."""
        from matplotlib.transforms import Bbox, TransformedBbox

        box = self.axes.get_window_extent()
        across, up = 0.3 * self.em / box.width, 0.3 * self.em / box.height
        whole = Bbox([[-across, -up], [1 + across, 1 + up]])
        return TransformedBbox(whole, self.axes.transAxes)

    @property
    def run(self) -> Trajectory:
        """The run that this panel shows."""
        assert self.index is not None
        return self.runs[self.index]

    @property
    def style(self) -> RunStyle:
        """How that run looks."""
        assert self.index is not None
        return self.theme.run(self.index)

    @property
    def problem(self) -> Problem:
        """What all runs were trained on."""
        return self.runs[0].problem


class View(ABC):
    """
    One kind of drawing in one panel.

    A subclass draws what stays in ``__init__``, keeps each moving artist with `moves`, and sets
    them all in `draw`, from the epoch alone: whatever was drawn before must not matter.
    """

    caption: ClassVar[str]
    full_caption: ClassVar[str] = ""
    """What stands above a panel instead where it has the room."""
    across: ClassVar[bool] = False
    """Whether one panel shows all runs, instead of one panel each."""
    of_runs: ClassVar[bool] = True
    """Whether the view shows runs at all, so that their headings are needed."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.moving: list[Artist] = []

    @abstractmethod
    def draw(self, epoch: int) -> None:
        """Set the moving artists to `epoch`."""

    def moves(self, artist: AnyArtist) -> AnyArtist:
        """Keep `artist` as one that `draw` changes, and return it."""
        self.moving.append(artist)
        return artist


def load(view: str | type[View]) -> type[View]:
    """Return the view class called `view`; a class is returned as it is."""
    if not isinstance(view, str):
        return view
    name = inputs.choice(view, "view", VIEWS)
    module = importlib.import_module(f"{__name__}.{name}")
    return cast("type[View]", getattr(module, VIEWS[name]))
