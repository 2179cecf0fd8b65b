"""Which moment each frame shows: slow first steps, then a steady pace, then a hold."""

import math

import numpy as np

from animate.drawing.pacing import (
    FIRST_STEP_SECONDS,
    LONG_RUN_SECONDS,
    MOST_MOMENTS,
    SLOW_START_DECAY,
    START_SECONDS,
    STEADY_PACE,
)
from animate.system.defaults import HOLD
from animate.system.errors import InputError


def timeline(
    last: int, fps: float = 25, hold: float = HOLD, duration: float | None = None
) -> tuple[int, ...]:
    """
    Return which of the moments 0 to `last` each frame shows, 0 first, `last` last, never falling.

    Parameters
    ----------
    last : int
        One less than the number of moments, at most one a record.
    fps : float
        Frames a second.
    hold : float
        Seconds that the last moment stands still.
    duration : float, optional
        The film's length in seconds, kept to the frame. Without it, every moment is shown up to
        400 of them, and a longer run takes under 14 seconds (or as long as the hold needs).

    Raises
    ------
    InputError
        If the hold leaves no time to show start and end.
    """
    still = round(hold * fps)
    if duration is not None:
        moving = round(duration * fps) - still
    elif last <= MOST_MOMENTS:
        moving = math.ceil(_dwell(last, fps, max(1.0, fps / STEADY_PACE)).sum())
    else:
        moving = max(round((LONG_RUN_SECONDS - hold) * fps), round(fps))
    if moving < 2:
        raise InputError(
            f"a film of {duration:g} seconds has no room beside a hold of {hold:g} seconds; "
            f"give at least {hold + 2 / fps:.3g} seconds, or a shorter hold"
        )
    ends = np.cumsum(_fitted(last, fps, moving))
    ends *= moving / ends[-1]
    shown = np.searchsorted(ends, np.arange(moving), side="right").clip(0, last)
    shown[0], shown[-1] = 0, last
    return (*shown.tolist(), *[last] * still)


def _dwell(last: int, fps: float, steady: float, ease: float = 1.0) -> np.ndarray:
    """Return how many frames each moment stands, with `ease` times the slow start's extra time."""
    step = np.arange(last + 1)
    extra = (FIRST_STEP_SECONDS * fps - 1) * np.exp(-(step - 1) / SLOW_START_DECAY)
    extra[0] = START_SECONDS * fps - 1
    return steady + np.maximum(ease * extra, 0)


def _fitted(last: int, fps: float, moving: int) -> np.ndarray:
    """Return the dwell whose sum is `moving`; a short film gives at most half to the slow start."""
    extra = _dwell(last, fps, 0).sum()
    ease = min(1.0, 0.5 * moving / extra) if extra > 0 else 0.0
    return _dwell(last, fps, (moving - ease * extra) / (last + 1), ease)
