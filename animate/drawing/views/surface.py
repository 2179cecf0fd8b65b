"""Contours of the loss over two weights, with the trajectory of one run."""

from animate.drawing.views import Panel, View
from animate.drawing.views.contours import BEST_ZORDER, draw_contours, name_standardized
from animate.drawing.views.curves import RunCurve, weights_until_overflow
from animate.training.problem import NamesWeights, Quadratic


class Surface(View):
    """Show the trajectory of one run on contours of the loss."""

    caption = "loss at slope →, bias ↑"
    full_caption = "contours of the loss: slope →, bias ↑"
    aspects = (0.8, 1.6)
    requires = (NamesWeights, Quadratic)
    records = ("weights",)
    weight_count = 2

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        name_standardized(self)
        draw_contours(panel)
        weights = weights_until_overflow(panel.run)
        self._curve = RunCurve(
            panel, weights[:, 0], weights[:, 1], panel.style, dots=True, dashed=False, width=0.1
        )
        self._curve.artists[1].set_zorder(BEST_ZORDER + 1)
        self.moving += self._curve.artists

    def draw(self, record: int) -> None:
        """Draw the trajectory up to `record`."""
        self._curve.draw(record)
