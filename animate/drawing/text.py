"""Measure and truncate text."""

from collections.abc import Sequence
from functools import cache

from matplotlib.textpath import TextToPath

from animate.drawing.typeface import Typeface, current_typeface

CHARACTER_WIDTH = 0.45  # em, the mean of the font
MISSING = "\u25af"  # an empty box


def replace_missing_glyphs(text: str, bold: bool = False) -> str:
    r"""
    Return `text` on one line, with an empty box for each character missing in the font.

    >>> replace_missing_glyphs("one\ntwo \N{ROCKET}")
    'one two ▯'
    """
    typeface = current_typeface()
    return "".join(
        character if typeface.has(character, bold=bold) else MISSING
        for character in " ".join(text.split())
    )


def missing_characters(text: str, bold: bool = False) -> list[str]:
    """Return the characters of `text` that the font lacks, each once, without white space."""
    typeface = current_typeface()
    return [
        character
        for character in dict.fromkeys("".join(text.split()))
        if not typeface.has(character, bold=bold)
    ]


def text_width(text: str, size: float, bold: bool = False) -> float:
    """
    Return the width in pixels of `text` at font size `size`, in pixels.

    As all functions here, in the typeface of the theme that is applied.
    """
    return _relative_width(text, bold, current_typeface()) * size


@cache
def _relative_width(text: str, bold: bool, typeface: Typeface) -> float:
    """Return the width of `text` relative to the font size."""
    font = typeface.properties(weight="bold" if bold else "normal", size=100)
    width: float = TextToPath().get_text_width_height_descent(text, font, ismath=False)[0]
    return width / 100


def truncate(text: str, width: float, size: float, bold: bool = False) -> str:
    """Return `text`, or the longest start that fits into `width` pixels with an ellipsis."""
    if text_width(text, size, bold) <= width:
        return text
    return text[: _count_that_fits(text, width, size, bold, "…")].rstrip() + "…"


def wrap(text: str, widths: Sequence[float], size: float, bold: bool = False) -> list[str]:
    """
    Return `text` in at most as many lines as there are `widths`, in pixels.

    Lines break at the line breaks of `text`, else at spaces, else anywhere. The last line ends with
    an ellipsis if the text does not fit.
    """
    *earlier, last = widths
    parts = [part for part in text.split("\n") if part.strip()]
    lines: list[str] = []
    for width in earlier:
        if not parts:
            return lines
        part = parts.pop(0)
        if text_width(part, size, bold) > width:
            fits = _count_that_fits(part, width, size, bold)
            space = part.rfind(" ", 0, fits + 1)
            end = space if space > 0 else fits
            parts.insert(0, part[end:].lstrip())
            part = part[:end].rstrip()
        lines.append(part)
    rest = " ".join(parts)
    return [*lines, truncate(rest, last, size, bold)] if rest else lines


def _count_that_fits(text: str, width: float, size: float, bold: bool, end: str = "") -> int:
    """Return how many characters of `text`, with `end` after them, fit into `width` pixels."""
    fits, fails = 0, min(len(text), 1000)
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if text_width(text[:middle].rstrip() + end, size, bold) <= width:
            fits = middle
        else:
            fails = middle
    return fits


def wrap_balanced(text: str, width: float, size: float, lines: int) -> list[str]:
    """
    Return `text` in at most `lines` lines, 1 or 2, of `width` pixels; the last is truncated.

    Of two lines, the first ends after a colon if possible, else they are about as long.

    >>> wrap_balanced("diverging: past the limit", 150, 10, 2)
    ['diverging: past the limit']
    >>> wrap_balanced("diverging: past the limit", 80, 10, 2)
    ['diverging:', 'past the limit']
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
