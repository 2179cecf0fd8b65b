"""The loss over the two weights, with the ways of all runs on one map."""

from animate.drawing.views import Panel, View
from animate.drawing.views.marks import Path, weights_of
from animate.drawing.views.terrain import draw_terrain, name_standardized
from animate.training.problem import NamesWeights, Quadratic


class Landscape(View):
    """All runs' trajectories on the contours of the loss."""

    caption = "loss at slope →, bias ↑"
    full_caption = "contours of the loss: slope →, bias ↑"
    across = True
    requires = (NamesWeights, Quadratic)
    records = ("weights",)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        name_standardized(self)
        draw_terrain(panel)
        self._paths = [
            Path(
                panel,
                slopes,
                biases,
                panel.theme.run(index),
                dots=True,
                dashed=False,
                width=0.1,
                zorder=4 + 2 * index,
            )
            for index, (slopes, biases) in enumerate(weights_of(run).T for run in panel.runs)
        ]
        for path in self._paths:
            self.moving += path.artists

    def draw(self, moment: float) -> None:
        """Set all trajectories up to `moment`."""
        for run, path in zip(self.panel.runs, self._paths, strict=True):
            path.draw(self.panel.record_of(run, moment))
            for artist in path.artists:
                artist.set_visible(moment >= self.panel.times_of(run)[0])
