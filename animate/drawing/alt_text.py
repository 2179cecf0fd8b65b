"""Alternative text: a description of a film or still for readers who cannot see it."""

from collections.abc import Collection, Sequence

import numpy as np

from animate.drawing.clock import Clock
from animate.system.numbers import (
    best_rate_text,
    count_text,
    limit_text,
    moment_text,
    share_text,
    value_text,
)
from animate.training.diagnosis import distances_left, sentence_in
from animate.training.line import Line
from animate.training.problem import Quadratic, provides
from animate.training.trajectory import Trajectory, labels


def describe(
    runs: Sequence[Trajectory], views: Collection[str], moments: Sequence[float], *, is_still: bool
) -> str:
    """
    Return a description of a film or still of `runs`.

    Parameters
    ----------
    runs : sequence of Trajectory
    views : collection of str
        The names of the views.
    moments : sequence of float
        All moments that a still shows; for a film, only the last one.
    is_still : bool
    """
    problem, clock = runs[0].problem, Clock.of(runs)
    if isinstance(problem, Line) and set(views) == {"data"}:
        best = problem.equation(problem.best_weights)
        return f"{len(problem.x)} points, and the line that fits them best, {best}."
    if provides(problem, Quadratic) and set(views) == {"cliff"}:
        limit = limit_text(problem.stability_limit, 2 * problem.stability_limit)
        return (
            "Epochs to converge against the learning rate: fewest near "
            f"{best_rate_text(problem.best_lr, problem.stability_limit)}, ever more towards the "
            f"limit {limit}, and past it never."
        )
    moment = max(moments)
    is_lesson = all(map(_is_lesson, runs)) and all(run.problem is problem for run in runs)
    subject = f"{len(runs)} training runs" if len(runs) > 1 else "A training run"
    length = count_text(clock.last, clock.unit)
    opening = f"{subject}, over {length}."
    if is_lesson:
        points = len(problem.x)  # type: ignore[union-attr]
        opening = f"A line is fitted to {points} points by gradient descent, over {length}."
    if is_still and len(moments) == 1 and moment < clock.last:
        at = moment_text(moment, clock.unit)
        opening = f"{subject}, at {at}."
        if is_lesson:
            opening = f"A line that is fitted to {points} points by gradient descent, at {at}."
    sentences = []
    for index, (run, name) in enumerate(zip(runs, labels(runs), strict=True)):
        start = clock.times[index][0]
        if moment < start:
            sentences.append(f"{name}: starts at {moment_text(start, clock.unit)}.")
            continue
        record = clock.record(index, moment)
        if is_lesson:
            sentences.append(f"At {name} {_summarize_line(run, record)}")
        else:
            sentences.append(_summarize(run, name, record, clock.unit))
    return " ".join([opening, *sentences])


def _is_lesson(run: Trajectory) -> bool:
    return isinstance(run.problem, Line) and run.is_plain_descent and not run.has_own_label


def _summarize(run: Trajectory, name: str, record: int, unit: str) -> str:
    """Return a sentence on any run up to `record`, with its times in `unit`."""
    sentence = sentence_in(run, unit)
    if sentence is not None and record >= run.record_at(run.diagnosis.verdict_step):
        return f"{name}: {sentence}."
    loss = run.losses[record]
    return f"{name}." if np.isnan(loss) else f"{name}: loss {value_text(loss)}."


def _summarize_line(run: Trajectory, record: int) -> str:
    """Return a sentence on a Line trained by plain descent, up to `record`."""
    diagnosis = run.diagnosis
    visible = run.record_at(diagnosis.verdict_step)
    if record < visible:
        left = distances_left(run)
        if left is None:
            return f"the loss is {value_text(run.losses[record])}."
        return f"{share_text(left[record])} of the way is left."
    if diagnosis.verdict == "converged":
        return f"the line reaches the data at {_at(run, diagnosis.converged_at)}."
    if diagnosis.verdict == "converging":
        return f"the line is on its way: {diagnosis.sentence}."
    lowest, overflowed_at = visible - 1, diagnosis.overflowed_at
    outcome = ""
    if overflowed_at is not None and overflowed_at <= run.steps[record]:
        outcome = f", and overflows at {_at(run, overflowed_at)}"
    elif 0 < lowest < len(run.steps) - 2:
        is_exact = run.steps[visible] - run.steps[lowest - 1] == 2
        until = f"until {_at(run, int(run.steps[lowest]))}" if is_exact else "at first"
        outcome = f"; its loss falls {until}, then climbs"
    return f"it is {diagnosis.sentence}{outcome}."


def _at(run: Trajectory, step: int | None) -> str:
    assert step is not None
    return moment_text(run.times[run.record_at(step)], run.time_unit)
