"""The time axis of a scene, and the record of each run at a moment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from animate.system.errors import InputError
from animate.system.numbers import count_text, number_text
from animate.system.validation import MOMENTS, check_moment_list, quoted
from animate.training.problem import Array
from animate.training.trajectory import Trajectory

FIGURE_SPACE = "\u2007"  # as wide as a digit
PERIOD_SPACE = "\u2008"  # as wide as a period


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

    @property
    def moments_per_epoch(self) -> float:
        """The mean number of moments in an epoch; 1 if the unit is a step."""
        span = self.last - self.first
        return (len(self.moments) - 1) / span if span and self.unit == "epoch" else 1.0

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
                f"{self.unit} {quoted(value)} is not in the records; give one from {self.bounds}"
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
        number, last = (self._number_text(value) for value in (moment, self.last))
        dot = "." in number
        padding = (self._width[0] - len(number) + dot) * FIGURE_SPACE
        padding += (self._width[1] - dot) * PERIOD_SPACE
        return f"{self.unit} {padding}{number} of {last}"

    def name(self, moment: float) -> str:
        """Return the name of `moment`, such as "epoch 8"."""
        return f"{self.unit} {self._number_text(moment)}"

    @property
    def longest_name(self) -> str:
        """A text as wide as the longest name of a moment."""
        return f"{self.unit} {'0' * self._width[0]}{'.' * self._width[1]}"

    def _number_text(self, moment: float) -> str:
        """Return `moment`, with decimals only if it is not whole."""
        return f"{moment:.{self._decimals if moment != int(moment) else 0}f}"

    @cached_property
    def _decimals(self) -> int:
        """The decimals of fractions of an epoch: one if that is exact, else two."""
        return 1 if np.array_equal(self.moments, self.moments.round(1)) else 2

    @cached_property
    def _width(self) -> tuple[int, int]:
        """The most digits of a moment, and whether one has a period."""
        digits = len(f"{self.last:.0f}")
        has_fractions = not np.array_equal(self.moments, self.moments.astype(np.int64))
        return digits + has_fractions * self._decimals, int(has_fractions)


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
            f"{clock.unit} {quoted(value)} is not a number; give one from {clock.bounds}, or one "
            f"of {', '.join(MOMENTS)}"
        ) from None
