"""
What the page of recorded runs shows of each view, as values for JSON.

The limits and the words are those of the views of films; `decode.js`, `charts.js` and `maps.js`
draw them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from animate.drawing.clock import Clock
from animate.drawing.views import boundary as boundary_view
from animate.drawing.views import fit as fit_view
from animate.drawing.views import metric as metric_view
from animate.drawing.views import plane as plane_view
from animate.drawing.views.curves import (
    VALIDATION_DASH,
    clip_for_drawing,
    overflow_record,
    unique_starts,
)
from animate.drawing.views.loss import METRICS, turning_point
from animate.drawing.views.loss_axis import has_loss, loss_scale
from animate.drawing.views.random_plane import RandomPlane
from animate.drawing.views.scatter import CURVE_POINTS, axis_names
from animate.drawing.views.sharpness import sharpness_scale
from animate.page.recorded import encoding
from animate.system.numbers import count_text, value_text
from animate.training.line import Line
from animate.training.planes import Plane
from animate.training.problem import Array, Doubles, Quadratic, provides
from animate.training.regions import class_margins
from animate.training.sharpness import (
    MOST_RECORDS,
    SharpnessCurve,
    sample_records,
    sharpness_limit,
)
from animate.training.trajectory import Trajectory, labels, metric_names

View = dict[str, Any]
Indices = npt.NDArray[np.int64]
MOST_SHOWN = MOST_RECORDS  # records of a run
MOST_POINTS = 1000  # of the data
COLUMNS, ROWS = 96, 64  # of an image of regions
SHAPE = COLUMNS / ROWS  # width over height of the panels with equal scales
INPUTS = 65  # at which a curve is drawn
HEIGHT = 14.0  # em, of a panel: labels have room in proportion
LINE_WIDTH, REFERENCE_WIDTH = 0.17, 0.11  # em


@dataclass(frozen=True, eq=False)
class Shown:
    """
    The runs of a page, thinned.

    Attributes
    ----------
    runs : sequence of Trajectory
    data : mapping
        The result of `precompute` for the views.
    """

    runs: Sequence[Trajectory]
    data: Mapping[str, Any]

    @cached_property
    def clock(self) -> Clock:
        """The time axis."""
        return Clock.of(self.runs)

    @cached_property
    def names(self) -> list[str]:
        """The labels of the runs."""
        return labels(self.runs)

    @cached_property
    def moments(self) -> Array:
        """
        The moments that the page can show, ascending: at most a few hundred.

        Among them are start and end of each run, and when its verdict and its overflow are seen.
        """
        clock = self.clock
        chosen = [clock.moments[sample_records(len(clock.moments), MOST_SHOWN)]]
        for run, times in zip(self.runs, clock.times, strict=True):
            events = [run.record_at(run.diagnosis.verdict_step), overflow_record(run)]
            inside = [record for record in events if record < len(times)]
            chosen.append(times[[0, *inside, -1]])
        return np.unique(np.concatenate(chosen))

    @cached_property
    def records(self) -> list[Indices]:
        """The records of each run that are shown at some moment."""
        found = []
        for times in self.clock.times:
            own = np.searchsorted(times, self.moments, "right") - 1
            found.append(np.unique(own[own >= 0]))
        return found

    def times(self, run: int) -> Array:
        """Return the times of the shown records of a run."""
        return self.clock.times[run][self.records[run]]

    def thin(self, run: int, times: Array) -> tuple[Indices, dict[str, object]]:
        """
        Return which values of a run, known at `times`, are shown.

        Also returned is what tells their times: nothing if they are those of the shown records.
        """
        own = self.times(run)
        places = np.searchsorted(times, own).clip(0, len(times) - 1)
        if np.array_equal(times[places], own):
            return places, {}
        chosen = sample_records(len(times), MOST_SHOWN)
        return chosen, {"times": numbers(times[chosen])}

    def series(self, run: int, times: Array, values: Doubles, **style: object) -> View:
        """Return a curve of a run, whose `values` are known at `times`."""
        chosen, own = self.thin(run, times)
        return {"run": run, **own, "values": encoding.floats(values[chosen]), **style}


def numbers(values: npt.ArrayLike) -> list[float]:
    """Return times, or numbers as few as these, with the digits that they need."""
    return [int(one) if one == int(one) else round(one, 6) for one in np.ravel(values).tolist()]


def loss(shown: Shown) -> View:
    """Return the losses, each beside its own validation loss and those of its batches."""
    series = _losses(shown)
    scaled = [clip_for_drawing(run.losses) for run in shown.runs]
    floors = _floors(shown)
    for index, run in enumerate(shown.runs):
        for beside in METRICS:
            values = clip_for_drawing(
                run.metrics.get(beside.metric, np.full(len(run.steps), np.nan))
            )
            given = ~np.isnan(values)
            if not given.any():
                continue
            if beside is METRICS[0]:
                scaled.append(values)
                floors.append(None)
            series.append(
                shown.series(
                    index, shown.clock.times[index][given], values[given],
                    name=beside.name, width=beside.width, dash=_lengths(beside.dash),
                    opacity=beside.opacity,
                )
            )  # fmt: skip
    view = _loss_view(shown, series, scaled, floors, "loss against {clock}")
    return {**view, "compares": True, "turns": _turns(shown)}


def losses(shown: Shown) -> View:
    """Return the losses of all runs, for one panel."""
    scaled = [clip_for_drawing(run.losses) for run in shown.runs]
    words = "loss of each run against {clock}"
    view = _loss_view(shown, _losses(shown), scaled, _floors(shown), words)
    return {**view, "across": True}


def metric(shown: Shown) -> View:
    """Return the metrics, each beside that of the validation data."""
    every = [
        metric_view.series_of(run, times)
        for run, times in zip(shown.runs, shown.clock.times, strict=True)
    ]
    low, high, is_log = metric_view.metric_scale([one for several in every for one in several])
    names = [metric_names(run) for run in shown.runs]
    is_single = all(each == names[0] and len(each) == 1 for each in names)
    series = []
    for index, several in enumerate(every):
        for one in several:
            kind = "validation" if one.is_validation else "training"
            base = names[index][one.place]
            full = f"{base}, {kind}" if one.is_validation else base
            width = metric_view.WIDTHS[one.place] * (0.75 if one.is_validation else 1)
            style: View = {"width": width, "name": kind if is_single else full}
            if one.is_validation or one.place:
                style["dash"] = _lengths(VALIDATION_DASH) if one.is_validation else []
            series.append(shown.series(index, one.times, one.values, **style))
    subject = names[0][0] if is_single else "metrics"
    if any(len(each) > metric_view.MAX_METRICS for each in names):
        subject = f"the first {metric_view.MAX_METRICS} metrics"
    return {
        **_curves(shown, series, low, high, is_log, f"{subject} against {{clock}}"),
        "compares": is_single,
    }


def sharpness(shown: Shown) -> View:
    """Return the sharpness, with the limit at the learning rate of each run."""
    found: Sequence[SharpnessCurve] = shown.data["sharpness"]
    limits = [sharpness_limit(run) for run in shown.runs]
    curves, series, references = [], [], []
    for index, (run, curve, limit) in enumerate(zip(shown.runs, found, limits, strict=True)):
        values = clip_for_drawing(curve.values)
        values[curve.records >= overflow_record(run)] = np.nan
        curves.append(values)
        times = shown.clock.times[index][curve.records]
        series.append(shown.series(index, times, values))
        if limit is None:
            continue
        if np.ptp(limit.values) == 0:  # not if one is unknown
            value = float(limit.values[0])
            text = f"{limit.formula} = {value:.4g}"
            references.append({"run": index, "y": value, "text": text, "shades": limit.is_known})
        else:
            drawn = clip_for_drawing(limit.values)[curve.records]
            style: View = {"name": limit.formula, "width": REFERENCE_WIDTH, "dash": [1, 1.65]}
            series.append(shown.series(index, times, drawn, **style, is_limit=True))
    low, high, is_log = sharpness_scale(curves, limits, HEIGHT)
    words = "sharpness (largest curvature) against {clock}"
    return {**_curves(shown, series, low, high, is_log, words), "references": references}


def fit(shown: Shown) -> View:
    """Return the data, and the line or curve of each run at each record."""
    problem: Any = shown.runs[0].problem
    left, right, low, high = fit_view.axes_limits(problem, unique_starts(shown.runs))
    is_line = isinstance(problem, Line)
    x = np.linspace(left, right, 2 if is_line else INPUTS)
    curves = []
    for run, records in zip(shown.runs, shown.records, strict=True):
        values = fit_view.predicted_curves(run, records, x)
        # A line is drawn by its two ends, which may be far away, but must not be moved.
        text = encoding.floats(values) if is_line else encoding.steps_of(values, low, high)
        curves.append(text)
    references = []
    smooth = x if is_line else np.linspace(left, right, CURVE_POINTS)
    if provides(problem, Quadratic):
        best = problem.predict(problem.best_weights, smooth)  # type: ignore[attr-defined]
        references.append({"name": "best fit", "dash": [3.7, 1.6], "y": encoding.floats(best)})
    true_weights = getattr(problem, "true_weights", None)
    if true_weights is not None:
        true = problem.predict(true_weights, smooth)
        name = "true line" if is_line else "true curve"
        references.append({"name": name, "dash": [1, 1.65], "y": encoding.floats(true)})
    data, caption = _points(np.column_stack([np.ravel(problem.x), np.ravel(problem.y)]))
    kind = "line" if is_line else "curve"
    return {
        "kind": "fit",
        "caption": f"the {kind} at this {shown.clock.unit}, {axis_names(problem)}{caption}",
        "box": [left, right, low, high],
        "inputs": numbers_exact(x),
        "points": encoding.floats(data),
        "references": references,
        "isLine": is_line,
        "notes": [fit_view.out_of_view_notes(run) for run in shown.runs],
        "leastInView": fit_view.LEAST_IN_VIEW,
        "curves": curves,
    }


def boundary(shown: Shown) -> View:
    """Return the data, and an image of the regions of the classes at each record."""
    problem: Any = shown.runs[0].problem
    left, right, low, high = boundary_view.axes_limits(problem.x, SHAPE)
    across = left + (right - left) * (np.arange(COLUMNS) + 0.5) / COLUMNS
    down = high - (high - low) * (np.arange(ROWS) + 0.5) / ROWS
    grid = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
    classes = problem.class_scores(problem.start, grid[:1]).shape[-1]
    texts = []
    for run, records in zip(shown.runs, shown.records, strict=True):
        last = overflow_record(run) - 1  # after an overflow, the last finite regions stay
        margins = (class_margins(run, min(record, last), grid) for record in records.tolist())
        texts.append(encoding.images([_regions(one) for one in margins], classes))
    found = boundary_view.class_indices(problem.y, len(problem.x))
    data, caption = _points(np.column_stack([np.asarray(problem.x, np.float64), found]))
    word = "class " if classes <= 3 else ""
    glyphs = boundary_view.GLYPHS[:classes]
    keys = ", ".join(f"{glyph} {word}{index}" for index, glyph in enumerate(glyphs))
    one = [boundary_view.ONE_SHADE]
    shades = one if classes == 2 else np.linspace(*boundary_view.SHADES, classes - 1).tolist()
    return {
        "kind": "boundary",
        "caption": f"regions of {keys}{caption}" if word else f"regions of the classes {keys}",
        "box": [left, right, low, high],
        "columns": COLUMNS,
        "rows": ROWS,
        "classes": classes,
        "shades": shades,
        "markers": [
            list(boundary_view.MARKERS[one % len(boundary_view.MARKERS)]) for one in range(classes)
        ],
        "points": encoding.floats(data),
        "images": texts,
    }


def plane(shown: Shown) -> View:
    """Return the loss in the plane in which the runs move most, and their paths."""
    return _plane(shown, shown.data["plane"], plane_view.Plane)


def random_plane(shown: Shown) -> View:
    """Return the loss in a plane of random directions, and the paths of the runs."""
    return _plane(shown, shown.data["random_plane"], RandomPlane)


def _plane(shown: Shown, found: Plane, view: type[plane_view.Plane]) -> View:
    left, right, low, high = limits = plane_view.axes_limits(found, SHAPE, 1.0)
    x, y, values, edges = plane_view.loss_bands(found, limits, SHAPE)
    inside = np.clip(values, edges[0], edges[-1])
    bands = [encoding.shape(x, y, inside, *ends) for ends in itertools.pairwise(edges)]
    paths = []
    for index, (run, records) in enumerate(zip(shown.runs, found.records, strict=True)):
        points = found.points[index].copy()
        points[records >= overflow_record(run)] = np.nan
        chosen, own = shown.thin(index, shown.clock.times[index][records])
        own_losses = clip_for_drawing(found.losses[index][chosen])
        paths.append(
            {
                **own,
                "points": encoding.floats(clip_for_drawing(points[chosen])),
                "losses": encoding.floats(own_losses),
            }
        )
    is_cut = float(values.max()) > edges[-1]
    return {
        "kind": "plane",
        "across": True,
        "caption": view.captions(found, shown.runs)[1],
        "box": [left, right, low, high],
        "bands": bands,
        "edges": [float(f"{edge:.9g}") for edge in edges],
        "ends": [value_text(edges[0]), value_text(edges[-1]) + (" and more" if is_cut else "")],
        "paths": paths,
    }


def numbers_exact(values: Doubles) -> list[float]:
    """Return a few numbers as they are, up to rounding that no picture shows."""
    return [float(f"{value:.9g}") for value in values]


def _losses(shown: Shown) -> list[View]:
    series = []
    for index, run in enumerate(shown.runs):
        given = has_loss(run)
        values = clip_for_drawing(run.losses)[given]
        series.append(shown.series(index, shown.clock.times[index][given], values))
    return series


def _turns(shown: Shown) -> list[View]:
    """Return where losses turn, with the moment from which this is seen."""
    found = []
    for index, (run, times) in enumerate(zip(shown.runs, shown.clock.times, strict=True)):
        turn = turning_point(run, times, clip_for_drawing(run.losses), shown.clock.unit)
        if turn is not None:
            place = {"time": numbers(turn.time)[0], "y": float(f"{turn.loss:.9g}")}
            seen = numbers(times[turn.visible_from])[0]
            found.append({"run": index, **place, "text": turn.text, "from": seen})
    return found


def _floors(shown: Shown) -> list[float | None]:
    return [
        run.problem.best_loss if provides(run.problem, Quadratic) else None for run in shown.runs
    ]


def _loss_view(
    shown: Shown,
    series: list[View],
    scaled: list[Doubles],
    floors: list[float | None],
    words: str,
) -> View:
    low, high, is_log = loss_scale(scaled, floors, HEIGHT)
    if getattr(shown.runs[0].problem, "standardization", None) is not None:
        words = f"standardized {words}"
    references = [
        {"run": index, "y": floor, "text": "the best fit's loss"}
        for index, floor in enumerate(floors)
        if floor is not None and low < floor
    ]
    return {**_curves(shown, series, low, high, is_log, words), "references": references}


def _curves(
    shown: Shown, series: list[View], low: float, high: float, is_log: bool, words: str
) -> View:
    return {
        "kind": "curves",
        "caption": words.format(clock=shown.clock.unit) + (" (log)" if is_log else ""),
        "y": [float(f"{low:.9g}"), float(f"{high:.9g}")],
        "isLog": is_log,
        "series": series,
    }


def _points(data: Doubles) -> tuple[Doubles, str]:
    """Return points to show, and what the caption says where these are not all."""
    if len(data) <= MOST_POINTS:
        return data, ""
    chosen = np.linspace(0, len(data) - 1, MOST_POINTS).round().astype(int)
    return data[chosen], f"; {MOST_POINTS} of {count_text(len(data), 'point')}"


def _regions(margins: Doubles) -> npt.NDArray[np.uint8]:
    """Return the class of each point from how far each but the first exceeds the others."""
    best = margins.argmax(axis=0) + 1
    return np.where(margins.max(axis=0) > 0, best, 0).astype(np.uint8)


def _lengths(dash: object) -> list[float]:
    """Return the lengths of the dashes in widths of the line, none for a solid one."""
    return [] if isinstance(dash, str) else list(cast("tuple[Any, Sequence[float]]", dash)[1])


PANELS: Mapping[str, Callable[[Shown], View]] = {
    "fit": fit,
    "loss": loss,
    "losses": losses,
    "metric": metric,
    "boundary": boundary,
    "sharpness": sharpness,
    "plane": plane,
    "random_plane": random_plane,
}
"""The views that a page of recorded runs can draw, by name."""
