"""
How everything looks: colours, line styles and fonts, for a light or a dark page.

A theme is a value. It is applied in a context around each drawing and never globally, and it
decides everything, so that the caller's own matplotlib settings change nothing in the picture.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import matplotlib as mpl
from matplotlib.colors import to_hex, to_rgb

from animate import inputs

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

LineStyle = str | tuple[float, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class RunStyle:
    """How one learning rate looks, in every view: not by colour alone."""

    line: str
    text: str
    dash: LineStyle
    marker: str


@dataclass(frozen=True, slots=True)
class Theme:
    """
    The colours of a picture.

    Attributes
    ----------
    name : str
    background, panel : str
        Behind everything, and inside the axes.
    ink, muted, faint : str
        Text; lesser text, axes and points; and grid lines.
    line_contrast, text_contrast : float
        Against the background; at least what WCAG 2.2 asks of graphics (1.4.11, 3) and of text
        (1.4.3, 4.5).
    transparent : bool
        Whether the background is left out of the file.
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
    transparent: bool = False

    def run(self, index: int) -> RunStyle:
        """Return the style of the run at `index` among all runs of a scene."""
        hue = OKABE_ITO[index % len(OKABE_ITO)]
        turn = index + index // len(OKABE_ITO)
        return RunStyle(
            line=readable(hue, self.panel, self.line_contrast),
            text=readable(hue, self.background, self.text_contrast),
            dash=DASHES[turn % len(DASHES)],
            marker=MARKERS[turn % len(MARKERS)],
        )

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Draw by this theme's settings inside the block, and by the caller's again after it."""
        with mpl.rc_context():
            dict.update(mpl.rcParams, _settings())
            yield


THEMES = {
    theme.name: theme
    for theme in (
        Theme("light", "#ffffff", "#ffffff", "#1a1d23", "#5d6470", "#a9afb9", "#e6e8ec"),
        Theme("dark", "#0f1419", "#151b22", "#eef1f5", "#9aa3af", "#5b6573", "#28303a", 5.0, 6.5),
    )
}


def theme(name: str) -> Theme:
    """Return the theme called `name`."""
    return THEMES[inputs.choice(name, "theme", THEMES)]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@cache
def readable(color: str, background: str, ratio: float) -> str:
    """Return `color`, darkened or lightened until it reaches `ratio` against `background`."""
    towards = 0.0 if _luminance(background) > 0.18 else 1.0
    red, green, blue = to_rgb(color)
    for step in range(101):
        share = step / 100
        mixed = to_hex(
            (
                red + (towards - red) * share,
                green + (towards - green) * share,
                blue + (towards - blue) * share,
            )
        )
        if contrast(mixed, background) >= ratio:
            return mixed
    return "#000000" if towards == 0 else "#ffffff"


def _luminance(color: str) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in to_rgb(color)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@cache
def _settings() -> dict[str, object]:
    """Return matplotlib's own defaults with ours over them, checked once."""
    settings = mpl.RcParams(
        {
            name: value
            for name, value in mpl.rcParamsDefault.items()
            # The backend and its like belong to the session, not to a picture.
            if not name.startswith(("backend", "interactive", "toolbar", "webagg", "tk."))
        }
    )
    settings.update(
        {
            "font.family": ["DejaVu Sans"],  # ships with matplotlib, so the same everywhere
            "text.parse_math": False,
            "axes.axisbelow": True,
            "savefig.dpi": "figure",
            "savefig.facecolor": "auto",
        }
    )
    return dict(settings)
