"""
Convert RGBA frames to I420: luma, and chroma at half the width and height (4:2:0).

Only pixels that differ from the previous frame are converted. Chroma is the mean of four pixels,
so its sample position is in the middle of them.
"""

import numpy as np
import numpy.typing as npt

from animate.film.encode.ffmpeg import Frame, Pixels

CELLS_AT_ONCE = 8192  # so that the arrays fit in the processor's cache
BITS = 16  # after the binary point: integers give the same result on every processor
LUMA = np.array([0.2126, 0.7152, 0.0722])
# ffmpeg's filter that declares the colour space of the planes.
BT709 = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"


def _matrix() -> npt.NDArray[np.int32]:
    """
    Return the matrix from R, G, B (columns) to Y', Cb, Cr (rows), in 2**-BITS, shape (3, 3).

    From Recommendation ITU-R BT.709-6, items 3.2 to 3.4, with 8 bits.
    """
    blue, red = [0, 0, 1], [1, 0, 0]
    rows = [219 * LUMA, 224 * (blue - LUMA) / 1.8556, 224 * (red - LUMA) / 1.5748]
    matrix: npt.NDArray[np.int32] = np.rint(np.array(rows) / 255 * 2**BITS).astype(np.int32)
    return matrix


MATRIX = _matrix()


class I420:
    """
    Converts successive frames to BT.709 planes in limited range.

    Parameters
    ----------
    width, height : int
        In pixels. An odd side is padded by repeating its last pixel.
    """

    def __init__(self, width: int, height: int) -> None:
        self._odd = height % 2, width % 2
        self._pairs_a_row = (width + 1) // 2
        size = 4 * self._pairs_a_row * ((height + 1) // 2)
        self._planes = np.empty(size * 3 // 2, np.uint8)
        self._luma = self._planes[:size].view(np.uint16)  # pairs of pixels
        self._cb, self._cr = self._planes[size:].reshape(2, size // 4)
        self._previous: npt.NDArray[np.uint64] | None = None

    def convert(self, frame: Frame) -> Pixels:
        """
        Return the luma, Cb and Cr planes of `frame` as one new flat array.

        With sides rounded up to even numbers, its size is height * width * 3/2. `frame`, of shape
        (height, width, 4), must not change until the next call, which compares it.
        """
        if any(self._odd):
            frame = np.pad(frame, (*((0, odd) for odd in self._odd), (0, 0)), mode="edge")
        pairs = np.ascontiguousarray(frame).reshape(-1).view(np.uint64)
        if self._previous is None:
            cells = np.arange(pairs.size // 2)
        else:
            differs = (pairs != self._previous).reshape(-1, 2, self._pairs_a_row)
            cells = np.flatnonzero(differs[:, 0] | differs[:, 1])
        self._previous = pairs
        for start in range(0, len(cells), CELLS_AT_ONCE):
            self._set(pairs, cells[start : start + CELLS_AT_ONCE])
        return self._planes.copy()

    def _set(self, pairs: npt.NDArray[np.uint64], cells: npt.NDArray[np.int64]) -> None:
        """Convert cells of 2 x 2 pixels: luma for each pixel, chroma for all four."""
        above = cells + cells // self._pairs_a_row * self._pairs_a_row
        places = np.array([above, above + self._pairs_a_row])
        pixels = pairs[places].view(np.uint8).reshape(2, len(cells), 2, 4)
        colors = np.array(np.moveaxis(pixels, 3, 0)[:3], np.int32, order="C")
        self._luma[places] = _weighted(colors, MATRIX[0], 16, BITS).view(np.uint16)[..., 0]
        both = colors[:, 0] + colors[:, 1]
        sums = both[..., 0] + both[..., 1]
        self._cb[cells] = _weighted(sums, MATRIX[1], 128, BITS + 2)
        self._cr[cells] = _weighted(sums, MATRIX[2], 128, BITS + 2)


def _weighted(
    colors: npt.NDArray[np.int32], row: npt.NDArray[np.int32], offset: int, bits: int
) -> Pixels:
    """Return `offset` plus a row of the matrix, in 2**-bits, times R, G and B, rounded."""
    red, green, blue = colors
    total = red * row[0] + green * row[1] + blue * row[2]
    total += (offset << bits) + (1 << (bits - 1))  # one half: the shift rounds down
    rounded: Pixels = (total >> bits).astype(np.uint8)
    return rounded
