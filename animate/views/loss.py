"""The loss against the epoch, on a log axis, with the other runs' for comparison."""

import itertools

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection
from matplotlib.transforms import offset_copy

from animate.problem import Doubles
from animate.readout import Readout
from animate.views import Panel, View
from animate.views.marks import LETTER, Path, drawable, epoch_ticks, log_ticks

ROOM_ABOVE = 1e3  # times the first loss: as far as the axis follows a run that grows
ROOM_BELOW = 1e-6
NAME_HEIGHT = 2.0  # em
# Where the name of the turn may start, in em from it, the nearest first; leftwards if negative.
NAME_SPOTS = tuple(itertools.product((0.9, -0.9, 1.8, -1.8, 2.7, -2.7), (-1.25, 0.6)))
FINE = 1000  # places along a curve
OWN = 9  # how much more of a pity it is to hide the panel's own curve
SMALLEST = 1e-12  # for a start that has no loss at all


class Loss(View):
    """One run's loss up to now, the others' as ghosts, and the floor that none can pass."""

    caption = "loss against epoch (log)"

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        axes, theme, em = panel.axes, panel.theme, panel.em
        floor = panel.problem.best_loss
        epoch_ticks(panel)
        losses = drawable([run.losses for run in panel.runs])
        height = axes.get_window_extent().height / em
        low, high = limits(losses, floor, height)
        log_ticks(panel, low, high)
        if floor > low:
            axes.axhline(floor, color=theme.ink, linewidth=em / 9, linestyle=":", zorder=2)
            if panel.index == 0:
                axes.annotate(
                    "the best fit's loss",
                    (0.99, floor),
                    (0, -0.45 * em),
                    xycoords=axes.get_yaxis_transform(),
                    textcoords="offset points",
                    fontsize=em,
                    color=theme.muted,
                    horizontalalignment="right",
                    verticalalignment="top",
                    zorder=2,
                )
        self._ghosts = self.moves(
            LineCollection([], colors=theme.points, linewidths=em / 9, zorder=3)
        )
        axes.add_collection(self._ghosts, autolim=False)
        epochs = np.arange(panel.runs[0].epochs + 1)
        self._epochs = epochs
        self._others = [
            np.column_stack([epochs, other])
            for index, other in enumerate(losses)
            if index != panel.index
        ]
        self._path = Path(panel, epochs, losses[panel.index], panel.style)
        self.moving += self._path.artists
        self._turn = self._draw_turn(losses[panel.index])

    def draw(self, epoch: int) -> None:
        """Set the curves up to `epoch`; no ghost tells what is still to come."""
        self._ghosts.set_segments([other[: epoch + 1] for other in self._others])
        self._path.draw(epoch)
        for artist in self._turn:
            artist.set_visible(epoch >= self.panel.run.diagnosis.earned_at)

    def _draw_turn(self, losses: Doubles) -> list[Artist]:
        """Mark where the loss of a diverging run is lowest, if that is on its way."""
        panel, lowest = self.panel, int(np.nanargmin(losses))
        if panel.run.diagnosis.verdict != "diverging" or lowest in (0, panel.run.epochs):
            return []
        axes, theme, em = panel.axes, panel.theme, panel.em
        place = (lowest, losses[lowest])
        (ring,) = axes.plot(
            *([part] for part in place),
            linestyle="none",
            marker="o",
            markersize=0.62 * em,
            markerfacecolor=theme.panel,
            markeredgecolor=theme.ink,
            markeredgewidth=em / 9,
            zorder=3.5,
        )
        text = f"turns at epoch {lowest}"
        across, up = self._clear_of_curves(place, len(text))
        name = Readout(
            *place,
            text,
            transform=offset_copy(
                axes.transData, axes.get_figure(root=True), across * em, up * em, units="points"
            ),
            fontsize=em,
            color=theme.ink,
            horizontalalignment="left" if across > 0 else "right",
            clip_on=True,
            clip_box=axes.bbox,
            zorder=6,
        )
        axes.add_artist(name)
        return [self.moves(ring), self.moves(name)]

    def _clear_of_curves(self, place: tuple[float, float], letters: int) -> tuple[float, float]:
        """Return the offset in em at which a name of so many letters hides least of the curves."""
        panel = self.panel
        axes, em, runs = panel.axes, panel.em, panel.runs
        epochs = np.linspace(0, runs[0].epochs, FINE)
        curves = [run.losses for run in runs]
        floor = np.full(runs[0].epochs + 1, panel.problem.best_loss)
        logs = np.log(np.fmax(drawable([*curves, floor]), SMALLEST))
        heights = np.exp([np.interp(epochs, self._epochs, curve) for curve in logs])
        points = np.column_stack([np.tile(epochs, len(heights)), heights.ravel()])
        importance = np.repeat([1 + OWN * (run is panel.run) for run in (*runs, None)], FINE)
        middle = axes.transData.transform(place)
        points = (axes.transData.transform(points) - middle) / em
        frame = (axes.bbox.get_points() - middle) / em

        def hidden(spot: tuple[float, float]) -> float:
            across, up = spot
            start, end = sorted((across, across + np.copysign(LETTER * letters, across)))
            low, high = np.array([start, up - 0.3]), np.array([end, up + 0.9])
            if (low < frame[0]).any() or (high > frame[1]).any():
                return np.inf
            return float(importance[((points > low) & (points < high)).all(axis=1)].sum())

        return min(NAME_SPOTS, key=hidden)


def limits(losses: Doubles, floor: float, height: float) -> tuple[float, float]:
    """Return the lowest and highest loss shown; below the floor, its name needs room."""
    first = max(float(losses[0, 0]), SMALLEST)
    low = max(floor, ROOM_BELOW * first)
    high = max(min(float(np.nanmax(losses)), ROOM_ABOVE * first), 10 * low)
    room = high / low
    below = NAME_HEIGHT / height
    return low / room ** (1.08 * below / (1 - below)), high * room**0.08
