"""The sweep that a map shows, where no axes are given: learning rate and momentum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from animate.system.errors import InputError
from animate.training.hyperparameters import Hyperparameters
from animate.training.line import Line
from animate.training.problem import Array
from animate.training.supervised import Supervised
from animate.training.sweep import Grid, sweep
from animate.training.trajectory import Trajectory

LINE_RESOLUTION, MODEL_RESOLUTION = (320, 240), (32, 24)
MOST_MOMENTUM = 0.99
BELOW_LIMIT, ABOVE_LIMIT = 100, 3  # how far the rates reach to both sides of the stability limit
AROUND_RUNS = 10  # the same around the rates of the runs, where no limit is known
LINEAR = ("momentum",)  # axes that are not spaced by powers; a start's neither


def map_of_runs(runs: Sequence[Trajectory]) -> Grid:
    """
    Return a sweep around `runs`, for as many epochs.

    Raises
    ------
    InputError
        If their problem cannot be trained again.
    """
    run = runs[0]
    problem = run.problem
    if not isinstance(problem, Line | Supervised) or run.hyperparameters is None:
        raise InputError(
            "a map trains the problem of the first run again, which is not known; give runs of "
            "animate.train"
        )
    assert run.epochs is not None
    axes = default_axes(problem, [one.lr for one in runs if one.lr is not None])
    fixed = settings_beside(run.hyperparameters, axes)
    return sweep(problem, axes, max(1, round(run.epochs)), fixed=fixed)


def settings_beside(settings: Hyperparameters, axes: dict[str, Array]) -> Hyperparameters:
    """Return what a sweep of `axes` keeps of the settings of a run."""
    if "momentum" in axes and settings.effective_momentum is None:
        return replace(settings, optimizer="sgd", label=None)
    return replace(settings, label=None)


def default_axes(
    problem: Line | Supervised, lrs: Sequence[float], resolution: tuple[int, int] | None = None
) -> dict[str, Array]:
    """Return rates around the stability limit, or around `lrs`, and momenta from 0 to 0.99."""
    if isinstance(problem, Line):
        low, high = problem.stability_limit / BELOW_LIMIT, problem.stability_limit * ABOVE_LIMIT
    else:
        low, high = min(lrs) / AROUND_RUNS, max(lrs) * AROUND_RUNS
    across, up = resolution or default_resolution(problem)
    return {"lr": axis("lr", low, high, across), "momentum": axis("momentum", 0, MOST_MOMENTUM, up)}


def default_resolution(problem: Line | Supervised) -> tuple[int, int]:
    """Return how many values the two axes have: fewer where a run takes long."""
    return LINE_RESOLUTION if isinstance(problem, Line) else MODEL_RESOLUTION


def axis(name: str, low: float, high: float, count: int) -> Array:
    """Return `count` values from `low` to `high`; learning rates by powers, others evenly."""
    if name in LINEAR or name.startswith("start.") or low <= 0:
        return np.linspace(low, high, count)
    return np.geomspace(low, high, count)
