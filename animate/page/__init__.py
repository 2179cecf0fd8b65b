"""
The page: one HTML file in which the reader drags the learning rate and sees at once what it does.

It holds the data and all that it needs, asks nobody for anything, and trains every run itself, by
the same arithmetic as `animate.training`. Its sources lie beside this module, a style sheet, a
template and ES modules, and are put together here.
"""

import html
import json
import re
import unicodedata
from base64 import b64encode
from collections.abc import Sequence
from importlib import resources
from string import Template

from animate.drawing.palette import DARK, LIGHT, Palette, RunStyle, readable
from animate.system import files, validation
from animate.system.numbers import coordinate, count_text, figures, limit_text, rate_texts
from animate.system.validation import InputError
from animate.system.version import VERSION
from animate.training.line import Line
from animate.training.problem import Floats
from animate.training.trajectory import Trajectory

DEFAULT_TITLE = "Why the learning rate matters"
LONGEST_TITLE = 160  # characters
THEMES = ("auto", "light", "dark")
MOST_POINTS = 5_000  # past these, a page would be slow and large
MOST_EPOCHS = 5_000
MODULES = ("numbers", "random", "descent", "drawing", "panels", "player", "state", "page")
LINK_HUE, WRONG_HUE = "#0072b2", "#d55e00"


def page(runs: Sequence[Trajectory], *, title: str | None = None, theme: str = "auto") -> str:
    """
    Return the text of the page that begins with `runs`, one whole HTML document.

    Parameters
    ----------
    runs : sequence of Trajectory
        That `animate.train` made by plain full-batch descent on one Line, of the same number of
        epochs: the page trains them again.
    title : str, optional
        Plain text.
    theme : {"auto", "light", "dark"}
        That the page begins with; with "auto", the one that the reader's system prefers.

    Raises
    ------
    InputError
        If there is no run, the runs do not belong together, or they are more than a page can bear.
    """
    theme = validation.choice(theme, "theme of a page", THEMES)
    problem, epochs = _checked(runs)
    limit = problem.stability_limit
    return _source_template("page.html").substitute(
        theme=theme,
        version=VERSION,
        title=html.escape(_title(title)),
        style=f"{_colors()}\n{_tight_style(_source('page.css'))}",
        points=len(problem.x),
        best_rate=f"{problem.best_lr:.2g}",
        limit=limit_text(limit, 2 * limit),
        best_slope=coordinate(problem.best_weights[0]),
        best_bias=coordinate(problem.best_weights[1]),
        noise=_noise(problem),
        epochs=count_text(epochs, "epoch"),
        verdicts=_verdicts(runs),
        film=_embedded({"theme": theme, **_film(runs, problem, epochs)}),
        script=script(),
    )


def check(points: int, epochs: int) -> None:
    """Raise `InputError` if a page cannot bear so many points or epochs."""
    for count, most, name in ((points, MOST_POINTS, "points"), (epochs, MOST_EPOCHS, "epochs")):
        if count > most:
            raise InputError(
                f"{count} {name} are too many for a page, which trains anew at each touch; "
                f"give at most {most}"
            )


def save(runs: Sequence[Trajectory], path: files.AnyPath, title: str | None, theme: str) -> None:
    """
    Write the page that begins with `runs` to `path`, whole or not at all.

    It heeds its reader's own choice between light and dark, unless the theme is "dark".
    """
    text = page(runs, title=title, theme="dark" if theme == "dark" else "auto")
    with files.atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def script(*modules: str) -> str:
    """Return the page's modules, by default all of them in their order, as one program."""
    return "\n".join(_joined(_source(f"{name}.js")) for name in modules or MODULES)


def _checked(runs: Sequence[Trajectory]) -> tuple[Line, int]:
    if not runs:
        raise InputError("there is no run to show; train at least one learning rate")
    problem, epochs = runs[0].problem, runs[0].epochs
    for number, run in enumerate(runs, 1):
        if not _can_be_trained_again(run):
            raise InputError(
                "a page trains its runs itself, by plain full-batch descent on a line, and so can "
                f"show only runs that animate.train made; {run.label or f'run {number}'} is none: "
                "save a film instead"
            )
    assert isinstance(problem, Line)
    assert isinstance(epochs, int)
    if problem.standardization is not None:
        raise InputError(
            "a page cannot show standardized data, which it would train on as they are; save a "
            "film, or read them with standardize=False"
        )
    if len(runs) > validation.MOST_RUNS:
        raise InputError(
            f"{len(runs)} runs do not fit into one page; give at most {validation.MOST_RUNS}"
        )
    if any(run.problem is not problem for run in runs):
        raise InputError("the runs are of different problems; show runs of one problem together")
    if any(run.epochs != epochs for run in runs):
        raise InputError("the runs have different numbers of epochs; train them for the same")
    check(len(problem.x), epochs)
    return problem, epochs


def _can_be_trained_again(run: Trajectory) -> bool:
    return run.from_train and isinstance(run.problem, Line) and run.is_plain_descent


def _film(runs: Sequence[Trajectory], problem: Line, epochs: int) -> dict[str, object]:
    """Return all that the program needs to know; see `Film` in state.js."""
    sampling, true = problem.sampling, problem.true_weights
    return {
        "epochs": epochs,
        "rates": _rates(runs),
        "x": _packed(problem.x),
        "y": _packed(problem.y),
        "start": _short(problem.start),
        "trueWeights": None if true is None else _short(true),
        "limit": _told_limit(problem.stability_limit, runs),
        "sampling": None
        if sampling is None
        else {
            "seed": str(sampling.seed),  # it may be larger than JavaScript's numbers can hold
            "points": sampling.points,
            "noise": sampling.noise,
        },
        "styles": [_style(LIGHT.run(slot)) for slot in range(validation.MOST_RUNS)],
    }


def _rates(runs: Sequence[Trajectory]) -> list[float]:
    return [run.lr for run in runs if run.lr is not None]  # which all have


def _told_limit(limit: float, runs: Sequence[Trajectory]) -> float:
    """Return `limit` without its last bits, which depend on the machine, unless a run is at it."""
    near = any(abs(lr / limit - 1) < 1e-9 for lr in _rates(runs))
    return limit if near else float(f"{limit:.12g}")


def _packed(values: Floats) -> str:
    """Return float32 numbers as base64 of their bytes, half as long as their digits."""
    return b64encode(values.astype("<f4").tobytes()).decode()


def _short(values: Floats) -> list[float]:
    """Return float32 numbers by the fewest digits that give them back."""
    return [float(str(value)) for value in values]


def _style(style: RunStyle) -> list[object]:
    """Return a marker, and the lengths of dashes in widths of the line."""
    return [style.marker, *([] if isinstance(style.dash, str) else map(_plain, style.dash[1]))]


def _plain(value: float) -> float:
    return int(value) if value == int(value) else value


def _embedded(value: object) -> str:
    r"""
    Return `value` as JSON that is safe inside an HTML script element.

    >>> print(_embedded("</script>&"))
    "\u003c/script\u003e\u0026"
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))  # ASCII alone
    return re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _colors() -> str:
    """Return the style sheet's colours, each by its light and its dark value."""

    def pair(light: str, dark: str) -> str:
        return light if light == dark else f"light-dark({light}, {dark})"

    def on_both(hue: str, ratio: float) -> str:
        return pair(*(readable(hue, look.behind, ratio) for look in (LIGHT, DARK)))

    def edge(look: Palette) -> str:
        return readable(look.points, look.behind, 3.0)

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
    names: dict[str, str] = {}  # of each colour, the first: the others refer to it
    for name, value in colors.items():
        names.setdefault(value, name)
    return _tight_style(
        ":root {"
        + "".join(
            f"--{name}: {value if names[value] == name else f'var(--{names[value]})'};"
            for name, value in colors.items()
        )
        + "}"
    )


def _noise(problem: Line) -> str:
    if problem.sampling is None or problem.sampling.noise != "uniform":
        return ""
    return (
        " It is not the true one: the noise lies between 0 and 1, so it lifts every point by 0.5 "
        "on average, and the bias with them."
    )


def _verdicts(runs: Sequence[Trajectory]) -> str:
    """Return the rows of the table for readers without JavaScript."""
    rows = []
    for name, run in zip(rate_texts(_rates(runs)), runs, strict=True):
        overflowed_at = run.diagnosis.overflowed_at
        if overflowed_at is None:
            loss = figures(run.losses[-1])
        else:
            loss = f"overflowed at epoch {overflowed_at}"
        rows.append(
            f'<tr><th scope="row">{name}</th><td>{run.diagnosis.sentence}</td><td>{loss}</td></tr>'
        )
    return "\n".join(rows)


def _title(title: str | None) -> str:
    """Return `title` on one line, short enough to read, of characters that HTML allows."""
    words = " ".join((title or "").split()) or DEFAULT_TITLE
    shown = "".join("▯" if unicodedata.category(c) in ("Cc", "Cs", "Cn") else c for c in words)
    return shown if len(shown) <= LONGEST_TITLE else shown[: LONGEST_TITLE - 1].rstrip() + "…"


def _joined(source: str) -> str:
    """Return a module's text as part of the one script: without imports, exports and comments."""
    source = re.sub(r"^import .*?;\n", "", source, flags=re.MULTILINE | re.DOTALL)
    source = re.sub(r"/\*\*.*?\*/ ?", "", source, flags=re.DOTALL)
    source = re.sub(r"(^| )//[^\n]*", "", source, flags=re.MULTILINE)
    return _tight(re.sub(r"^export ", "", source, flags=re.MULTILINE))


def _tight(script: str) -> str:
    r"""
    Return `script` without the spaces that only a reader of its source needs.

    It relies on the formatter: a semicolon ends every statement, a division has spaces around it,
    a regular expression begins with none. No template may hold another.

    >>> _tight("const a = [1, 2 - -3];\nconst b = `one, two` + a[0] / 2;")
    'let a=[1,2 - -3];let b=`one, two`+a[0]/2;'
    """
    literals = r"""("(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`|/(?! )(?:\\.|\[[^]]*]|[^/\\\n])+/)"""
    pieces = re.split(literals, script.strip())
    pieces[::2] = [_squeezed(code) for code in pieces[::2]]
    return "".join(pieces)


def _squeezed(code: str) -> str:
    code = re.sub(r"\s*([=*/%<>?:|&,;{}()[\]!]|\n)\s*", r"\1", code)
    code = re.sub(r"(?<![+-]) ([+-]) (?![+-])", r"\1", code)
    code = re.sub(r",(?=[]})])|;(?=})", "", code)
    code = re.sub(r"\bconst\b", "let", code)
    return _without_zeros(code)


def _tight_style(style: str) -> str:
    r"""
    Return `style` without the spaces that only a reader of its source needs.

    >>> _tight_style("a b > c {\n  margin: 0 auto;\n}")
    'a b>c{margin:0 auto}'
    """
    style = re.sub(r"\s*([{};,>]|: |\n)\s*", lambda found: found[1].strip(), style.strip())
    return _without_zeros(style.replace(";}", "}"))


def _without_zeros(code: str) -> str:
    return re.sub(r"(?<![\w.])0(?=\.\d)", "", code)


def _source_template(name: str) -> Template:
    return Template(_source(name))


def _source(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
