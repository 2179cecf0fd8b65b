"""Samples of dashed lines in legends, which end with a whole dash."""

from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.legend_handler import HandlerLine2D
from matplotlib.lines import Line2D

from animate.drawing.palette import LineStyle


def whole_dashes(dash: LineStyle, width: float, length: float) -> float:
    """
    Return the length of a line of `width`, at most `length`, that ends after its longest dash.

    >>> whole_dashes("solid", 1, 10), whole_dashes((0, (3, 1)), 1, 10)
    (10, 7)
    >>> whole_dashes((0, (3, 1, 1, 1)), 1, 14)  # not 11: with its dot at the end
    9
    """
    if isinstance(dash, str):
        return length
    lengths = dash[1]
    dashes = list(lengths[::2])
    longest = dashes.index(max(dashes))
    period, end = width * sum(lengths), width * sum(lengths[: 2 * longest + 1])
    count = int((length - end) / period + 1e-9)
    return end + count * period if length >= end else length


def dash_of(line: Line2D) -> LineStyle:
    """Return the dashes of `line`, in its widths; `Line2D.get_linestyle` only says "--"."""
    offset, lengths = line._unscaled_dash_pattern  # type: ignore[attr-defined]
    return "solid" if lengths is None else (offset, tuple(lengths))


class WholeDashes(HandlerLine2D):
    """Draws the sample of a line in a legend with whole dashes: ``handler_map={Line2D: …}``."""

    def create_artists(
        self, legend: Any, orig_handle: Any, xdescent: float, ydescent: float, width: float,
        height: float, fontsize: float, trans: Any,
    ) -> Sequence[Artist]:  # fmt: skip
        """Return the artists of the sample."""
        whole = whole_dashes(dash_of(orig_handle), orig_handle.get_linewidth(), width)
        return super().create_artists(
            legend, orig_handle, xdescent, ydescent, whole, height, fontsize, trans
        )
