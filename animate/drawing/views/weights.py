"""Weights against time: all of a few named ones, else those that move most."""

from collections.abc import Sequence

import numpy as np

from animate.drawing.views import Panel, View
from animate.drawing.views.curves import RunCurve, clip_for_drawing, overflow_record
from animate.drawing.views.legend import free_corner
from animate.drawing.views.ticks import set_ticks, set_time_ticks
from animate.system.numbers import coordinate_text
from animate.training.problem import Doubles, NamesWeights, Quadratic, provides
from animate.training.trajectory import Trajectory

TWO_WIDTHS, WIDTHS = (0.22, 0.08), (0.22, 0.15, 0.1, 0.06)  # em, one line width per weight
MAX_WEIGHTS = len(WIDTHS)  # per panel
QUANTILES = 0.02, 0.98  # of the values, which the axes always show


class Weights(View):
    """Plot the weights of one run; of many weights, those that move most."""

    caption = "weights against {clock}"
    aspects = (1.2, 2.5)
    x_axis = "time"
    records = ("weights",)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        axes, theme, em, problem = panel.axes, panel.theme, panel.em, panel.problem
        chosen = chosen_weights(panel.run)
        names = [f"w[{number}]" for number in chosen]
        if provides(problem, NamesWeights):
            names = [problem.weight_names[number] for number in chosen]
        elif len(chosen) < panel.run.weights.shape[1]:  # type: ignore[union-attr]
            self.full_caption = f"the {len(chosen)} weights that move most, against {{clock}}"
            self.caption = f"{len(chosen)} weights against {{clock}}"
        if provides(problem, Quadratic):
            best = problem.best_weights[chosen]
            names = [
                f"{name}, best {coordinate_text(value)}"
                for name, value in zip(names, best, strict=True)
            ]
            for value in best:
                axes.axhline(value, color=theme.ink, linewidth=em / 9, linestyle=":", zorder=2)
        axes.set_ylim(*_limits(panel.runs))
        axes.set_xlim(0, 1)
        set_ticks(panel)
        set_time_ticks(panel)
        widths = TWO_WIDTHS if len(chosen) <= len(TWO_WIDTHS) else WIDTHS
        self._curves = []
        for index, (number, width) in enumerate(zip(chosen, widths, strict=False)):
            curve = RunCurve(
                panel,
                panel.times,
                _drawn(panel.run, number),
                panel.style,
                dashed=False,
                width=width,
                zorder=4 - 0.5 * index,
            )
            self._curves.append(curve)
            self.moving += curve.artists
        if panel.index == 0 or chosen != chosen_weights(panel.runs[0]):
            for name, width in zip(names, widths, strict=False):
                axes.plot([], [], color=panel.style.line, linewidth=width * em, label=name)
            curves = [
                np.column_stack([panel.times, _drawn(panel.run, number)]) for number in chosen
            ]
            self.legend_corner = free_corner(panel, names, curves)

    def draw(self, record: int) -> None:
        """Draw the curves up to `record`."""
        for curve in self._curves:
            curve.draw(record)


def chosen_weights(run: Trajectory) -> list[int]:
    """Return the indices of the drawn weights: all if few and named, else those that move most."""
    assert run.weights is not None
    if provides(run.problem, NamesWeights) and run.weights.shape[1] <= MAX_WEIGHTS:
        return list(range(run.weights.shape[1]))
    finite = run.weights[: overflow_record(run)]
    moved = np.ptp(finite, axis=0) if len(finite) else np.zeros(run.weights.shape[1])
    chosen: list[int] = np.argsort(-moved, kind="stable")[:MAX_WEIGHTS].tolist()
    return chosen


def _drawn(run: Trajectory, number: int) -> Doubles:
    """Return one weight for drawing, float64 (T,), with NaN from the overflow on."""
    assert run.weights is not None
    values = clip_for_drawing(run.weights[:, number])
    values[overflow_record(run) :] = np.nan
    return values


def _limits(runs: Sequence[Trajectory]) -> tuple[float, float]:
    """Return limits of the y axis, the same for all runs; a diverging run may leave them."""
    ends = [
        [run.problem.best_weights[chosen_weights(run)], run.weights[0, chosen_weights(run)]]  # type: ignore[index]
        for run in runs
        if provides(run.problem, Quadratic)
    ]
    if len(ends) == len(runs):
        values = clip_for_drawing(ends).ravel()
        swing = 0.7 * float(np.ptp(values[~np.isnan(values)])) or 1.0
        return float(np.nanmin(values)) - swing, float(np.nanmax(values)) + swing
    curves = [_drawn(run, number) for run in runs for number in chosen_weights(run)]
    values = np.concatenate([*curves, *(best for best, _ in ends)])
    known = values[~np.isnan(values)]
    low, high = np.quantile(known, QUANTILES) if len(known) else (0.0, 0.0)
    room = 0.15 * float(high - low) or 1.0
    return float(low) - room, float(high) + room
