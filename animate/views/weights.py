"""Slope and bias against the epoch, with the values that least squares gives."""

import numpy as np

from animate.views import Panel, View
from animate.views.marks import Path, epoch_ticks, plain_ticks, weights_of
from animate.views.scatter import name_lines
from animate.wording import coordinate

WIDTHS = 0.22, 0.08  # em, of the slope's and the bias's line


class Weights(View):
    """One run's two weights up to now."""

    caption = "weights against epoch"

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
        for value in best:
            axes.axhline(value, color=theme.ink, linewidth=em / 9, linestyle=":", zorder=2)
        epochs = np.arange(panel.run.epochs + 1)
        self._paths = []
        for number, width in enumerate(WIDTHS):
            path = Path(
                panel,
                epochs,
                weights_of(panel.run)[:, number],
                panel.style,
                dashed=False,
                width=width,
                zorder=4 - 0.5 * number,
            )
            self._paths.append(path)
            self.moving += path.artists
        if panel.index == 0:
            names = (f"slope, best {coordinate(best[0])}", f"bias, best {coordinate(best[1])}")
            for name, width in zip(names, WIDTHS, strict=True):
                axes.plot([], [], color=panel.style.line, linewidth=width * em, label=name)
            name_lines(panel, "lower right")

    def draw(self, epoch: int) -> None:
        """Set both curves up to `epoch`."""
        for path in self._paths:
            path.draw(epoch)
