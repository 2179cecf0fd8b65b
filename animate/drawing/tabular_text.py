"""
Text with tabular figures that is fast to draw and keeps its position while numbers change.

matplotlib lays out and rasterizes each new text glyph by glyph. With a dozen numbers in a picture,
that takes most of the time of a frame. Here each word and each digit is rasterized once and cached.
A text is composed of these images; all digits have the same width.
"""

import math
import re
from collections.abc import Hashable
from functools import lru_cache
from itertools import accumulate

import numpy as np
import numpy.typing as npt
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgba
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text

Coverage = npt.NDArray[np.uint8]

ALIGNMENTS = {"left": 0.0, "center": 0.5, "right": 1.0}
COVERAGE_LEVELS = 4  # of antialiasing: more would not show in a GIF of 64 colours, but enlarge it
ASCENT, DESCENT, OVERHANG = 1.2, 0.4, 0.3  # relative to the font size: the margins of an image


class TabularText(Text):
    """
    One line of plain text, aligned at its baseline.

    Vector backends draw it like any other Text.
    """

    def drawing_key(self) -> Hashable:
        """Return a key of all that affects the drawing: equal keys mean equal pixels."""
        clip = self.get_clip_box() if self.get_clip_on() else None
        return (
            self.get_text() if self.get_visible() else "",
            tuple(self.get_transform().transform(self.get_position())),
            self.get_horizontalalignment(),
            to_rgba(self.get_color(), self.get_alpha()),
            hash(self.get_fontproperties()),  # its hash, since it is mutable
            None if clip is None else clip.bounds,
        )

    def draw(self, renderer: RendererBase) -> None:
        """Draw the text from the cached images of its parts."""
        if not isinstance(renderer, RendererAgg):
            super().draw(renderer)
            return
        text = self.get_text()
        if not (text and self.get_visible()):
            return
        size = renderer.points_to_pixels(self.get_fontsize())
        glyphs = _glyph_cache(self.get_fontproperties(), size)
        coverage, width = glyphs.typeset(text)
        color = np.array(to_rgba(self.get_color(), self.get_alpha()))
        picture = np.empty((*coverage.shape, 4), np.uint8)
        # As uint32, since numpy is slow when it writes three of every four bytes.
        picture.view(np.uint32)[:] = np.rint(color * 255).astype(np.uint8).view(np.uint32)
        picture[..., 3] = coverage if color[3] == 1 else np.rint(coverage * color[3])
        share = ALIGNMENTS[self.get_horizontalalignment()]
        x, y = self.get_transform().transform(self.get_position())
        context = renderer.new_gc()
        self._set_gc_clip(context)  # type: ignore[attr-defined]
        renderer.draw_image(
            context,
            round(x - share * width) - glyphs.overhang,
            round(y) - glyphs.descent,
            picture,
        )
        context.restore()


class _GlyphCache:
    """Images of words and digits in one font and size, each rasterized at its first use."""

    def __init__(self, font: FontProperties, size: float) -> None:
        self._font = font.copy()
        self._font.set_size(size)
        self._size = size
        self._parts: dict[str, tuple[Coverage, float]] = {}
        self.overhang, self.descent = round(OVERHANG * size), round(DESCENT * size)

    def typeset(self, text: str) -> tuple[Coverage, float]:
        """Return the coverage of each pixel by `text`, uint8, bottom row first, and the width."""
        parts = [self._part(part) for part in re.findall(r"\d|\D+", text)]
        ends = list(accumulate(advance for _, advance in parts))
        whole = np.zeros((len(parts[0][0]), math.ceil(ends[-1]) + 2 * self.overhang), np.uint8)
        for (picture, _), start in zip(parts, [0.0, *ends], strict=False):
            room = whole[:, round(start) : round(start) + picture.shape[1]]
            np.maximum(room, picture[:, : room.shape[1]], out=room)
        return whole, ends[-1]

    def _part(self, part: str) -> tuple[Coverage, float]:
        if part not in self._parts:
            self._parts[part] = self._render_part(part)
        return self._parts[part]

    def _render_part(self, part: str) -> tuple[Coverage, float]:
        """Return the coverage of a word or digit, and its advance width in pixels."""
        ruler = RendererAgg(1, 1, 72)
        measured = "0" if part.isdigit() else part
        advance, _, _ = ruler.get_text_width_height_descent(measured, self._font, False)
        wide = math.ceil(advance) + 2 * self.overhang
        high = self.descent + round(ASCENT * self._size)
        renderer = RendererAgg(wide, high, 72)
        context = renderer.new_gc()
        renderer.draw_text(context, self.overhang, high - self.descent, part, self._font, 0)
        covered = np.asarray(renderer.buffer_rgba())[::-1, :, 3] / 255
        return np.rint(np.rint(covered * COVERAGE_LEVELS) * (255 / COVERAGE_LEVELS)).astype(
            np.uint8
        ), float(advance)


_glyph_cache = lru_cache(maxsize=16)(_GlyphCache)
