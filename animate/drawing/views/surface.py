"""The loss over the two weights, with the way that one run takes down (or up) it."""

from animate.drawing.views import Panel, View
from animate.drawing.views.marks import Path, weights_of
from animate.drawing.views.terrain import draw_terrain, name_standardized
from animate.training.problem import NamesWeights, Quadratic


class Surface(View):
    """One run's trajectory on the contours of the loss."""

    caption = "loss at slope →, bias ↑"
    full_caption = "contours of the loss: slope →, bias ↑"
    requires = (NamesWeights, Quadratic)
    records = ("weights",)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        name_standardized(self)
        draw_terrain(panel)
        weights = weights_of(panel.run)
        self._path = Path(
            panel, weights[:, 0], weights[:, 1], panel.style, dots=True, dashed=False, width=0.1
        )
        self.moving += self._path.artists

    def draw(self, record: int) -> None:
        """Set the trajectory up to `record`."""
        self._path.draw(record)
