"""
How everything looks: colours, line styles and fonts, for a light, a dark or any page.

A theme is a value. It is applied in a context around each drawing and never globally, and it
decides everything, so that the caller's own matplotlib settings change nothing in the picture.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import matplotlib as mpl
from cycler import Cycler
from matplotlib.colors import to_hex, to_rgb, to_rgba

from animate import files, inputs
from animate.inputs import InputError

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

BARELY = 2.0  # the most contrast of what is only to be seen when looked for
STEPS = 250  # from a colour to black or white
LARGEST_STYLE = 1_000_000  # bytes
STYLE_FILE = "a file ending in .mplstyle"

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
    ink, muted, points, faint : str
        Text; lesser text and axes; the data; and grid lines.
    line_contrast, text_contrast : float
        Against what is behind; at least what WCAG 2.2 asks of graphics (1.4.11, 3) and of text
        (1.4.3, 4.5).
    hues : tuple of str
        Of the runs, before they are made readable.
    turns : tuple of int
        Which style each run of a scene has; by default, in their order.
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
    turns: tuple[int, ...] = ()

    @property
    def transparent(self) -> bool:
        """Whether what is behind the picture shows through."""
        return to_rgba(self.background)[3] < 1

    @property
    def behind(self) -> tuple[str, ...]:
        """What the picture must be readable on: any page, from white to black, if transparent."""
        below = ("#ffffff", "#000000") if self.transparent else (self.background,)
        return below if to_rgba(self.panel)[3] < 1 else (*below, self.panel)

    def run(self, index: int) -> RunStyle:
        """Return the style of the run at `index` among all runs of a scene."""
        index = self.turns[index] if self.turns else index
        hue = self.hues[index % len(self.hues)]
        turn = index + index // len(self.hues)
        return RunStyle(
            line=readable(hue, self.behind, self.line_contrast),
            text=readable(hue, self.behind, self.text_contrast),
            dash=DASHES[turn % len(DASHES)],
            marker=MARKERS[turn % len(MARKERS)],
        )

    def faded(self, color: str, opacity: float) -> str:
        """
        Return `color` as it looks at an opacity on the panel, and solid where that can be.

        Not every program that opens a PDF heeds the opacity of lines.
        """
        if to_rgba(self.panel)[3] < 1:
            return to_hex(to_rgba(color, opacity), keep_alpha=True)
        return mixed(color, self.panel, 1 - opacity)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Draw by this theme's settings inside the block, and by the caller's again after it."""
        # As mpl.rc_context does it, but checking nothing anew, and leaving the backend alone.
        settings = _settings()
        before = {name: dict.__getitem__(mpl.rcParams, name) for name in settings}
        dict.update(mpl.rcParams, settings)
        try:
            yield
        finally:
            dict.update(mpl.rcParams, before)


THEMES = {
    theme.name: theme
    for theme in (
        Theme("light", "#ffffff", "#ffffff", "#1a1d23", "#5d6470", "#a9afb9", "#e6e8ec"),
        Theme("dark", "#0f1419", "#151b22", "#eef1f5", "#9aa3af", "#5b6573", "#28303a", 5.0, 6.5),
        # The one grey that has 4.5:1 on white and on black, and the same hardly there.
        Theme(
            "transparent", "#75757500", "#75757500", "#757575", "#757575", "#757575b0", "#75757540"
        ),
    )
}


def theme(name: str) -> Theme:
    """
    Return the theme called `name`, or the one that a matplotlib style file makes.

    Of a style file (ending in ``.mplstyle``) the colours are taken, made readable where they are
    not; its sizes and fonts are not, since they follow the frame.

    Raises
    ------
    InputError
        If there is no such theme, or the file cannot be read.
    """
    if name.endswith(".mplstyle"):
        return _from_style(name, _read_style(Path(name)))
    return THEMES[inputs.choice(name, "theme", [*THEMES, STYLE_FILE])]


def _read_style(path: Path) -> mpl.RcParams:
    """Return what the style file sets; what matplotlib would only print is an error here."""
    files.check_source(path, LARGEST_STYLE, "theme")
    complaints: list[str] = []
    log = logging.getLogger("matplotlib")
    listener = logging.Handler()
    listener.emit = lambda record: complaints.append(record.getMessage())  # type: ignore[method-assign]
    propagate, log.propagate = log.propagate, False
    level = log.level
    log.setLevel(logging.WARNING)  # whatever the caller wants to hear, this is an answer
    log.addHandler(listener)
    try:
        path.open().close()  # for matplotlib, a missing file would do
        style = mpl.rc_params_from_file(path, use_default_template=False)
    except (OSError, ValueError) as error:
        raise InputError(f"theme {path} cannot be read: {error}") from error
    finally:
        log.setLevel(level)
        log.removeHandler(listener)
        log.propagate = propagate
    if complaints:
        raise InputError(f"theme {path} cannot be used: {complaints[0].strip().splitlines()[0]}")
    return style


def _from_style(name: str, style: Mapping[str, object]) -> Theme:
    """Return a theme of the colours that `style` sets, the light theme's where it sets none."""

    def setting(key: str, otherwise: object) -> str:
        value = style.get(key, otherwise)
        if isinstance(value, str) and value in ("auto", "inherit"):
            value = otherwise
        return to_hex(value, keep_alpha=True)  # type: ignore[arg-type]

    background = setting("figure.facecolor", "white")
    panel = setting("axes.facecolor", background)
    blank = Theme(name, background, panel, "", "", "", "")
    behind = blank.behind
    ink = readable(setting("text.color", "black"), behind, blank.text_contrast)
    muted = setting("axes.labelcolor", ink)
    grid = setting("grid.color", ink)
    cycle = style.get("axes.prop_cycle")
    hues = cycle.by_key().get("color", []) if isinstance(cycle, Cycler) else []
    return replace(
        blank,
        ink=ink,
        muted=readable(setting("xtick.color", muted), behind, blank.text_contrast),
        points=ink if blank.transparent else mixed(ink, behind[-1], 0.55),
        faint=grid if contrast(grid, behind[-1]) < BARELY else ink + "40",
        hues=tuple(to_hex(hue) for hue in hues) or OKABE_ITO,
    )


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def mixed(color: str, other: str, share: float) -> str:
    """Return `color` with a `share` of `other` in it, without alpha."""
    pairs = zip(to_rgb(color), to_rgb(other), strict=True)
    red, green, blue = (one + (two - one) * share for one, two in pairs)
    return to_hex((red, green, blue))


@cache
def readable(color: str, behind: tuple[str, ...], ratio: float) -> str:
    """
    Return `color`, darkened or lightened until it reaches `ratio` against all that is `behind`.

    Where nothing reaches it, the one of black and white that comes closest.
    """

    def worst(candidate: str) -> float:
        return min(contrast(candidate, other) for other in behind)

    for step in range(STEPS + 1):
        for end in ("#000000", "#ffffff"):
            candidate = mixed(color, end, step / STEPS)
            if worst(candidate) >= ratio:
                return candidate
    return max(("#000000", "#ffffff"), key=worst)


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
            "svg.fonttype": "path",  # outlines, so that it looks the same everywhere
            "svg.hashsalt": "animate",  # else its ids are drawn by lot
            "pdf.fonttype": 42,  # TrueType, which every program can show and search
        }
    )
    return dict(settings)
