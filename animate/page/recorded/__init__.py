"""
The page that plays recorded runs: one HTML file that trains nothing.

It shows any runs (of a network, a recording, data of one's own, losses alone) in the views that
`DRAWABLE` names. The runs, thinned to a few hundred moments, are in the file; it loads nothing.
"""

import html
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from animate.drawing.alt_text import describe
from animate.drawing.palette import DARK, LIGHT
from animate.drawing.run_header import fill_forward, verdict_text
from animate.drawing.scene import default_title, validate_runs
from animate.drawing.views import View, load_views
from animate.drawing.views.requirements import default_views, missing_requirement, name_of
from animate.page.assembly import document, plain_text, script, short_title, template
from animate.page.recorded import encoding, panels
from animate.page.recorded.panels import Shown
from animate.system.errors import InputError
from animate.system.numbers import count_text, moment_text, rate_texts, value_text
from animate.system.version import VERSION
from animate.training.diagnosis import distances_left
from animate.training.hyperparameters import OPTIMIZER_NAMES
from animate.training.line import Line
from animate.training.precomputed import precompute
from animate.training.problem import NamesWeights, provides
from animate.training.trajectory import Trajectory

DRAWABLE = tuple(panels.PANELS)
MODULES = (
    "numbers", "drawing", "player", "recorded/decode", "recorded/charts", "recorded/maps",
    "recorded/recorded",
)  # fmt: skip


def choose_views(
    views: Sequence[str | type[View]] | None, runs: Sequence[Trajectory]
) -> list[type[View]]:
    """
    Return the classes of `views`, or those default views of `runs` that the page can draw.

    Raises
    ------
    InputError
        If one cannot show the runs, or the page cannot draw it. The message names views that do.
    """
    if views is None:
        chosen = [one for one in default_views(runs) if name_of(one) in DRAWABLE]
        if chosen:
            return chosen
        raise InputError(
            "a page of recorded runs cannot draw the default views of these; views that it can "
            f"draw: {_suitable(runs)}"
        )
    chosen = load_views(views)
    for one in chosen:
        lacking = missing_requirement(one, runs)
        if name_of(one) not in DRAWABLE:
            lacking = "a page of recorded runs cannot draw it"
        if lacking is not None:
            raise InputError(
                f"view {name_of(one)}: {lacking}; views of these runs that it can draw: "
                f"{_suitable(runs)}"
            )
    return chosen


def recorded_page(
    runs: Sequence[Trajectory],
    views: Sequence[str | type[View]] | None = None,
    *,
    title: str | None = None,
    theme: str = "auto",
    alt: str | None = None,
    data: Mapping[str, Any] | None = None,
    style_indices: Sequence[int] = (),
    source: str = "",
) -> str:
    """
    Return the page that plays `runs`, as an HTML document.

    Parameters
    ----------
    runs : sequence of Trajectory
        At most 12. They may differ in length, and in their problem if the views allow it.
    views : view names or View classes, optional
        Of those in `DRAWABLE`. The default is that of a film, without those that are not.
    title : str, optional
        Plain text.
    theme : {"auto", "light", "dark"}
        Initial theme; "auto" follows the reader's system.
    alt : str, optional
        Description of the page for search engines and for links to it.
    data : mapping, optional
        The result of `precompute` for the views; by default it is computed.
    style_indices : sequence of int
        The index of the style of each run; by default 0, 1, 2, …
    source : str
        The name of the problem or of the data, for the footer.

    Raises
    ------
    InputError
        If a view cannot show the runs or be drawn in a page, or runs are too many.
    """
    runs = validate_runs(runs)
    classes = choose_views(views, runs)
    needs = [name for one in classes for name in one.needs]
    if data is None or any(name not in data for name in needs):
        data = precompute(needs, runs)
    shown = Shown(runs, data)
    names = [name_of(one) for one in classes]
    config = {
        "unit": shown.clock.unit,
        "moments": panels.numbers(shown.moments),
        "runs": [
            _run(shown, index, slot) for index, slot in enumerate(style_indices or range(len(runs)))
        ],
        "views": [{"name": name, **panels.PANELS[name](shown)} for name in names],
    }
    name = short_title(title or "") or default_title(runs)
    body = template("recorded/recorded.html").substitute(
        title=html.escape(name),
        unit=shown.clock.unit.capitalize(),
        length=count_text(shown.clock.last, shown.clock.unit),
        verdicts=_verdict_rows(shown),
        origin=_origin(shown, source),
        origins=_origins(shown),
    )
    return document(
        theme=theme,
        title=name,
        description=plain_text(alt or "")
        or describe(runs, names, [shown.clock.last], is_still=False),
        style="recorded/recorded.css",
        body=body,
        config=config,
        script=script(*MODULES),
    )


def _suitable(runs: Sequence[Trajectory]) -> str:
    """Return the names of the views that a page can draw of `runs`."""
    names = [name for name in DRAWABLE if missing_requirement(load_views(name)[0], runs) is None]
    return ", ".join(names) or "none"


def _run(shown: Shown, index: int, slot: int) -> dict[str, object]:
    """Return what the heading of a run says at each of its shown records."""
    run, records = shown.runs[index], shown.records[index]
    times = shown.clock.times[index]
    light, dark = LIGHT.run(slot), DARK.run(slot)
    dash = light.dash
    left = distances_left(run)
    is_line = provides(run.problem, NamesWeights) and run.weights is not None
    found: dict[str, object] = {
        "name": shown.names[index],
        "line": f"light-dark({light.line}, {dark.line})",
        "text": f"light-dark({light.text}, {dark.text})",
        "style": [light.marker, *([] if isinstance(dash, str) else dash[1])],
        "times": panels.numbers(times[records]),
        "losses": encoding.floats(fill_forward(run.losses)[records]),
        "left": None if left is None else encoding.floats(left[records]),
        "details": [] if is_line else _details(run, records),
        "equations": _equations(run, records) if is_line else [],
        "verdict": None,
        "overflow": None,
    }
    text = verdict_text(run, shown.clock.unit)
    if text:
        seen = times[run.record_at(run.diagnosis.verdict_step)]
        found["verdict"] = {"text": text, "at": panels.numbers(seen)[0]}
    if run.diagnosis.overflowed_at is not None:
        at = times[run.record_at(run.diagnosis.overflowed_at)]
        words = f"overflowed at {moment_text(at, shown.clock.unit)}"
        found["overflow"] = {"text": words, "at": panels.numbers(at)[0]}
    return found


def _equations(run: Trajectory, records: panels.Indices) -> list[str]:
    """Return the model at each of `records` as an equation."""
    problem: Any = run.problem
    weights: Any = run.weights
    with np.errstate(all="ignore"):  # weights may have overflowed
        return [problem.equation(weights[record]) for record in records.tolist()]


def _details(run: Trajectory, records: panels.Indices) -> list[dict[str, str]]:
    """Return the metrics beside the loss: of those that are given, the first is shown."""
    found = []
    for name, values in run.metrics.items():
        chosen = fill_forward(values)[records]
        found.append({"name": name, "values": encoding.floats(chosen)})
        if not np.isnan(chosen).any():
            break
    return found


def _verdict_rows(shown: Shown) -> str:
    """Return the rows of the table that is shown without JavaScript."""
    rows = []
    for name, run in zip(shown.names, shown.runs, strict=True):
        verdict = verdict_text(run, shown.clock.unit) or "nothing is known"
        last = fill_forward(run.losses)[-1]
        loss = "unknown" if np.isnan(last) else value_text(last)
        if run.diagnosis.overflowed_at is not None:
            loss = "overflowed"
        cells = f"<td>{html.escape(verdict)}</td><td>{loss}</td>"
        rows.append(f'<tr><th scope="row">{html.escape(name)}</th>{cells}</tr>')
    return "\n".join(rows)


def _origin(shown: Shown, source: str) -> str:
    """Return what all runs were made from, as HTML."""
    problems = list({id(run.problem): run.problem for run in shown.runs}.values())
    words = [*([source] if source else []), *(_problem_words(problem) for problem in problems)]
    made = ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy"))
    return html.escape(
        f"Recorded runs of {': '.join(dict.fromkeys(words))}. Nothing is trained here. Made by "
        f"animate {VERSION} with {made}."
    )


def _problem_words(problem: object) -> str:
    if problem is None:
        return "an unknown problem"
    if isinstance(problem, Line):
        words = f"a line through {count_text(len(problem.x), 'point')}"
        if problem.sampling is not None:
            return f"{words} (seed {problem.sampling.seed}, {problem.sampling.noise} noise)"
        if problem.standardization is not None:
            return f"{words} (standardized for training)"
        return words
    is_named = type(problem).__repr__ is not object.__repr__
    return repr(problem) if is_named else type(problem).__name__


def _origins(shown: Shown) -> str:
    """Return an item of a list for each run: its settings, and how much of it is shown."""
    items = []
    for index, (name, run) in enumerate(zip(shown.names, shown.runs, strict=True)):
        records = f"{len(shown.records[index])} of {count_text(len(run.steps), 'record')}"
        words = f"{name}: {_settings_words(run)}; {records}"
        items.append(f"<li>{html.escape(words)}</li>")
    return "\n".join(items)


def _settings_words(run: Trajectory) -> str:
    settings = run.effective_hyperparameters
    if settings is None:
        return "recorded, settings unknown"
    words = [OPTIMIZER_NAMES.get(settings.optimizer, settings.optimizer)]
    words.append(f"learning rate {rate_texts([settings.lr])[0]}")
    if settings.effective_momentum:
        words.append(f"momentum {settings.effective_momentum:g}")
    if settings.schedule != "constant":
        words.append(f"{settings.schedule} schedule")
    if settings.batch_size is not None:
        words.append(f"batches of {settings.batch_size}")
    words.append(f"seed {settings.seed}")
    return ", ".join(words)
