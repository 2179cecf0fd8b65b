"""
Find the best film that is no larger than a limit.

The settings form a ladder from the best to the poorest: first less quality, then fewer frames a
second, then smaller pictures, as long as their text is legible. Each rung gives a smaller file than
the one above, so a binary search finds the best that fits. Sizes are those of films that were made,
never estimates.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from animate.system.validation import QUALITIES

FRAME_RATES = (20, 15, 12.5, 10)  # frames a second
SCALE = 0.88  # of width and height, from a rung to the next
MAX_SCALINGS = 12


@dataclass(frozen=True, slots=True)
class Setting:
    """The settings of a film that change its file's size."""

    quality: str
    fps: float
    size: tuple[int, int]

    def __str__(self) -> str:
        width, height = self.size
        return f"{self.quality} quality, {self.fps:g} frames a second, {width}x{height}"


def ladder(best: Setting, is_legible: Callable[[tuple[int, int]], bool]) -> list[Setting]:
    """Return the settings from `best` down to the poorest that `is_legible` allows."""
    poorer = reversed(QUALITIES[: QUALITIES.index(best.quality) + 1])
    rungs = [replace(best, quality=quality) for quality in poorer]
    rungs += [replace(rungs[-1], fps=fps) for fps in FRAME_RATES if fps < best.fps]
    lowest = rungs[-1]
    for step in range(1, MAX_SCALINGS + 1):
        width, height = (round(side * SCALE**step / 2) * 2 for side in best.size)
        if not is_legible((width, height)):
            break
        rungs.append(replace(lowest, size=(width, height)))
    return rungs


def first_that_fits(
    rungs: Sequence[Setting], made: Callable[[Setting], int], limit: int
) -> tuple[int | None, int]:
    """
    Return the index of the first rung whose file has at most `limit` bytes, and its bytes.

    If none fits, return None and the bytes of the smallest file. `made` makes a film and returns
    its bytes. The best rung is tried first, since it often fits, and the poorest second, so that a
    limit that is too low fails early.
    """
    sizes: dict[int, int] = {}

    def fits(index: int) -> bool:
        sizes[index] = made(rungs[index])
        return sizes[index] <= limit

    last = len(rungs) - 1
    if fits(0):
        return 0, sizes[0]
    if last == 0 or not fits(last):
        return None, min(sizes.values())
    first = bisect_left(range(last), True, lo=1, key=fits)
    return first, sizes[first]
