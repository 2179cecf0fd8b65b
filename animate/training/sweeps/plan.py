"""
What a sweep trains, cut into tiles.

A tile holds a fixed number of runs that share all settings but their numbers. The last one of a
group is filled up with copies of its last run: so all tiles have one shape, and the result of a
tile depends on the tile alone, whatever else is swept and wherever it is trained.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from animate.system import validation
from animate.system.errors import InputError
from animate.system.numbers import rate_texts
from animate.training.hyperparameters import DEFAULT_MOMENTUM, Hyperparameters
from animate.training.line import Line
from animate.training.problem import Array, Doubles
from animate.training.supervised import Supervised

SWEPT_OPTIMIZERS = (*DEFAULT_MOMENTUM, "adam")
NUMBERS = ("lr", "momentum")  # fields of Hyperparameters in which the runs of a tile may differ
NAMES = ("optimizer", "batch_size", "seed")  # in which they may not
START, RATE = "start.", "lr."
LINE_PARAMETERS = ("slope", "bias")
LARGEST_START = 1e30
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # the defaults of torch.optim.Adam


@dataclass(frozen=True, eq=False)
class Tile:
    """
    Runs that are trained as one batch.

    Attributes
    ----------
    number : int
        Its place in the sweep, from 0.
    settings : Hyperparameters
        What all runs share; its `lr` and `momentum` are those of the first run.
    epochs : int
    lr, momentum : float64 arrays, shape (R,)
        Momentum is 0 for an optimizer without one.
    rates : mapping of str to float64 arrays, shape (R,)
        Learning rates of single parameters, by their names, instead of `lr`.
    starts : mapping of int to float64 arrays, shape (R,)
        Weights of the start, by their index, instead of those of the problem.
    places : int64 array, shape (count,)
        The places in the grid, as a flat array, of the first `count` runs; the others fill up.
    """

    number: int
    settings: Hyperparameters
    epochs: int
    lr: Doubles
    momentum: Doubles
    rates: Mapping[str, Doubles]
    starts: Mapping[int, Doubles]
    places: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lr)

    def __str__(self) -> str:
        values: dict[str, Doubles] = {"lr": self.lr}
        values |= {RATE + name: rates for name, rates in self.rates.items()}
        values |= {"momentum": self.momentum} if self.momentum.any() else {}
        values |= {f"{START}{index}": starts for index, starts in self.starts.items()}
        texts = []
        for name, numbers in values.items():
            low, high = rate_texts([float(numbers.min()), float(numbers.max())])
            texts.append(f"{name} {low}" if low == high else f"{name} {low} to {high}")
        return f"tile {self.number} ({', '.join(texts)})"

    def rate_of(self, parameter: str) -> Doubles:
        """Return the learning rate of the parameter with this name, for each run, shape (R,)."""
        return self.rates.get(parameter, self.lr)

    def steps(self, points: int) -> int:
        """Return the number of updates of each run."""
        return self.epochs * self.settings.steps_per_epoch(points)


@dataclass(frozen=True, eq=False)
class Plan:
    """
    A sweep before it is trained.

    Attributes
    ----------
    problem : Line or Supervised
    axes : mapping of str to arrays
        One or two; their values are checked.
    fixed : Hyperparameters
        All settings that are no axis.
    epochs : int
    tile_size : int
        The number of runs in a tile.
    """

    problem: Line | Supervised
    axes: Mapping[str, Array]
    fixed: Hyperparameters
    epochs: int
    tile_size: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the grid."""
        return tuple(map(len, self.axes.values()))

    @property
    def run_count(self) -> int:
        """The number of runs."""
        return int(np.prod(self.shape))

    @cached_property
    def _groups(self) -> list[tuple[Hyperparameters, npt.NDArray[np.int64]]]:
        """The settings that runs in a tile must share, and the places that have them."""
        places = np.arange(self.run_count).reshape(self.shape)
        choices = [
            list(enumerate(values.tolist())) if name in NAMES else [(None, None)]
            for name, values in self.axes.items()
        ]
        groups = []
        for chosen in itertools.product(*choices):
            named = {
                name: value
                for name, (index, value) in zip(self.axes, chosen, strict=True)
                if index is not None
            }
            part = tuple(slice(None) if index is None else index for index, _ in chosen)
            settings = self.fixed if not named else replace(self.fixed, **named)
            groups.append((settings.for_data_size(len(self.problem.x)), places[part].ravel()))
        return groups

    @property
    def tile_count(self) -> int:
        """The number of tiles."""
        return sum(-(-len(places) // self.tile_size) for _, places in self._groups)

    def tiles(self) -> Iterator[Tile]:
        """Yield all tiles."""
        number = 0
        for settings, places in self._groups:
            for first in range(0, len(places), self.tile_size):
                yield self._tile(number, settings, places[first : first + self.tile_size])
                number += 1

    def _tile(self, number: int, settings: Hyperparameters, places: npt.NDArray[np.int64]) -> Tile:
        filled = np.concatenate([places, np.repeat(places[-1:], self.tile_size - len(places))])
        indices = dict(zip(self.axes, np.unravel_index(filled, self.shape), strict=True))

        def values(name: str, default: float) -> Doubles:
            if name in self.axes:
                return np.asarray(self.axes[name], np.float64)[indices[name]]
            return np.full(self.tile_size, default)

        def named(prefix: str) -> dict[str, Doubles]:
            return {
                name.removeprefix(prefix): values(name, np.nan)
                for name in self.axes
                if name.startswith(prefix)
            }

        return Tile(
            number,
            settings,
            self.epochs,
            values("lr", settings.lr),
            values("momentum", settings.effective_momentum or 0.0),
            named(RATE),
            {int(name): starts for name, starts in named(START).items()},
            places,
        )


def parameter_names(problem: Line | Supervised) -> tuple[str, ...]:
    """Return the names of the parameters that may have a learning rate of their own."""
    if isinstance(problem, Line):
        return LINE_PARAMETERS
    return tuple(name for name, one in problem.model.named_parameters() if one.requires_grad)


def check_axes(
    problem: Line | Supervised, axes: Mapping[str, object], fixed: Hyperparameters | None
) -> tuple[dict[str, Array], Hyperparameters]:
    """
    Return the axes as arrays, and the settings that are no axis.

    Raises
    ------
    InputError
        If an axis is unknown or has a value that cannot be used, if no learning rate is given, or
        if the optimizer or the schedule cannot be swept.
    """
    if not (isinstance(axes, Mapping) and 1 <= len(axes) <= 2):
        raise InputError(
            f"axes {validation.quoted(axes)} are not one axis or two; give them by name, such as "
            '{"lr": rates, "momentum": momenta}'
        )
    if fixed is None:
        if not any(name == "lr" or name.startswith(RATE) for name in axes):
            raise InputError(
                "no learning rate is given; make lr an axis, or give "
                "fixed=animate.Hyperparameters(lr=0.1)"
            )
        own = {name.removeprefix(RATE) for name in axes}
        rest = [name for name in parameter_names(problem) if name not in own]
        if "lr" not in axes and rest:
            raise InputError(
                f"no learning rate is given for {', '.join(rest)}; give it as "
                "fixed=animate.Hyperparameters(lr=0.1)"
            )
        fixed = Hyperparameters(1.0)
    checked = {name: _axis(problem, name, values) for name, values in axes.items()}
    if "lr" in axes and any(name.startswith(RATE) for name in axes):
        raise InputError("lr and the rate of one parameter are both axes; give one of them")
    fixed = _with_first(fixed, checked)
    for name, momentum in (("optimizer", fixed.optimizer), *_values(checked, "optimizer")):
        if momentum not in SWEPT_OPTIMIZERS:
            raise InputError(
                f"{name} {momentum} cannot be swept; choose from {', '.join(SWEPT_OPTIMIZERS)}"
            )
    for _, schedule in (("schedule", fixed.schedule), *_values(checked, "schedule")):
        if schedule != "constant":
            raise InputError(
                f"the {schedule} schedule cannot be swept; leave it out, since the runs of a sweep "
                "keep their learning rate"
            )
    checked.pop("schedule", None)
    if not checked:
        raise InputError("schedule is no axis, since only constant can be swept; give another axis")
    if "momentum" in checked:
        for _, optimizer in (("", fixed.optimizer), *_values(checked, "optimizer")):
            for momentum in checked["momentum"]:
                Hyperparameters(1.0, optimizer, float(momentum))
    return checked, fixed


def _values(axes: Mapping[str, Array], name: str) -> list[tuple[str, Any]]:
    return [(name, value) for value in axes[name].tolist()] if name in axes else []


def _with_first(fixed: Hyperparameters, axes: Mapping[str, Array]) -> Hyperparameters:
    """Return `fixed` with the first value of each axis, whether or not they go together."""
    first = {
        name: values[0].item()
        for name, values in axes.items()
        if not name.startswith((START, RATE))
    }
    return replace(fixed, **first, label=None)


def _axis(problem: Line | Supervised, name: object, values: object) -> Array:
    """Return the values of an axis as a read-only array, shape (n,)."""
    known = [one.name for one in fields(Hyperparameters) if one.name != "label"]
    is_start, is_rate = str(name).startswith(START), str(name).startswith(RATE)
    if is_start:
        count = problem.start.size
        validation.whole(
            str(name).removeprefix(START), "weight of the start", least=0, most=count - 1
        )
    elif is_rate:
        validation.choice(str(name).removeprefix(RATE), "parameter", parameter_names(problem))
    elif name not in known:
        validation.choice(name, "axis", [*known, f"{START}0", f"{RATE}<parameter>"])
    try:
        listed = np.asarray(values)
    except ValueError:
        listed = np.empty((0, 0))
    if listed.ndim != 1 or not listed.size:
        raise InputError(
            f"axis {name} has shape {listed.shape}; give at least one value, as a list or an array "
            "of shape (n,)"
        )
    if name in NUMBERS or is_start or is_rate:
        array = _numbers(str(name), listed, is_start=is_start)
    else:
        checked = [getattr(Hyperparameters(**{"lr": 1.0, str(name): one}), str(name))
                   for one in listed.tolist()]  # fmt: skip
        array = np.array(checked)
    if len(np.unique(array)) < len(array):
        ordered = np.sort(array)
        twice = ordered[:-1][ordered[1:] == ordered[:-1]][0]
        raise InputError(f"axis {name} has {twice} twice; give each value once")
    array.flags.writeable = False
    return array


def _numbers(name: str, values: Array, *, is_start: bool) -> Doubles:
    try:
        array = np.array(values, np.float64)
    except (TypeError, ValueError):
        raise InputError(f"axis {name} has a value that is not a number; give numbers") from None
    if is_start:
        wrong, bounds = ~(np.abs(array) <= LARGEST_START), f"numbers of at most {LARGEST_START:g}"
    elif name == "momentum":
        wrong, bounds = ~((array >= 0) & (array < 1)), "numbers from 0 to below 1"
    else:
        wrong, bounds = ~((array > 0) & np.isfinite(array)), "positive numbers"
    if wrong.any():
        raise InputError(f"axis {name} has the value {array[wrong][0]:g}; give {bounds}")
    return array


def batches(points: int, settings: Hyperparameters, epochs: int) -> Iterator[Any]:
    """
    Yield the indices of the points of each step, as `animate.train` draws them.

    None stands for all points.
    """
    if settings.batch_size is None:
        yield from itertools.repeat(None, epochs)
        return
    import torch

    generator = torch.Generator().manual_seed(settings.seed)
    for _ in range(epochs):
        yield from torch.randperm(points, generator=generator).split(settings.batch_size)
