"""
How a picture looks: colours, line styles and fonts, for a light, a dark or any page.

A theme is a value. It is applied in a context around each drawing and never globally, and it
decides everything, so that the caller's own matplotlib settings change nothing in the picture.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from functools import cache
from pathlib import Path

import matplotlib as mpl
from cycler import Cycler
from matplotlib.colors import to_hex

from animate.drawing.palette import (
    DARK,
    LIGHT,
    OKABE_ITO,
    TRANSPARENT,
    Palette,
    blend,
    contrast_ratio,
    ensure_contrast,
)
from animate.drawing.palette import RunStyle as RunStyle  # part of what a theme gives
from animate.system import files, validation
from animate.system.validation import InputError

MIN_VISIBLE_CONTRAST = 2.0  # the most contrast of what is only to be seen when looked for
MAX_STYLE_BYTES = 1_000_000  # bytes
STYLE_FILE = "a file ending in .mplstyle"


@dataclass(frozen=True, slots=True)
class Theme(Palette):
    """A palette that can be drawn by."""

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


THEMES = {palette.name: Theme(*astuple(palette)) for palette in (LIGHT, DARK, TRANSPARENT)}


def load_theme(name: str) -> Theme:
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
    return THEMES[validation.choice(name, "theme", [*THEMES, STYLE_FILE])]


def _read_style(path: Path) -> mpl.RcParams:
    """Return what the style file sets; what matplotlib would only print is an error here."""
    files.check_source(path, MAX_STYLE_BYTES, "theme")
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
    backdrops = blank.backdrops
    ink = ensure_contrast(setting("text.color", "black"), backdrops, blank.text_contrast)
    muted = setting("axes.labelcolor", ink)
    grid = setting("grid.color", ink)
    cycle = style.get("axes.prop_cycle")
    hues = cycle.by_key().get("color", []) if isinstance(cycle, Cycler) else []
    return replace(
        blank,
        ink=ink,
        muted=ensure_contrast(setting("xtick.color", muted), backdrops, blank.text_contrast),
        points=ink if blank.transparent else blend(ink, backdrops[-1], 0.55),
        faint=grid if contrast_ratio(grid, backdrops[-1]) < MIN_VISIBLE_CONTRAST else ink + "40",
        hues=tuple(to_hex(hue) for hue in hues) or OKABE_ITO,
    )


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
