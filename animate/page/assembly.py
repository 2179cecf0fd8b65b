"""What both pages are built of: one HTML file with its style sheet, data and ES modules inside."""

import html
import json
import re
import unicodedata
from importlib import resources
from string import Template

from animate.drawing import pacing
from animate.drawing.palette import DARK, LIGHT, Palette, ensure_contrast
from animate.system import defaults, validation
from animate.system.validation import LARGEST_SEED, LARGEST_WEIGHT
from animate.system.version import VERSION
from animate.training.diagnosis import CONVERGENCE_TOLERANCE, FLOAT32_FLOOR
from animate.training.line import GAUSSIAN_STD

LONGEST_TITLE = 160  # characters
THEMES = ("auto", "light", "dark")
CONSTANTS = {  # written as constants.js; declared in constants.d.ts
    "CONVERGENCE_TOLERANCE": CONVERGENCE_TOLERANCE,
    "FLOAT32_FLOOR": FLOAT32_FLOOR,
    "GAUSSIAN_STD": GAUSSIAN_STD,
    "LARGEST_SEED": str(LARGEST_SEED),  # too large for a JavaScript number
    "LARGEST_WEIGHT": LARGEST_WEIGHT,
    "THEMES": THEMES,
    "START_SECONDS": pacing.START_SECONDS,
    "FIRST_STEP_SECONDS": pacing.FIRST_STEP_SECONDS,
    "SLOW_START_DECAY": pacing.SLOW_START_DECAY,
    "STEADY_PACE": pacing.STEADY_PACE,
    "MOST_MOMENTS": pacing.MOST_MOMENTS,
    "LONG_RUN_SECONDS": pacing.LONG_RUN_SECONDS,
    "HOLD_SECONDS": defaults.HOLD,
}
LINK_HUE, WRONG_HUE = "#0072b2", "#d55e00"


def document(
    *, theme: str, title: str, description: str, style: str, body: str, config: object, script: str
) -> str:
    """
    Return an HTML document.

    Parameters
    ----------
    theme : {"auto", "light", "dark"}
    title, description : str
        Plain text.
    style : str
        The name of a style sheet in this folder, which follows base.css.
    body : str
        HTML: what stands before the scripts.
    config : object
        What the script reads, as JSON, from the element of this id.
    script : str
        An ES module.
    """
    return template("document.html").substitute(
        theme=theme,
        version=VERSION,
        title=html.escape(title),
        description=html.escape(description),
        style="\n".join([_colors(), source("base.css"), source(style)]),
        body=body.rstrip("\n"),
        config=_json(config),
        script=script,
    )


def script(*modules: str) -> str:
    """
    Return the constants and these ES modules as one module.

    Each module comes after those that it imports. All share one scope, so no two may declare the
    same name.
    """
    sources = {"constants": _constants()}
    sources |= {name: source(f"{name}.js") for name in modules}
    return "\n".join(
        f"// {name}.js\n{_without_imports(source)}" for name, source in sources.items()
    )


def short_title(title: str) -> str:
    """Return `title` on one line, shortened."""
    shown = plain_text(title)
    return shown if len(shown) <= LONGEST_TITLE else shown[: LONGEST_TITLE - 1].rstrip() + "…"


def plain_text(text: str) -> str:
    """Return `text` on one line, with only characters that HTML allows."""
    words = " ".join(text.split())
    return "".join("▯" if unicodedata.category(c) in ("Cc", "Cs", "Cn") else c for c in words)


def template(name: str) -> Template:
    """Return a file of this folder as a template."""
    return Template(source(name))


def source(name: str) -> str:
    """Return the text of a file of this folder."""
    return resources.files("animate.page").joinpath(name).read_text(encoding="utf-8")


def _json(value: object) -> str:
    r"""
    Return `value` as JSON that is safe inside an HTML script element.

    >>> print(_json("</script>&"))
    "\u003c/script\u003e\u0026"
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))  # ASCII alone
    return re.sub("[<>&]", lambda match: f"\\u{ord(match[0]):04x}", text)


def _colors() -> str:
    """Return the colors as CSS variables, each with its light and its dark value."""

    def pair(light: str, dark: str) -> str:
        return light if light == dark else f"light-dark({light}, {dark})"

    def on_both(hue: str, ratio: float) -> str:
        return pair(*(ensure_contrast(hue, look.backdrops, ratio) for look in (LIGHT, DARK)))

    def edge(look: Palette) -> str:
        return ensure_contrast(look.points, look.backdrops, 3.0)

    colors = {
        "page": pair(LIGHT.background, DARK.background),
        "panel": pair(LIGHT.panel, DARK.panel),
        "tint": pair("#f3f5f8", "#1a222b"),
        "ink": pair(LIGHT.ink, DARK.ink),
        "muted": pair(LIGHT.muted, DARK.muted),
        "points": pair(LIGHT.points, DARK.points),
        "faint": pair(LIGHT.faint, DARK.faint),
        "edge": pair(edge(LIGHT), edge(DARK)),
        "focus": on_both(LINK_HUE, 3.0),
        "link": on_both(LINK_HUE, 5.5),
        "wrong": on_both(WRONG_HUE, 5.5),
    }
    for slot in range(validation.MOST_RUNS):
        light, dark = LIGHT.run(slot), DARK.run(slot)
        colors[f"run{slot}"] = pair(light.line, dark.line)
        colors[f"text{slot}"] = pair(light.text, dark.text)
    return "\n".join([":root {", *(f"  --{name}: {value};" for name, value in colors.items()), "}"])


def _constants() -> str:
    """Return the module constants.js."""
    return "".join(
        f"export const {name} = {json.dumps(value)};\n" for name, value in CONSTANTS.items()
    )


def _without_imports(module: str) -> str:
    r"""
    Return an ES module without its import statements and `export` keywords.

    >>> _without_imports('import {\n  a,\n} from "./a.js";\n\nexport const b = a;\n')
    '\nconst b = a;\n'
    """
    return re.sub(r"^import [^;]*;\n|^export ", "", module, flags=re.MULTILINE)
