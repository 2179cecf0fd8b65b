"""
What a run did, and why: a verdict that claims no more than is known.

`RULES` is a table: each rule names what must be known for it, and the first that has a verdict
gives it. Numbers go in, and a small frozen value comes out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import numpy.typing as npt

from animate.system import validation
from animate.system.numbers import count_text, figures, limit_text, moment_text, share_text
from animate.training.problem import Array, Doubles, Quadratic, has

if TYPE_CHECKING:
    from animate.training.trajectory import Trajectory

Verdict = Literal["converged", "converging", "diverging"]
Basis = Literal["theory", "distance", "losses"]

CONVERGENCE_TOLERANCE = 0.01  # relative to the initial distance to the best weights
FLOAT32_FLOOR = 1e-5  # relative to the best weights: nearer, float32 steps may no longer move
GROWTH_OF_NOISE = 10  # times: batches may raise a loss so far without diverging
LEVEL_TOLERANCE = 0.01  # relative to how far the loss has fallen
LEVEL_RECORDS = 20  # the fewest records in which a loss is seen to be level
LAST_PART = 10  # the last tenth of the records


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """
    The verdict on one run and the steps at which it shows.

    Attributes
    ----------
    verdict : {"converged", "converging", "diverging"}, or None
        None where nothing is known.
    converged_at : int or None
        The first recorded step from which the distance to the best weights stays at or below 1 %
        of the initial distance; None also where the best weights are not known.
    overflowed_at : int or None
        The first recorded step with a weight or loss that is not finite.
    sentence : str or None
        The verdict in words, with its figures.
    verdict_step : int
        The first recorded step at which the verdict is visible: where it converged, where a run
        past its limit first rose, where it overflowed, and otherwise the last step.
    distance_left : float or None
        The distance to the best weights at the end, relative to the initial one; infinite after
        an overflow, None where the best weights are not known.
    basis : {"theory", "distance", "losses"}, or None
        What the verdict rests on.
    """

    verdict: Verdict | None
    converged_at: int | None
    overflowed_at: int | None
    sentence: str | None
    verdict_step: int
    distance_left: float | None = None
    basis: Basis | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """
    The records, counted from 0, at which something happened to one run; None for never.

    `left` is the share of the way to the best weights that is left at the end. It says nothing of a
    run that starts at them.
    """

    last: int
    converged: int | None
    overflowed: int | None
    rose: int | None
    left: float | None
    starts_at_best: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to a verdict: what must be known, and the verdict; None leaves it to the next."""

    basis: Basis
    is_known: Callable[[Trajectory], bool]
    judge: Callable[[Trajectory, Course], tuple[Verdict, int, str] | None]
    """Returns the verdict, the record at which it is visible, and the sentence."""


def diagnose(run: Trajectory, course: Course | None = None) -> Diagnosis:
    """Return the diagnosis of `run`; `course` is found here unless it is known already."""
    if course is None:
        weights = None if run.weights is None else run.weights[None]
        best = run.problem.best_weights if has(run.problem, Quadratic) else None
        (course,) = courses(weights, run.losses[None], best)

    def step(record: int | None) -> int | None:
        return None if record is None else int(run.steps[record])

    for rule in RULES:
        found = rule.judge(run, course) if rule.is_known(run) else None
        if found is not None:
            verdict, record, sentence = found
            return Diagnosis(
                verdict,
                converged_at=step(course.converged) if verdict == "converged" else None,
                overflowed_at=step(course.overflowed),
                sentence=sentence,
                verdict_step=int(run.steps[record]),
                distance_left=course.left,
                basis=rule.basis,
            )
    return Diagnosis(None, None, step(course.overflowed), None, int(run.steps[-1]), course.left)


def courses(weights: Array | None, losses: Array, best_weights: Doubles | None) -> list[Course]:
    """
    Return what happened to each of several runs.

    Parameters
    ----------
    weights : array, shape (runs, T, P), or None
    losses : array, shape (runs, T)
        NaN for a missing one.
    best_weights : float64 array, shape (P,), or None
    """
    runs, count = losses.shape
    width = 1 if weights is None else math.ceil(weights.shape[2] / 2)
    step = max(
        1, validation.DIAGNOSED // (runs * width)
    )  # in parts, for a run may have many millions of records
    parts = [slice(first, first + step) for first in range(0, count, step)]
    lost_at, rose_at = np.full((2, runs), count)
    for part in parts:
        lost = np.isinf(losses[:, part])
        if weights is not None:
            lost |= ~np.isfinite(weights[:, part]).all(axis=-1)
        some = losses[:, max(part.start - 1, 0) : part.stop]
        rises = lost.copy()
        rises[:, lost.shape[1] - some.shape[1] + 1 :] |= some[:, 1:] > some[:, :-1]
        rises[:, : part.start == 0] = False  # the start has nothing before it
        lost_at = np.minimum(lost_at, _first(lost, part.start, count))
        rose_at = np.minimum(rose_at, _first(rises, part.start, count))
    happened = [_or_none(lost_at, count), _or_none(rose_at, count)]
    if weights is None or best_weights is None:
        nothing: list[None] = [None] * runs
        several = zip(nothing, *happened, nothing, [False] * runs, strict=True)
    else:
        ends = distance(weights[:, [0, -1]], best_weights)
        converged_at = _converged(weights, ends[:, 0], best_weights, parts)
        left, at_best = share_left(ends)[:, 1], ends[:, 0] <= _resolution(best_weights)
        several = zip(
            _or_none(converged_at, count), *happened, left.tolist(), at_best.tolist(), strict=True
        )
    return [Course(count - 1, *one) for one in several]


def _converged(
    weights: Array, start: Doubles, best_weights: Doubles, parts: Sequence[slice]
) -> npt.NDArray[np.int64]:
    """Return what `epochs_to_converge` does, of weights (runs, T, P) and their first distances."""
    found = np.zeros(len(weights), np.int64)
    for part in parts:
        away = _is_away(distance(weights[:, part], best_weights), start[:, None], best_weights)
        after = part.start + away.shape[1] - away[:, ::-1].argmax(axis=1)
        found = np.where(away.any(axis=1), after, found)
    return found


def _first(marked: npt.NDArray[np.bool_], offset: int, count: int) -> npt.NDArray[np.int64]:
    """Return where each row is first true, counted from `offset`, or `count`."""
    return np.where(marked.any(axis=1), offset + marked.argmax(axis=1), count)


def _or_none(records: npt.NDArray[np.int64], count: int) -> list[int | None]:
    return [None if record == count else record for record in records.tolist()]


def distance(weights: npt.ArrayLike, best_weights: Doubles) -> Doubles:
    """Return the distance of `weights`, shape (..., P), to the best ones; infinite for NaN."""
    offset = np.asarray(weights, np.float64) - best_weights
    if offset.shape[-1] == 2:
        result: Doubles = np.hypot(offset[..., 0], offset[..., 1])
    else:
        result = np.linalg.norm(offset, axis=-1)
    return np.where(np.isnan(result), np.inf, result)


def share_left(distances: Doubles) -> Doubles:
    """Return the distances as shares of the first; 0 where there was none to go."""
    first = distances[..., :1]
    shares = np.divide(
        distances, first, out=np.zeros_like(distances), where=(first > 0) & np.isfinite(first)
    )
    return np.where(np.isinf(first), np.inf, shares)


def shares_left_of(run: Trajectory) -> Doubles | None:
    """
    Return the share of its way to the best weights that `run` has left, shape (T,).

    None where that is not known, or where there was no way to go.
    """
    if not _has_optimum(run):
        return None
    best, weights = cast("Quadratic", run.problem).best_weights, cast("Array", run.weights)
    distances = distance(weights, best)
    return share_left(distances) if _resolution(best) < distances[0] < np.inf else None


def _resolution(best_weights: Doubles) -> float:
    """Return the distance to the best weights within which float32 steps may no longer move."""
    # Of the smallest weight: beside a large bias, a slope may be far off and yet look near.
    return FLOAT32_FLOOR * max(1.0, float(np.abs(best_weights).min()))


def epochs_to_converge(distances: npt.ArrayLike, best_weights: Doubles) -> npt.NDArray[np.int64]:
    """
    Return the first record from which each run's distance stays at or below 1 % of its first.

    `distances` has shape (..., T); the result has shape (...), and is T where a run never
    converges. A run that starts nearer to the best weights than float32 resolves has converged
    from the start.
    """
    distances = np.asarray(distances)
    away = _is_away(distances, distances[..., :1], best_weights)
    from_the_end: npt.NDArray[np.int64] = away[..., ::-1].argmax(axis=-1)
    count = distances.shape[-1]
    return np.where(away.any(axis=-1), count - from_the_end, 0)


def _is_away(distances: Doubles, start: Doubles, best_weights: Doubles) -> npt.NDArray[np.bool_]:
    """Return which distances are more than 1 % of those at the start, and than float32 resolves."""
    near = np.maximum(CONVERGENCE_TOLERANCE * start, _resolution(best_weights))
    return (distances > near) | np.isinf(distances)


# Rule 1: a quadratic, and hyperparameters; no verdict where they have no known stability limit.


def _has_theory(run: Trajectory) -> bool:
    return run.effective_hyperparameters is not None and _has_optimum(run)


def _by_theory(run: Trajectory, course: Course) -> tuple[Verdict, int, str] | None:
    problem, known = cast("Quadratic", run.problem), run.effective_hyperparameters
    assert known is not None
    assert course.left is not None
    limit = known.stability_limit(problem.curvatures[-1])
    if limit is None:
        return None
    if known.lr < limit:
        if course.overflowed is not None or (known.is_plain_descent and _has_risen(run)):
            return None
        return _progress(run, course)
    if course.left < CONVERGENCE_TOLERANCE:
        return None
    relation = "past" if known.lr > limit else "at"
    visible = course.last if course.rose is None else course.rose
    return "diverging", visible, f"diverging: {relation} the limit {limit_text(limit, known.lr)}"


def _has_risen(run: Trajectory) -> bool:
    """Return whether the loss ends above the first by more than float32 rounds."""
    first, last = run.losses[0], run.losses[-1]
    if math.isnan(first) or math.isnan(last):
        first, last = _losses_at_ends(run)
    return bool(last > first * (1 + FLOAT32_FLOOR))


def _progress(run: Trajectory, course: Course) -> tuple[Verdict, int, str]:
    """Return the verdict on a run that does not diverge, from its distance to the optimum."""
    if course.converged is not None:
        at = moment_text(run.times[course.converged], run.time_unit)
        return "converged", course.converged, f"converged at {at}"
    assert course.left is not None
    if course.starts_at_best:  # so that no share of a way can be left
        first, last = _losses_at_ends(run)
        taken = count_text(run.times[-1] - run.times[0], run.time_unit)
        return "converging", course.last, f"loss {figures(first)} → {figures(last)} in {taken}"
    after = count_text(run.times[-1], run.time_unit)
    return "converging", course.last, f"{share_text(course.left)} of the way left after {after}"


# Rule 2: the best weights, and the record.


def _has_optimum(run: Trajectory) -> bool:
    return run.weights is not None and has(run.problem, Quadratic)


def _by_distance(run: Trajectory, course: Course) -> tuple[Verdict, int, str] | None:
    problem, known = cast("Quadratic", run.problem), run.effective_hyperparameters
    assert run.weights is not None
    if course.overflowed is not None:
        return _overflow(run, course.overflowed)
    first, last = _losses_at_ends(run)
    noisy = known is not None and known.batch_size is not None and known.schedule == "constant"
    bound = first
    if noisy or course.starts_at_best:
        at_distance_1 = problem.best_loss + problem.curvatures[-1] / 2
        bound = GROWTH_OF_NOISE * max(first, at_distance_1)
    if last > bound:
        return _rise(first, last, course.last)
    if noisy and course.converged is None:
        part = max(1, (course.last + 1) // LAST_PART)
        shares = shares_left_of(run)
        if shares is None:
            around = f"loss {figures(float(np.median(problem.loss(run.weights[-part:]))))}"
        else:
            around = f"{share_text(float(np.median(shares[-part:])))} of the way left"
        return "converging", course.last, f"hovers around {around}"
    return _progress(run, course)


def _losses_at_ends(run: Trajectory) -> tuple[float, float]:
    """Return the problem's own loss at the first weights and at the last."""
    assert run.weights is not None
    with np.errstate(over="ignore"):  # of weights in float64 that are finite
        first, last = cast("Quadratic", run.problem).loss(run.weights[[0, -1]])
    return float(first), float(last)


def _overflow(run: Trajectory, record: int) -> tuple[Verdict, int, str]:
    at = moment_text(run.times[record], run.time_unit)
    ends_finite = not np.isinf(run.losses[-1]) and (
        run.weights is None or bool(np.isfinite(run.weights[-1]).all())
    )
    told = f"at {at}" if ends_finite and record < len(run.steps) - 1 else f"from {at} on"
    return "diverging", record, f"diverging: not finite {told}"


def _rise(first: float, last: float, record: int) -> tuple[Verdict, int, str]:
    return "diverging", record, f"diverging: loss {figures(first)} → {figures(last)}"


# Rule 3: the losses that are there.


def _has_losses(run: Trajectory) -> bool:
    return int(np.count_nonzero(~np.isnan(run.losses))) >= 2


def _by_losses(run: Trajectory, course: Course) -> tuple[Verdict, int, str]:
    if course.overflowed is not None:
        return _overflow(run, course.overflowed)
    records = np.flatnonzero(~np.isnan(run.losses))
    losses = run.losses[records].astype(np.float64)
    first, last = float(losses[0]), float(losses[-1])
    if last > first:
        return _rise(first, last, int(records[-1]))
    part = max(LEVEL_RECORDS, math.ceil(len(losses) / LAST_PART))
    level = losses[-part:]
    if len(losses) > part and np.ptp(level) < LEVEL_TOLERANCE * (first - level.min()):
        steps = int(run.steps[records[-1]] - run.steps[records[-part]])
        sentence = f"level at loss {figures(last)} for the last {count_text(steps, 'step')}"
        return "converging", course.last, sentence
    after = count_text(run.times[records[-1]] - run.times[records[0]], run.time_unit)
    sentence = f"loss {figures(first)} → {figures(last)} in {after}"
    return "converging", course.last, sentence


RULES: Sequence[Rule] = (
    Rule("theory", _has_theory, _by_theory),
    Rule("distance", _has_optimum, _by_distance),
    Rule("losses", _has_losses, _by_losses),
)
