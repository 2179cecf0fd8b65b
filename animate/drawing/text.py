"""Measure and truncate text."""

import re
from functools import cache

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import TextToPath

FAMILY = "DejaVu Sans"
CHARACTER_WIDTH = 0.55  # em, the mean of the font
MISSING = "\u25af"  # an empty box


def replace_missing_glyphs(text: str, bold: bool = False) -> str:
    r"""
    Return `text` on one line, with an empty box for each character missing in the font.

    >>> replace_missing_glyphs("one\ntwo \N{ROCKET}")
    'one two ▯'
    """
    font = get_font(findfont(FontProperties(family=FAMILY, weight="bold" if bold else "normal")))
    return "".join(
        character if font.get_char_index(ord(character)) else MISSING
        for character in " ".join(text.split())
    )


@cache
def text_width(text: str, size: float, bold: bool = False) -> float:
    """Return the width in pixels of `text` at font size `size`, in pixels."""
    font = FontProperties(family=FAMILY, weight="bold" if bold else "normal", size=100)
    width: float = TextToPath().get_text_width_height_descent(text, font, ismath=False)[0]
    return width * size / 100


def truncate(text: str, width: float, size: float, bold: bool = False) -> str:
    """Return `text`, or the longest start that fits into `width` pixels with an ellipsis."""
    if text_width(text, size, bold) <= width:
        return text
    fits, fails = 0, min(len(text), 1000)
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if text_width(text[:middle].rstrip() + "…", size, bold) <= width:
            fits = middle
        else:
            fails = middle
    return text[:fits].rstrip() + "…"


def wrap(text: str, width: float, size: float, lines: int) -> list[str]:
    """
    Return `text` in at most `lines` lines of `width` pixels; what does not fit is truncated.

    >>> wrap("diverging: past the limit", 150, 10, 1), wrap("diverging: past the limit", 80, 10, 2)
    (['diverging: past the limit'], ['diverging:', 'past the limit'])
    """
    if lines == 1 or text_width(text, size) <= width:
        return [truncate(text, width, size)]
    ends = [match.end() for match in re.finditer(" ", text)]
    fitting = [end for end in ends if text_width(text[:end].rstrip(), size) <= width]
    if not fitting:
        return [truncate(text, width, size)]
    # After a colon, if what follows fits; else as far as the line goes.
    after_colon = [
        end
        for end in fitting
        if text[: end - 1].endswith(":") and text_width(text[end:], size) <= width
    ]
    end = (after_colon or fitting)[-1]
    return [text[: end - 1], *wrap(text[end:], width, size, lines - 1)]
