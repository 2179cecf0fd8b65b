"""What a film or still shows, in words, for readers who cannot see it."""

from collections.abc import Collection, Sequence

import numpy as np

from animate.drawing.clock import Clock
from animate.system.numbers import count_text, figures, limit_text, moment_text, share_text
from animate.training.diagnosis import shares_left_of
from animate.training.line import Line
from animate.training.problem import Quadratic, has
from animate.training.trajectory import Trajectory, labels


def describe(
    runs: Sequence[Trajectory], views: Collection[str], moments: Sequence[float], *, is_still: bool
) -> str:
    """
    Return what is shown of `runs`, claiming no more than is known of them.

    Parameters
    ----------
    runs : sequence of Trajectory
    views : collection of str
        The names of the views.
    moments : sequence of float
        The moments of a still; of a film, its last.
    is_still : bool
    """
    problem, clock = runs[0].problem, Clock.of(runs)
    if isinstance(problem, Line) and set(views) == {"data"}:
        best = problem.equation(problem.best_weights)
        return f"{len(problem.x)} points, and the line that fits them best, {best}."
    if has(problem, Quadratic) and set(views) == {"cliff"}:
        limit = limit_text(problem.stability_limit, 2 * problem.stability_limit)
        return (
            "Epochs to converge against the learning rate: fewest near "
            f"{problem.best_lr:.2g}, ever more towards the limit {limit}, and past it never."
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
    told = []
    for place, (run, name) in enumerate(zip(runs, labels(runs), strict=True)):
        if moment < clock.times[place][0]:
            told.append(f"{name}: starts at {moment_text(clock.times[place][0], clock.unit)}.")
            continue
        record = clock.record(place, moment)
        run = run if run.time_unit == clock.unit else run.counted_in_steps()
        summary = f"At {name} {_course(run, record)}" if is_lesson else _summary(run, name, record)
        told.append(summary)
    return " ".join([opening, *told])


def _is_lesson(run: Trajectory) -> bool:
    return isinstance(run.problem, Line) and run.is_plain_descent and not run.has_own_label


def _summary(run: Trajectory, name: str, record: int) -> str:
    """Return what any run has done by `record`."""
    diagnosis = run.diagnosis
    if diagnosis.sentence is not None and record >= run.record_at(diagnosis.verdict_step):
        return f"{name}: {diagnosis.sentence}."
    loss = run.losses[record]
    return f"{name}." if np.isnan(loss) else f"{name}: loss {figures(loss)}."


def _course(run: Trajectory, record: int) -> str:
    """Return what plain descent on a line has done by `record`."""
    diagnosis, problem = run.diagnosis, run.problem
    assert isinstance(problem, Line)
    assert run.weights is not None
    visible = run.record_at(diagnosis.verdict_step)
    if record < visible:
        left = shares_left_of(run)
        if left is None:
            return f"the loss is {figures(run.losses[record])}."
        return f"{share_text(left[record])} of the way is left."
    if diagnosis.verdict == "converged":
        return f"the line reaches the data at {_at(run, diagnosis.converged_at)}."
    if diagnosis.verdict == "converging":
        return f"the line is on its way: {diagnosis.sentence}."
    turn, lost = visible - 1, diagnosis.overflowed_at
    course = ""
    if lost is not None and lost <= run.steps[record]:
        course = f", and overflows at {_at(run, lost)}"
    elif 0 < turn < len(run.steps) - 2:
        is_exact = run.steps[visible] - run.steps[turn - 1] == 2
        until = f"until {_at(run, int(run.steps[turn]))}" if is_exact else "at first"
        course = f"; its loss falls {until}, then climbs"
    return f"it is {diagnosis.sentence}{course}."


def _at(run: Trajectory, step: int | None) -> str:
    assert step is not None
    return moment_text(run.times[run.record_at(step)], run.time_unit)
