"""Metrics against time, such as the accuracy, with those of the validation data beside them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from animate.drawing.text import replace_missing_glyphs, truncate
from animate.drawing.views import Panel, View
from animate.drawing.views.curves import (
    VALIDATION_DASH,
    OtherCurves,
    RunCurve,
    clip_for_drawing,
    count_until,
)
from animate.drawing.views.legend import free_corner
from animate.drawing.views.ticks import set_time_ticks, set_y_scale
from animate.training.problem import Array, Doubles
from animate.training.trajectory import Trajectory, metric_names

WIDTHS = (0.17, 0.11, 0.07, 0.045)  # em, one line width per metric
MAX_METRICS = len(WIDTHS)  # per panel
LOG_RATIO = 50  # between the largest values of two metrics, from which the axis is log
NAME_SHARE = 0.5  # of the width, for a name in the legend


@dataclass(frozen=True)
class Series:
    """The known values of one metric of a run; `place` is that of the metric among the drawn."""

    place: int
    is_validation: bool
    times: Array
    values: Doubles

    @property
    def points(self) -> Doubles:
        """Time and value of each, shape (T, 2)."""
        return np.column_stack([self.times, self.values])


class Metric(View):
    """Plot the metrics of one run; of a single one, also those of the other runs in grey."""

    caption = "metrics against {clock}"
    aspects = (1.2, 2.5)
    x_axis = "time"
    records = ("metrics",)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        run = panel.run
        every = [series_of(each, panel.times_of(each)) for each in panel.runs]
        names = [metric_names(each) for each in panel.runs]
        is_single = all(each == names[0] and len(each) == 1 for each in names)
        own = every[panel.runs.index(run)]
        set_time_ticks(panel)
        is_log = set_y_scale(panel, *metric_scale(series for each in every for series in each))
        subject = replace_missing_glyphs(names[0][0]) if is_single else "metrics"
        if len(metric_names(run)) > MAX_METRICS:
            subject = f"the first {MAX_METRICS} metrics"
        self.caption = f"{subject} against {{clock}}{' (log)' if is_log else ''}"
        self._others = OtherCurves(
            panel,
            [
                (index, series.points)
                for index, each in enumerate(every)
                for series in each
                if is_single and each is not own and not series.is_validation
            ],
        )
        self.moves(self._others.artist)
        self._curves = []
        for series in own:
            curve = RunCurve(
                panel,
                series.times,
                series.values,
                panel.style,
                dashed=VALIDATION_DASH if series.is_validation else not series.place,
                width=WIDTHS[series.place] * (0.75 if series.is_validation else 1),
                has_head=not series.is_validation,
                zorder=4 + 2 * (MAX_METRICS - series.place),
            )
            self._curves.append((curve, series))
            self.moving += curve.artists
        keys = [[(series.place, series.is_validation) for series in each] for each in every]
        most = max(keys, key=len)
        if len(own) > 1 and (panel.index == keys.index(most) or not is_single):
            self._draw_legend(is_single=is_single)

    def draw(self, record: int) -> None:
        """Draw all curves up to the time of `record`."""
        now = self.panel.times[record]
        self._others.draw(now)
        for curve, series in self._curves:
            curve.draw(count_until(series.times, now) - 1)

    def _draw_legend(self, *, is_single: bool) -> None:
        panel = self.panel
        bases = [replace_missing_glyphs(name) for name in metric_names(panel.run)]
        room = NAME_SHARE * panel.axes.get_window_extent().width
        names = []
        for curve, series in self._curves:
            kind = "validation" if series.is_validation else "training"
            name = bases[series.place] + (f", {kind}" if series.is_validation else "")
            names.append(kind if is_single else truncate(name, room, panel.em))
            # A label that begins with an underscore is left out of a legend.
            curve.artists[0].set_label(names[-1].lstrip("_"))
        self.legend_corner = free_corner(panel, names, [each.points for _, each in self._curves])


def series_of(run: Trajectory, times: Array) -> list[Series]:
    """Return the first metrics of `run`, each followed by that of the validation data."""
    found = []
    for place, name in enumerate(metric_names(run)[:MAX_METRICS]):
        for is_validation, key in ((False, name), (True, f"validation_{name}")):
            values = clip_for_drawing(run.metrics.get(key, np.full(len(times), np.nan)))
            given = ~np.isnan(values)
            if given.any():
                found.append(Series(place, is_validation, times[given], values[given]))
    return found


def metric_scale(every: Iterable[Series]) -> tuple[float, float, bool]:
    """Return the limits of the y axis of these series, and whether it is log."""
    several = list(every)
    largest = [float(series.values.max()) for series in several]
    low = min(float(series.values.min()) for series in several)
    high = max(largest)
    if low > 0 and high > LOG_RATIO * min(largest):
        room = (high / low) ** 0.06
        return low / room, high * room, True
    room = 0.06 * (high - low) or 0.5
    return low - room, high + room, False
