"""Places for a number at each jump, where it hides nothing."""

from collections.abc import Sequence

import numpy as np

from animate.training.problem import Doubles

ALONG = 0.5, 0.35, 0.65, 0.2, 0.8  # of a jump, from its start
APART = 1.0  # between labels side by side, relative to their height

Rectangle = tuple[float, float, float, float]
"""Left, bottom, right, top."""


def place_labels(
    jumps: Sequence[Doubles],
    others: Sequence[Doubles],
    size: tuple[float, float],
    gap: float,
    obstacles: Sequence[Rectangle],
    floor: tuple[Doubles, Doubles],
    room: Rectangle,
) -> list[tuple[float, float] | None]:
    """
    Return the centers of labels of `size`, one for each jump; None where there is no room.

    A label is above or below its jump or beside it, over the floor, within `room`, and clear of
    obstacles, of all jumps and of the labels before it.

    Parameters
    ----------
    jumps : sequence of arrays, shape (2, 2)
        From where to where, in pixels; finite. The first ones get their labels first.
    others : sequence of arrays, shape (2, 2)
        Jumps without labels, which no label may hide.
    size : (float, float)
        Width and height of each label.
    gap : float
        Between a label and its jump.
    obstacles : sequence of rectangles
    floor : (array, array), shape (F,) each
        x, ascending, and y of a convex curve.
    room : rectangle
    """
    lines = np.array([*jumps, *others], float).reshape(-1, 2, 2)
    taken, places = list(obstacles), []
    for start, end in jumps:
        found = None
        for place in _candidates(start, end, size, gap):
            box = _around(place, size)
            if (
                _is_within(box, room)
                and _is_over(box, floor)
                and not is_crossed(box, lines)
                and not any(_overlap(box, other) for other in taken)
            ):
                found = place
                taken.append(_around(place, (size[0] + 2 * APART * size[1], size[1])))
                break
        places.append(found)
    return places


def _candidates(
    start: Doubles, end: Doubles, size: tuple[float, float], gap: float
) -> list[tuple[float, float]]:
    width, height = size
    points = [start + share * (end - start) for share in ALONG]
    up, side = height / 2 + gap, width / 2 + gap
    shifts = [(0.0, up), (0.0, -up), (side, 0.0), (-side, 0.0), (side, up), (-side, up)]
    return [(float(point[0] + x), float(point[1] + y)) for x, y in shifts for point in points]


def _around(place: tuple[float, float], size: tuple[float, float]) -> Rectangle:
    (x, y), (width, height) = place, size
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _is_within(box: Rectangle, room: Rectangle) -> bool:
    return box[0] >= room[0] and box[1] >= room[1] and box[2] <= room[2] and box[3] <= room[3]


def _is_over(box: Rectangle, floor: tuple[Doubles, Doubles]) -> bool:
    """Return whether a box is over a convex curve, which is highest at one of its sides."""
    heights: Doubles = np.interp([box[0], box[2]], *floor)
    return bool(heights.max() < box[1])


def is_crossed(box: Rectangle, lines: Doubles) -> bool:
    """
    Return whether a straight line, from where to where in `lines` (L, 2, 2), goes through a box.

    >>> is_crossed((0, 0, 1, 1), np.array([[[-1, 0.5], [9, 0.6]]]))
    True
    >>> is_crossed((0, 0, 1, 1), np.array([[[-1, 0.5], [0.5, 9]]]))
    False
    """
    starts, steps = lines[:, 0], lines[:, 1] - lines[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.array([(np.array(edge) - starts) / steps for edge in (box[:2], box[2:])])
    # A line along an axis is between both edges all the way, or never.
    is_between = (starts > box[:2]) & (starts < box[2:])
    always = np.where(is_between, np.inf, -np.inf)
    enter = np.where(steps == 0, -always, ends.min(axis=0)).max(axis=1)
    leave = np.where(steps == 0, always, ends.max(axis=0)).min(axis=1)
    return bool(((enter < leave) & (enter < 1) & (leave > 0)).any())


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
