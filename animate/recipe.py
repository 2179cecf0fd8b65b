"""
A whole job as one value, and the making of it, a stage a line.

The defaults are declared here and nowhere else. How each stage works is not known here, and a
stage is imported only when it is reached, so that asking for help loads none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

from animate import files, inputs
from animate.files import OutputError
from animate.inputs import InputError
from animate.views import VIEWS

if TYPE_CHECKING:
    from animate.animation import Animation
    from animate.problem import Floats, Problem
    from animate.trajectory import Trajectory

DEFAULT_OUTPUTS = ("outputs/convergence.mp4", "outputs/convergence.gif")
DEFAULT_SIZE = (1280, 720)
DEFAULT_SIZES = {".gif": (800, 450)}


@dataclass(frozen=True)
class Recipe:
    """
    What to train, what to show of it, and which files to write.

    Values may be given as text; they are turned into what the annotations say. `size` None means
    each format's own default.

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
    fps: float = 25.0
    hold: float = 2.0
    duration: float | None = None
    loop: int = 0
    quality: str = "medium"
    max_size: int | None = None
    outputs: Sequence[str] = DEFAULT_OUTPUTS

    def __post_init__(self) -> None:
        lrs = inputs.learning_rates(self.lrs)
        if len(lrs) > inputs.MOST_RUNS:
            raise InputError(
                f"{len(lrs)} learning rates do not fit into one picture; "
                f"give at most {inputs.MOST_RUNS}"
            )
        limit = None if self.max_size is None else inputs.byte_count(self.max_size, "limit")
        duration = None if self.duration is None else inputs.seconds(self.duration, "duration")
        values: dict[str, object] = {
            "lrs": lrs,
            "epochs": inputs.epochs(self.epochs, runs=len(lrs)),
            "seed": inputs.whole(self.seed, "seed", least=0, most=inputs.LARGEST_SEED),
            "points": inputs.points(self.points),
            "noise": inputs.choice(self.noise, "noise", inputs.NOISES),
            "true_weights": inputs.weights(self.true_weights, "true weight"),
            "start": inputs.weights(self.start, "start weight"),
            "views": tuple(inputs.choice(view, "view", VIEWS) for view in self.views),
            "size": None if self.size is None else inputs.size(self.size),
            "theme": self.theme,
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
        if self.max_size is not None and any(map(files.is_folder, self.outputs)):
            raise InputError("a folder of frames has no size limit; give a file, or no limit")

    def size_of(self, output: str) -> tuple[int, int]:
        """Return the size of the film at `output`."""
        from animate import encode

        return self.size or DEFAULT_SIZES.get(encode.extension(output), DEFAULT_SIZE)

    def problem(self) -> Problem:
        """Return the data to train on."""
        from animate.problem import Problem

        return Problem.sample(self.seed, self.points, self.noise, self.true_weights, self.start)

    @property
    def frames(self) -> int:
        """How many frames each film has."""
        from animate.animation.timeline import timeline

        return len(timeline(self.epochs, self.fps, self.hold, self.duration))

    def animation(self, output: str, runs: Sequence[Trajectory]) -> Animation:
        """Return the film of `runs` that belongs at `output`."""
        from animate.animation import Animation

        return Animation(
            runs,
            self.views,
            self.size_of(output),
            theme=self.theme,
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

    def films(self, frames: int) -> None:
        """Hear that so many frames more will be drawn."""

    def frame(self) -> None:
        """Hear that one more frame is drawn and taken by the encoder."""

    def note(self, sentence: str) -> None:
        """Hear what a person should know of a file."""

    def wrote(self, output: str) -> None:
        """Hear that a file is in its place."""

    def failed(self, output: str, error: OSError) -> None:
        """Hear that a file could not be made."""


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
        If the picture would be too small to read.
    OutputError
        If a file cannot be written: before training where that can be known, and otherwise
        after the other files were made.
    """
    from animate.training import train

    watcher, write = watcher or _Nobody(), write or write_in_turn
    check(recipe)
    for output in recipe.outputs:
        if output in DEFAULT_OUTPUTS:
            Path(output).parent.mkdir(exist_ok=True)
    runs = train(recipe.problem(), recipe.lrs, recipe.epochs, watcher.epoch)
    watcher.films(len(recipe.outputs) * recipe.frames)
    failed = write(recipe, runs, watcher)
    if failed:
        raise OutputError(
            f"{len(failed)} of {len(recipe.outputs)} outputs could not be made: {', '.join(failed)}"
        )
    return runs


def check(recipe: Recipe) -> None:
    """Raise if `recipe` cannot be made, as far as that is known before training."""
    from animate import encode
    from animate.scene import check_legible
    from animate.theme import theme

    look = theme(recipe.theme)
    for output in recipe.outputs:
        if output not in DEFAULT_OUTPUTS or Path(output).parent.exists():
            files.check(output)
        encode.check_transparency(output, transparent=look.transparent)
        check_legible(
            len(recipe.lrs), recipe.views, recipe.size_of(output), recipe.title, recipe.epochs
        )


def write_in_turn(recipe: Recipe, runs: Sequence[Trajectory], watcher: Watcher) -> list[str]:
    """Write the outputs one after the other, and return those that failed."""
    return [output for output in recipe.outputs if not write_output(recipe, output, runs, watcher)]


def write_output(recipe: Recipe, output: str, runs: Sequence[Trajectory], watcher: Watcher) -> bool:
    """Write one output, and return whether that went well."""
    from animate import encode

    sentence = encode.note(output, recipe.size_of(output), recipe.fps)
    if sentence:
        watcher.note(sentence)
    try:
        if recipe.max_size is None:
            _save(recipe, output, runs, watcher, output)
        else:
            _save_within(recipe.max_size, recipe, output, runs, watcher)
    except OSError as error:
        watcher.failed(output, error)
        return False
    watcher.wrote(output)
    return True


def _save(
    recipe: Recipe, output: str, runs: Sequence[Trajectory], watcher: Watcher, path: files.AnyPath
) -> None:
    """Write the film that belongs at `output` to `path`."""
    film = recipe.animation(output, runs)
    film.save(path, progress_callback=lambda _frame, _frames: watcher.frame())


def _save_within(
    limit: int, recipe: Recipe, output: str, runs: Sequence[Trajectory], watcher: Watcher
) -> None:
    """Write the best film of at most `limit` bytes, and tell of the search."""
    from animate.budget import Setting, first_that_fits, ladder
    from animate.scene import check_legible

    def is_legible(size: tuple[int, int]) -> bool:
        try:
            check_legible(len(recipe.lrs), recipe.views, size, recipe.title, recipe.epochs)
        except InputError:
            return False
        return True

    best = Setting(recipe.quality, recipe.fps, recipe.size_of(output))
    rungs = ladder(best, is_legible)
    films: dict[Setting, bytes] = {}

    def made(setting: Setting) -> int:
        if films or setting is not best:
            watcher.films(recipe.frames)
        again = replace(
            recipe,
            quality=setting.quality,
            fps=setting.fps,
            size=setting.size,
            duration=recipe.frames / recipe.fps,
        )
        with TemporaryDirectory() as folder:
            path = Path(folder, f"film{Path(output).suffix}")
            _save(again, output, runs, watcher, path)
            films[setting] = path.read_bytes()
        size = len(films[setting])
        verdict = "fits" if size <= limit else "is too large"
        watcher.note(f"{output}: {setting}: {size / 1000:.0f} kB {verdict}")
        return size

    place, size = first_that_fits(rungs, made, limit)
    if place is None:
        raise OutputError(
            f"it takes {size / 1000:.0f} kB even with {rungs[-1]}, which is the smallest that can "
            f"be read; the limit is {limit / 1000:.0f} kB"
        )
    with files.atomic(output) as temporary:
        temporary.write_bytes(films[rungs[place]])


def _outputs(paths: Sequence[files.AnyPath]) -> tuple[str, ...]:
    from animate import encode

    outputs: list[str] = []
    for path in (os.fspath(path) for path in paths):
        encode.extension(path)
        if Path(path).resolve() in [Path(output).resolve() for output in outputs]:
            raise InputError(f"output {path} is given twice; give each file once")
        outputs.append(path)
    if not outputs:
        raise InputError("no output is given; give at least one, such as lesson.mp4")
    return tuple(outputs)


Writing = Callable[[Recipe, Sequence["Trajectory"], Watcher], list[str]]


class _Nobody:
    def epoch(self, epoch: int, losses: Floats) -> None: ...
    def films(self, frames: int) -> None: ...
    def frame(self) -> None: ...
    def note(self, sentence: str) -> None: ...
    def wrote(self, output: str) -> None: ...
    def failed(self, output: str, error: OSError) -> None: ...
