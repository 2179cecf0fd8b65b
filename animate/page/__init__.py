"""
The interactive page: one HTML file in which the reader sets the learning rate.

The page loads nothing and trains every run itself, with the arithmetic of `animate.training`. It is
built here from the template, style sheet and ES modules in this folder.
"""

import html
import json
import re
import unicodedata
from base64 import b64encode
from collections.abc import Mapping, Sequence
from importlib import resources
from string import Template
from typing import Any

from animate.drawing import pacing
from animate.drawing.palette import DARK, LIGHT, Palette, RunStyle, ensure_contrast
from animate.drawing.views import View
from animate.drawing.views.requirements import name_of
from animate.system import defaults, files, validation
from animate.system.errors import InputError
from animate.system.numbers import (
    best_rate_text,
    coordinate_text,
    count_text,
    limit_text,
    rate_texts,
    value_text,
)
from animate.system.validation import LARGEST_SEED, LARGEST_WEIGHT
from animate.system.version import VERSION
from animate.training.diagnosis import CONVERGENCE_TOLERANCE, FLOAT32_FLOOR
from animate.training.line import GAUSSIAN_STD, Line
from animate.training.problem import Floats
from animate.training.trajectory import Trajectory

Views = Sequence[str | type[View]] | None

DESCRIPTION = "Drag the learning rate of gradient descent and see at once what it does."
DEFAULT_TITLE = "Why the learning rate matters"
LONGEST_TITLE = 160  # characters
THEMES = ("auto", "light", "dark")
MOST_POINTS = 5_000  # more would make the page slow and large
MOST_EPOCHS = 5_000
MODULES = (
    "numbers",
    "random",
    "descent",
    "optimizers",
    "drawing",
    "panels",
    "rates",
    "player",
    "state",
    "lesson",
    "step",
    "tasks",
    "page",
)
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
LESSON_VIEWS = ("fit", "loss", "surface", "bowl")
ONLY_IN_LESSON = ("surface", "bowl")  # not among `recorded.DRAWABLE`
LINK_HUE, WRONG_HUE = "#0072b2", "#d55e00"


def page(
    runs: Sequence[Trajectory],
    *,
    title: str | None = None,
    theme: str = "auto",
    alt: str | None = None,
) -> str:
    """
    Return the page that opens with `runs`, as an HTML document.

    Parameters
    ----------
    runs : sequence of Trajectory
        From `animate.train`, by plain full-batch gradient descent on one Line, all with the same
        number of epochs. The page trains them again.
    title : str, optional
        Plain text.
    theme : {"auto", "light", "dark"}
        Initial theme; "auto" follows the reader's system.
    alt : str, optional
        Description of the page for search engines and for links to it.

    Raises
    ------
    InputError
        If there is no run, if the page cannot train the runs again, if they differ in problem or
        number of epochs, or if runs, points or epochs are too many.
    """
    theme = validation.choice(theme, "theme of a page", THEMES)
    problem, epochs = _validate(runs)
    limit = problem.stability_limit
    return _source_template("page.html").substitute(
        theme=theme,
        version=VERSION,
        title=html.escape(_title(title)),
        description=html.escape(_plain(alt or "") or DESCRIPTION),
        style=f"{_colors()}\n{_source('page.css')}",
        points=len(problem.x),
        best_rate=best_rate_text(problem.best_lr, limit),
        limit=limit_text(limit, 2 * limit),
        best_slope=coordinate_text(problem.best_weights[0]),
        best_bias=coordinate_text(problem.best_weights[1]),
        noise=_noise(problem),
        epochs=count_text(epochs, "epoch"),
        verdicts=_verdicts(runs),
        config=_json({"theme": theme, **_config(runs, problem, epochs)}),
        script=script(),
    )


def check(runs: Sequence[Trajectory], epochs: int) -> Line:
    """Return the problem of the runs of a page; raise `InputError` if it cannot show them."""
    problem = runs[0].problem
    for number, run in enumerate(runs, 1):
        if not _can_be_trained_again(run):
            raise InputError(
                "a page trains its runs again, so it can show only runs from animate.train, of "
                "plain full-batch gradient descent on a Line; "
                f"{run.label or f'run {number}'} is not one: play it with recorded_page"
            )
    assert isinstance(problem, Line)
    if problem.standardization is not None:
        raise InputError(
            "a page would train on standardized data as they are; play their runs with "
            "recorded_page, or do not standardize them"
        )
    points = len(problem.x)
    for count, most, name in ((points, MOST_POINTS, "points"), (epochs, MOST_EPOCHS, "epochs")):
        if count > most:
            raise InputError(
                f"{count} {name} are too many for a page, which trains again at each change; "
                f"give at most {most}, or views for a page that plays them, such as fit losses"
            )
    return problem


def is_lesson(runs: Sequence[Trajectory], views: Views) -> bool:
    """
    Return whether the page of `views` of `runs` trains them again, and does not only play them.

    It does for the views `defaults.VIEWS`, beside which it shows others, and for views that only
    this page draws. It names runs by their rates, so those with labels of their own are played.
    """
    names = defaults.VIEWS if views is None else tuple(map(_name_of, views))
    has_others = not {*names} <= {*LESSON_VIEWS}
    if names != defaults.VIEWS and (has_others or {*names}.isdisjoint(ONLY_IN_LESSON)):
        return False
    problem = runs[0].problem
    return (
        isinstance(problem, Line)
        and problem.standardization is None
        and all(_can_be_trained_again(run) and not run.has_own_label for run in runs)
        and all(run.problem is problem and run.epochs == runs[0].epochs for run in runs)
    )


def _name_of(view: str | type[View]) -> str:
    return view if isinstance(view, str) else name_of(view)


def check_views(runs: Sequence[Trajectory], epochs: int, views: Views) -> None:
    """Raise `InputError` if no page can show `views` of `runs`."""
    if is_lesson(runs, views):
        check(runs, epochs)
    else:
        from animate.page.recorded import choose_views  # here, since it loads matplotlib

        choose_views(views, runs)


def save(
    runs: Sequence[Trajectory],
    path: files.AnyPath,
    title: str | None,
    theme: str,
    alt: str | None = None,
    *,
    views: Views = None,
    data: Mapping[str, Any] | None = None,
    style_indices: Sequence[int] = (),
    source: str = "",
) -> None:
    """
    Write the page of `views` of `runs` to `path`, atomically.

    It trains the runs again where it can (`is_lesson`), and else plays their records. It follows
    the reader's system between light and dark, unless the theme is "dark". `data`,
    `style_indices` and `source` are as in `recorded.recorded_page`.
    """
    initial = "dark" if theme == "dark" else "auto"
    if is_lesson(runs, views):
        text = page(runs, title=title, theme=initial, alt=alt)
    else:
        from animate.page.recorded import recorded_page  # here, since it loads matplotlib

        text = recorded_page(
            runs, views, title=title, theme=initial, alt=alt, data=data,
            style_indices=style_indices, source=source,
        )  # fmt: skip
    with files.atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def script(*modules: str) -> str:
    """
    Return the constants and the page's ES modules, by default all, as one module.

    Each module comes after those that it imports. All share one scope, so no two may declare the
    same name.
    """
    sources = {"constants": _constants()}
    sources |= {name: _source(f"{name}.js") for name in modules or MODULES}
    return "\n".join(
        f"// {name}.js\n{_without_imports(source)}" for name, source in sources.items()
    )


def _validate(runs: Sequence[Trajectory]) -> tuple[Line, int]:
    if not runs:
        raise InputError("there is no run to show; train at least one learning rate")
    epochs: Any = runs[0].epochs  # a whole number, since the runs are of plain descent
    problem = check(runs, epochs)
    if len(runs) > validation.MOST_RUNS:
        raise InputError(
            f"{len(runs)} runs are too many for a page; give at most {validation.MOST_RUNS}"
        )
    if any(run.problem is not problem for run in runs):
        raise InputError("the runs are of different problems; show runs of one problem together")
    if any(run.epochs != epochs for run in runs):
        raise InputError("the runs have different numbers of epochs; train them with the same")
    return problem, epochs


def _can_be_trained_again(run: Trajectory) -> bool:
    return run.from_train and isinstance(run.problem, Line) and run.is_plain_descent


def _config(runs: Sequence[Trajectory], problem: Line, epochs: int) -> dict[str, object]:
    """Return what the script reads from the page; see `Config` in state.js."""
    sampling, true_weights = problem.sampling, problem.true_weights
    return {
        "epochs": epochs,
        "rates": _rates(runs),
        "x": _base64(problem.x),
        "y": _base64(problem.y),
        "start": _shortest(problem.start),
        "trueWeights": None if true_weights is None else _shortest(true_weights),
        "stabilityLimit": _rounded_limit(problem.stability_limit, runs),
        "sampling": None
        if sampling is None
        else {
            "seed": str(sampling.seed),  # may be too large for a JavaScript number
            "points": sampling.points,
            "noise": sampling.noise,
        },
        "styles": [_style(LIGHT.run(slot)) for slot in range(validation.MOST_RUNS)],
    }


def _rates(runs: Sequence[Trajectory]) -> list[float]:
    return [run.lr for run in runs if run.lr is not None]  # for mypy: all have one


def _rounded_limit(limit: float, runs: Sequence[Trajectory]) -> float:
    """Return `limit` without the last bits, which differ between machines, if no run is at it."""
    near = any(abs(lr / limit - 1) < 1e-9 for lr in _rates(runs))
    return limit if near else float(f"{limit:.12g}")


def _base64(values: Floats) -> str:
    """Return the bytes of float32 numbers as base64, half as long as their digits."""
    return b64encode(values.astype("<f4").tobytes()).decode()


def _shortest(values: Floats) -> list[float]:
    """Return float32 numbers with the fewest digits that identify them."""
    return [float(str(value)) for value in values]


def _style(style: RunStyle) -> list[object]:
    """Return the marker and the lengths of the dashes relative to the width of the line."""
    return [
        style.marker,
        *([] if isinstance(style.dash, str) else style.dash[1]),
    ]


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


def _noise(problem: Line) -> str:
    """Return why the best line is not the true one, for uniform noise."""
    if problem.sampling is None or problem.sampling.noise != "uniform":
        return ""
    return (
        " It is not the true one: the noise lies between 0 and 1, so it lifts every point by 0.5 "
        "on average, and the bias with them."
    )


def _verdicts(runs: Sequence[Trajectory]) -> str:
    """Return the rows of the table that is shown without JavaScript."""
    rows = []
    for name, run in zip(rate_texts(_rates(runs)), runs, strict=True):
        overflowed_at = run.diagnosis.overflowed_at
        if overflowed_at is None:
            loss = value_text(run.losses[-1])
        else:
            loss = f"overflowed at epoch {overflowed_at}"
        rows.append(
            f'<tr><th scope="row">{name}</th><td>{run.diagnosis.sentence}</td><td>{loss}</td></tr>'
        )
    return "\n".join(rows)


def _title(title: str | None) -> str:
    """Return `title` on one line, shortened."""
    shown = _plain(title or "") or DEFAULT_TITLE
    return shown if len(shown) <= LONGEST_TITLE else shown[: LONGEST_TITLE - 1].rstrip() + "…"


def _plain(text: str) -> str:
    """Return `text` on one line, with only characters that HTML allows."""
    words = " ".join(text.split())
    return "".join("▯" if unicodedata.category(c) in ("Cc", "Cs", "Cn") else c for c in words)


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


def _source_template(name: str) -> Template:
    return Template(_source(name))


def _source(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
