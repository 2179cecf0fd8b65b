"""Contours of the loss over two weights, with the trajectories of all runs."""

from animate.drawing.views import Panel, View
from animate.drawing.views.contours import BEST_ZORDER, draw_contours, name_standardized
from animate.drawing.views.curves import RunCurve, weights_until_overflow
from animate.training.problem import NamesWeights, Quadratic


class Landscape(View):
    """Show the trajectories of all runs on contours of the loss."""

    caption = "loss at slope →, bias ↑"
    full_caption = "contours of the loss: slope →, bias ↑"
    aspects = (0.8, 1.6)
    across = True
    requires = (NamesWeights, Quadratic)
    records = ("weights",)
    weight_count = 2

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        name_standardized(self)
        draw_contours(panel)
        self._curves = [
            RunCurve(
                panel,
                slopes,
                biases,
                panel.theme.run(index),
                dots=True,
                dashed=False,
                width=0.1,
                zorder=4 + 2 * index,
            )
            for index, (slopes, biases) in enumerate(
                weights_until_overflow(run).T for run in panel.runs
            )
        ]
        for index, curve in enumerate(self._curves):
            curve.artists[1].set_zorder(BEST_ZORDER + 1 + index)
            self.moving += curve.artists

    def draw(self, moment: float) -> None:
        """Draw all trajectories up to `moment`."""
        for run, curve in zip(self.panel.runs, self._curves, strict=True):
            curve.draw(self.panel.record_of(run, moment))
            for artist in curve.artists:
                artist.set_visible(moment >= self.panel.times_of(run)[0])
