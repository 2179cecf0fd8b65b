"""The time axis of a scene, and the record of each run at a moment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from animate.system.errors import InputError
from animate.system.numbers import count_text, number_text
from animate.system.validation import MOMENTS, check_moment_list, shown
from animate.training.problem import Array
from animate.training.trajectory import Trajectory

FIGURE_SPACE = "\u2007"  # as wide as a digit


@dataclass(frozen=True, eq=False)
class Clock:
    """
    The time axis of a scene: epochs if every run has them, else steps.

    Attributes
    ----------
    unit : "epoch" or "step"
    times : tuple of arrays, shape (T,) each
        The times of the records of each run, ascending.
    """

    unit: str
    times: tuple[Array, ...]

    @classmethod
    def of(cls, runs: Sequence[Trajectory]) -> Clock:
        """Return the clock of `runs`."""
        if all(run.steps_per_epoch is not None for run in runs):
            return cls("epoch", tuple(run.times for run in runs))
        return cls("step", tuple(run.steps for run in runs))

    @cached_property
    def moments(self) -> Array:
        """The times of all records of all runs, ascending and distinct, shape (M,)."""
        return np.unique(np.concatenate(self.times))

    @property
    def first(self) -> float:
        """The first moment."""
        number: float = self.moments[0].item()
        return number

    @property
    def last(self) -> float:
        """The last moment."""
        number: float = self.moments[-1].item()
        return number

    def moment(self, value: float) -> float:
        """
        Return the last moment at or before `value`.

        Raises
        ------
        InputError
            If `value` is not a number from the first moment to the last.
        """
        try:
            is_inside = self.first <= value <= self.last
        except (TypeError, ValueError):
            is_inside = False
        if not is_inside:
            raise InputError(
                f"{self.unit} {shown(value)} is not in the records; give one from {self.bounds}"
            )
        moment: float = self.moments[np.searchsorted(self.moments, value, "right") - 1].item()
        return moment

    @property
    def bounds(self) -> str:
        """The first and the last moment, for a message."""
        return f"{number_text(self.first)} to {number_text(self.last)}"

    def record(self, run: int, moment: float) -> int:
        """
        Return the last record at or before `moment` of the run with index `run`.

        Record 0 if there is none; the scene hides a run that has not started.
        """
        return max(int(np.searchsorted(self.times[run], moment, "right")) - 1, 0)

    def scale_elapsed(self, moment: float, length: float) -> float:
        """Return `length` times the fraction of the time that has passed at `moment`."""
        span = self.last - self.first
        return length * (moment - self.first) / span if span else length

    def text(self, moment: float) -> str:
        """Return the text for `moment` above a picture, of the same width for all moments."""
        texts = [number_text(value) for value in (moment, self.last)]
        if not (self.moments == self.moments.astype(np.int64)).all():
            texts = [f"{value:.2f}" for value in (moment, self.last)]
        return f"{self.unit} {texts[0].rjust(len(texts[1]), FIGURE_SPACE)} of {texts[1]}"


def resolve_moments(values: Iterable[float | str], runs: Sequence[Trajectory]) -> list[float]:
    """
    Return the moment of `runs` for each number or name in `values`.

    Parameters
    ----------
    values : iterable of numbers, "start", "end" or "converged"
        All different. "converged" is the first moment at which all runs that converge have done so.
    runs : sequence of Trajectory

    Raises
    ------
    InputError
        If `values` is empty or too long, or a value is repeated or not a moment of the runs.
    """
    clock, given = Clock.of(runs), list(values)
    check_moment_list(given, clock.unit, clock.bounds)
    return [_resolve_moment(value, clock, runs) for value in given]


def _resolve_moment(value: float | str, clock: Clock, runs: Sequence[Trajectory]) -> float:
    if isinstance(value, str) and value in MOMENTS:
        if value != "converged":
            return clock.first if value == "start" else clock.last
        steps = [run.diagnosis.converged_at for run in runs]
        times = [
            times[run.record_at(step)]
            for run, step, times in zip(runs, steps, clock.times, strict=True)
            if step is not None
        ]
        if not times:
            raise InputError(
                f"no run converges within {count_text(clock.last, clock.unit)}, so there is no "
                f"{clock.unit} 'converged'; give a number, or train for more epochs"
            )
        latest: float = max(times).item()
        return latest
    try:
        return clock.moment(float(value) if not isinstance(value, bool) else math.nan)
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise InputError(f"{error}, or one of {', '.join(MOMENTS)}") from None
        raise InputError(
            f"{clock.unit} {shown(value)} is not a number; give one from {clock.bounds}, or one "
            f"of {', '.join(MOMENTS)}"
        ) from None
