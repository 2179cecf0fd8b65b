"""
The verdict on a run, and the reason for it.

`RULES` lists the rules in order. Each names what must be known of a run; the first that applies and
returns a verdict decides. No rule claims more than is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import numpy.typing as npt

from animate.system import validation
from animate.system.numbers import count_text, limit_text, moment_text, share_text, value_text
from animate.training.problem import Array, Doubles, Quadratic, provides

if TYPE_CHECKING:
    from animate.training.trajectory import Trajectory

Verdict = Literal["converged", "converging", "diverging"]
Basis = Literal["theory", "distance", "losses"]
Judgement = tuple[Verdict, int, str]
"""A verdict, the record at which it becomes visible, and its sentence."""

CONVERGENCE_TOLERANCE = 0.01  # relative to the initial distance to the best weights
FLOAT32_FLOOR = 1e-5  # relative to the best weights: nearer, float32 steps may no longer move
NOISE_GROWTH_LIMIT = 10  # factor by which mini-batches may raise a loss without divergence
LEVEL_TOLERANCE = 0.01  # relative to the total fall of the loss
MIN_LEVEL_RECORDS = 20
FAR_START = 10  # times the best weights: then 1 % of the initial distance is a tenth of them
TAIL_DIVISOR = 10  # the tail of a run is its last tenth


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """
    The verdict on one run, and the steps at which it becomes visible.

    Attributes
    ----------
    verdict : {"converged", "converging", "diverging"}, or None
        None if nothing is known.
    converged_at : int or None
        The first recorded step from which the distance to the best weights stays at or below 1 %
        of the initial distance. None if it does not, or if the best weights are unknown.
    overflowed_at : int or None
        The first recorded step with a weight or loss that is not finite.
    sentence : str or None
        The verdict in words, with its numbers, in the run's own time unit.
    verdict_step : int
        The first recorded step at which the verdict is visible: the convergence, the first rise
        of a run past its limit, the overflow, or else the last step.
    distance_left : float or None
        The final distance to the best weights, relative to the initial one. Infinite after an
        overflow; None if the best weights are unknown.
    basis : {"theory", "distance", "losses"}, or None
        The rule that gave the verdict.
    """

    verdict: Verdict | None
    converged_at: int | None
    overflowed_at: int | None
    sentence: str | None
    verdict_step: int
    distance_left: float | None = None
    basis: Basis | None = None


@dataclass(frozen=True, slots=True)
class RunEvents:
    """
    The records, counted from 0, at which something happened in one run.

    Attributes
    ----------
    last_record : int
    converged : int or None
        The record from which the distance to the best weights stays within the tolerance.
    overflowed : int or None
        The first record with a weight or loss that is not finite.
    first_rise : int or None
        The first record with a higher loss than the one before, or that is not finite.
    distance_left : float or None
        The final distance to the best weights relative to the initial one; meaningless if
        `starts_at_best`.
    starts_at_best : bool
        Whether the initial distance is too small for float32 to resolve.
    """

    last_record: int
    converged: int | None
    overflowed: int | None
    first_rise: int | None
    distance_left: float | None
    starts_at_best: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One way to a verdict.

    Attributes
    ----------
    basis : {"theory", "distance", "losses"}
    is_known : callable
        Returns whether enough is known of a run for this rule.
    judge : callable
        Takes a run, its events and the time unit of the sentence. Returns a judgement, or None to
        leave the verdict to the next rule.
    """

    basis: Basis
    is_known: Callable[[Trajectory], bool]
    judge: Callable[[Trajectory, RunEvents, str], Judgement | None]


def diagnose(
    run: Trajectory, events: RunEvents | None = None, unit: str | None = None
) -> Diagnosis:
    """
    Return the diagnosis of `run`.

    Parameters
    ----------
    run : Trajectory
    events : RunEvents, optional
        The result of `find_events`, if it is known already.
    unit : {"epoch", "step"}, optional
        The time unit of the sentence; by default the run's own.
    """
    if events is None:
        weights = None if run.weights is None else run.weights[None]
        best = run.problem.best_weights if provides(run.problem, Quadratic) else None
        (events,) = find_events(weights, run.losses[None], best)

    def step(record: int | None) -> int | None:
        return None if record is None else int(run.steps[record])

    for rule in RULES:
        judgement = rule.judge(run, events, unit or run.time_unit) if rule.is_known(run) else None
        if judgement is not None:
            verdict, record, sentence = judgement
            return Diagnosis(
                verdict,
                converged_at=step(events.converged) if verdict == "converged" else None,
                overflowed_at=step(events.overflowed),
                sentence=sentence,
                verdict_step=int(run.steps[record]),
                distance_left=events.distance_left,
                basis=rule.basis,
            )
    return Diagnosis(
        None, None, step(events.overflowed), None, int(run.steps[-1]), events.distance_left
    )


def sentence_in(run: Trajectory, unit: str) -> str | None:
    """Return the sentence of the diagnosis of `run`, with its times in `unit`."""
    if unit == run.time_unit:
        return run.diagnosis.sentence
    return diagnose(run, unit=unit).sentence


def find_events(
    weights: Array | None, losses: Array, best_weights: Doubles | None
) -> list[RunEvents]:
    """
    Return the events of several runs of equal length.

    Parameters
    ----------
    weights : array, shape (runs, T, P), or None
    losses : array, shape (runs, T)
        NaN for a missing one.
    best_weights : float64 array, shape (P,), or None
    """
    runs, count = losses.shape
    width = 1 if weights is None else math.ceil(weights.shape[2] / 2)
    # In parts, since the temporary arrays of many millions of records would fill the memory.
    step = max(1, validation.DIAGNOSED // (runs * width))
    parts = [slice(first, first + step) for first in range(0, count, step)]
    overflowed_at, first_rise_at = np.full((2, runs), count)
    for part in parts:
        overflowed = np.isinf(losses[:, part])
        if weights is not None:
            overflowed |= ~np.isfinite(weights[:, part]).all(axis=-1)
        some = losses[:, max(part.start - 1, 0) : part.stop]
        rises = overflowed.copy()
        rises[:, overflowed.shape[1] - some.shape[1] + 1 :] |= some[:, 1:] > some[:, :-1]
        rises[:, : part.start == 0] = False  # the first record has none before it
        overflowed_at = np.minimum(overflowed_at, _first_true(overflowed, part.start, count))
        first_rise_at = np.minimum(first_rise_at, _first_true(rises, part.start, count))
    shared = [_or_none(overflowed_at, count), _or_none(first_rise_at, count)]
    if weights is None or best_weights is None:
        unknown: list[None] = [None] * runs
        fields = zip(unknown, *shared, unknown, [False] * runs, strict=True)
    else:
        ends = distance(weights[:, [0, -1]], best_weights)
        converged_at = _converged_records(weights, ends[:, 0], best_weights, parts)
        left = relative_distances(ends)[:, 1]
        at_best = ends[:, 0] <= float32_resolution(best_weights)
        fields = zip(
            _or_none(converged_at, count), *shared, left.tolist(), at_best.tolist(), strict=True
        )
    return [RunEvents(count - 1, *one) for one in fields]


def _converged_records(
    weights: Array, start: Doubles, best_weights: Doubles, parts: Sequence[slice]
) -> npt.NDArray[np.int64]:
    """
    Return the record from which each run has converged, T where it never does.

    The same as `epochs_to_converge` of all distances, with temporary arrays of one part at a time.

    Parameters
    ----------
    weights : array, shape (runs, T, P)
    start : float64 array, shape (runs,)
        The initial distances.
    best_weights : float64 array, shape (P,)
    parts : sequence of slice
        Ranges of records, in order.
    """
    records = np.zeros(len(weights), np.int64)
    for part in parts:
        away = _is_away(distance(weights[:, part], best_weights), start[:, None], best_weights)
        after = part.start + away.shape[1] - away[:, ::-1].argmax(axis=1)
        records = np.where(away.any(axis=1), after, records)
    return records


def _first_true(mask: npt.NDArray[np.bool_], offset: int, count: int) -> npt.NDArray[np.int64]:
    """Return the index of the first true value of each row plus `offset`, or `count` if none."""
    return np.where(mask.any(axis=1), offset + mask.argmax(axis=1), count)


def _or_none(records: npt.NDArray[np.int64], count: int) -> list[int | None]:
    """Return `records` as a list, with None for `count`, which stands for never."""
    return [None if record == count else record for record in records.tolist()]


def distance(weights: npt.ArrayLike, best_weights: Doubles) -> Doubles:
    """Return the distance of `weights` (..., P) to the best ones, shape (...); inf for NaN."""
    offset = np.asarray(weights, np.float64) - best_weights
    if offset.shape[-1] == 2:
        result: Doubles = np.hypot(offset[..., 0], offset[..., 1])
    else:
        result = np.linalg.norm(offset, axis=-1)
    return np.where(np.isnan(result), np.inf, result)


def relative_distances(distances: Doubles) -> Doubles:
    """Return `distances` (..., T) divided by the first of each run; 0 where that is 0."""
    first = distances[..., :1]
    ratios = np.divide(
        distances, first, out=np.zeros_like(distances), where=(first > 0) & np.isfinite(first)
    )
    return np.where(np.isinf(first), np.inf, ratios)


def distances_left(run: Trajectory) -> Doubles | None:
    """
    Return the distance of each record to the best weights, relative to the first, shape (T,).

    None if the best weights are unknown, or if the initial distance is zero or not finite.
    """
    if not _has_optimum(run):
        return None
    best, weights = cast("Quadratic", run.problem).best_weights, cast("Array", run.weights)
    distances = distance(weights, best)
    if not float32_resolution(best) < distances[0] < np.inf:
        return None
    return relative_distances(distances)


def float32_resolution(best_weights: Doubles) -> float:
    """Return the distance to the best weights within which float32 steps may no longer move."""
    # Of the smallest weight: beside a large bias, a slope may be far off and yet look near.
    return FLOAT32_FLOOR * max(1.0, float(np.abs(best_weights).min()))


def epochs_to_converge(distances: npt.ArrayLike, best_weights: Doubles) -> npt.NDArray[np.int64]:
    """
    Return the first record from which each run's distance stays at or below 1 % of its first.

    A run that starts nearer to the best weights than float32 resolves has converged at record 0.

    Parameters
    ----------
    distances : array, shape (..., T)
    best_weights : float64 array, shape (P,)

    Returns
    -------
    int64 array, shape (...)
        T where a run never converges.
    """
    distances = np.asarray(distances)
    away = _is_away(distances, distances[..., :1], best_weights)
    from_the_end: npt.NDArray[np.int64] = away[..., ::-1].argmax(axis=-1)
    count = distances.shape[-1]
    return np.where(away.any(axis=-1), count - from_the_end, 0)


def _is_away(distances: Doubles, start: Doubles, best_weights: Doubles) -> npt.NDArray[np.bool_]:
    """Return a mask of the distances above 1 % of `start` and above the float32 resolution."""
    near = np.maximum(CONVERGENCE_TOLERANCE * start, float32_resolution(best_weights))
    return (distances > near) | np.isinf(distances)


def _times(run: Trajectory, unit: str) -> Array:
    return run.times if unit == run.time_unit else run.steps


# Rule 1: a quadratic loss and known hyperparameters, if these have a known stability limit.


def _has_theory(run: Trajectory) -> bool:
    return run.effective_hyperparameters is not None and _has_optimum(run)


def _judge_by_theory(run: Trajectory, events: RunEvents, unit: str) -> Judgement | None:
    problem, hyperparameters = cast("Quadratic", run.problem), run.effective_hyperparameters
    assert hyperparameters is not None
    assert events.distance_left is not None
    limit = hyperparameters.stability_limit(problem.curvatures[-1])
    if limit is None:
        return None
    lr = hyperparameters.lr
    if lr < limit:
        if events.overflowed is not None or (hyperparameters.is_plain_descent and _has_risen(run)):
            return None
        return _judge_progress(run, events, unit)
    if events.distance_left < CONVERGENCE_TOLERANCE:
        return None
    relation = "past" if lr > limit else "at"
    visible = events.last_record if events.first_rise is None else events.first_rise
    return "diverging", visible, f"diverging: {relation} the limit {limit_text(limit, lr)}"


def _has_risen(run: Trajectory) -> bool:
    """Return whether the last loss exceeds the first by more than float32 rounding."""
    first, last = run.losses[0], run.losses[-1]
    if math.isnan(first) or math.isnan(last):
        first, last = _losses_at_ends(run)
    return bool(last > first * (1 + FLOAT32_FLOOR))


def _judge_progress(run: Trajectory, events: RunEvents, unit: str) -> Judgement:
    """Return the judgement on a run that does not diverge, from its distance to the optimum."""
    times = _times(run, unit)
    if events.converged is not None:
        at = moment_text(times[events.converged], unit)
        said = "down to 1 % of its far start" if _starts_far_away(run) else "converged"
        return "converged", events.converged, f"{said} at {at}"
    assert events.distance_left is not None
    if events.starts_at_best:  # so that relative distances mean nothing
        first, last = _losses_at_ends(run)
        duration = count_text(times[-1] - times[0], unit)
        sentence = f"loss {value_text(first)} → {value_text(last)} in {duration}"
        return "converging", events.last_record, sentence
    after = count_text(times[-1], unit)
    sentence = f"{share_text(events.distance_left)} still to go after {after}"
    return "converging", events.last_record, sentence


def _starts_far_away(run: Trajectory) -> bool:
    """
    Return whether the start is so far away that 1 % of it is still far from the best weights.

    Such a run has converged relative to its start, but its loss may still be large.
    """
    best, weights = cast("Quadratic", run.problem).best_weights, cast("Array", run.weights)
    return bool(distance(weights[0], best) > FAR_START * max(1.0, float(np.linalg.norm(best))))


# Rule 2: known best weights, and the recorded weights.


def _has_optimum(run: Trajectory) -> bool:
    return run.weights is not None and provides(run.problem, Quadratic)


def _judge_by_distance(run: Trajectory, events: RunEvents, unit: str) -> Judgement | None:
    problem, hyperparameters = cast("Quadratic", run.problem), run.effective_hyperparameters
    assert run.weights is not None
    if events.overflowed is not None:
        return _judge_overflow(run, events.overflowed, unit)
    first, last = _losses_at_ends(run)
    is_noisy = (
        hyperparameters is not None
        and hyperparameters.batch_size is not None
        and hyperparameters.schedule == "constant"
    )
    bound = first
    if is_noisy or events.starts_at_best:
        loss_at_distance_1 = problem.best_loss + problem.curvatures[-1] / 2
        bound = NOISE_GROWTH_LIMIT * max(first, loss_at_distance_1)
    if last > bound:
        return _judge_growth(first, last, events.last_record)
    if is_noisy and events.converged is None:
        tail = max(1, (events.last_record + 1) // TAIL_DIVISOR)
        left = distances_left(run)
        if left is None:
            center = f"loss {value_text(float(np.median(problem.loss(run.weights[-tail:]))))}"
        else:
            center = f"{share_text(float(np.median(left[-tail:])))} still to go"
        return "converging", events.last_record, f"hovers around {center}"
    return _judge_progress(run, events, unit)


def _losses_at_ends(run: Trajectory) -> tuple[float, float]:
    """Return the problem's own loss at the first and last weights."""
    assert run.weights is not None
    with np.errstate(over="ignore"):  # finite float64 weights may overflow in the loss
        first, last = cast("Quadratic", run.problem).loss(run.weights[[0, -1]])
    return float(first), float(last)


def _judge_overflow(run: Trajectory, record: int, unit: str) -> Judgement:
    at = moment_text(_times(run, unit)[record], unit)
    ends_finite = not np.isinf(run.losses[-1]) and (
        run.weights is None or bool(np.isfinite(run.weights[-1]).all())
    )
    when = f"at {at}" if ends_finite and record < len(run.steps) - 1 else f"from {at} on"
    return "diverging", record, f"diverging: not finite {when}"


def _judge_growth(first: float, last: float, record: int) -> Judgement:
    return "diverging", record, f"diverging: loss {value_text(first)} → {value_text(last)}"


# Rule 3: at least two known losses.


def _has_losses(run: Trajectory) -> bool:
    return int(np.count_nonzero(~np.isnan(run.losses))) >= 2


def _judge_by_losses(run: Trajectory, events: RunEvents, unit: str) -> Judgement:
    if events.overflowed is not None:
        return _judge_overflow(run, events.overflowed, unit)
    records = np.flatnonzero(~np.isnan(run.losses))
    losses = run.losses[records].astype(np.float64)
    first, last = float(losses[0]), float(losses[-1])
    if last > first:
        return _judge_growth(first, last, int(records[-1]))
    tail = max(MIN_LEVEL_RECORDS, math.ceil(len(losses) / TAIL_DIVISOR))
    level = losses[-tail:]
    if len(losses) > tail and np.ptp(level) < LEVEL_TOLERANCE * (first - level.min()):
        steps = int(run.steps[records[-1]] - run.steps[records[-tail]])
        sentence = f"level at loss {value_text(last)} for the last {count_text(steps, 'step')}"
        return "converging", events.last_record, sentence
    times = _times(run, unit)
    duration = count_text(times[records[-1]] - times[records[0]], unit)
    sentence = f"loss {value_text(first)} → {value_text(last)} in {duration}"
    return "converging", events.last_record, sentence


RULES: Sequence[Rule] = (
    Rule("theory", _has_theory, _judge_by_theory),
    Rule("distance", _has_optimum, _judge_by_distance),
    Rule("losses", _has_losses, _judge_by_losses),
)
