"""
The interactive page: one HTML file in which the reader sets the learning rate.

The page loads nothing and trains every run itself, with the arithmetic of `animate.training`. It is
built here from the template, style sheet and ES modules in this folder.
"""

import html
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from animate.drawing.palette import LIGHT, RunStyle
from animate.drawing.views import View
from animate.drawing.views.requirements import name_of
from animate.page.assembly import THEMES, document, plain_text, script, short_title, template
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
from animate.training.line import Line
from animate.training.problem import Floats
from animate.training.trajectory import Trajectory

Views = Sequence[str | type[View]] | None

DEFAULT_TITLE = "Why the learning rate matters"
DESCRIPTION = "Drag the learning rate of gradient descent and see at once what it does."
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
LESSON_VIEWS = ("fit", "loss", "surface", "bowl")
ONLY_IN_LESSON = ("surface", "bowl")  # not among `recorded.DRAWABLE`


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
    name = short_title(title or "") or DEFAULT_TITLE
    body = template("page.html").substitute(
        title=html.escape(name),
        points=len(problem.x),
        best_rate=best_rate_text(problem.best_lr, limit),
        limit=limit_text(limit, 2 * limit),
        best_slope=coordinate_text(problem.best_weights[0]),
        best_bias=coordinate_text(problem.best_weights[1]),
        noise=_noise(problem),
        epochs=count_text(epochs, "epoch"),
        verdicts=_verdicts(runs),
    )
    return document(
        theme=theme,
        title=name,
        description=plain_text(alt or "") or DESCRIPTION,
        style="page.css",
        body=body,
        config={"theme": theme, **_config(runs, problem, epochs)},
        script=script(*MODULES),
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
