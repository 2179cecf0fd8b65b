"""
The typeface of all texts: the font files that matplotlib draws them with.

Texts refer to the files themselves, so that pictures are the same on every machine, and no list
of matplotlib's changes. Characters that the typeface lacks come from DejaVu Sans, which ships with
matplotlib.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axis import Axis
from matplotlib.font_manager import FontProperties, fontManager, get_font
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

from animate.system import files, validation
from animate.system.errors import InputError

FALLBACK = "DejaVu Sans"
OWN = "Animate Sans"  # stands for the files of a typeface in a list of families
FONTS = Path(__file__).parent / "fonts"
ASCII = "".join(map(chr, range(0x21, 0x7F)))
MAX_FONT_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Typeface:
    """The font files for normal and for bold text."""

    regular: str
    bold: str

    def properties(self, **style: Any) -> FontProperties:
        """Return font properties with these files, and the arguments of `FontProperties`."""
        return _FontProperties(self, **style)

    def apply(self, artist: Artist) -> None:
        """Use this typeface for all texts in `artist` that have no font of their own."""
        for text in _texts(artist):
            given = text.get_fontproperties()
            if given.get_file() is None and given.get_family() == [FALLBACK]:
                text.set_fontproperties(
                    self.properties(
                        style=given.get_style(),
                        weight=given.get_weight(),
                        stretch=given.get_stretch(),
                        size=given.get_size_in_points(),
                    )
                )

    def fonts(self, *, bold: bool = False) -> tuple[FT2Font, ...]:
        """Return the fonts to look for a character in, in this order."""
        return tuple(map(get_font, _paths(self, bold)))

    def has(self, character: str, *, bold: bool = False) -> bool:
        """Return whether one of the fonts has a glyph for `character`."""
        return any(font.get_char_index(ord(character)) for font in self.fonts(bold=bold))


class _FontProperties(FontProperties):
    """
    Font properties with the files of a typeface.

    matplotlib looks a file up for one family after the other, and draws each character with the
    first that has it. Here the first family is the typeface's file, which depends on the weight.
    """

    def __init__(self, typeface: Typeface, **style: Any) -> None:
        super().__init__(family=[OWN, FALLBACK], **style)
        self.typeface = typeface

    def __copy__(self) -> _FontProperties:
        """Return a copy of this class; matplotlib 3.11 would make plain font properties."""
        other = _FontProperties.__new__(_FontProperties)
        other.__dict__.update(self.__dict__)
        return other

    def copy(self) -> _FontProperties:
        """Return a copy of this class."""
        return self.__copy__()

    def get_file(self) -> str | None:
        """Return the file of the typeface, or None to look for the fallback by its name."""
        if self.get_family()[0] != OWN:
            return None
        return self.typeface.bold if _is_bold(self.get_weight()) else self.typeface.regular


def load_typeface(path: str) -> Typeface:
    """
    Return the typeface of one font file, used for bold text as well.

    Raises
    ------
    InputError
        If the file cannot be read, is no TrueType or OpenType font, or lacks a character of ASCII.
    """
    validation.font(path)
    path = str(Path(path).absolute())  # fonts are cached by their path
    files.check_source(path, MAX_FONT_BYTES, "font")
    advice = "give a TrueType or OpenType font"
    try:
        _check_tables(Path(path).read_bytes())
        font = get_font(path)
        missing = [one for one in ASCII if not font.get_char_index(ord(one))]
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"font {path} cannot be read: {reason}; {advice}") from None
    if missing:
        raise InputError(
            f"font {path} lacks characters of ASCII, such as {validation.quoted(missing[0])}; "
            f"{advice} that has letters, digits and signs"
        )
    return Typeface(path, path)


def _check_tables(data: bytes) -> None:
    """Raise `ValueError` if a table is cut off, whose glyphs FreeType would draw as blanks."""
    try:
        (count,) = struct.unpack_from(">H", data, 4)
        places = [struct.unpack_from(">2L", data, 20 + 16 * number) for number in range(count)]
    except struct.error:
        places = [(0, len(data) + 1)]
    if any(offset + length > len(data) for offset, length in places):
        raise ValueError("it is no font, or cut off")


def fonts_of(properties: FontProperties) -> tuple[FT2Font, ...]:
    """Return the fonts that matplotlib draws text with these properties with, in its order."""
    if isinstance(properties, _FontProperties):
        return properties.typeface.fonts(bold=_is_bold(properties.get_weight()))
    return (get_font(fontManager.findfont(properties)),)


def _texts(artist: Artist) -> Iterator[Text]:
    """Yield the texts in `artist`, without making ticks, whose places are not known yet."""
    if isinstance(artist, Text):
        yield artist
    if isinstance(artist, Axis):
        yield from (artist.label, artist.offsetText)
        for tick in (*artist.majorTicks, *artist.minorTicks):  # later ones copy the first
            yield from (tick.label1, tick.label2)
        return
    for child in artist.get_children():
        yield from _texts(child)


def _is_bold(weight: str | int) -> bool:
    if isinstance(weight, str):
        return weight in ("semibold", "demibold", "demi", "bold", "heavy", "extra bold", "black")
    return weight >= 600


@cache
def _paths(typeface: Typeface, bold: bool) -> tuple[str, str]:
    fallback = FontProperties(family=FALLBACK, weight="bold" if bold else "normal")
    own = typeface.bold if bold else typeface.regular
    return own, str(fontManager.findfont(fallback))


ANIMATE_SANS = Typeface(str(FONTS / "AnimateSans-Regular.ttf"), str(FONTS / "AnimateSans-Bold.ttf"))
_current = ContextVar("_current", default=ANIMATE_SANS)


def current_typeface() -> Typeface:
    """Return the typeface of the theme that is applied, else that of all themes."""
    return _current.get()


@contextmanager
def applied(typeface: Typeface) -> Iterator[None]:
    """Let `current_typeface` return `typeface` inside the block."""
    token = _current.set(typeface)
    try:
        yield
    finally:
        _current.reset(token)
