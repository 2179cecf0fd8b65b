"""The changing texts of a run's heading: its numbers, and then its verdict."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
from matplotlib.text import Text

from animate.drawing.clock import Clock
from animate.drawing.layout import Heading
from animate.drawing.text import truncate, wrap_balanced
from animate.system.numbers import best_rate_text, moment_text, share_text, value_text
from animate.training.diagnosis import distances_left, sentence_in
from animate.training.problem import Array, NamesWeights, Quadratic, provides
from animate.training.trajectory import Trajectory

VERDICT_MARKS = {"converged": "✓ ", "diverging": "✗ ", "converging": ""}
NUMBER_WIDTH = 4.0  # em


def verdict_text(run: Trajectory, unit: str) -> str:
    """Return the verdict of `run` with its mark, for times in `unit`; empty if nothing is known."""
    verdict = run.diagnosis.verdict
    return "" if verdict is None else f"{VERDICT_MARKS[verdict]}{sentence_in(run, unit)}"


class RunHeader:
    """
    The changing texts of the heading of one run.

    Parameters
    ----------
    run : Trajectory
    clock : Clock
        The time axis of the scene.
    times : array, shape (T,)
        The times of the records of `run` on `clock`.
    loss, detail : Text
        Two numbers.
    verdict : sequence of Text
        The lines of the verdict.
    verdict_color, pending_color : str
        The colour of the verdict, and that of the text in its place before.
    heading : Heading
        Where the texts stand.
    width : float
        Of the heading, in pixels.
    em : float
        The size of the texts, in pixels.
    """

    def __init__(
        self,
        run: Trajectory,
        clock: Clock,
        times: Array,
        loss: Text,
        detail: Text,
        verdict: Sequence[Text],
        *,
        verdict_color: str,
        pending_color: str,
        heading: Heading,
        width: float,
        em: float,
    ) -> None:
        self._run, self._clock, self._times = run, clock, times
        self._loss, self._detail, self._verdict = loss, detail, verdict
        self._verdict_color, self._pending_color = verdict_color, pending_color
        self._distances_left = distances_left(run)
        self._sentence: list[str] = []
        sentence = verdict_text(run, clock.unit)
        if sentence:
            room = width - heading.verdict[0][0] * em
            self._sentence = wrap_balanced(sentence, room, em, len(verdict))
        self._verdict_record = run.record_at(run.diagnosis.verdict_step)
        self._losses = fill_forward(run.losses)
        room = width - (heading.detail[0] + NUMBER_WIDTH) * em
        self._metrics = [
            (truncate(name, room, em), fill_forward(values)) for name, values in run.metrics.items()
        ]
        # Both lines of a narrow heading take a text that is too long for one.
        self._loss_lines = 2 if heading.is_narrow else 1
        self._loss_width = width if heading.is_narrow else np.inf
        self._em = em

    def draw(self, record: int, moment: float) -> None:
        """Set the texts to `record` of the run, at `moment` of the scene."""
        if moment < self._times[0]:
            self._loss.set_text("")
            self._detail.set_text(f"starts at {moment_text(self._times[0], self._clock.unit)}")
            self._set_verdict([], self._pending_color)
            return
        loss, detail = self._numbers(record, moment)
        self._loss.set_text(loss)
        self._detail.set_text(detail)
        if self._sentence and record >= self._verdict_record:
            self._set_verdict(self._sentence, self._verdict_color)
        else:
            left = self._distances_left
            pending = "" if left is None else f"{share_text(left[record])} still to go"
            self._set_verdict([pending], self._pending_color)

    def _set_verdict(self, lines: Sequence[str], color: str) -> None:
        for text, line in itertools.zip_longest(self._verdict, lines, fillvalue=""):
            text.set(text=line, color=color)  # type: ignore[union-attr]

    def _numbers(self, record: int, moment: float) -> tuple[str, str]:
        """Return both texts of the first line."""
        run = self._run
        overflowed_at = run.diagnosis.overflowed_at
        if overflowed_at is not None and run.steps[record] >= overflowed_at:
            time = self._times[run.record_at(overflowed_at)]
            text = f"overflowed at {moment_text(time, self._clock.unit)}"
            first, *rest = wrap_balanced(text, self._loss_width, self._em, self._loss_lines)
            return first, rest[0] if rest else ""
        loss = self._losses[record]
        text = "" if np.isnan(loss) else f"loss {value_text(loss)}"
        return text, next(self._details(record, moment), "")

    def _details(self, record: int, moment: float) -> Iterator[str]:
        """Yield candidates for the text beside the loss, the most important first."""
        run, unit = self._run, self._clock.unit
        if moment > self._times[-1]:
            yield f"ended at {moment_text(self._times[-1], unit)}"
        unfinished = run.diagnosis.verdict == "converging" and record == len(run.steps) - 1
        is_line = provides(run.problem, Quadratic) and provides(run.problem, NamesWeights)
        if unfinished and run.is_plain_descent and is_line:
            line = cast("Quadratic", run.problem)
            yield f"fastest rate {best_rate_text(line.best_lr, line.stability_limit)}"
        if run.weights is not None and provides(run.problem, NamesWeights):
            yield run.problem.equation(run.weights[record])
        for name, values in self._metrics:
            if not np.isnan(values[record]):
                yield f"{name} {value_text(values[record])}"


def fill_forward(values: Array) -> Array:
    """Return `values` (T,) with each NaN replaced by the last value before it, if any."""
    given = np.where(np.isnan(values), 0, np.arange(len(values)))
    return values[np.maximum.accumulate(given)]
