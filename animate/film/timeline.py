"""The moment that each frame shows: slow first steps, then a steady pace, then a hold."""

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
from animate.system import defaults
from animate.system.errors import InputError


def timeline(
    last: int,
    fps: float = defaults.FPS,
    hold: float = defaults.HOLD,
    duration: float | None = None,
    moments_per_epoch: float = 1,
) -> tuple[int, ...]:
    """
    Return the moment that each frame shows, as indices from 0 to `last` in ascending order.

    Parameters
    ----------
    last : int
        Index of the last moment.
    fps : float
        Frames a second.
    hold : float
        Seconds for which the last moment is shown.
    duration : float, optional
        Length of the film in seconds, exact to a frame. The default shows up to 400 moments all,
        and a sample of more in less than 14 seconds (unless the hold needs longer).
    moments_per_epoch : float
        With mini-batches, the first epochs are slow, not only the first steps of the first one.

    Raises
    ------
    InputError
        If the hold leaves no time to show start and end.
    """
    held, spread = round(hold * fps), max(1.0, moments_per_epoch)
    if duration is not None:
        moving = round(duration * fps) - held
    elif last <= MOST_MOMENTS:
        moving = math.ceil(
            _frames_a_moment(last, fps, max(1.0, fps / STEADY_PACE), spread=spread).sum()
        )
    else:
        moving = max(round((LONG_RUN_SECONDS - hold) * fps), round(fps))
    if moving < 2:
        raise InputError(
            f"a film of {duration:g} seconds is too short for a hold of {hold:g} seconds; "
            f"give at least {hold + 2 / fps:.3g} seconds, or a shorter hold"
        )
    ends = np.cumsum(_fit_to(last, fps, moving, spread))
    ends *= moving / ends[-1]
    shown = np.searchsorted(ends, np.arange(moving), side="right").clip(0, last)
    shown[0], shown[-1] = 0, last
    return (*shown.tolist(), *[last] * held)


def _frames_a_moment(
    last: int, fps: float, steady: float, ease: float = 1.0, spread: float = 1.0
) -> np.ndarray:
    """
    Return for how many frames each moment is shown.

    `ease` scales the slow start, and `spread` is the number of moments that share the time of one.
    """
    step = np.arange(last + 1)
    first = (FIRST_STEP_SECONDS * fps - 1) / spread
    extra = first * np.exp(-(step - 1) / (SLOW_START_DECAY * spread))
    extra[0] = START_SECONDS * fps - 1
    return steady + np.maximum(ease * extra, 0)


def _fit_to(last: int, fps: float, moving: int, spread: float) -> np.ndarray:
    """
    Return for how many frames each moment is shown, `moving` in all.

    The slow start takes at most half of a short film.
    """
    extra = _frames_a_moment(last, fps, 0, spread=spread).sum()
    ease = min(1.0, 0.5 * moving / extra) if extra > 0 else 0.0
    steady = (moving - ease * extra) / (last + 1)
    return _frames_a_moment(last, fps, steady, ease, spread)
