"""
Numbers, images and shapes as short text, which `decode.js` reads again.

Numbers are base64 of little-endian bytes. The images of a run mostly repeat the one before, so only
the pixels that change are written.
"""

import itertools
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from contourpy import FillType, contour_generator

from animate.training.problem import Doubles

NOT_FINITE = 65535  # stands for NaN among `steps_of`
BEYOND = 4.0  # heights of the axes, above and below, in which `steps_of` tells numbers apart
SIDE = 1000  # units of the height of the axes, for the corners of shapes


def floats(values: npt.ArrayLike) -> str:
    """Return numbers as float32, which a picture cannot tell from more digits."""
    with np.errstate(over="ignore"):
        return b64encode(np.asarray(values).astype("<f4").tobytes()).decode()


def steps_of(values: Doubles, low: float, high: float) -> str:
    """
    Return numbers as 16-bit steps, of which 7281 are the height from `low` to `high`.

    Those more than `BEYOND` heights away are moved there.

    >>> steps_of(np.array([0.0, 1.0, np.nan]), 0, 1)
    'xnE4jv//'
    """
    share = np.clip((values - low) / (high - low), -BEYOND, 1 + BEYOND)
    scaled = (share + BEYOND) * ((NOT_FINITE - 1) / (1 + 2 * BEYOND))
    whole = np.where(np.isfinite(scaled), np.nan_to_num(scaled).round(), NOT_FINITE)
    return b64encode(whole.astype("<u2").tobytes()).decode()


def images(pixels: Sequence[npt.NDArray[np.uint8]], classes: int) -> str:
    """
    Return images of class indices, shape (N,) each, as the changes from one to the next.

    Before the first, all pixels are 0. Each image is a number of stretches that change to one
    class. A stretch is how many pixels are skipped before it, and ``length * classes + class``.
    All are numbers of 7 bits a byte, the lowest first; the eighth bit says that more follow.
    """
    found = bytearray()
    previous = np.zeros_like(pixels[0])
    for image in pixels:
        stretches = list(_stretches(previous, image))
        found += _varint(len(stretches))
        end = 0
        for start, stop in stretches:
            found += _varint(start - end)
            found += _varint((stop - start) * classes + int(image[start]))
            end = stop
        previous = image
    return b64encode(bytes(found)).decode()


def shape(x: Doubles, y: Doubles, values: Doubles, low: float, high: float) -> str:
    """
    Return where `values` (Y, X) are between `low` and `high`, as the path of an SVG element.

    The lower left corner is (0, `SIDE`), and the upper left one (0, 0). Both axes have one scale.
    """
    contours = contour_generator(x, y, values, fill_type=FillType.OuterOffset)
    found: Any = contours.filled(low, high)
    polygons, offsets = found
    unit = SIDE / (y[-1] - y[0])
    path = []
    for points, ends in zip(polygons, offsets, strict=True):
        corners = np.column_stack([points[:, 0] - x[0], y[-1] - points[:, 1]]) * unit
        whole = corners.round().astype(int)
        for start, stop in itertools.pairwise(ends):
            path.append(_ring(whole[start:stop]))
    return "".join(path)


def _ring(corners: npt.NDArray[np.int_]) -> str:
    """Return a closed line as a path, each corner relative to the one before."""
    moves = np.diff(corners, axis=0)
    moves = moves[moves.any(axis=1)]
    if len(moves) < 3:
        return ""
    x, y = corners[0]
    rest = "".join(_number(dx) + _number(dy) for dx, dy in moves[:-1].tolist())
    return f"M{x} {y}l{rest.removeprefix(' ')}z"


def _number(value: int) -> str:
    """Return `value` so that it is apart from the number before it."""
    return str(value) if value < 0 else f" {value}"


def _stretches(
    before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8]
) -> Iterator[tuple[int, int]]:
    """Yield start and end of the stretches of pixels that change to one class."""
    changes = np.flatnonzero(before != after)
    if not len(changes):
        return
    breaks = 1 + np.flatnonzero((np.diff(changes) > 1) | (np.diff(after[changes]) != 0))
    for stretch in np.split(changes, breaks):
        yield int(stretch[0]), int(stretch[-1]) + 1


def _varint(value: int) -> bytes:
    """
    Return a whole number in 7 bits a byte.

    >>> _varint(5).hex(), _varint(300).hex()
    ('05', 'ac02')
    """
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)
