"""The loss against the epoch, on a log axis, with the other runs' for comparison."""

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection
from matplotlib.transforms import offset_copy

from animate.problem import Doubles
from animate.readout import Readout
from animate.views import Panel, View
from animate.views.marks import Path, drawable, epoch_ticks, log_ticks

ROOM_ABOVE = 1e3  # times the first loss: as far as the axis follows a run that grows
ROOM_BELOW = 1e-6
NAME_HEIGHT = 2.0  # em
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
        self._others = losses[[i for i in range(len(panel.runs)) if i != panel.index]]
        self._ghosts = self.moves(
            LineCollection([], colors=theme.points, linewidths=em / 9, zorder=3)
        )
        axes.add_collection(self._ghosts, autolim=False)
        epochs = np.arange(panel.runs[0].epochs + 1)
        self._epochs = epochs
        self._path = Path(panel, epochs, losses[panel.index], panel.style)
        self.moving += self._path.artists
        self._turn = self._draw_turn(losses[panel.index])

    def draw(self, epoch: int) -> None:
        """Set the curves up to `epoch`; no ghost tells what is still to come."""
        upto = slice(0, epoch + 1)
        self._ghosts.set_segments(
            [np.column_stack([self._epochs[upto], other[upto]]) for other in self._others]
        )
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
        across, up = axes.transAxes.inverted().transform(axes.transData.transform(place))
        leftwards, above = across > 0.5, up < 0.35  # away from the edges and the floor's name
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
        name = Readout(
            *place,
            f"turns at epoch {lowest}",
            transform=offset_copy(
                axes.transData,
                axes.get_figure(root=True),
                (-0.9 if leftwards else 0.9) * em,
                (0.6 if above else -1.25) * em,
                units="dots",
            ),
            fontsize=em,
            color=theme.ink,
            horizontalalignment="right" if leftwards else "left",
            clip_on=True,
            clip_box=axes.bbox,
            zorder=6,
        )
        axes.add_artist(name)
        return [self.moves(ring), self.moves(name)]


def limits(losses: Doubles, floor: float, height: float) -> tuple[float, float]:
    """Return the lowest and highest loss shown; below the floor, its name needs room."""
    first = max(float(losses[0, 0]), SMALLEST)
    low = max(floor, ROOM_BELOW * first)
    high = max(min(float(np.nanmax(losses)), ROOM_ABOVE * first), 10 * low)
    room = high / low
    below = NAME_HEIGHT / height
    return low / room ** (1.08 * below / (1 - below)), high * room**0.08
