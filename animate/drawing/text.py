"""Measure and truncate text."""

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
    fits, fails = 0, min(len(text), 1000)
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if text_width(text[:middle].rstrip() + "…", size, bold) <= width:
            fits = middle
        else:
            fails = middle
    return text[:fits].rstrip() + "…"
