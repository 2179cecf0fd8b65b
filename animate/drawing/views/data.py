"""The data points, with the true line and the best fit."""

from animate.drawing.views import Panel, View
from animate.drawing.views.scatter import axis_names, draw_scatter
from animate.drawing.views.ticks import set_ticks
from animate.training.problem import Predicts, Quadratic


class Data(View):
    """Show the points that every run is trained on."""

    across = True
    shows_runs = False
    requires = (Predicts, Quadratic)
    aspects = (1.0, 2.0)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        self.caption = f"the data: {axis_names(panel.problem)}"
        x, y = panel.problem.x, panel.problem.y
        room = 0.08
        width, height = float(x.max() - x.min()), float(y.max() - y.min()) or 1.0
        panel.axes.set(
            xlim=(x.min() - room * width, x.max() + room * width),
            ylim=(y.min() - room * height, y.max() + room * height),
        )
        set_ticks(panel)
        self.legend_corner = draw_scatter(panel)

    def draw(self, record: int) -> None:
        """Do nothing: no artist moves."""
