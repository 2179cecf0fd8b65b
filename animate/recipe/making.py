"""
Make everything that a recipe asks for, a stage a line.

A stage is imported when it is reached. If one output fails, the others are still made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, cast

from animate.recipe import SETTINGS, Recipe
from animate.recipe.settings import Form
from animate.recipe.sweeping import plan_map, sweep_data, zoom_note
from animate.system import files, signals
from animate.system.errors import InputError, OutputError, reason

if TYPE_CHECKING:
    from animate.film.animation import Animation
    from animate.film.encode import Film
    from animate.training.problem import Floats
    from animate.training.sweep import Grid
    from animate.training.sweeps.engines import Engine
    from animate.training.trajectory import Runs, Trajectory


class ProgressListener(Protocol):
    """Receives the progress of `make`."""

    def on_epoch(self, epoch: int, losses: Floats) -> None:
        """Receive the losses of all runs after an epoch, shape (runs,)."""

    def on_sweep(self, done: int, total: int) -> None:
        """Receive how many runs of a sweep are trained."""

    def on_total(self, frames: int) -> None:
        """Add to the number of frames that will be drawn."""

    def on_frame(self) -> None:
        """Count a frame that is drawn and passed to the encoder."""

    def on_note(self, sentence: str) -> None:
        """Receive a remark on a file, such as that it was padded."""

    def on_written(self, output: str) -> None:
        """Receive the path of a file that is complete."""

    def on_failed(self, output: str, error: OutputError) -> None:
        """Receive the path of a file that could not be written."""


ZOOM_TITLE = "Where training ends"

Group = Sequence[Recipe]
"""Recipes of one output each that share one animation, which is drawn once."""

Known = Mapping[str, object]
"""Data that pictures need and that are computed before they are drawn, such as a sweep."""

Writing = Callable[[Sequence[Group], Sequence["Trajectory"], ProgressListener, Known], list[str]]

OnWritten = Callable[["Film"], None]
"""Receives a film whose file is complete."""


def make(recipe: Recipe, listener: ProgressListener | None = None) -> Runs:
    """
    Train, draw and write everything that `recipe` says, and return the runs.

    If one output fails, the others are still made.

    Raises
    ------
    InputError
        If the picture would be too small to read, or an epoch of a still does not exist.
    OutputError
        If a file cannot be written. What can be checked is checked before training; otherwise the
        error comes after the other files were made.
    """
    runs = train_runs(recipe, prepare_runs(recipe), listener)
    write_outputs(recipe, runs, listener, known=sweep_runs(recipe, runs, listener))
    return runs


def prepare_runs(recipe: Recipe) -> Runs:
    """
    Return the runs of all outputs as they are before training: they stand at their start.

    Raises
    ------
    InputError, OutputError
        If `recipe` cannot be made, as far as can be checked before training.
    """
    from animate.recipe.problems import make_problem
    from animate.training.descent import untrained_runs

    _check_own_settings(recipe)
    for part in recipe.by_output:
        files.check(part.path)
    problem = make_problem(recipe)
    plan_map(recipe, problem)  # which checks its axes
    runs = untrained_runs(problem, recipe.trained, recipe.epochs)
    for part in recipe.by_output:
        try:
            _check_picture(part, part.select_runs(runs))
        except InputError as error:
            said = str(error)
            raise InputError(said if part.path in said else f"{part.path}: {said}") from None
    return runs


def train_runs(
    recipe: Recipe, prepared: Sequence[Trajectory], listener: ProgressListener | None = None
) -> Runs:
    """Train the runs of all outputs, from `prepare_runs` on."""
    from animate.training.descent import train

    problem: Any = prepared[0].problem
    if listener is not None and recipe.data is not None and not recipe.standardize:
        listener.on_note(f"{recipe.data}, not standardized: {problem.limits_text}")
    on_epoch = None if listener is None else listener.on_epoch
    runs = train(problem, recipe.trained, recipe.epochs, on_epoch)
    _check_moments(recipe, runs)
    return runs


def sweep_runs(
    recipe: Recipe,
    runs: Sequence[Trajectory],
    listener: ProgressListener | None = None,
    engine: Engine | None = None,
    resume: str | None = None,
) -> Known:
    """
    Train the sweep that the maps of `recipe` show, and return it; nothing without a map.

    Parameters
    ----------
    engine : Engine, optional
        By default this process trains it.
    resume : path, optional
        See `animate.sweep`.
    """
    problem: Any = runs[0].problem
    plan = plan_map(recipe, problem)
    if plan is None:
        return {}
    from animate.training.sweeps.engines import InProcess

    listener = listener or _NoListener()
    known = sweep_data(recipe, plan, engine or InProcess(), resume, listener.on_sweep)
    note = zoom_note(known)
    if note is not None:
        listener.on_note(note)
    return known


def write_outputs(
    recipe: Recipe,
    runs: Sequence[Trajectory],
    listener: ProgressListener | None = None,
    write: Writing | None = None,
    known: Known = MappingProxyType({}),
) -> None:
    """
    Write the outputs of `recipe`, then its reports.

    `write` writes the groups of outputs and returns the paths that failed; by default one group
    after the other, in this process.
    """
    listener, write = listener or _NoListener(), write or write_in_turn
    pictures = groups(recipe)
    listener.on_total(sum(_frame_count(group, runs) for group in pictures))
    failed = write(pictures, runs, listener, known)
    failed += _write_reports(recipe, runs, listener, failed)
    if failed:
        raise OutputError(
            f"{len(failed)} of {len(recipe.outputs)} outputs could not be made: {', '.join(failed)}"
        )


def _check_picture(part: Recipe, runs: Sequence[Trajectory]) -> None:
    from animate import page
    from animate.drawing import stills
    from animate.drawing.scene import check_legible, validate_views
    from animate.drawing.theme import load_theme
    from animate.film import encode

    def legible(size: tuple[int, int]) -> None:
        with look.applied():
            check_legible(len(runs), views, size, part.title, part.epochs)

    look = load_theme(part.theme, part.font)
    if part.form in ("film", "still"):
        views = validate_views(part.views, runs)
    if part.form == "film":
        encode.check_transparency(part.path, transparent=look.transparent)
        legible(part.pixels)
        moments = _moment_count(part, runs)
        frames = part.frame_count(moments)  # raises if the duration is too short
        film = encode.Film(part.path, part.fps, part.loop, part.quality)
        distinct = min(frames, moments) if part.max_size is None else 0
        encode.check(film, part.pixels, frames, distinct)
    elif part.form == "page":
        page.check_views(runs, part.epochs, part.views)
    elif part.form == "still":
        stills.check_transparency(part.path, transparent=look.transparent)
        longest = f"epoch {part.epochs}"
        with look.applied():
            stills.check(part.path, part.full_size, len(runs), views, part.at, part.title, longest)


def check_use(recipe: Recipe, names: Collection[str]) -> None:
    """Raise if one of the common settings in `names` has no effect on any output."""
    _check_forms(names, {part.form for part in recipe.by_output}, "no output is one")


def _check_forms(names: Collection[str], forms: set[Form], why: str) -> None:
    for unused, kinds in _unused(names, forms):
        raise InputError(f"{unused} is a setting of {kinds}, and {why}; leave it out")


def settings_without_effect(recipe: Recipe, names: Collection[str]) -> list[str]:
    """Return a sentence for each of the settings in `names` that no output of `recipe` uses."""
    forms = {part.form for part in recipe.by_output} - {"report"}
    if not forms:
        return []
    present = " or ".join(f"a {form}" for form in sorted(forms))
    return [
        f"{unused} has no effect on {present}: it is a setting of {kinds}"
        for unused, kinds in _unused(names, forms)
    ]


def _unused(names: Collection[str], forms: set[Form]) -> Iterator[tuple[str, str]]:
    """Yield the key of each setting that `forms` do not use, and the forms that do, in words."""
    for name, setting in SETTINGS.items():
        if name in names and not forms.intersection(setting.forms):
            yield setting.key, f"a {' or '.join(setting.forms)}"


def _check_own_settings(recipe: Recipe) -> None:
    """Raise if a setting given for one output has no effect on it."""
    for output, part in zip(recipe.normalized_outputs, recipe.by_output, strict=True):
        _check_forms(output.changes, {part.form}, f"{output.path} is not one")
    for part in recipe.by_output:
        if part.max_size is not None and part.depth is not None and part.form == "film":
            raise InputError(f"{part.path} is a zoom, which has no size limit; leave it out")
        if part.max_size is not None and files.is_folder(part.path):
            raise InputError(
                f"{part.path} is a folder of frames, which has no size limit; "
                "give a file, or no limit"
            )


def _moment_count(part: Recipe, runs: Sequence[Trajectory]) -> int:
    """Return at how many moments the runs have records once they are trained."""
    import numpy as np

    sizes = sorted({run.steps_per_epoch or 1 for run in runs})
    if len(sizes) == 1:
        return part.epochs * sizes[0] + 1
    return len(np.unique(np.concatenate([np.arange(part.epochs * n + 1) / n for n in sizes])))


def _check_moments(recipe: Recipe, runs: Sequence[Trajectory]) -> None:
    from animate.drawing.clock import resolve_moments

    for part in recipe.by_output:
        if part.form == "still":
            resolve_moments(part.at, part.select_runs(runs))


def groups(recipe: Recipe) -> list[Group]:
    """Return the outputs of `recipe`, grouped by the animation that they show."""
    by_picture: dict[object, list[Recipe]] = {}
    for part in recipe.by_output:
        if part.form == "report":
            continue
        sized = replace(part, size=part.full_size)
        frames = [name for name, setting in SETTINGS.items() if setting.changes_frames]
        picture: object = (part.runs, *(getattr(sized, name) for name in frames))
        alone = part.max_size is not None or part.form == "page"
        by_picture.setdefault(part.path if alone else picture, []).append(part)
    return [tuple(group) for group in by_picture.values()]


def _frame_count(group: Group, runs: Sequence[Trajectory]) -> int:
    """Return the number of frames to draw for a group; a still or a page counts as one."""
    films = [part for part in group if part.form == "film"]
    if not films:
        return len(group)
    if films[0].depth is not None:
        from animate.film.zoom import zoom_timeline

        shown = zoom_timeline(films[0].depth, films[0].fps, films[0].hold, films[0].duration)
        return len(group) - len(films) + len(shown)
    moments = _moment_count(films[0], films[0].select_runs(runs))
    return len(group) - len(films) + films[0].frame_count(moments)


def write_in_turn(
    groups: Sequence[Group], runs: Sequence[Trajectory], listener: ProgressListener, known: Known
) -> list[str]:
    """Write the outputs, one group after the other, and return the paths that failed."""
    return [output for group in groups for output in write_group(group, runs, listener, known)]


def write_group(
    group: Group, runs: Sequence[Trajectory], listener: ProgressListener, known: Known
) -> list[str]:
    """Write the outputs of one group, and return the paths that failed."""
    from animate.drawing import stills

    first = group[0]
    if first.max_size is not None and first.form == "film":
        return _write_file(
            first.path, partial(_write_within_limit, first, runs, listener, known), listener
        )
    if first.form == "page":
        from animate import page

        shown = first.select_runs(runs)
        save = partial(
            page.save, shown, first.path, first.title, first.theme, first.alt, views=first.views,
            style_indices=first.style_indices(runs), source=_source(first),
        )  # fmt: skip
        listener.on_frame()
        return _write_file(first.path, save, listener)
    films = [part for part in group if part.form == "film"]
    failed: list[str] = []
    if first.depth is not None and films:
        failed, films = _write_zoom(films, known, listener), []
    try:
        animation = films[0].animation(runs, known) if films else None
        picture = first.picture(runs, known) if animation is None else animation.picture
    except Exception as error:
        return [path for part in group for path in _report_failure(part.path, error, listener)]
    if animation is not None:
        for sentence in animation.scene.notes:
            listener.on_note(sentence)
        failed = _write_films(films, animation, listener)
    for part in group:
        if part.form != "film":
            save = partial(
                stills.save, picture, part.path, part.at, part.full_size, part.alt,
                listener.on_note,
            )  # fmt: skip
            failed += _write_file(part.path, save, listener)
            listener.on_frame()
    return failed


def _source(part: Recipe) -> str:
    """Return what the footer of a page names: the problem or the file of the data, if any."""
    return part.problem or Path(part.data or "").name


def _write_zoom(films: Group, known: Known, listener: ProgressListener) -> list[str]:
    """Write films of one zoom, drawn once, and return the paths that failed."""
    from animate.drawing.theme import load_theme
    from animate.drawing.zoom import ZoomPicture
    from animate.film.zoom import save_zoom, zoom_timeline
    from animate.training.sweeps.zoom import has_trained

    first, levels = films[0], cast("Sequence[Grid]", known["zoom"])

    def save(jobs: list[Film], on_written: OnWritten) -> Sequence[Exception | None]:
        picture = ZoomPicture(
            levels, [has_trained(grid) for grid in levels], load_theme(first.theme, first.font),
            first.pixels, first.title if first.title is not None else ZOOM_TITLE,
        )  # fmt: skip
        timeline = zoom_timeline(len(levels) - 1, first.fps, first.hold, first.duration)
        return save_zoom(picture, timeline, jobs, listener.on_frame, on_written)

    return _save_together(films, save, listener)


def _write_films(films: Group, animation: Animation, listener: ProgressListener) -> list[str]:
    """Write films of one animation, drawn once, and return the paths that failed."""
    from animate.film import encode

    for part in films:
        transparent = animation.scene.theme.transparent
        sentence = encode.note(part.path, part.pixels, part.fps, transparent=transparent)
        if sentence:
            listener.on_note(sentence)

    def save(jobs: list[Film], on_written: OnWritten) -> Sequence[Exception | None]:
        return animation.save_each(jobs, lambda _frame, _frames: listener.on_frame(), on_written)

    return _save_together(films, save, listener)


def _save_together(
    films: Group,
    save: Callable[[list[Film], OnWritten], Sequence[Exception | None]],
    listener: ProgressListener,
) -> list[str]:
    """Write films whose frames are drawn once, by `save`, and return the paths that failed."""
    from animate.film import encode

    jobs = [encode.Film(part.path, part.fps, part.loop, part.quality) for part in films]
    errors: Sequence[Exception | None]
    try:
        errors = save(jobs, lambda film: listener.on_written(str(film.path)))
    except Exception as error:  # while drawing, which all films share
        errors = [error] * len(films)
    return [
        path
        for part, error in zip(films, errors, strict=True)
        if error is not None
        for path in _report_failure(part.path, error, listener)
    ]


def _write_file(path: str, write: Callable[[], None], listener: ProgressListener) -> list[str]:
    """Call `write`, report the result, and return [path] if it failed."""
    with signals.deferred_until_reported():
        try:
            write()
        except Exception as error:  # also an unexpected one: the other outputs are still made
            return _report_failure(path, error, listener)
        listener.on_written(path)
    return []


def _report_failure(path: str, error: Exception, listener: ProgressListener) -> list[str]:
    """Report why the file at `path` was not written, and return [path]."""
    if not isinstance(error, OutputError):
        failure = OutputError(f"{path} was not made: {reason(error)}")
        failure.__cause__ = error
        error = failure
    listener.on_failed(path, error)
    return [path]


def _write_reports(
    recipe: Recipe, runs: Sequence[Trajectory], listener: ProgressListener, failed: Sequence[str]
) -> list[str]:
    """Write the reports, which list all other files, and return the paths that failed."""
    from animate.recipe.report import report, text
    from animate.recipe.settings import as_settings

    def write(path: str) -> None:
        folder = Path(path).parent
        contents = report(as_settings(recipe, folder), runs, written, folder)
        with files.atomic(path) as temporary:
            temporary.write_text(text(contents), encoding="utf-8")

    written = [
        part.path for part in recipe.by_output if part.form != "report" and part.path not in failed
    ]
    failures: list[str] = []
    for part in recipe.by_output:
        if part.form != "report":
            continue
        failures += _write_file(part.path, partial(write, part.path), listener)
    return failures


def _write_within_limit(
    part: Recipe, runs: Sequence[Trajectory], listener: ProgressListener, known: Known
) -> None:
    """Write the best film of at most `max_size` bytes, with a remark on each attempt."""
    from animate.drawing.scene import check_legible, validate_views
    from animate.drawing.theme import load_theme
    from animate.recipe.size_limit import Attempt, first_that_fits, ladder

    limit, output = part.max_size, part.path
    assert limit is not None
    shown = part.select_runs(runs)
    look = load_theme(part.theme, part.font)
    views = validate_views(part.views, shown)
    frames = part.frame_count(_moment_count(part, shown))

    def is_legible(size: tuple[int, int]) -> bool:
        try:
            with look.applied():
                check_legible(len(shown), views, size, part.title, part.epochs)
        except InputError:
            return False
        return True

    best = Attempt(part.quality, part.fps, part.pixels)
    rungs = ladder(best, is_legible)
    films: dict[Attempt, bytes] = {}

    def written_size(attempt: Attempt) -> int:
        again = replace(
            part,
            quality=attempt.quality,
            fps=attempt.fps,
            size=attempt.size,
            duration=frames / part.fps,
        )
        with files.scratch(output) as folder:
            path = folder / f"film{Path(output).suffix}"
            animation = again.animation(runs, known)
            for sentence in animation.scene.notes:
                listener.on_note(sentence)
            animation.save(path, progress_callback=lambda _frame, _frames: listener.on_frame())
            films[attempt] = path.read_bytes()
        size = len(films[attempt])
        verdict = "fits" if size <= limit else "is too large"
        listener.on_note(f"{output}: {attempt}: {size / 1000:.0f} kB {verdict}")
        return size

    place, size = first_that_fits(rungs, written_size, limit)
    if place is None:
        raise OutputError(
            f"{output} was not made: it takes {size / 1000:.0f} kB even with {rungs[-1]}, which "
            f"is the smallest that can be read; the limit is {limit / 1000:.0f} kB"
        )
    with files.atomic(output) as temporary:
        temporary.write_bytes(films[rungs[place]])


class _NoListener:
    def on_epoch(self, epoch: int, losses: Floats) -> None: ...
    def on_sweep(self, done: int, total: int) -> None: ...
    def on_total(self, frames: int) -> None: ...
    def on_frame(self) -> None: ...
    def on_note(self, sentence: str) -> None: ...
    def on_written(self, output: str) -> None: ...
    def on_failed(self, output: str, error: OutputError) -> None: ...
