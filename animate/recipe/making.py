"""
The making of a recipe, a stage a line.

How each stage works is not known here, and a stage is imported only when it is reached. An output
that fails does not keep the others from being made.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from animate.recipe import OF_A_FORM, OUTPUT_FOLDER, Form, Recipe
from animate.recipe.settings import key_of
from animate.system import files, signals
from animate.system.errors import InputError, OutputError, reason

if TYPE_CHECKING:
    from animate.film.animation import Animation
    from animate.training.problem import Floats
    from animate.training.trajectory import Runs, Trajectory


class ProgressListener(Protocol):
    """Whoever follows the making of a recipe."""

    def on_epoch(self, epoch: int, losses: Floats) -> None:
        """Hear the losses of all runs at `epoch`."""

    def on_total(self, frames: int) -> None:
        """Hear that so many frames more will be drawn."""

    def on_frame(self) -> None:
        """Hear that one more frame is drawn and taken by the encoder."""

    def on_note(self, sentence: str) -> None:
        """Hear what a person should know of a file."""

    def on_written(self, output: str) -> None:
        """Hear that a file is in its place."""

    def on_failed(self, output: str, error: OutputError) -> None:
        """Hear that a file could not be made."""


Group = Sequence[Recipe]
"""Recipes of one output each that show the same picture, which is drawn once for all of them."""

Writing = Callable[[Sequence[Group], Sequence["Trajectory"], ProgressListener], list[str]]


def make(
    recipe: Recipe, listener: ProgressListener | None = None, write: Writing | None = None
) -> Runs:
    """
    Train, draw and write everything that `recipe` says, and return the runs.

    An output that fails does not keep the others from being made. `write` is how the outputs
    are written: by default one after the other, in this process.

    Raises
    ------
    InputError
        If the picture would be too small to read, or shows an epoch that there is not.
    OutputError
        If a file cannot be written: before training where that can be known, and otherwise
        after the other files were made.
    """
    from animate.training.descent import train

    listener, write = listener or _NoListener(), write or write_in_turn
    check(recipe)
    for part in recipe.parts:
        if _is_ours(part.path):
            files.make_folder(Path(part.path).parent)
    runs = train(recipe.problem(), recipe.rates, recipe.epochs, listener.on_epoch)
    _check_moments(recipe, runs)
    pictures = groups(recipe)
    listener.on_total(sum(map(_frames, pictures)))
    failed = write(pictures, runs, listener)
    failed += _write_reports(recipe, runs, listener, failed)
    if failed:
        raise OutputError(
            f"{len(failed)} of {len(recipe.outputs)} outputs could not be made: {', '.join(failed)}"
        )
    return runs


def check(recipe: Recipe) -> None:
    """Raise if `recipe` cannot be made, as far as that is known before training."""
    _check_own(recipe)
    for part in recipe.parts:
        if _is_ours(part.path):
            files.check_folder(Path(part.path).parent)
        if not _is_ours(part.path) or Path(part.path).parent.exists():
            _check_place(part)
        try:
            _check_picture(part)
        except InputError as error:
            raise InputError(f"{part.path}: {error}") from None


def _check_picture(part: Recipe) -> None:
    from animate import page
    from animate.drawing import stills
    from animate.drawing.scene import check_legible
    from animate.drawing.theme import load_theme
    from animate.film import encode

    def legible(size: tuple[int, int]) -> None:
        check_legible(len(part.lrs), part.views, size, part.title, part.epochs)

    look = load_theme(part.theme)
    if part.form == "film":
        encode.check_transparency(part.path, transparent=look.transparent)
        legible(part.pixels)
        _frames([part])  # which says so where a duration leaves no room for any
    elif part.form == "page":
        page.check(part.points, part.epochs)
    elif part.form == "still":
        stills.check_size(part.path, len(part.at), part.pixels, legible)


def check_use(recipe: Recipe, asked: Collection[str]) -> None:
    """Raise if one of the common settings that were `asked` for has no effect on any output."""
    _check_forms(asked, {part.form for part in recipe.parts}, "no output is one")


def _check_forms(settings: Collection[str], forms: set[Form], why: str) -> None:
    for form, names in OF_A_FORM.items():
        idle = next((name for name in names if name in settings), None)
        if idle is not None and form not in forms:
            raise InputError(f"{key_of(idle)} is a setting of a {form}, and {why}; leave it out")


def _check_own(recipe: Recipe) -> None:
    """Raise if a setting of an output's own has no effect on it."""
    for output, part in zip(recipe.listed, recipe.parts, strict=True):
        _check_forms(output.changes, {part.form}, f"{output.path} is none")
    for part in recipe.parts:
        if part.max_size is not None and files.is_folder(part.path):
            raise InputError(
                f"{part.path} is a folder of frames, which has no size limit; "
                "give a file, or no limit"
            )


def _check_place(part: Recipe) -> None:
    from animate.film import encode

    if part.form != "film":
        files.check(part.path)
        return
    film = encode.Film(part.path, part.fps, part.loop, part.quality)
    distinct = min(part.frames, part.epochs + 1) if part.max_size is None else 0
    encode.check(film, part.pixels, part.frames, distinct)


def _check_moments(recipe: Recipe, runs: Sequence[Trajectory]) -> None:
    from animate.drawing.clock import resolve_moments

    for part in recipe.parts:
        if part.form == "still":
            resolve_moments(part.at, part.shown(runs))


def groups(recipe: Recipe) -> list[Group]:
    """Return the outputs of `recipe`, those with the same picture together."""
    found: dict[object, list[Recipe]] = {}
    for part in recipe.parts:
        if part.form == "report":
            continue
        picture: object = (
            part.lrs, part.views, part.pixels, part.theme, part.title,
            part.fps, part.hold, part.duration,
        )  # fmt: skip
        alone = part.max_size is not None or part.form == "page"
        found.setdefault(part.path if alone else picture, []).append(part)
    return [tuple(group) for group in found.values()]


def _frames(group: Group) -> int:
    """Return how many frames are drawn for a group: a film's once, and one a still or page."""
    films = [part for part in group if part.form == "film"]
    return len(group) - len(films) + (films[0].frames if films else 0)


def write_in_turn(
    groups: Sequence[Group], runs: Sequence[Trajectory], listener: ProgressListener
) -> list[str]:
    """Write the outputs one group after the other, and return those that failed."""
    return [output for group in groups for output in write_group(group, runs, listener)]


def write_group(group: Group, runs: Sequence[Trajectory], listener: ProgressListener) -> list[str]:
    """Write the outputs of one group, and return those that failed."""
    first = group[0]
    if first.max_size is not None and first.form == "film":
        return _attempt(first.path, partial(_save_within, first, runs, listener), listener)
    if first.form == "page":
        from animate import page

        shown = first.shown(runs)
        save = partial(page.save, shown, first.path, first.title, first.theme)
        listener.on_frame()
        return _attempt(first.path, save, listener)
    try:
        animation = first.animation(runs)
    except Exception as error:
        return [path for part in group for path in _lost(part.path, error, listener)]
    failed = _write_films([part for part in group if part.form == "film"], animation, listener)
    for part in group:
        if part.form != "film":
            save = partial(animation.save, part.path, at=part.at)
            failed += _attempt(part.path, save, listener)
            listener.on_frame()
    return failed


def _write_films(films: Group, animation: Animation, listener: ProgressListener) -> list[str]:
    """Write films that show one picture, drawn once, and return those that failed."""
    from animate.film import encode

    if not films:
        return []
    for part in films:
        sentence = encode.note(part.path, part.pixels, part.fps)
        if sentence:
            listener.on_note(sentence)
    jobs = [encode.Film(part.path, part.fps, part.loop, part.quality) for part in films]
    errors: Sequence[Exception | None]
    try:
        errors = animation.save_each(
            jobs,
            lambda _frame, _frames: listener.on_frame(),
            lambda film: listener.on_written(str(film.path)),
        )
    except Exception as error:  # of drawing, which all of them need
        errors = [error] * len(films)
    return [
        path
        for part, error in zip(films, errors, strict=True)
        if error is not None
        for path in _lost(part.path, error, listener)
    ]


def _attempt(path: str, write: Callable[[], None], listener: ProgressListener) -> list[str]:
    """Write a file, tell how that went, and return it if it failed."""
    with signals.deferred_until_reported():
        try:
            write()
        except Exception as error:  # whatever it is, the other outputs are still made
            return _lost(path, error, listener)
        listener.on_written(path)
    return []


def _lost(path: str, error: Exception, listener: ProgressListener) -> list[str]:
    """Tell why the file at `path` was not made, and return it."""
    if not isinstance(error, OutputError):
        failure = OutputError(f"{path} was not made: {reason(error)}")
        failure.__cause__ = error
        error = failure
    listener.on_failed(path, error)
    return [path]


def _write_reports(
    recipe: Recipe, runs: Sequence[Trajectory], listener: ProgressListener, failed: Sequence[str]
) -> list[str]:
    """Write the reports, which tell of all other files, and return those that failed."""
    from animate.recipe.report import report, text
    from animate.recipe.settings import as_settings

    def write(path: str) -> None:
        folder = Path(path).parent
        told = report(as_settings(recipe, folder), runs, made, folder)
        with files.atomic(path) as temporary:
            temporary.write_text(text(told), encoding="utf-8")

    made = [part.path for part in recipe.parts if part.form != "report" and part.path not in failed]
    lost: list[str] = []
    for part in recipe.parts:
        if part.form != "report":
            continue
        lost += _attempt(part.path, partial(write, part.path), listener)
    return lost


def _save_within(part: Recipe, runs: Sequence[Trajectory], listener: ProgressListener) -> None:
    """Write the best film of at most `max_size` bytes, and tell of the search."""
    from animate.drawing.scene import check_legible
    from animate.recipe.size_limit import Setting, first_that_fits, ladder

    limit, output = part.max_size, part.path
    assert limit is not None

    def is_legible(size: tuple[int, int]) -> bool:
        try:
            check_legible(len(part.lrs), part.views, size, part.title, part.epochs)
        except InputError:
            return False
        return True

    best = Setting(part.quality, part.fps, part.pixels)
    rungs = ladder(best, is_legible)
    films: dict[Setting, bytes] = {}

    def made(setting: Setting) -> int:
        again = replace(
            part,
            quality=setting.quality,
            fps=setting.fps,
            size=setting.size,
            duration=part.frames / part.fps,
        )
        with files.scratch(output) as folder:
            path = folder / f"film{Path(output).suffix}"
            again.animation(runs).save(
                path, progress_callback=lambda _frame, _frames: listener.on_frame()
            )
            films[setting] = path.read_bytes()
        size = len(films[setting])
        verdict = "fits" if size <= limit else "is too large"
        listener.on_note(f"{output}: {setting}: {size / 1000:.0f} kB {verdict}")
        return size

    place, size = first_that_fits(rungs, made, limit)
    if place is None:
        raise OutputError(
            f"{output} was not made: it takes {size / 1000:.0f} kB even with {rungs[-1]}, which "
            f"is the smallest that can be read; the limit is {limit / 1000:.0f} kB"
        )
    with files.atomic(output) as temporary:
        temporary.write_bytes(films[rungs[place]])


def _is_ours(path: str) -> bool:
    """Return whether `path` lies in the folder that is made if it is missing."""
    there = Path(os.path.normpath(path))
    return not there.is_absolute() and there.parts[:1] == (OUTPUT_FOLDER,)


class _NoListener:
    def on_epoch(self, epoch: int, losses: Floats) -> None: ...
    def on_total(self, frames: int) -> None: ...
    def on_frame(self) -> None: ...
    def on_note(self, sentence: str) -> None: ...
    def on_written(self, output: str) -> None: ...
    def on_failed(self, output: str, error: OutputError) -> None: ...
