"""The losses of all runs in one panel, each named beside its curve."""

import math

import numpy as np
from matplotlib.collections import LineCollection

from animate.drawing.tabular_text import TabularText
from animate.drawing.text import replace_missing_glyphs, text_width, truncate
from animate.drawing.views import Panel, View
from animate.drawing.views.curves import RunCurve, clip_for_drawing
from animate.drawing.views.loss_axis import has_loss, set_loss_scale
from animate.drawing.views.ticks import set_time_ticks
from animate.training.problem import Doubles, Quadratic, provides
from animate.training.trajectory import labels

LINE_HEIGHT = 1.25  # em, from label to label
TEXT_MIDDLE = 0.33  # em, from the baseline of a label to its middle
LABEL_GAP, KEY_GAP = 1.6, 0.45  # em, from the marker to its label, and to the leader line
MAX_SHARE = 0.4  # of the width, for all labels


class Losses(View):
    """Plot the losses of all runs, with a label at the head of each that no other overlaps."""

    caption = "loss of each run against {clock} (log)"
    aspects = (1.2, 2.5)
    across = True
    records = ("losses",)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        axes, theme, em, runs = panel.axes, panel.theme, panel.em, panel.runs
        box = axes.get_window_extent()
        self._width, self._height = box.width / em, box.height / em
        rows = max(1, math.floor((self._height - LINE_HEIGHT) / LINE_HEIGHT) + 1)
        self._columns = math.ceil(len(runs) / rows)
        names = [
            replace_missing_glyphs(
                name if run.has_own_label else name.replace("learning rate", "lr")
            )
            for run, name in zip(runs, labels(runs), strict=True)
        ]
        room = (MAX_SHARE * self._width - LABEL_GAP) / self._columns - 1
        names = [truncate(name, room * em, em) for name in names]
        self._column = max(text_width(name, em) for name in names) / em + 1
        self._set_time_axis(self._columns * self._column + LABEL_GAP)
        curves = [clip_for_drawing(run.losses) for run in runs]
        floors = [
            run.problem.best_loss if provides(run.problem, Quadratic) else None for run in runs
        ]
        if not set_loss_scale(panel, curves, floors):
            self.caption = "loss of each run against {clock}"
        self._leaders = self.moves(
            LineCollection([], linewidths=em / 14, transform=axes.transAxes, zorder=3)
        )
        axes.add_collection(self._leaders, autolim=False)
        self._points, self._curves, self._labels = [], [], []
        for index, (run, curve, name) in enumerate(zip(runs, curves, names, strict=True)):
            given, style = has_loss(run), theme.run(index)
            self._points.append(np.cumsum(given) - 1)
            drawn = RunCurve(
                panel, panel.times_of(run)[given], curve[given], style, zorder=4 + 2 * index
            )
            self._curves.append(drawn)
            self.moving += drawn.artists
            label = TabularText(
                0, 0, name, transform=axes.transAxes, fontsize=em, color=style.text, clip_on=True,
                clip_box=axes.bbox, zorder=4,
            )  # fmt: skip
            axes.add_artist(label)
            self._labels.append(self.moves(label))

    def draw(self, moment: float) -> None:
        """Draw all curves up to `moment`, with the labels beside their heads."""
        panel = self.panel
        to_axes = panel.axes.transData + panel.axes.transAxes.inverted()
        heads: dict[int, Doubles] = {}
        for index, (run, curve) in enumerate(zip(panel.runs, self._curves, strict=True)):
            point = int(self._points[index][panel.record_of(run, moment)])
            has_started = moment >= panel.times_of(run)[0] and point >= 0
            curve.draw(point if has_started else -1)
            self._labels[index].set_visible(has_started)
            if has_started:
                place = to_axes.transform(curve.head(point)) * (self._width, self._height)
                heads[index] = np.nan_to_num(place, nan=0.5 * self._height)
        self._place_labels(heads)

    def _set_time_axis(self, labels_width: float) -> None:
        """Set the x axis, with room for the labels beside the last moment, in em."""
        axes = self.panel.axes
        set_time_ticks(self.panel)
        left, right = axes.get_xlim()
        share = labels_width / self._width
        axes.set_xlim(left, left + (right - left) / (1 - share))

    def _place_labels(self, heads: dict[int, Doubles]) -> None:
        """Move each label near to its head, in em from the lower left corner of the axes."""
        order = sorted(heads, key=lambda index: (heads[index][1], index))
        left = max((heads[index][0] for index in order), default=0.0) + LABEL_GAP
        segments, colors = [], []
        for column in range(self._columns):
            members = order[column :: self._columns]
            wanted = np.array([heads[index][1] for index in members])
            middles = spread(
                wanted, LINE_HEIGHT, 0.5 * LINE_HEIGHT, self._height - 0.5 * LINE_HEIGHT
            )
            for index, middle in zip(members, middles, strict=True):
                x = left + column * self._column
                place = (x / self._width, (middle - TEXT_MIDDLE) / self._height)
                self._labels[index].set_position(place)
                start = heads[index] + (KEY_GAP, 0)
                ends = np.array([start, (x - 0.25, middle)]) / (self._width, self._height)
                segments.append(ends)
                colors.append(self.panel.theme.run(index).line)
        # Between several columns, leader lines would cross labels.
        self._leaders.set_segments(segments if self._columns == 1 else [])
        self._leaders.set_color(colors)


def spread(wanted: Doubles, gap: float, low: float, high: float) -> Doubles:
    """
    Return the positions nearest to `wanted`, ascending, that are at least `gap` apart.

    They are from `low` to `high` if there is room, and the sum of squared distances is least.
    """
    offsets = gap * np.arange(len(wanted))
    groups: list[tuple[float, int]] = []  # mean and size: pool adjacent violators
    for value in wanted - offsets:
        mean, size = float(value), 1
        while groups and groups[-1][0] >= mean:
            other, count = groups.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        groups.append((mean, size))
    placed = np.array([mean for mean, size in groups for _ in range(size)], float)
    top = max(low, high - gap * (len(wanted) - 1))
    result: Doubles = np.clip(placed, low, top) + offsets
    return result
