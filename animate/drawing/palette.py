"""
Colours of the themes and of the runs, shared by pictures and the page.

Colours are strings, ``#rrggbb`` or ``#rrggbbaa``. This module computes contrasts and does not
depend on matplotlib.
"""

from dataclasses import dataclass
from functools import cache

# Masataka Okabe and Kei Ito, "Color Universal Design", 2008: eight hues that stay apart for
# colour-blind readers.
OKABE_ITO = (
    "#0072b2",
    "#009e73",
    "#d55e00",
    "#cc79a7",
    "#56b4e9",
    "#e69f00",
    "#f0e442",
    "#000000",
)
DASHES = ("solid", (0, (5.0, 1.2)), (0, (5.0, 1.2, 1.2, 1.2)), (0, (1.6, 1.2)))
MARKERS = ("o", "s", "D", "^", "P", "v", "X")

STEPS = 250  # from a colour to black or white, in `ensure_contrast`

LineStyle = str | tuple[float, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class RunStyle:
    """The style of one run in all views; runs differ in more than their colour."""

    line: str
    text: str
    dash: LineStyle
    marker: str


@dataclass(frozen=True, slots=True)
class Palette:
    """
    The colours of a picture.

    Attributes
    ----------
    name : str
    background, panel : str
        Colours of the figure, and of the axes.
    ink, muted, points, faint : str
        Colours of text, of secondary text and axes, of the data, and of grid lines.
    line_contrast, text_contrast : float
        Contrast ratios against all backdrops, at least those of WCAG 2.2 for graphics (1.4.11: 3)
        and text (1.4.3: 4.5).
    hues : tuple of str
        Colours of the runs, before `ensure_contrast`.
    style_indices : tuple of int
        The index of the style of each run of a scene; by default 0, 1, 2, …
    """

    name: str
    background: str
    panel: str
    ink: str
    muted: str
    points: str
    faint: str
    line_contrast: float = 3.0
    text_contrast: float = 4.5
    hues: tuple[str, ...] = OKABE_ITO
    style_indices: tuple[int, ...] = ()

    @property
    def transparent(self) -> bool:
        """Whether the background is not opaque."""
        return _opacity(self.background) < 1

    @property
    def backdrops(self) -> tuple[str, ...]:
        """The colours behind text and lines; white and black if the background is transparent."""
        below = ("#ffffff", "#000000") if self.transparent else (self.background,)
        return below if _opacity(self.panel) < 1 else (*below, self.panel)

    def run(self, index: int) -> RunStyle:
        """Return the style of the run with this index in a scene."""
        index = self.style_indices[index] if self.style_indices else index
        hue = self.hues[index % len(self.hues)]
        variant = index + index // len(self.hues)
        return RunStyle(
            line=ensure_contrast(hue, self.backdrops, self.line_contrast),
            text=ensure_contrast(hue, self.backdrops, self.text_contrast),
            dash=DASHES[variant % len(DASHES)],
            marker=MARKERS[variant % len(MARKERS)],
        )

    def with_opacity(self, color: str, opacity: float) -> str:
        """
        Return `color` blended into the panel at `opacity`, or with alpha on a transparent panel.

        An opaque colour is preferred, since some PDF viewers ignore the opacity of lines.
        """
        if _opacity(self.panel) < 1:
            return f"{color[:7]}{round(opacity * 255):02x}"
        return blend(color, self.panel, 1 - opacity)


LIGHT = Palette("light", "#ffffff", "#ffffff", "#1a1d23", "#5d6470", "#a9afb9", "#e6e8ec")
DARK = Palette("dark", "#0f1419", "#151b22", "#eef1f5", "#9aa3af", "#5b6573", "#28303a", 5.0, 6.5)
# The only grey with a contrast of 4.5 on both white and black, also nearly transparent.
TRANSPARENT = Palette(
    "transparent", "#75757500", "#75757500", "#757575", "#757575", "#757575b0", "#75757540"
)


def contrast_ratio(one: str, other: str) -> float:
    """
    Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2).

    >>> round(contrast_ratio("#000000", "#ffffff"), 6)
    21.0
    """
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def blend(color: str, other: str, share: float) -> str:
    """
    Return an opaque mix of `color` and `other`, with this share of `other`.

    >>> blend("#ff0000", "#0000ff80", 0.2)
    '#cc0033'
    """
    pairs = zip(_parts(color), _parts(other), strict=True)
    return "#" + "".join(f"{round((one + (two - one) * share) * 255):02x}" for one, two in pairs)


@cache
def ensure_contrast(color: str, backdrops: tuple[str, ...], ratio: float) -> str:
    """
    Return `color`, darkened or lightened until its contrast with all `backdrops` is `ratio`.

    If no colour reaches `ratio`, black or white, whichever comes closer.
    """

    def worst(candidate: str) -> float:
        return min(contrast_ratio(candidate, other) for other in backdrops)

    for step in range(STEPS + 1):
        for end in ("#000000", "#ffffff"):
            candidate = blend(color, end, step / STEPS)
            if worst(candidate) >= ratio:
                return candidate
    return max(("#000000", "#ffffff"), key=worst)


def _luminance(color: str) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in _parts(color)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _parts(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue


def _opacity(color: str) -> float:
    return int(color[7:9] or "ff", 16) / 255
