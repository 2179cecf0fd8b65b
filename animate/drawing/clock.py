"""When a scene's runs have records, and which record of each run a moment shows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from animate.system.errors import InputError
from animate.system.numbers import count_text, number_text
from animate.system.validation import MOMENTS, MOST_STILLS, shown
from animate.training.problem import Array
from animate.training.trajectory import Trajectory

FIGURE_SPACE = "\u2007"  # as wide as a digit


@dataclass(frozen=True, eq=False)
class Clock:
    """
    The time of a scene: epochs if every run has them, else steps.

    Attributes
    ----------
    unit : "epoch" or "step"
    times : tuple of arrays, shape (T,) each
        When each run has its records.
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
        """All moments at which a run has a record, rising, shape (M,)."""
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
        Return the moment that is shown at `value`: the last at or before it.

        Raises
        ------
        InputError
            If it is no number, or before the first moment or after the last.
        """
        try:
            is_inside = self.first <= value <= self.last
        except (TypeError, ValueError):
            is_inside = False
        if not is_inside:
            raise InputError(
                f"{self.unit} {shown(value)} is not in the records; give one from "
                f"{number_text(self.first)} to {number_text(self.last)}"
            )
        found: float = self.moments[np.searchsorted(self.moments, value, "right") - 1].item()
        return found

    def record(self, run: int, moment: float) -> int:
        """
        Return the last record at or before `moment` of the run at `run`.

        Before its first record that is record 0, which a picture then hides.
        """
        return max(int(np.searchsorted(self.times[run], moment, "right")) - 1, 0)

    def scale_elapsed(self, moment: float, whole: float) -> float:
        """Return the part of `whole` that is as much of it as has passed of the time."""
        span = self.last - self.first
        return whole * (moment - self.first) / span if span else whole

    def text(self, moment: float) -> str:
        """Return the moment as it stands above a picture, always as wide."""
        texts = [number_text(value) for value in (moment, self.last)]
        if not (self.moments == self.moments.astype(np.int64)).all():
            texts = [f"{value:.2f}" for value in (moment, self.last)]
        return f"{self.unit} {texts[0].rjust(len(texts[1]), FIGURE_SPACE)} of {texts[1]}"


def resolve_moments(named: Iterable[float | str], runs: Sequence[Trajectory]) -> list[float]:
    """
    Return the moments of `runs` that numbers or names stand for, all different.

    Parameters
    ----------
    named : iterable of numbers, "start", "end" or "converged"
        The last is the first moment by which all runs that converge have done so.
    runs : sequence of Trajectory

    Raises
    ------
    InputError
        If there is no such moment, or one is given twice.
    """
    clock, given = Clock.of(runs), list(named)
    if not given:
        raise InputError(f"no {clock.unit} is given; give one from 0 to {number_text(clock.last)}")
    if len(given) > MOST_STILLS:
        raise InputError(f"{len(given)} {clock.unit}s are too many; give at most {MOST_STILLS}")
    for place, one in enumerate(given):
        if one in given[:place]:
            raise InputError(f"{clock.unit} {one} is given twice; give each once")
    return [_moment_of(one, clock, runs) for one in given]


def _moment_of(named: float | str, clock: Clock, runs: Sequence[Trajectory]) -> float:
    if isinstance(named, str) and named in MOMENTS:
        if named != "converged":
            return clock.first if named == "start" else clock.last
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
        return clock.moment(float(named) if not isinstance(named, bool) else math.nan)
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise InputError(f"{error}, or one of {', '.join(MOMENTS)}") from None
        raise InputError(
            f"{clock.unit} {shown(named)} is no number; give one from {number_text(clock.first)} "
            f"to {number_text(clock.last)}, or one of {', '.join(MOMENTS)}"
        ) from None
