"""
A whole job as one value: what to train, what to show of it, and which files to write.

Each setting is declared here, once; `animate.recipe.settings` derives the rest from that.
`animate.recipe.making` does the job.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from animate.drawing.views import VIEWS
from animate.recipe import settings
from animate.recipe.problems import FRACTAL, READY_NAMES, ready_problem
from animate.recipe.settings import Form, SettingError, naming_output, naming_setting, setting
from animate.system import defaults, files, validation
from animate.system.errors import InputError
from animate.system.validation import PaperSize
from animate.training.hyperparameters import (
    DEFAULT_MOMENTUM,
    OPTIMIZER_NAMES,
    SCHEDULES,
    Hyperparameters,
)

if TYPE_CHECKING:
    from animate.drawing.stills import Picture
    from animate.drawing.theme import Theme
    from animate.film.animation import Animation
    from animate.training.trajectory import Trajectory

OTHER_FORMS: dict[str, Form] = {".html": "page", ".json": "report"}
OUTPUT_FOLDER = "outputs"
DEFAULT_OUTPUTS = (f"{OUTPUT_FOLDER}/convergence.mp4", f"{OUTPUT_FOLDER}/convergence.gif")
STILLS = (
    ".png",
    ".jpg",
    ".jpeg",
    ".svg",
    ".pdf",
)  # `drawing.stills.FORMATS`, without importing matplotlib
GIF_SIZE = (800, 450)
DATA_SETTINGS = ("columns", "standardize", "data_sha256")
MAP_SETTINGS = ("x", "y", "resolution", "depth")
SAMPLE_SETTINGS = ("points", "noise", "true_weights")


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
    `runs` are hyperparameters to train instead of the combinations of `lrs`, `optimizer`,
    `momentum`, `schedule` and `batch_size`. `labels` replace the labels that `runs` have.

    Raises
    ------
    InputError
        If a value cannot be used.
    """

    problem: str | None = setting(
        None, settings.PROBLEM,
        f"model to train: {settings.join_values(READY_NAMES)}, or file.py:function or "
        "module:function",
        default_words="a line", metavar="NAME", group="training", per_output=False,
    )  # fmt: skip
    data: str | None = setting(
        None, settings.FILE, "CSV file with the points of the line", default_words="sampled points",
        metavar="FILE", group="training", per_output=False,
    )  # fmt: skip
    columns: Sequence[str | int] | None = setting(
        None, settings.COLUMNS, "names or numbers of two columns of the data",
        default_words="the only two with numbers", metavar=("X", "Y"), group="training",
        per_output=False,
    )  # fmt: skip
    standardize: bool = setting(
        True, settings.BOOLEAN, "do not scale the data to mean 0 and standard deviation 1",
        default_words="", metavar="", group="training", per_output=False,
    )  # fmt: skip
    data_sha256: str | None = setting(
        None, settings.TEXT, "checksum that the data must have", metavar="", group="training",
        per_output=False, is_option=False,
    )  # fmt: skip
    lrs: Sequence[float] = setting(
        None, settings.RATES, "learning rates",
        default_words=f"{settings.join_values(defaults.LRS)}, or the problem's", metavar="LR",
        group="training",
    )  # fmt: skip
    optimizer: Sequence[str] = setting(
        ("sgd",), settings.OPTIMIZERS,
        f"{settings.join_values(OPTIMIZER_NAMES)}, or a class in torch.optim",
        metavar="NAME", group="training",
    )  # fmt: skip
    momentum: Sequence[float] | None = setting(
        None, settings.MOMENTA, f"momentum of {', '.join(DEFAULT_MOMENTUM)}",
        default_words="0 for sgd, else 0.9", metavar="M", group="training",
    )  # fmt: skip
    batch_size: Sequence[int] | None = setting(
        None, settings.BATCH_SIZES, "data points per step", default_words="all",
        metavar="N", group="training",
    )  # fmt: skip
    schedule: Sequence[str] = setting(
        ("constant",), settings.choices("schedule", SCHEDULES),
        f"learning rate over the run: {settings.join_values(SCHEDULES)}", metavar="NAME",
        group="training",
    )  # fmt: skip
    epochs: int = setting(
        None, settings.whole("number of epochs", 1), "passes over the data",
        default_words=f"{defaults.EPOCHS}, or the problem's", metavar="N", group="training",
        per_output=False,
    )  # fmt: skip
    seed: int | None = setting(
        None, settings.whole("seed", 0, validation.LARGEST_SEED),
        "seed of the random data", default_words=f"{defaults.SEED}, or the problem's", metavar="N",
        group="training", per_output=False,
    )  # fmt: skip
    points: int = setting(
        defaults.POINTS,
        settings.whole("number of points", validation.LEAST_POINTS, validation.MOST_POINTS),
        "number of data points", metavar="N", group="training", per_output=False,
    )  # fmt: skip
    noise: str = setting(
        defaults.NOISE, settings.choice("noise", validation.NOISES),
        f"noise of the data: {settings.join_values(validation.NOISES)}",
        default_words="uniform on [0, 1)",
        metavar="KIND", group="training", per_output=False,
    )  # fmt: skip
    true_weights: Sequence[float] = setting(
        defaults.TRUE_WEIGHTS, settings.weights("true weight"),
        "weights that the data are drawn from", key="true",
        metavar=("SLOPE", "BIAS"), group="training", per_output=False,
    )  # fmt: skip
    start: Sequence[float] = setting(
        defaults.START, settings.weights("start weight"), "weights before the first step",
        metavar=("SLOPE", "BIAS"), group="training", per_output=False,
    )  # fmt: skip
    width: int = setting(
        16, settings.whole("width", 1, 1024), "hidden units of the problem fractal",
        metavar="N", group="training", per_output=False,
    )  # fmt: skip
    activation: str = setting(
        "tanh", settings.choice("activation", ("tanh", "relu", "linear")),
        "activation of the problem fractal", metavar="NAME", group="training", per_output=False,
    )  # fmt: skip
    x: tuple[str, float, float] | None = setting(
        None, settings.AXIS, "what a map sweeps across, and its ends",
        default_words="lr around the limit", metavar=("AXIS", "LOW", "HIGH"), group="training",
        forms=("film", "still"), per_output=False,
    )  # fmt: skip
    y: tuple[str, float, float] | None = setting(
        None, settings.AXIS, "what a map sweeps up, and its ends",
        default_words="momentum 0 0.99", metavar=("AXIS", "LOW", "HIGH"), group="training",
        forms=("film", "still"), per_output=False,
    )  # fmt: skip
    resolution: tuple[int, int] | None = setting(
        None, settings.RESOLUTION, "runs of a map, across and up",
        default_words="320x240, of a network 32x24", metavar="NxM", group="training",
        forms=("film", "still"), per_output=False,
    )  # fmt: skip
    depth: int | None = setting(
        None, settings.whole("depth", 1, validation.MOST_DEPTH),
        "zoom a film of a map into the boundary, and halve its sides so often",
        default_words="no zoom", metavar="N", group="training", forms=("film",), per_output=False,
    )  # fmt: skip
    views: Sequence[str] | None = setting(
        None, settings.choices("view", VIEWS), f"panels: {settings.join_values(VIEWS)}",
        default_words=f"{settings.join_values(defaults.VIEWS)}, or the problem's", metavar="VIEW",
        group="picture",
    )  # fmt: skip
    size: tuple[int, int] | PaperSize | None = setting(  # noqa: RUF009 - PaperSize is immutable
        None, settings.SIZE,
        f"in pixels, or {settings.join_values(validation.SIZES)}; of a still also on paper, in "
        f"{', '.join(validation.UNITS)}: text has 7 to 9 pt, and a width alone gets a height that "
        "suits",
        default_words="{}x{}, GIF {}x{}".format(*defaults.SIZE, *GIF_SIZE),
        metavar="WxH", group="picture", forms=("film", "still"),
    )  # fmt: skip
    theme: str = setting(
        defaults.THEME, settings.THEME,
        f"{settings.join_values(validation.THEMES)}, or a matplotlib style by its name or file",
        metavar="NAME", group="picture",
    )  # fmt: skip
    title: str | None = setting(
        None, settings.TEXT, 'text above the picture, of one line or two; "" for none',
        metavar="TEXT", group="picture",
    )  # fmt: skip
    labels: Sequence[str] | None = setting(
        None, settings.LABELS, "names of the runs, in their order",
        default_words="their learning rates and what else differs", metavar="LABEL",
        group="picture",
    )  # fmt: skip
    alt: str | None = setting(
        None, settings.TEXT,
        "alternative text, in stills, the page and what --embed prints",
        default_words="a description of the runs", metavar="TEXT", group="picture",
        changes_frames=False,
    )  # fmt: skip
    font: str | None = setting(
        None, settings.FONT, "font file for all texts", default_words="one that ships with animate",
        metavar="FILE", group="picture", forms=("film", "still"),
    )  # fmt: skip
    at: Sequence[int | str] = setting(
        ("end",), settings.MOMENTS,
        f"epoch of a still, or {settings.join_values(validation.MOMENTS)}; several make a sheet, "
        "or pages of a PDF", metavar="EPOCH", group="picture", forms=("still",),
        changes_frames=False,
    )  # fmt: skip
    fps: float = setting(
        defaults.FPS, settings.FRAME_RATE, "frames a second",
        metavar="N", group="picture", forms=("film",),
    )  # fmt: skip
    hold: float = setting(
        defaults.HOLD, settings.seconds("hold"), "seconds that the last epoch is shown",
        metavar="S", group="picture", forms=("film",),
    )  # fmt: skip
    duration: float | None = setting(
        None, settings.seconds("duration"), "length of the film in seconds",
        default_words="every epoch is shown, under 14 s",
        metavar="S", group="picture", forms=("film",),
    )  # fmt: skip
    loop: int = setting(
        defaults.LOOP, settings.whole("loop", 0, validation.MOST_LOOPS),
        "how often a GIF, WebP or APNG plays", default_words="0, for ever",
        metavar="N", group="picture", forms=("film",),
        changes_frames=False,
    )  # fmt: skip
    max_size: int | None = setting(
        None, settings.BYTES,
        "largest file, such as 2MB: tries less quality, then fewer frames a second, then a "
        "smaller picture", metavar="SIZE", group="picture", forms=("film",),
        changes_frames=False,
    )  # fmt: skip
    quality: str = setting(
        defaults.QUALITY, settings.choice("quality", validation.QUALITIES),
        settings.join_values(validation.QUALITIES),
        metavar="Q", group="picture", forms=("film",),
        changes_frames=False,
    )  # fmt: skip
    outputs: Sequence[str | Output] = DEFAULT_OUTPUTS
    runs: Sequence[Hyperparameters] = ()

    def __post_init__(self) -> None:
        for name, declared in SETTINGS.items():
            value = getattr(self, name)
            if value is not None or declared.default is not None:
                with naming_setting(name):
                    object.__setattr__(self, name, declared.kind.check(value))
        self._check_data()
        self._set_defaults()
        self._check_map()
        object.__setattr__(self, "runs", tuple(self.runs))
        with naming_setting("epochs"):
            validation.epochs(self.epochs, runs=len(self.hyperparameters))
        with naming_setting("at"):
            has_batches = any(one.batch_size for one in self.hyperparameters)
            moments = validation.moments(self.at, self.epochs, fractions=has_batches)
            object.__setattr__(self, "at", moments)
        object.__setattr__(self, "outputs", _outputs(self.outputs))
        if any(output.changes for output in self.normalized_outputs):
            checked = tuple(
                Output(part.path, {name: getattr(part, name) for name in output.changes})
                for part, output in zip(self.by_output, self.normalized_outputs, strict=True)
            )
            object.__setattr__(self, "outputs", checked)
            with naming_setting("epochs"):
                validation.epochs(self.epochs, runs=len(self.trained))

    def _check_data(self) -> None:
        """Raise `SettingError` if a setting has no effect on what is trained."""
        if self.data is not None and self.problem is not None:
            raise SettingError("data and problem both say what to train; give one of them", "data")
        for name, why in self.unused_settings.items():
            if getattr(self, name) != SETTINGS[name].default:
                raise SettingError(
                    f"{SETTINGS[name].key} has no effect, since {why}; leave it out", name
                )

    def _check_map(self) -> None:
        """Raise `SettingError` if a setting of a map has no effect, or one axis is missing."""
        if not self.has_map:
            for name in MAP_SETTINGS:
                if getattr(self, name) is not None:
                    raise SettingError(
                        f"{name} has no effect, since no picture has the view map; add it to "
                        "views, or leave it out",
                        name,
                    )
        if (self.x is None) != (self.y is None):
            missing = "x" if self.x is None else "y"
            raise SettingError(f"a map needs two axes, and {missing} is missing; add it", missing)
        if self.x is not None and self.y is not None and self.x[0] == self.y[0]:
            raise SettingError(f"x and y are both {self.x[0]}; give two different axes", "y")
        if self.depth is not None:
            if self.x is None or self.resolution is None:
                raise SettingError("depth needs x, y and resolution; give them too", "depth")
            if any(count % 2 for count in self.resolution):
                raise SettingError("a zoom needs even numbers of runs", "resolution")
            if any(list(one) != ["map"] for one in self._all_views):
                raise SettingError("a zoom shows the view map alone; give no other", "views")

    @property
    def _all_views(self) -> list[Sequence[str]]:
        """The views of the recipe, and those that outputs have instead."""
        changed = [one.changes.get("views") for one in self.outputs if isinstance(one, Output)]
        return [self.views or (), *(one for one in changed if one is not None)]  # type: ignore[list-item]

    @property
    def has_map(self) -> bool:
        """Whether a picture has the view map, so that a sweep is trained."""
        return any("map" in views for views in self._all_views)

    @property
    def unused_settings(self) -> dict[str, str]:
        """The settings that do not apply to what is trained, each with the reason."""
        unused = {}
        if self.data is None:
            unused = dict.fromkeys(DATA_SETTINGS, "no data are given")
        if self.problem is not None:
            unused |= dict.fromkeys((*SAMPLE_SETTINGS, "start"), "a problem is given")
        elif self.data is not None:
            unused |= dict.fromkeys((*SAMPLE_SETTINGS, "seed"), "data are given")
        if self.problem != FRACTAL:
            unused |= dict.fromkeys(("width", "activation"), "the problem is not fractal")
        return unused

    def _set_defaults(self) -> None:
        """Set the settings that are missing to those of the problem."""
        ready = ready_problem(self.problem)
        found: dict[str, object] = {"lrs": defaults.LRS, "epochs": defaults.EPOCHS}
        if ready is not None:
            found = {"lrs": ready.lrs, "epochs": ready.epochs, "views": ready.views}
        elif self.problem is None:
            found |= {"views": defaults.VIEWS}
            found |= {} if self.data is not None else {"seed": defaults.SEED}
        for name, value in found.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)

    @cached_property
    def by_output(self) -> tuple[Recipe, ...]:
        """The recipe of each output alone, which has the settings of that output."""
        parts = []
        for number, output in enumerate(self.normalized_outputs, 1):
            with naming_output(number):
                part = replace(self, **output.changes, outputs=[output.path])  # type: ignore[arg-type]
            parts.append(part)
        return tuple(parts)

    @property
    def normalized_outputs(self) -> tuple[Output, ...]:
        """The outputs, each with what it changes."""
        return tuple(self.outputs)  # type: ignore[arg-type]

    @cached_property
    def hyperparameters(self) -> tuple[Hyperparameters, ...]:
        """
        What the recipe trains: `runs`, or else every combination of the values given.

        A momentum is combined with the optimizers that take one.
        """
        if self.runs:
            found = list(self.runs)
        else:
            momenta: Sequence[float | None] = self.momentum or [None]
            sizes: Sequence[int | None] = self.batch_size or [None]
            taken = [name for name in self.optimizer if name in DEFAULT_MOMENTUM]
            if self.momentum and not taken:
                with naming_setting("momentum"):
                    Hyperparameters(self.lrs[0], self.optimizer[0], self.momentum[0])
            with naming_setting("optimizer"):
                found = [
                    Hyperparameters(lr, optimizer, momentum, schedule, batch_size)
                    for optimizer in self.optimizer
                    for momentum in (momenta if optimizer in taken else [None])
                    for schedule in self.schedule
                    for batch_size in sizes
                    for lr in self.lrs
                ]
        if len(found) > validation.MOST_RUNS:
            raise SettingError(
                f"{len(found)} runs do not fit into one picture; give at most "
                f"{validation.MOST_RUNS}, or see how many epochs each rate needs in the view cliff",
                "lrs",
            )
        if self.labels is None:
            return tuple(found)
        if len(self.labels) != len(found):
            raise SettingError(
                f"{_counted(len(self.labels), 'label')} for {_counted(len(found), 'run')}; "
                "give one for each run, in their order",
                "labels",
            )
        return tuple(
            replace(one, label=label) for one, label in zip(found, self.labels, strict=True)
        )

    @property
    def trained(self) -> tuple[Hyperparameters, ...]:
        """The hyperparameters of the runs of all outputs."""
        return tuple(dict.fromkeys(one for part in self.by_output for one in part.hyperparameters))

    @property
    def path(self) -> str:
        """The path of the only output."""
        (output,) = self.normalized_outputs
        return output.path

    @property
    def form(self) -> Form:
        """What kind of file the only output is."""
        return form_of(self.path)

    @property
    def pixels(self) -> tuple[int, int]:
        """The width and height of the only output, in pixels, unless it has a size on paper."""
        if self.size is not None:
            return validation.size(self.size)
        if self.form == "still":
            from animate.drawing import stills

            return stills.default_size(self.path, len(self.at), defaults.SIZE)
        return GIF_SIZE if Path(self.path).suffix.lower() == ".gif" else defaults.SIZE

    @property
    def full_size(self) -> tuple[int, int] | PaperSize:
        """
        The size of the only output, in pixels or, of a still, on paper.

        Raises
        ------
        SettingError
            If a film has a size on paper.
        """
        if self.form == "still" and isinstance(self.size, PaperSize):
            return self.size
        with naming_setting("size"):
            return self.pixels

    def frame_count(self, moments: int) -> int:
        """Return the number of frames of each film that shows so many moments, start included."""
        from animate.film.timeline import timeline

        last = moments - 1
        return len(timeline(last, self.fps, self.hold, self.duration, last / self.epochs))

    def select_runs(self, runs: Sequence[Trajectory]) -> list[Trajectory]:
        """Return those of a training's `runs` that the only output shows, in its order."""
        by_hyperparameters = {run.hyperparameters: run for run in runs}
        return [by_hyperparameters[one] for one in self.hyperparameters]

    def look(self, runs: Sequence[Trajectory]) -> Theme:
        """Return the theme of the only output. A run looks the same in all outputs of a recipe."""
        from animate.drawing.theme import load_theme

        return replace(load_theme(self.theme, self.font), style_indices=self.style_indices(runs))

    def style_indices(self, runs: Sequence[Trajectory]) -> tuple[int, ...]:
        """Return the index of the style of each run that the only output shows."""
        trained = [run.hyperparameters for run in runs]
        return tuple(map(trained.index, self.hyperparameters))

    def picture(
        self, runs: Sequence[Trajectory], known: Mapping[str, object] | None = None
    ) -> Picture:
        """Return what the only output, a still, shows of a training's `runs`; see `precompute`."""
        from animate.drawing.scene import validate_views
        from animate.drawing.stills import Picture
        from animate.training.precomputed import precompute

        shown = self.select_runs(runs)
        views = validate_views(self.views, shown)
        data = precompute([name for view in views for name in view.needs], shown, known)
        return Picture(shown, views, self.look(runs), self.title, data)

    def animation(
        self, runs: Sequence[Trajectory], known: Mapping[str, object] | None = None
    ) -> Animation:
        """Return the film of the only output of a training's `runs`; see `precompute`."""
        from animate.film.animation import Animation

        return Animation(
            self.select_runs(runs),
            self.views,
            self.pixels,
            theme=self.look(runs),
            title=self.title,
            fps=self.fps,
            hold=self.hold,
            duration=self.duration,
            loop=self.loop,
            quality=self.quality,
            known=known,
        )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def form_of(path: str) -> Form:
    """Return what kind of file `path` is, by its extension."""
    from animate.film import encode

    suffix = Path(path).suffix.lower()
    if suffix in OTHER_FORMS and not files.is_folder(path):
        return OTHER_FORMS[suffix]
    if suffix in encode.FORMATS or files.is_folder(path):
        return "film"
    files.extension(path, [*encode.FORMATS, *STILLS, *OTHER_FORMS])
    return "still"


def _outputs(outputs: Sequence[files.AnyPath | Output]) -> tuple[Output, ...]:
    found: dict[Path, Output] = {}
    for number, given in enumerate(outputs, 1):
        output = given if isinstance(given, Output) else Output(os.fspath(given))
        with naming_setting("path", number):
            form_of(output.path)
            place = files.real(output.path)
            if place in found:
                raise InputError(f"output {output.path} is given twice; give each file once")
        for name in output.changes:
            with naming_setting(name, number):
                if name not in SETTINGS:
                    raise InputError(
                        f"{output.path}: there is no setting {validation.quoted(name)}"
                    )
                if not SETTINGS[name].per_output:
                    key = SETTINGS[name].key
                    raise InputError(f"{key} is of the whole recipe; set it above the outputs")
        found[place] = output
    if not found:
        raise InputError("no output is given; give at least one, such as lesson.mp4")
    return tuple(found.values())


SETTINGS = settings.settings_of(Recipe)
"""The settings, by the names of their fields, in the order of the declaration."""
