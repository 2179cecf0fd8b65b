"""How many epochs each learning rate needs: down to the best rate, then up a cliff."""

from typing import Any

import numpy as np

from animate.diagnosis import distance, epochs_to_converge
from animate.problem import Doubles, Problem
from animate.trajectory import Trajectory
from animate.views import Panel, View
from animate.views.marks import at_edge, log_ticks, rate_ticks
from animate.views.scatter import name_lines
from animate.wording import limit_text

RATES = 300
MOST_EPOCHS = 1000
NEVER = 0.5  # of the axis' end: where the runs are that do not converge
LIMIT_WIDTH = 8.5  # em, of the limit's name, which stands past it


class Cliff(View):
    """Epochs to converge against the learning rate, trained and by theory, with the runs on it."""

    caption = "epochs to converge against learning rate"
    across = True

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        axes, theme, em, problem = panel.axes, panel.theme, panel.em, panel.problem
        limit, best = problem.stability_limit, problem.best_lr
        rates = limit * (np.arange(RATES) + 1) / (RATES + 1)
        trained, expected = _trained(problem, rates), _expected(problem, rates)
        width = axes.get_window_extent().width / em
        right = limit * width / (width - LIMIT_WIDTH)
        high = 2.2 * MOST_EPOCHS
        axes.set_xlim(0, right)
        log_ticks(panel, 0.8, high)
        rate_ticks(panel)
        axes.axvspan(limit, right, color=theme.faint, linewidth=0, zorder=1)
        axes.plot(rates, trained, color=theme.ink, linewidth=em / 7, label="trained", zorder=2)
        axes.plot(
            rates,
            expected,
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
        axes.annotate(
            f"best rate {best:.2g}", (best, 1), (-0.4 * em, 0.4 * em), textcoords="offset points",
            horizontalalignment="right", **common,
        )  # fmt: skip
        axes.annotate(
            "never", (0.5 * (limit + right), NEVER * high), (0, -0.55 * em),
            textcoords="offset points", horizontalalignment="center", verticalalignment="top",
            **common,
        )  # fmt: skip
        name_lines(panel, "upper center")
        axes.axvline(best, color=theme.muted, linewidth=em / 14, zorder=1.5)
        (self._now,) = axes.plot([0, right], [1, 1], color=theme.muted, linewidth=em / 14, zorder=3)
        self.moves(self._now)
        self._marks = []
        for index, run in enumerate(panel.runs):
            style = theme.run(index)
            needed = NEVER * high if run.diagnosis.verdict == "diverging" else _needed(run)
            x, y, marker = at_edge(axes, run.lr, max(needed, 0.8))
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
            mark.set_clip_box(panel.around)
            self._marks.append((run.diagnosis.earned_at, self.moves(mark)))

    def draw(self, epoch: int) -> None:
        """Set the line at now, and show the runs whose verdict is earned."""
        self._now.set_ydata([max(epoch, 0.8)] * 2)
        for earned_at, mark in self._marks:
            mark.set_visible(epoch >= earned_at)


def _trained(problem: Problem, rates: Doubles) -> Doubles:
    """Return the epochs that training takes, NaN where it is not there in time."""
    from animate.training import descend  # here, since only this view needs torch

    weights, _ = descend(problem, tuple(rates.tolist()), MOST_EPOCHS)
    return _within(epochs_to_converge(distance(weights, problem).T, problem))


def _needed(run: Trajectory) -> float:
    """Return the epochs that a run below the limit needs, by theory where it was cut short."""
    if run.diagnosis.converged_at is not None:
        return run.diagnosis.converged_at
    (expected,) = _expected(run.problem, np.array([run.lr]))
    return float(np.nan_to_num(expected, nan=np.inf))


def _expected(problem: Problem, rates: Doubles) -> Doubles:
    """Return the same from the closed form: each eigencomponent shrinks by ``1 - lr·λ``."""
    eigenvalues, eigenvectors = np.linalg.eigh(problem.hessian)
    errors = (problem.start - problem.best_weights) @ eigenvectors
    factors = 1 - rates[:, None] * eigenvalues
    epochs = np.arange(MOST_EPOCHS + 1)
    left = errors[:, None] * factors[..., None] ** epochs
    return _within(epochs_to_converge(np.hypot(left[:, 0], left[:, 1]), problem))


def _within(epochs: np.ndarray) -> Doubles:
    return np.where(epochs > MOST_EPOCHS, np.nan, epochs.astype(float))
