"""
A whole job as one value: what to train, what to show of it, and which files to write.

The defaults are declared here and nowhere else. The job is done in `animate.recipe.making`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from animate.drawing.views import VIEWS
from animate.system import files, validation
from animate.system.errors import InputError

if TYPE_CHECKING:
    from animate.film.animation import Animation
    from animate.training.line import Line
    from animate.training.trajectory import Trajectory

Form = Literal["film", "still", "page", "report"]

OTHERS: dict[str, Form] = {".html": "page", ".json": "report"}
OUTPUT_FOLDER = "outputs"  # which is made if it is missing, as other folders are not
DEFAULT_OUTPUTS = (f"{OUTPUT_FOLDER}/convergence.mp4", f"{OUTPUT_FOLDER}/convergence.gif")
STILLS = (
    ".png",
    ".svg",
    ".pdf",
)  # `drawing.stills.FORMATS`, without importing matplotlib
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
        lrs = validation.learning_rates(self.lrs)
        if len(lrs) > validation.MOST_RUNS:
            raise InputError(
                f"{len(lrs)} learning rates do not fit into one picture; "
                f"give at most {validation.MOST_RUNS}"
            )
        limit = None if self.max_size is None else validation.byte_count(self.max_size, "limit")
        duration = None if self.duration is None else validation.seconds(self.duration, "duration")
        epochs = validation.epochs(self.epochs, runs=len(lrs))
        values: dict[str, object] = {
            "lrs": lrs,
            "epochs": epochs,
            "seed": validation.whole(self.seed, "seed", least=0, most=validation.LARGEST_SEED),
            "points": validation.points(self.points),
            "noise": validation.choice(self.noise, "noise", validation.NOISES),
            "true_weights": validation.weights(self.true_weights, "true weight"),
            "start": validation.weights(self.start, "start weight"),
            "views": tuple(validation.choice(view, "view", VIEWS) for view in self.views),
            "size": None if self.size is None else validation.size(self.size),
            "at": validation.moments(self.at, epochs),
            "fps": validation.frame_rate(self.fps),
            "hold": validation.seconds(self.hold, "hold"),
            "duration": duration,
            "loop": validation.whole(self.loop, "loop", least=0, most=validation.MOST_LOOPS),
            "quality": validation.choice(self.quality, "quality", validation.QUALITIES),
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
            validation.epochs(epochs, runs=len(self.rates))

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
            from animate.drawing import stills

            return stills.default_size(self.path, len(self.at), DEFAULT_SIZE)
        return DEFAULT_SIZES.get(Path(self.path).suffix.lower(), DEFAULT_SIZE)

    def problem(self) -> Line:
        """Return the data to train on."""
        from animate.training.line import Line

        return Line.sample(self.seed, self.points, self.noise, self.true_weights, self.start)

    @property
    def frames(self) -> int:
        """How many frames each film has."""
        from animate.film.timeline import timeline

        return len(timeline(self.epochs, self.fps, self.hold, self.duration))

    def shown(self, runs: Sequence[Trajectory]) -> list[Trajectory]:
        """Return those of a training's `runs` that the only output shows, in its order."""
        by_rate = {run.lr: run for run in runs if run.lr is not None}
        return [by_rate[lr] for lr in self.lrs]

    def animation(self, runs: Sequence[Trajectory]) -> Animation:
        """
        Return what the only output shows of a training's `runs`, as it says.

        A learning rate looks the same in all outputs of a recipe.
        """
        from animate.drawing.theme import load_theme
        from animate.film.animation import Animation

        rates = [run.lr for run in runs if run.lr is not None]
        look = replace(load_theme(self.theme), style_indices=tuple(map(rates.index, self.lrs)))
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


def form_of(path: str) -> Form:
    """Return what kind of file `path` is, by its extension."""
    from animate.film import encode

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
            raise InputError(f"{output.path}: there is no setting {validation.shown(unknown)}")
        whole = next((name for name in output.changes if name in OF_THE_WHOLE), None)
        if whole is not None:
            raise InputError(
                f"{output.path}: {whole} is of the whole recipe; set it there, or make another"
            )
        found.append(output)
    if not found:
        raise InputError("no output is given; give at least one, such as lesson.mp4")
    return tuple(found)
