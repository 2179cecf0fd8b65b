"""Epochs to converge against the learning rate, which end at the stability limit."""

from typing import Any, cast

import numpy as np

from animate.drawing.text import text_width
from animate.drawing.views import Panel, View
from animate.drawing.views.curves import clip_to_axes
from animate.drawing.views.ticks import set_log_scale, set_x_ticks
from animate.system.numbers import best_rate_text, limit_text
from animate.training.convergence import MAX_EPOCHS, expected_epochs
from animate.training.line import Line
from animate.training.problem import Quadratic
from animate.training.trajectory import Trajectory

NEVER_POSITION = 0.5  # relative to the upper limit of the axis: markers of diverging runs
LIMIT_LABEL_WIDTH = 8.5  # em
LEGEND_WIDTH = 14.0  # em, below the limit, in which a legend hides nothing


class Cliff(View):
    """Plot epochs to converge, trained and by theory, and mark all runs of plain descent."""

    caption = "epochs to converge"
    full_caption = "epochs to converge against learning rate"
    across = True
    aspects = (1.2, 2.5)
    requires = (Line,)  # many learning rates are trained, which only a Line can
    records = ("weights",)
    needs = ("convergence",)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        axes, theme, em, problem = panel.axes, panel.theme, panel.em, panel.problem
        limit, best = problem.stability_limit, problem.best_lr
        convergence = panel.data["convergence"]
        width = axes.get_window_extent().width / em
        right = limit * width / (width - LIMIT_LABEL_WIDTH)
        high = 2.2 * MAX_EPOCHS
        axes.set_xlim(0, right)
        set_log_scale(panel, 0.8, high)
        set_x_ticks(panel)
        axes.axvspan(limit, right, color=theme.faint, linewidth=0, zorder=1)
        axes.plot(
            convergence.lrs,
            convergence.trained,
            color=theme.ink,
            linewidth=em / 7,
            label="trained",
            zorder=2,
        )
        axes.plot(
            convergence.lrs,
            convergence.expected,
            color=theme.muted,
            linewidth=em / 9,
            linestyle=":",
            label="theory",
            zorder=2,
        )
        common: dict[str, Any] = {"fontsize": em, "color": theme.ink, "zorder": 2}
        axes.annotate(
            f"limit {limit_text(limit, 2 * limit)}", (limit, 1), (0.4 * em, 0.4 * em),
            textcoords="offset points", **common,
        )  # fmt: skip
        name = f"best rate {best_rate_text(best, limit)}"
        if text_width(name, em) + 0.8 * em <= axes.get_window_extent().width * best / right:
            axes.annotate(
                name, (best, 1), (-0.4 * em, 0.4 * em), textcoords="offset points",
                horizontalalignment="right", **common,
            )  # fmt: skip
        axes.annotate(
            "never", (0.5 * (limit + right), NEVER_POSITION * high), (0, -0.55 * em),
            textcoords="offset points", horizontalalignment="center", verticalalignment="top",
            **common,
        )  # fmt: skip
        if limit / right * width > LEGEND_WIDTH:
            self.legend_corner = "upper center"
        axes.axvline(best, color=theme.muted, linewidth=em / 14, zorder=1.5)
        (self._now,) = axes.plot([0, right], [1, 1], color=theme.muted, linewidth=em / 14, zorder=3)
        self.moves(self._now)
        self._marks = []
        for index, run in enumerate(panel.runs):
            style = theme.run(index)
            if not run.is_plain_descent:  # the curve holds for plain descent only
                self.caption = "epochs that plain descent needs"
                self.full_caption = "epochs that plain descent needs, against learning rate"
                continue
            needed = (
                NEVER_POSITION * high
                if run.diagnosis.verdict == "diverging"
                else _epochs_needed(run)
            )
            x, y, marker = clip_to_axes(axes, cast("float", run.lr), max(needed, 0.8))
            (mark,) = axes.plot(
                [x],
                [y],
                linestyle="none",
                marker=marker or style.marker,
                markersize=0.62 * em,
                color=style.line,
                markeredgecolor=theme.panel,
                markeredgewidth=em / 14,
                zorder=4 + index,
            )
            mark.set_clip_box(panel.clip_box)
            visible_from = panel.times_of(run)[run.record_at(run.diagnosis.verdict_step)]
            self._marks.append((visible_from, self.moves(mark)))

    def draw(self, moment: float) -> None:
        """Move the line of the current time, and show the runs whose verdict is visible."""
        self._now.set_ydata([max(moment, 0.8)] * 2)
        for visible_from, mark in self._marks:
            mark.set_visible(moment >= visible_from)


def _epochs_needed(run: Trajectory) -> float:
    """Return the epochs to converge below the limit, by theory if the run ended before."""
    if run.diagnosis.converged_at is not None:
        return float(run.times[run.record_at(run.diagnosis.converged_at)])
    problem = cast("Quadratic", run.problem)
    (epochs,) = expected_epochs(problem, problem.start, [cast("float", run.lr)])
    return float(np.nan_to_num(epochs, nan=np.inf))
