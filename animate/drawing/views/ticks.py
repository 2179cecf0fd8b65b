"""Fixed ticks and their labels, shared by several views."""

import re
from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from animate.drawing.text import text_width
from animate.drawing.views import Panel
from animate.system.numbers import MINUS

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def set_ticks(panel: Panel) -> None:
    """Set a few fixed ticks on both linear axes."""
    axes = panel.axes
    across, up = tick_counts(panel)
    axes.xaxis.set_ticks(*tick_labels(ticks_within(axes.get_xlim(), across)))
    axes.yaxis.set_ticks(*tick_labels(ticks_within(axes.get_ylim(), up)))


def set_time_ticks(panel: Panel) -> None:
    """Set the x axis to the time of the scene, with a few whole ticks."""
    axes, first, last = panel.axes, panel.clock.first, panel.clock.last
    values = MaxNLocator(4, integer=True).tick_values(first, last)
    ticks, labels = tick_labels([tick for tick in values if first <= tick <= last])
    axes.xaxis.set_ticks(ticks, labels)
    room = 0.02 * (last - first) or 0.5
    after = room
    if ticks:  # so that the last label stands below its tick
        width = axes.get_window_extent().width
        half = text_width(labels[-1], panel.em) / 2 + 1
        after = max(room, (half * (ticks[-1] - first + room) / (width - half)) - last + ticks[-1])
    axes.set_xlim(first - room, last + after)


def set_log_scale(panel: Panel, low: float, high: float) -> None:
    """Set the y axis to a log scale from `low` to `high`, with ticks at a few powers of ten."""
    _set_log(panel, "y", low, high, tick_counts(panel)[1])


def set_y_scale(panel: Panel, low: float, high: float, is_log: bool) -> bool:
    """Set limits and ticks of the y axis, log or linear; return `is_log`."""
    if is_log:
        set_log_scale(panel, low, high)
    else:
        panel.axes.set_ylim(low, high)
        set_y_ticks(panel)
    return is_log


def set_log_x_scale(panel: Panel, low: float, high: float) -> None:
    """Set the x axis to a log scale from `low` to `high`, with ticks at a few powers of ten."""
    _set_log(panel, "x", low, high, tick_counts(panel)[0])


def _set_log(panel: Panel, name: str, low: float, high: float, count: int) -> None:
    panel.axes.set(**{f"{name}scale": "log", f"{name}lim": (low, high)})
    axis = {"x": panel.axes.xaxis, "y": panel.axes.yaxis}[name]
    axis.set_ticks(*log_ticks(low, high, count))
    axis.set_ticks([], minor=True)


def set_x_ticks(panel: Panel) -> None:
    """Set a few fixed ticks on a linear x axis."""
    panel.axes.xaxis.set_ticks(
        *tick_labels(ticks_within(panel.axes.get_xlim(), tick_counts(panel)[0]))
    )


def set_y_ticks(panel: Panel) -> None:
    """Set a few fixed ticks on a linear y axis."""
    panel.axes.yaxis.set_ticks(
        *tick_labels(ticks_within(panel.axes.get_ylim(), tick_counts(panel)[1]))
    )


def keep_tick_labels_inside(panel: Panel) -> None:
    """Align the labels of the x axis so that none reaches beyond the panel."""
    axes, em = panel.axes, panel.em
    box = axes.get_window_extent()
    axis = axes.xaxis
    labels = [label.get_text() for label in axis.get_ticklabels()]
    centers = axes.get_xaxis_transform().transform([(place, 0) for place in axis.get_ticklocs()])
    for tick, label, (center, _) in zip(axis.get_major_ticks(), labels, centers, strict=False):
        half = text_width(label, em) / 2
        if box.x0 <= center < box.x0 + half:
            tick.label1.set_horizontalalignment("left")
        elif box.x1 - half < center <= box.x1:
            tick.label1.set_horizontalalignment("right")


def tick_labels(ticks: Sequence[float]) -> tuple[list[float], list[str]]:
    """Return `ticks` and their labels, short and with U+2212 as minus sign; of equal ones, one."""
    texts = [re.sub(r"e\+?(-?)0*", r"e\1", f"{tick:.6g}").replace("-", MINUS) for tick in ticks]
    return list(ticks), ["" if text in texts[:index] else text for index, text in enumerate(texts)]


def log_ticks(low: float, high: float, count: int) -> tuple[list[float], list[str]]:
    """Return ticks at powers of ten and their labels, with at most about `count` intervals."""
    first, last = int(np.ceil(np.log10(low))), int(np.floor(np.log10(high)))
    step = 1 + (last - first) // max(count, 2)
    powers = range(first, last + 1, step)
    if len(powers) < 2:  # too few to read a value by
        between = [part * 10.0**power for power in (first - 1, first) for part in (1, 2, 5)]
        return tick_labels([tick for tick in between if low <= tick <= high])
    names = [
        f"{10.0**power:g}" if -3 <= power <= 3 else "10" + str(power).translate(SUPERSCRIPT)
        for power in powers
    ]
    return [10.0**power for power in powers], names


def tick_counts(panel: Panel) -> tuple[int, int]:
    """Return how many intervals between ticks fit well on the x and the y axis."""
    box = panel.axes.get_window_extent()
    across, up = box.width / panel.em / 4.5, box.height / panel.em / 2.4
    return int(np.clip(across, 2, 8)), int(np.clip(up, 2, 5))


def ticks_within(bounds: tuple[float, float], bins: int) -> list[float]:
    """Return ticks at round values, with at most about `bins` intervals."""
    for steps in ([1, 2, 5, 10], [1, 2, 4, 5, 10]):
        candidates = MaxNLocator(bins, steps=steps).tick_values(*bounds)
        ticks = [tick for tick in candidates if bounds[0] <= tick <= bounds[1]]
        if len(ticks) > 2:
            break
    return ticks
