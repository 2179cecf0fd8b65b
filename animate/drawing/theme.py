"""
Themes: colours, line styles and fonts for a light, dark or transparent background.

A theme is an immutable value. It is applied in a context around each drawing, never globally. It
sets all rcParams, so that the user's matplotlib settings do not change the picture.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from functools import cache
from pathlib import Path

import matplotlib as mpl
from cycler import Cycler
from matplotlib.colors import to_hex, to_rgb

from animate.drawing import typeface
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
from animate.drawing.palette import RunStyle as RunStyle  # returned by Theme.run
from animate.drawing.typeface import ANIMATE_SANS, FALLBACK, Typeface, load_typeface
from animate.system import environment, files, validation
from animate.system.errors import InputError

LEAST_DIFFERENCE = 0.1  # of red, green or blue, between the colours of two runs
MAX_FAINT_CONTRAST = 2.0  # of grid lines, which must not distract
MAX_STYLE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Theme(Palette):
    """
    A palette that can be applied to matplotlib, and a typeface.

    Attributes
    ----------
    typeface : Typeface
    """

    typeface: Typeface = ANIMATE_SANS

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Set the rcParams and the typeface inside the block, and restore the user's after it."""
        # Like mpl.rc_context, but without validation, and without touching the backend.
        settings = _settings()
        before = {name: dict.__getitem__(mpl.rcParams, name) for name in settings}
        dict.update(mpl.rcParams, settings)
        try:
            with typeface.applied(self.typeface):
                yield
        finally:
            dict.update(mpl.rcParams, before)


THEMES = {palette.name: Theme(*astuple(palette)) for palette in (LIGHT, DARK, TRANSPARENT)}


def load_theme(name: str, font: str | None = None) -> Theme:
    """
    Return the theme `name`, or a theme made from a matplotlib style or style file.

    Its texts have the typeface of the file `font`, if one is given.

    Only the colours of a style file (``.mplstyle``) are used, adjusted where their contrast is too
    low. Sizes and fonts are not, since they depend on the size of the frame.

    Raises
    ------
    InputError
        If the theme is unknown, or a file cannot be read or is no font.
    """
    name = validation.theme(name)
    path = environment.matplotlib_styles().get(name, Path(name))
    found = THEMES[name] if name in THEMES else _from_style(name, _read_style(path))
    return found if font is None else replace(found, typeface=load_typeface(font))


def _read_style(path: Path) -> mpl.RcParams:
    """Return the settings of a style file; warnings that matplotlib would log are errors."""
    files.check_source(path, MAX_STYLE_BYTES, "theme")
    complaints: list[str] = []
    log = logging.getLogger("matplotlib")
    listener = logging.Handler()
    listener.emit = lambda record: complaints.append(record.getMessage())  # type: ignore[method-assign]
    propagate, log.propagate = log.propagate, False
    level = log.level
    log.setLevel(logging.WARNING)  # regardless of the level that the user set
    log.addHandler(listener)
    try:
        path.open().close()  # matplotlib ignores a missing file
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
    """Return a theme with the colours of `style`, and defaults for those that it does not set."""

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
        faint=grid if contrast_ratio(grid, backdrops[-1]) < MAX_FAINT_CONTRAST else ink + "40",
        hues=_distinct([to_hex(hue) for hue in hues], blank) or OKABE_ITO,
    )


def _distinct(hues: list[str], palette: Palette) -> tuple[str, ...]:
    """Return `hues` without those that look like an earlier one once their contrast is enough."""
    found: dict[str, str] = {}
    for hue in hues:
        line = ensure_contrast(hue, palette.backdrops, palette.line_contrast)
        if all(_difference(line, other) >= LEAST_DIFFERENCE for other in found):
            found[line] = hue
    return tuple(found.values())


def _difference(one: str, other: str) -> float:
    """Return the largest difference of the red, green and blue of two colours, 0 to 1."""
    return max(abs(a - b) for a, b in zip(to_rgb(one), to_rgb(other), strict=True))


@cache
def _settings() -> dict[str, object]:
    """Return the rcParams of all themes: matplotlib's defaults with a few changes."""
    settings = mpl.RcParams(
        {
            name: value
            for name, value in mpl.rcParamsDefault.items()
            # The backend and related settings belong to the session, not to a picture.
            if not name.startswith(("backend", "interactive", "toolbar", "webagg", "tk."))
        }
    )
    settings.update(
        {
            # Of texts that the typeface does not reach; it ships with matplotlib.
            "font.family": [FALLBACK],
            "text.parse_math": False,
            "axes.axisbelow": True,
            "savefig.dpi": "figure",
            "savefig.facecolor": "auto",
            "svg.fonttype": "path",  # outlines, which look the same everywhere
            "svg.hashsalt": "animate",  # else ids in the file are random
            "pdf.fonttype": 42,  # TrueType, which all viewers show and search
        }
    )
    return dict(settings)
