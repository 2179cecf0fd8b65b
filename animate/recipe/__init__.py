"""
A whole job as one value, and the making of it, a stage a line.

The defaults are declared here and nowhere else. How each stage works is not known here, and a
stage is imported only when it is reached, so that asking for help loads none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from animate import files, inputs, signals
from animate.errors import InputError, OutputError, reason
from animate.recipe.settings import key_of
from animate.views import VIEWS

if TYPE_CHECKING:
    from animate.animation import Animation
    from animate.problem import Floats, Problem
    from animate.trajectory import Trajectory

Form = Literal["film", "still", "page", "report"]

OTHERS: dict[str, Form] = {".html": "page", ".json": "report"}
FOLDER = "outputs"  # which is made if it is missing, as other folders are not
DEFAULT_OUTPUTS = (f"{FOLDER}/convergence.mp4", f"{FOLDER}/convergence.gif")
STILLS = (".png", ".svg", ".pdf")  # `animate.still.FORMATS`, which takes matplotlib to load
DEFAULT_SIZE = (1280, 720)
DEFAULT_SIZES = {".gif": (800, 450)}
OF_THE_WHOLE = ("epochs", "seed", "points", "noise", "true_weights", "start", "outputs")
"""The settings that no output can have for itself, so that one training serves all."""

OF_A_FORM: dict[Form, tuple[str, ...]] = {
    "still": ("at",),
    "film": ("fps", "hold", "duration", "loop", "quality", "max_size"),
}
"""The settings that only outputs of one form heed."""


@dataclass(frozen=True)
class Output:
    """One file to make: its path, and those settings in which it differs from the recipe's."""

    path: str
    changes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """
    What to train, what to show of it, and which files to write.

    Values may be given as text; they are turned into what the annotations say. `size` None means
    each form's own default. `outputs` are paths, or `Output` values with settings of their own.

    Raises
    ------
    InputError
        If a value cannot be used.
    """

    lrs: Sequence[float] = (0.1, 0.7, 1.01)
    epochs: int = 100
    seed: int = 11
    points: int = 100
    noise: str = "uniform"
    true_weights: Sequence[float] = (3.0, 2.0)
    start: Sequence[float] = (-1.0, 1.0)
    views: Sequence[str] = ("fit", "loss")
    size: tuple[int, int] | None = None
    theme: str = "light"
    title: str | None = None
    at: Sequence[int | str] = ("end",)
    fps: float = 25.0
    hold: float = 2.0
    duration: float | None = None
    loop: int = 0
    quality: str = "medium"
    max_size: int | None = None
    outputs: Sequence[str | Output] = DEFAULT_OUTPUTS

    def __post_init__(self) -> None:
        lrs = inputs.learning_rates(self.lrs)
        if len(lrs) > inputs.MOST_RUNS:
            raise InputError(
                f"{len(lrs)} learning rates do not fit into one picture; "
                f"give at most {inputs.MOST_RUNS}"
            )
        limit = None if self.max_size is None else inputs.byte_count(self.max_size, "limit")
        duration = None if self.duration is None else inputs.seconds(self.duration, "duration")
        epochs = inputs.epochs(self.epochs, runs=len(lrs))
        values: dict[str, object] = {
            "lrs": lrs,
            "epochs": epochs,
            "seed": inputs.whole(self.seed, "seed", least=0, most=inputs.LARGEST_SEED),
            "points": inputs.points(self.points),
            "noise": inputs.choice(self.noise, "noise", inputs.NOISES),
            "true_weights": inputs.weights(self.true_weights, "true weight"),
            "start": inputs.weights(self.start, "start weight"),
            "views": tuple(inputs.choice(view, "view", VIEWS) for view in self.views),
            "size": None if self.size is None else inputs.size(self.size),
            "at": inputs.moments(self.at, epochs),
            "fps": inputs.frame_rate(self.fps),
            "hold": inputs.seconds(self.hold, "hold"),
            "duration": duration,
            "loop": inputs.whole(self.loop, "loop", least=0, most=inputs.MOST_LOOPS),
            "quality": inputs.choice(self.quality, "quality", inputs.QUALITIES),
            "max_size": limit,
            "outputs": _outputs(self.outputs),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if any(output.changes for output in self.listed):
            checked = tuple(
                Output(part.path, {name: getattr(part, name) for name in output.changes})
                for part, output in zip(self.parts, self.listed, strict=True)
            )
            object.__setattr__(self, "outputs", checked)
            inputs.epochs(epochs, runs=len(self.rates))

    @cached_property
    def parts(self) -> tuple[Recipe, ...]:
        """The recipe of each output alone, which has the settings of that output."""
        return tuple(
            replace(self, **output.changes, outputs=[output.path])  # type: ignore[arg-type]
            for output in self.listed
        )

    @property
    def listed(self) -> tuple[Output, ...]:
        """The outputs, each with what it changes."""
        return tuple(self.outputs)  # type: ignore[arg-type]

    @property
    def rates(self) -> tuple[float, ...]:
        """The learning rates of all outputs."""
        return tuple(dict.fromkeys(lr for part in self.parts for lr in part.lrs))

    @property
    def path(self) -> str:
        """The path of the only output."""
        (output,) = self.listed
        return output.path

    @property
    def form(self) -> Form:
        """What kind of file the only output is."""
        return form_of(self.path)

    @property
    def pixels(self) -> tuple[int, int]:
        """The width and height of the only output."""
        if self.size is not None:
            return self.size
        if self.form == "still":
            from animate import still

            return still.default_size(self.path, len(self.at), DEFAULT_SIZE)
        return DEFAULT_SIZES.get(Path(self.path).suffix.lower(), DEFAULT_SIZE)

    def problem(self) -> Problem:
        """Return the data to train on."""
        from animate.problem import Problem

        return Problem.sample(self.seed, self.points, self.noise, self.true_weights, self.start)

    @property
    def frames(self) -> int:
        """How many frames each film has."""
        from animate.animation.timeline import timeline

        return len(timeline(self.epochs, self.fps, self.hold, self.duration))

    def shown(self, runs: Sequence[Trajectory]) -> list[Trajectory]:
        """Return those of a training's `runs` that the only output shows, in its order."""
        by_rate = {run.lr: run for run in runs}
        return [by_rate[lr] for lr in self.lrs]

    def animation(self, runs: Sequence[Trajectory]) -> Animation:
        """
        Return what the only output shows of a training's `runs`, as it says.

        A learning rate looks the same in all outputs of a recipe.
        """
        from animate.animation import Animation
        from animate.theme import theme

        rates = [run.lr for run in runs]
        look = replace(theme(self.theme), turns=tuple(map(rates.index, self.lrs)))
        return Animation(
            self.shown(runs),
            self.views,
            self.pixels,
            theme=look,
            title=self.title,
            fps=self.fps,
            hold=self.hold,
            duration=self.duration,
            loop=self.loop,
            quality=self.quality,
        )


class Watcher(Protocol):
    """Whoever follows the making of a recipe."""

    def epoch(self, epoch: int, losses: Floats) -> None:
        """Hear the losses of all runs at `epoch`."""

    def more(self, frames: int) -> None:
        """Hear that so many frames more will be drawn."""

    def frame(self) -> None:
        """Hear that one more frame is drawn and taken by the encoder."""

    def note(self, sentence: str) -> None:
        """Hear what a person should know of a file."""

    def wrote(self, output: str) -> None:
        """Hear that a file is in its place."""

    def failed(self, output: str, error: OutputError) -> None:
        """Hear that a file could not be made."""


Group = Sequence[Recipe]
"""Recipes of one output each that show the same picture, which is drawn once for all of them."""

Writing = Callable[[Sequence[Group], Sequence["Trajectory"], Watcher], list[str]]


def make(
    recipe: Recipe, watcher: Watcher | None = None, write: Writing | None = None
) -> list[Trajectory]:
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
    from animate.training import train

    watcher, write = watcher or _Nobody(), write or write_in_turn
    check(recipe)
    for part in recipe.parts:
        if _is_ours(part.path):
            files.make_folder(Path(part.path).parent)
    runs = train(recipe.problem(), recipe.rates, recipe.epochs, watcher.epoch)
    _check_moments(recipe, runs)
    pictures = groups(recipe)
    watcher.more(sum(map(_frames, pictures)))
    failed = write(pictures, runs, watcher)
    failed += _write_reports(recipe, runs, watcher, failed)
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
    from animate import encode, page, still
    from animate.scene import check_legible
    from animate.theme import theme

    def legible(size: tuple[int, int]) -> None:
        check_legible(len(part.lrs), part.views, size, part.title, part.epochs)

    look = theme(part.theme)
    if part.form == "film":
        encode.check_transparency(part.path, transparent=look.transparent)
        legible(part.pixels)
        assert part.frames  # or it says why there is no room for any
    elif part.form == "page":
        page.check(part.points, part.epochs)
    elif part.form == "still":
        still.check_size(part.path, len(part.at), part.pixels, legible)


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
    from animate import encode

    if part.form != "film":
        files.check(part.path)
        return
    film = encode.Film(part.path, part.fps, part.loop, part.quality)
    distinct = min(part.frames, part.epochs + 1) if part.max_size is None else 0
    encode.check(film, part.pixels, part.frames, distinct)


def _check_moments(recipe: Recipe, runs: Sequence[Trajectory]) -> None:
    from animate.trajectory import epoch_of

    for part in recipe.parts:
        if part.form == "still":
            for moment in part.at:
                epoch_of(moment, part.shown(runs))


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
    groups: Sequence[Group], runs: Sequence[Trajectory], watcher: Watcher
) -> list[str]:
    """Write the outputs one group after the other, and return those that failed."""
    return [output for group in groups for output in write_group(group, runs, watcher)]


def write_group(group: Group, runs: Sequence[Trajectory], watcher: Watcher) -> list[str]:
    """Write the outputs of one group, and return those that failed."""
    first = group[0]
    if first.max_size is not None and first.form == "film":
        return _attempt(first.path, partial(_save_within, first, runs, watcher), watcher)
    if first.form == "page":
        from animate import page

        shown = first.shown(runs)
        save = partial(page.save, shown, first.path, first.title, first.theme)
        watcher.frame()
        return _attempt(first.path, save, watcher)
    try:
        animation = first.animation(runs)
    except Exception as error:
        return [path for part in group for path in _lost(part.path, error, watcher)]
    failed = _write_films([part for part in group if part.form == "film"], animation, watcher)
    for part in group:
        if part.form != "film":
            save = partial(animation.save, part.path, at=part.at)
            failed += _attempt(part.path, save, watcher)
            watcher.frame()
    return failed


def _write_films(films: Group, animation: Animation, watcher: Watcher) -> list[str]:
    """Write films that show one picture, drawn once, and return those that failed."""
    from animate import encode

    if not films:
        return []
    for part in films:
        sentence = encode.note(part.path, part.pixels, part.fps)
        if sentence:
            watcher.note(sentence)
    jobs = [encode.Film(part.path, part.fps, part.loop, part.quality) for part in films]
    errors: Sequence[Exception | None]
    try:
        errors = animation.save_each(
            jobs,
            lambda _frame, _frames: watcher.frame(),
            lambda film: watcher.wrote(str(film.path)),
        )
    except Exception as error:  # of drawing, which all of them need
        errors = [error] * len(films)
    return [
        path
        for part, error in zip(films, errors, strict=True)
        if error is not None
        for path in _lost(part.path, error, watcher)
    ]


def _attempt(path: str, write: Callable[[], None], watcher: Watcher) -> list[str]:
    """Write a file, tell how that went, and return it if it failed."""
    with signals.told():
        try:
            write()
        except Exception as error:  # whatever it is, the other outputs are still made
            return _lost(path, error, watcher)
        watcher.wrote(path)
    return []


def _lost(path: str, error: Exception, watcher: Watcher) -> list[str]:
    """Tell why the file at `path` was not made, and return it."""
    if not isinstance(error, OutputError):
        failure = OutputError(f"{path} was not made: {reason(error)}")
        failure.__cause__ = error
        error = failure
    watcher.failed(path, error)
    return [path]


def _write_reports(
    recipe: Recipe, runs: Sequence[Trajectory], watcher: Watcher, failed: Sequence[str]
) -> list[str]:
    """Write the reports, which tell of all other files, and return those that failed."""
    from animate.recipe.settings import as_settings
    from animate.report import report, text

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
        lost += _attempt(part.path, partial(write, part.path), watcher)
    return lost


def _save_within(part: Recipe, runs: Sequence[Trajectory], watcher: Watcher) -> None:
    """Write the best film of at most `max_size` bytes, and tell of the search."""
    from animate.budget import Setting, first_that_fits, ladder
    from animate.scene import check_legible

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
                path, progress_callback=lambda _frame, _frames: watcher.frame()
            )
            films[setting] = path.read_bytes()
        size = len(films[setting])
        verdict = "fits" if size <= limit else "is too large"
        watcher.note(f"{output}: {setting}: {size / 1000:.0f} kB {verdict}")
        return size

    place, size = first_that_fits(rungs, made, limit)
    if place is None:
        raise OutputError(
            f"{output} was not made: it takes {size / 1000:.0f} kB even with {rungs[-1]}, which "
            f"is the smallest that can be read; the limit is {limit / 1000:.0f} kB"
        )
    with files.atomic(output) as temporary:
        temporary.write_bytes(films[rungs[place]])


def form_of(path: str) -> Form:
    """Return what kind of file `path` is, by its extension."""
    from animate import encode

    suffix = Path(path).suffix.lower()
    if suffix in OTHERS and not files.is_folder(path):
        return OTHERS[suffix]
    if suffix in encode.FORMATS or files.is_folder(path):
        return "film"
    files.extension(path, [*encode.FORMATS, *STILLS, *OTHERS])
    return "still"


def _outputs(outputs: Sequence[files.AnyPath | Output]) -> tuple[Output, ...]:
    found: list[Output] = []
    for output in outputs:
        if not isinstance(output, Output):
            output = Output(os.fspath(output))
        form_of(output.path)
        if files.real(output.path) in [files.real(other.path) for other in found]:
            raise InputError(f"output {output.path} is given twice; give each file once")
        known = {field.name for field in fields(Recipe)}
        unknown = next((name for name in output.changes if name not in known), None)
        if unknown is not None:
            raise InputError(f"{output.path}: there is no setting {inputs.shown(unknown)}")
        whole = next((name for name in output.changes if name in OF_THE_WHOLE), None)
        if whole is not None:
            raise InputError(
                f"{output.path}: {whole} is of the whole recipe; set it there, or make another"
            )
        found.append(output)
    if not found:
        raise InputError("no output is given; give at least one, such as lesson.mp4")
    return tuple(found)


def _is_ours(path: str) -> bool:
    """Return whether `path` lies in the folder that is made if it is missing."""
    there = Path(os.path.normpath(path))
    return not there.is_absolute() and there.parts[:1] == (FOLDER,)


class _Nobody:
    def epoch(self, epoch: int, losses: Floats) -> None: ...
    def more(self, frames: int) -> None: ...
    def frame(self) -> None: ...
    def note(self, sentence: str) -> None: ...
    def wrote(self, output: str) -> None: ...
    def failed(self, output: str, error: OutputError) -> None: ...
