"""
The best film that is no larger than so many bytes.

There is one ladder of settings from the best to the poorest: first less quality (fewer colours, or
a coarser compression), then fewer frames a second, then a smaller picture, as long as its text can
be read. Each rung makes a smaller file than the one above, so the best that fits is found by
halving; what fits is known from files that were made, and never from an estimate.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from animate.system.validation import QUALITIES

RATES = (20, 15, 12.5, 10)  # frames a second
SMALLER = 0.88  # of each side, a rung
MOST_SMALLER = 12  # rungs


@dataclass(frozen=True, slots=True)
class Setting:
    """What makes a film larger or smaller."""

    quality: str
    fps: float
    size: tuple[int, int]

    def __str__(self) -> str:
        width, height = self.size
        return f"{self.quality} quality, {self.fps:g} frames a second, {width}x{height}"


def ladder(best: Setting, is_legible: Callable[[tuple[int, int]], bool]) -> list[Setting]:
    """Return the settings from `best` down to the poorest that `is_legible` allows."""
    return list(_rungs(best, is_legible))


def _rungs(best: Setting, is_legible: Callable[[tuple[int, int]], bool]) -> Iterator[Setting]:
    rung = best
    for quality in reversed(QUALITIES[: QUALITIES.index(best.quality) + 1]):
        rung = replace(rung, quality=quality)
        yield rung
    for fps in RATES:
        if fps < best.fps:
            rung = replace(rung, fps=fps)
            yield rung
    for step in range(1, MOST_SMALLER + 1):
        width, height = (round(side * SMALLER**step / 2) * 2 for side in best.size)
        if not is_legible((width, height)):
            return
        rung = replace(rung, size=(width, height))
        yield rung


def first_that_fits(
    rungs: Sequence[Setting], made: Callable[[Setting], int], limit: int
) -> tuple[int | None, int]:
    """
    Return the place of the first rung whose file is no larger than `limit`, by halving.

    Parameters
    ----------
    rungs : sequence of Setting
        From the largest file to the smallest.
    made : callable
        Makes a film and returns its bytes.
    limit : int
        In bytes.

    Returns
    -------
    (int or None, int)
        The place and its file's bytes; if no rung fits, None and the smallest file's.
    """
    sizes = {}

    def fits(place: int) -> bool:
        sizes[place] = made(rungs[place])
        return sizes[place] <= limit

    if fits(0):
        return 0, sizes[0]
    low, high = 0, len(rungs) - 1
    if not (high and fits(high)):
        return None, min(sizes.values())
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            high = middle
        else:
            low = middle
    return high, sizes[high]
