"""Measure and truncate text."""

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
    Return `text` in at most `lines` lines, 1 or 2, of `width` pixels; the last is truncated.

    Of two lines, the first ends after a colon if possible, else they are about as long.

    >>> wrap("diverging: past the limit", 150, 10, 2), wrap("diverging: past the limit", 80, 10, 2)
    (['diverging: past the limit'], ['diverging:', 'past the limit'])
    """
    if lines == 1 or text_width(text, size) <= width:
        return [truncate(text, width, size)]
    words = text.split(" ")
    breaks = [(" ".join(words[:end]), " ".join(words[end:])) for end in range(1, len(words))]
    fitting = [(one, two) for one, two in breaks if text_width(one, size) <= width]
    if not fitting:
        return [truncate(text, width, size)]

    def badness(parts: tuple[str, str]) -> tuple[bool, bool, float]:
        longest = max(text_width(part, size) for part in parts)
        return longest > width, not parts[0].endswith(":"), longest

    first, second = min(fitting, key=badness)
    return [first, truncate(second, width, size)]
