"""The film of a zoom: its frames, and the moments that they show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from animate.drawing.zoom import ZoomPicture
from animate.film import encode
from animate.film.stream import Frame
from animate.system.errors import InputError

LEVEL_SECONDS = 1.6  # to zoom by a factor of 2
FIRST_SECONDS = 1.5  # for which the widest level is shown


def zoom_timeline(
    depth: int, fps: float, hold: float, duration: float | None = None
) -> list[float]:
    """
    Return the level that each frame shows, from 0 to `depth`, at a steady pace.

    Raises
    ------
    InputError
        If the duration leaves no time to zoom.
    """
    if duration is None:
        duration = FIRST_SECONDS + LEVEL_SECONDS * depth + hold
    first, last = round(FIRST_SECONDS * fps), round(hold * fps)
    moving = round(duration * fps) - first - last
    if moving < 2:
        raise InputError(
            f"a zoom of {duration:g} seconds is too short for a hold of {hold:g} seconds; give at "
            f"least {FIRST_SECONDS + hold + 2 / fps:.3g} seconds, or a shorter hold"
        )
    steady: list[float] = np.linspace(0, depth, moving).tolist()
    return [0.0] * first + steady + [float(depth)] * last


def save_zoom(
    picture: ZoomPicture,
    levels: Sequence[float],
    films: Sequence[encode.Film],
    on_frame: Callable[[], None],
    on_written: Callable[[encode.Film], None],
) -> list[OSError | None]:
    """Write films of the same zoom, whose frames are drawn once; returns the error of each."""

    def frames() -> Iterator[Frame]:
        shown, frame = None, None
        for level in levels:
            if frame is None or level != shown:
                shown, frame = level, picture.frame(level)
            yield frame
            on_frame()

    sample = [picture.frame(level) for level in np.linspace(0, picture.depth, 6)]
    return encode.encode_each(frames(), films, sample=sample, on_written=on_written)
