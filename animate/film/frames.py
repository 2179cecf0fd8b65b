"""
Take the frames of a figure while a matplotlib animation changes it, as its own save does.

matplotlib draws each frame twice: `draw_idle` after the animation's function, and `savefig`. The
first drawing changes the second only where a layout engine has not settled.
"""

from collections.abc import Callable
from contextlib import ExitStack
from io import BytesIO
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from matplotlib import cbook
from matplotlib.animation import Animation
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from animate.film.display_list import Frame
from animate.film.layers import LayeredFigure

SETTLED = 1e-9  # of the figure's size: a layout that moves axes by less has settled


class FrameGrabber:
    """
    Draws a figure frame by frame, with the same pixels as `savefig`.

    Inside its context the figure's canvas does not draw by itself when the animation asks it to.

    Parameters
    ----------
    figure : Figure
    dpi : float

    Attributes
    ----------
    layers : LayeredFigure
    """

    def __init__(self, figure: Figure, dpi: float) -> None:
        self._figure = figure
        self._dpi = dpi
        self._stack = ExitStack()
        self._printed: Frame | None = None
        self._is_printing = False
        self._skipped = 0  # drawings that matplotlib would have made since the last frame
        self._is_settled = False
        self._hook = self._draw_figure
        self.layers = LayeredFigure(figure)

    def __enter__(self) -> Self:
        canvas: Any = self._figure.canvas
        self._canvas = canvas
        self._draw_idle: Callable[..., None] = canvas.draw_idle
        replaced: dict[str, object] = {"draw_idle": self._skip_draw, "print_rgba": self._print}
        if hasattr(canvas, "get_renderer"):
            self._get_renderer: Callable[[], Any] = canvas.get_renderer
            replaced["get_renderer"] = self._renderer_of_canvas
        self._stack.enter_context(cbook._setattr_cm(canvas, **replaced))
        if "draw" not in vars(self._figure):
            self._stack.enter_context(cbook._setattr_cm(self._figure, draw=self._hook))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    def grab(self, **savefig_kwargs: Any) -> Frame:
        """
        Return the figure as a read-only array, (height, width, 4) uint8, as `savefig` draws it.

        It is the same object as the last frame if nothing has changed.
        """
        self._printed = None
        buffer = BytesIO()
        self._is_printing = True
        try:
            self._figure.savefig(buffer, format="rgba", dpi=self._dpi, **savefig_kwargs)
        finally:
            self._is_printing = False
            self._skipped = 0
        if self._printed is not None:
            return self._printed
        # Somebody has given the figure another canvas.
        width, height = self._figure.get_size_inches() * self._dpi
        return np.frombuffer(buffer.getvalue(), np.uint8).reshape(int(height), int(width), 4)

    def _skip_draw(self, *arguments: Any, **options: Any) -> None:
        """Replace `draw_idle`: draw only if that can change what is drawn next."""
        has_layout = self._figure.get_layout_engine() is not None
        if not self._is_layered() or (has_layout and self._figure.dpi != self._dpi):
            self._draw_idle(*arguments, **options)
            self._is_settled = False
        elif isinstance(self._canvas, FigureCanvasAgg) or not has_layout:
            self._skipped += 1
        else:
            self._draw_idle(*arguments, **options)

    def _renderer_of_canvas(self) -> Any:
        """Replace `get_renderer`: who asks for it between frames may look for what was drawn."""
        if self._skipped and not self._is_printing:
            self._skipped = 0
            self._draw_idle()
        return self._get_renderer()

    def _is_layered(self) -> bool:
        """Return whether all that drawing does is to draw the artists."""
        figure = self._figure
        return (
            type(figure).draw is Figure.draw
            and vars(figure).get("draw") is self._hook
            and figure.get_agg_filter() is None
            and not self._has_listeners()
        )

    def _has_listeners(self) -> bool:
        """Return whether somebody is told of each drawing, other than animations."""
        listeners = self._figure.canvas.callbacks.callbacks.get("draw_event", {})
        functions = (reference() for reference in listeners.values())
        return any(
            function is not None and not isinstance(getattr(function, "__self__", None), Animation)
            for function in functions
        )

    def _print(
        self, file: Any, *, metadata: object = None, dpi: object = None, facecolor: object = None,
        edgecolor: object = None, orientation: object = None, bbox_inches_restore: object = None,
    ) -> None:  # fmt: skip
        """Replace the canvas's `print_rgba`, which `savefig` calls with all settings applied."""
        del file, dpi, facecolor, edgecolor, orientation, bbox_inches_restore
        if metadata is not None:
            raise ValueError("metadata not supported for raw/rgba")
        if self._figure.draw is not self._hook:
            self._figure.draw(self.layers.prepare())  # a caller who asks for the renderer
        is_layered = self._is_layered()
        self._printed = self.layers.draw() if is_layered else self.layers.draw_in_full()

    def _draw_figure(self, renderer: Any) -> None:
        """Replace the figure's `draw`. Before a frame, `savefig` calls it for the layout alone."""
        if not self._is_printing or renderer is not self.layers.renderer:
            self._draw_all(renderer)
        elif not (self._is_layered() and self._is_settled and self.layers.keeps_layout()):
            for _ in range(self._skipped):
                self._draw_all(renderer)
            before = _axes_extents(self._figure)
            self._draw_all(renderer)
            after = _axes_extents(self._figure)
            self._is_settled = len(before) == len(after) and np.allclose(
                before, after, rtol=0, atol=SETTLED
            )

    def _draw_all(self, renderer: Any) -> None:
        """Draw the figure as matplotlib does, with its layout engine."""
        self.layers.ticks.clear()
        parts = [part for axes in self._figure.axes for part in (axes.xaxis, axes.yaxis)]
        with self.layers.ticks.applied(*parts):
            type(self._figure).draw(self._figure, renderer)


def _axes_extents(figure: Figure) -> list[npt.NDArray[np.float64]]:
    """Return the extents of all axes, as fractions of the figure."""
    return [np.array(axes.get_position().extents) for axes in figure.axes]
