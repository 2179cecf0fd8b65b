"""
Text with tabular figures that is fast to draw and keeps its position while numbers change.

matplotlib lays out and rasterizes each new text glyph by glyph. With a dozen numbers in a picture,
that takes most of the time of a frame. Here each word and each digit is rasterized once and cached.
A text is composed of these images; all digits have the same width.
"""

import math
import re
from collections.abc import Hashable, Sequence
from functools import lru_cache
from itertools import accumulate

import numpy as np
import numpy.typing as npt
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgba
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font, Kerning, LoadFlags
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D

from animate.drawing.typeface import fonts_of

Coverage = npt.NDArray[np.uint8]

ALIGNMENTS = {"left": 0.0, "center": 0.5, "right": 1.0}
PARTS = re.compile(r"\d|\D+")  # digits and words
PHASES = 4  # positions of a word within a pixel
COVERAGE_LEVELS = 8  # of antialiasing: more would not show in a GIF of 64 colours, but enlarge it
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
        share = ALIGNMENTS[self.get_horizontalalignment()]
        x, y = self.get_transform().transform(self.get_position())
        parts = PARTS.findall(text)
        ends = glyphs.ends(parts)
        left, start = divmod(x - share * ends[-1], 1)
        coverage = glyphs.typeset(parts, ends, start)
        color = np.array(to_rgba(self.get_color(), self.get_alpha()))
        picture = np.empty((*coverage.shape, 4), np.uint8)
        # As uint32, since numpy is slow when it writes three of every four bytes.
        picture.view(np.uint32)[:] = np.rint(color * 255).astype(np.uint8).view(np.uint32)
        picture[..., 3] = coverage if color[3] == 1 else np.rint(coverage * color[3])
        context = renderer.new_gc()
        self._set_gc_clip(context)  # type: ignore[attr-defined]
        renderer.draw_image(
            context,
            int(left) - glyphs.overhang,
            round(y) - glyphs.descent,
            picture,
        )
        context.restore()


class _GlyphCache:
    """
    Images of words and digits in one font and size, each rasterized at its first use.

    matplotlib would draw each image at a whole pixel, so that gaps of small text would differ by a
    pixel. Here outlines are filled at one of `PHASES` positions within a pixel. They are hinted as
    matplotlib hints them, and so as sharp.
    """

    def __init__(self, font: FontProperties, size: float) -> None:
        self._fonts = fonts_of(font)
        self._size = size
        self._advances: dict[str, float] = {}
        self._parts: dict[tuple[str, int], Coverage] = {}
        self.overhang, self.descent = round(OVERHANG * size), round(DESCENT * size)
        self._height = self.descent + round(ASCENT * size)

    def ends(self, parts: Sequence[str]) -> list[float]:
        """Return where each word and digit ends, in pixels; digits are all as wide as a zero."""
        return list(accumulate(map(self._advance, parts)))

    def typeset(self, parts: Sequence[str], ends: Sequence[float], start: float) -> Coverage:
        """
        Return the coverage of each pixel by a text, uint8, bottom row first.

        Its `parts` have these `ends`, and the first starts `start` pixels right of the overhang.
        """
        width = math.ceil(start + ends[-1]) + 2 * self.overhang
        whole = np.zeros((self._height, width), np.uint8)
        for part, position in zip(parts, (0.0, *ends), strict=False):
            place = round((start + position) * PHASES)
            left = place // PHASES
            picture = self._part(part, place % PHASES)
            room = whole[:, left : left + picture.shape[1]]
            np.maximum(room, picture[:, : room.shape[1]], out=room)
        return whole

    def _advance(self, part: str) -> float:
        """Return the advance width of a word or digit in pixels."""
        advance = self._advances.get(part)
        if advance is None:
            advance = self._advances[part] = self._layout("0" if part.isdecimal() else part)[1]
        return advance

    def _part(self, part: str, phase: int) -> Coverage:
        picture = self._parts.get((part, phase))
        if picture is None:
            picture = self._parts[part, phase] = self._render_part(part, phase)
        return picture

    def _render_part(self, part: str, phase: int) -> Coverage:
        """Return the coverage of a word or digit that starts at `phase` in a pixel."""
        outlines, advance = self._layout(part)
        room = self._advance(part)
        start = self.overhang + phase / PHASES + (room - advance) / 2  # in fonts of unequal digits
        renderer = RendererAgg(math.ceil(room) + 1 + 2 * self.overhang, self._height, 72)
        context = renderer.new_gc()
        context.set_linewidth(0)
        context.set_snap(False)
        for x, outline in outlines:
            place = Affine2D().translate(start + x, self.descent)
            renderer.draw_path(context, outline, place, (0, 0, 0))
        covered = np.asarray(renderer.buffer_rgba())[::-1, :, 3] / 255
        return np.rint(np.rint(covered * COVERAGE_LEVELS) * (255 / COVERAGE_LEVELS)).astype(
            np.uint8
        )

    def _layout(self, part: str) -> tuple[list[tuple[float, Path]], float]:
        """Return the outline of each character with its position in pixels, and the width."""
        outlines: list[tuple[float, Path]] = []
        x = 0.0
        before: tuple[FT2Font | None, int] = None, 0
        for character in part:
            font = next(
                (one for one in self._fonts if one.get_char_index(ord(character))), self._fonts[0]
            )
            font.set_size(self._size, 72)  # others use the same font with other sizes
            index = font.get_char_index(ord(character))
            if before[0] is font:
                x += font.get_kerning(before[1], index, Kerning.UNFITTED) / 64
            glyph = font.load_glyph(index, flags=LoadFlags.FORCE_AUTOHINT)
            vertices, codes = font.get_path()
            if len(vertices):
                outlines.append((x, Path(vertices, codes)))
            x += glyph.linearHoriAdvance / 65536
            before = font, index
        return outlines, x


_glyph_cache = lru_cache(maxsize=16)(_GlyphCache)
