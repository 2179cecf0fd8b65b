"""Frames as video stores them, brightness and halved colour, converted only where they change."""

import numpy as np
import numpy.typing as npt

from animate.encode.ffmpeg import Frame

CELLS_AT_ONCE = 8192  # so that what is computed with stays in the processor's cache
UNPADDED = ((0, 0), (0, 0), (0, 0))
BITS = 16  # of the fraction of each weight: whole numbers, so that every processor gives the same


# What red, green and blue give to luma and to the differences of blue and of red from it, 8 bits
# each. From Recommendation ITU-R BT.709-6, items 3.2 to 3.4.
LUMA = np.array([0.2126, 0.7152, 0.0722])
SHARES = np.array(
    [219 * LUMA, 224 * ([0, 0, 1] - LUMA) / 1.8556, 224 * ([1, 0, 0] - LUMA) / 1.5748]
)
WEIGHTS: npt.NDArray[np.int32] = np.rint(SHARES / 255 * 2**BITS).astype(np.int32)


class Planes:
    """
    One frame after another as Y, U and V of BT.709 in the limited range, in 4:2:0.

    Parameters
    ----------
    width, height : int
        In pixels. An odd side gets one more, like those at its edge.
    """

    def __init__(self, width: int, height: int) -> None:
        self._pad = ((0, height % 2), (0, width % 2), (0, 0))
        self._pairs_a_row = (width + 1) // 2
        size = 4 * self._pairs_a_row * ((height + 1) // 2)
        self._planes = np.empty(size * 3 // 2, np.uint8)
        self._luma = self._planes[:size].view(np.uint16)  # in pairs, as the pixels below
        self._blue, self._red = self._planes[size:].reshape(2, size // 4)
        self._shown: npt.NDArray[np.uint64] | None = None

    def of(self, frame: Frame) -> Frame:
        """
        Return the planes one after the other, an own copy of shape (1.5 * height * width,).

        `frame`, of shape (height, width, 4), is compared with the one before it, so that one must
        not have been changed meanwhile.
        """
        if self._pad != UNPADDED:
            frame = np.pad(frame, self._pad, mode="edge")
        pairs = np.ascontiguousarray(frame).reshape(-1).view(np.uint64)
        if self._shown is None:
            cells = np.arange(pairs.size // 2)
        else:
            differs = (pairs != self._shown).reshape(-1, 2, self._pairs_a_row)
            cells = np.flatnonzero(differs[:, 0] | differs[:, 1])
        self._shown = pairs
        for start in range(0, len(cells), CELLS_AT_ONCE):
            self._convert(pairs, cells[start : start + CELLS_AT_ONCE])
        return self._planes.copy()

    def _convert(self, pairs: npt.NDArray[np.uint64], cells: npt.NDArray[np.int64]) -> None:
        """Set the planes in cells of 2 x 2 pixels: a luma for each of these, one colour for all."""
        above = cells + cells // self._pairs_a_row * self._pairs_a_row
        places = np.array([above, above + self._pairs_a_row])
        pixels = pairs[places].view(np.uint8).reshape(2, len(cells), 2, 4)
        colors = np.array(np.moveaxis(pixels, 3, 0)[:3], np.int32, order="C")
        self._luma[places] = _weighted(colors, WEIGHTS[0], 16, BITS).view(np.uint16)[..., 0]
        both = colors[:, 0] + colors[:, 1]
        sums = both[..., 0] + both[..., 1]
        self._blue[cells] = _weighted(sums, WEIGHTS[1], 128, BITS + 2)
        self._red[cells] = _weighted(sums, WEIGHTS[2], 128, BITS + 2)


def _weighted(
    colors: npt.NDArray[np.int32], weights: npt.NDArray[np.int32], least: int, bits: int
) -> npt.NDArray[np.uint8]:
    """Return the weighted sum of red, green and blue, rounded, above `least`."""
    red, green, blue = colors
    total = red * weights[0] + green * weights[1] + blue * weights[2]
    total += (2 * least + 1) << (bits - 1)
    whole: npt.NDArray[np.uint8] = (total >> bits).astype(np.uint8)
    return whole
