"""Slope and bias against the epoch, with the values that least squares gives."""

import numpy as np

from animate.views import Panel, View
from animate.views.marks import Path, epoch_ticks, plain_ticks
from animate.wording import coordinate


class Weights(View):
    """One run's two weights up to now."""

    caption = "slope and bias against epoch"

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        axes, theme, em, problem = panel.axes, panel.theme, panel.em, panel.problem
        best, start = problem.best_weights, problem.start.astype(float)
        low, high = min(*best, *start), max(*best, *start)
        swing = 0.7 * (high - low) or 1.0
        axes.set_ylim(low - swing, high + swing)
        axes.set_xlim(0, 1)
        plain_ticks(panel)
        epoch_ticks(panel)
        for value, line in zip(best, (":", "--"), strict=True):
            axes.axhline(value, color=theme.ink, linewidth=em / 9, linestyle=line, zorder=2)
        epochs = np.arange(panel.run.epochs + 1)
        self._paths = []
        for number, width in enumerate((0.22, 0.11)):
            path = Path(
                panel, epochs, panel.run.weights[:, number], panel.style, width=width, zorder=4
            )
            self._paths.append(path)
            self.moving += path.artists
        if panel.index == 0:
            keys = [
                axes.plot([], [], color=theme.ink, linewidth=width * em, linestyle=line)[0]
                for width, line in ((0.22, ":"), (0.11, "--"))
            ]
            names = [f"best slope {coordinate(best[0])}", f"best bias {coordinate(best[1])}"]
            axes.legend(
                keys,
                names,
                loc="lower right",
                fontsize=em,
                labelcolor=theme.muted,
                frameon=False,
                borderaxespad=0.2,
                borderpad=0.2,
                labelspacing=0.25,
                handlelength=1.6,
            ).set_zorder(1.5)

    def draw(self, epoch: int) -> None:
        """Set both curves up to `epoch`."""
        for path in self._paths:
            path.draw(epoch)
