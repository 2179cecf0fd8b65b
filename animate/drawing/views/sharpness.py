"""The sharpness against time, with the limit above which steps are not stable."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from animate.drawing.text import text_width
from animate.drawing.views import Panel, View
from animate.drawing.views.curves import RunCurve, clip_for_drawing, overflow_record
from animate.drawing.views.ticks import set_log_scale, set_time_ticks, set_y_ticks
from animate.training.problem import Doubles
from animate.training.sharpness import SharpnessLimit, lacks_sharpness, sharpness_limit
from animate.training.trajectory import Trajectory

LOG_RATIO = 40.0  # of the largest to the smallest number, from which the axis is logarithmic
# Of a sharpness, relative to its first value and the limits, beyond which the axis does not follow.
MAX_GROWTH, MAX_FALL = 1e3, 1e-2
QUANTILE = 0.98  # of a run's values, which the axis always shows
LABEL_HEIGHT = 1.9  # em


class Sharpness(View):
    """Plot the sharpness of one run, and the limit at its learning rate."""

    caption = "sharpness against {clock}"
    full_caption = "sharpness (largest curvature) against {clock}"
    aspects = (1.2, 2.5)
    x_axis = "time"
    needs = ("sharpness",)

    @classmethod
    def lacks(cls, runs: Sequence[Trajectory]) -> str | None:
        """Return why the sharpness of a run cannot be computed."""
        return next(filter(None, map(lacks_sharpness, runs)), None)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        em = panel.em
        found = panel.data["sharpness"]
        curves = []
        for one, curve in zip(panel.runs, found, strict=True):
            values = clip_for_drawing(curve.values)
            values[curve.records >= overflow_record(one)] = np.nan
            curves.append(values)
        limits = [sharpness_limit(one) for one in panel.runs]
        set_time_ticks(panel)
        self._set_scale(curves, limits)
        own = cast("int", panel.index)
        self._records = found[own].records
        limit = limits[own]
        self._limit = None
        if limit is not None:
            drawn = clip_for_drawing(limit.values)[self._records]
            if np.ptp(limit.values) == 0:  # not if one is unknown
                self._draw_limit(limit, curves[own])
            else:
                name = limit.formula if len(limit.formula) < 10 else "its limit"
                self.caption = f"sharpness; dotted: {name}"
                self.full_caption = f"sharpness against {{clock}}; dotted: {limit.formula}"
                self._limit_curve = np.column_stack([panel.times[self._records], drawn])
                (self._limit,) = panel.axes.plot(
                    [], [], color=panel.theme.ink, linewidth=em / 9, linestyle=":", zorder=3
                )
                self.moves(self._limit)
        self._curve = RunCurve(panel, panel.times[self._records], curves[own], panel.style)
        self.moving += self._curve.artists

    def draw(self, record: int) -> None:
        """Draw the curve, and a limit that moves, up to `record`."""
        last = int(np.searchsorted(self._records, record, "right")) - 1
        self._curve.draw(last)
        if self._limit is not None:
            self._limit.set_data(*self._limit_curve[: last + 1].T)

    def _set_scale(
        self, curves: Sequence[Doubles], limits: Sequence[SharpnessLimit | None]
    ) -> None:
        """Set the y axis, the same for all runs, so that it shows the limits too."""
        height = self.panel.axes.get_window_extent().height / self.panel.em
        low, high, is_log = sharpness_scale(curves, limits, height)
        if is_log:
            set_log_scale(self.panel, low, high)
            self.caption += " (log)"
            self.full_caption += " (log)"
            return
        self.panel.axes.set_ylim(low, high)
        set_y_ticks(self.panel)

    def _draw_limit(self, limit: SharpnessLimit, curve: Doubles) -> None:
        """Draw a limit that stays where it is; what is above it is not stable."""
        panel = self.panel
        axes, theme, em = panel.axes, panel.theme, panel.em
        value = float(limit.values[0])
        text = f"{limit.formula} = {value:.4g}"
        low, high = axes.get_ylim()
        if not low <= value <= high:
            self.caption = f"sharpness; {text}, {'below' if value < low else 'above'}"
            self.full_caption = f"{self.caption} the axis"
        if limit.is_known and value < high:
            axes.axhspan(
                max(value, low), axes.get_ylim()[1], color=theme.faint, linewidth=0, zorder=1
            )
        if not low <= value <= high:
            return
        axes.axhline(value, color=theme.ink, linewidth=em / 9, linestyle=":", zorder=3.5)
        place = self._free_place(curve, value, text_width(text, em))
        if place is None:
            self.caption = f"sharpness; dotted: {text}"
            self.full_caption = f"sharpness against {{clock}}; dotted: {text}"
            return
        axes.annotate(
            text,
            (place, value),
            ((1 - 2 * place) * 0.4 * em, 0.4 * em),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            fontsize=em,
            color=theme.ink,
            horizontalalignment="right" if place else "left",
            zorder=3.5,
        )

    def _free_place(self, curve: Doubles, limit: float, width: float) -> int | None:
        """Return 0 or 1 for a label above the left or right end of `limit`; None if neither."""
        panel = self.panel
        axes, em = panel.axes, panel.em
        known = ~np.isnan(curve)
        box = axes.get_window_extent()
        points = np.column_stack([panel.times[self._records], curve])[known]
        x, y = axes.transData.transform(points).T if len(points) else np.empty((2, 0))
        bottom = axes.transData.transform((0, limit))[1]
        for place, inside in ((0, x < box.x0 + width + em), (1, x > box.x1 - width - em)):
            if not ((y > bottom + 0.35 * em) & inside).any():
                return place
        return None


def sharpness_scale(
    curves: Sequence[Doubles], limits: Sequence[SharpnessLimit | None], height: float
) -> tuple[float, float, bool]:
    """
    Return the limits of the y axis, and whether it is log.

    Parameters
    ----------
    curves : float64 arrays, shape (R,) each
        The sharpness of each run, NaN where it is not known.
    limits : sequence of SharpnessLimit or None
        Of each run.
    height : float
        Of the panel, in em.
    """
    known = [curve[~np.isnan(curve)] for curve in curves]
    known = [curve for curve in known if len(curve)] or [np.ones(1)]
    # Of a limit that moves, where it is lowest. One that is far away is not shown.
    lowest = [float(np.nanmin(one.values)) for one in limits if one is not None]
    low = min(float(curve.min()) for curve in known)
    first = max(float(curve[0]) for curve in known)
    lowest = [one for one in lowest if MAX_FALL * first < one < MAX_GROWTH * first]
    high = max(float(np.quantile(curve, QUANTILE)) for curve in known)
    high = max(min(high, MAX_GROWTH * max([first, *lowest])), first, *lowest)
    label = LABEL_HEIGHT / height  # room for a label above the highest limit
    if low > 0 and min([low, *lowest]) * LOG_RATIO < high:
        low = min([max(low, MAX_FALL * min([first, *lowest])), *lowest])
        room = high / low
        return low / room**0.08, high * room ** (label / (1 - label)), True
    low = min(low, 0.0)
    span = (high - low) or 1.0
    return low - 0.05 * span * (low < 0), high + span * label / (1 - label), False
