"""Train a problem at thousands of settings, and keep how each run ended, not its records."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from animate.system import defaults, files, validation
from animate.system.errors import InputError
from animate.training.hyperparameters import Hyperparameters
from animate.training.line import Line
from animate.training.problem import Array, Doubles
from animate.training.supervised import Supervised
from animate.training.sweeps import engines
from animate.training.sweeps.plan import Plan, check_axes
from animate.training.sweeps.results import RESULT, Results
from animate.training.sweeps.results import VERDICTS as VERDICTS
from animate.training.sweeps.tiles import check, tile_size

AXIS = "axis "  # before the name of an axis, in a file


@dataclass(frozen=True, eq=False, repr=False)
class Grid:
    """
    How each run of a sweep ended. All arrays are read-only.

    Attributes
    ----------
    axes : mapping of str to arrays, shapes (n,) and (m,)
        The values of one axis or two, in the order given.
    converged_at : int64 array, shape (n,) or (n, m)
        The first step from which the distance to the best weights stays at or below 1 % of the
        initial one; -1 for never, and where the best weights are unknown.
    final_loss : float64 array, shape (n,) or (n, m)
        The loss over all points after the last step; infinite after an overflow.
    verdict : uint8 array, shape (n,) or (n, m)
        Indices into `animate.VERDICTS`. Something is known of every run, since all its losses are
        evaluated; so there is no index for "unknown".
    first_loss : float64 array
        The loss over all points before the first step.
    loss_sum, inverse_loss_sum : float64 arrays
        The sum of the losses of all steps, and of 1 over each. The loss of a step is that of its
        batch before the update.
    tail_loss : float64 array
        The mean of the losses of the last 20 steps.
    fixed : Hyperparameters
        All other settings; where one is an axis, it holds the first value.
    epochs : int
    """

    axes: Mapping[str, Array]
    converged_at: npt.NDArray[np.int64]
    final_loss: Doubles
    verdict: npt.NDArray[np.uint8]
    first_loss: Doubles
    loss_sum: Doubles
    inverse_loss_sum: Doubles
    tail_loss: Doubles
    fixed: Hyperparameters
    epochs: int

    @classmethod
    def of(
        cls, axes: Mapping[str, Array], results: Results, fixed: Hyperparameters, epochs: int
    ) -> Grid:
        """Return the grid of `results`, an array of dtype `RESULT` of the grid's shape."""
        kept: dict[str, Any] = {
            name: _read_only(np.array(results[name], order="C")) for name in RESULT.names or ()
        }
        return cls(axes=MappingProxyType(dict(axes)), fixed=fixed, epochs=epochs, **kept)

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values of each axis."""
        return tuple(map(len, self.axes.values()))

    def __repr__(self) -> str:
        counts = np.bincount(self.verdict.ravel(), minlength=len(VERDICTS))
        said = ", ".join(
            f"{count} {verdict}" for count, verdict in zip(counts, VERDICTS, strict=True) if count
        )
        axes = " x ".join(f"{len(values)} {name}" for name, values in self.axes.items())
        return f"Grid({axes}: {said})"

    def save(self, path: files.AnyPath) -> None:
        """Write the grid to `path`, an .npz file that numpy can read. It is written whole."""
        files.extension(path, [".npz"])
        arrays = {name: getattr(self, name) for name in RESULT.names or ()}
        arrays |= {AXIS + name: values for name, values in self.axes.items()}
        settings = {
            f"fixed {one.name}": value
            for one in fields(self.fixed)
            if (value := getattr(self.fixed, one.name)) is not None
        }
        with files.atomic(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, epochs=self.epochs, **settings, **arrays)

    @classmethod
    def load(cls, path: files.AnyPath) -> Grid:
        """
        Return the grid in a file that `save` has written.

        Raises
        ------
        InputError
            If `path` is no such file.
        """
        files.check_source(path, validation.MEMORY_LIMIT, "grid")
        try:
            with np.load(path, allow_pickle=False) as file:
                found = dict(file)
            settings = {
                name.removeprefix("fixed "): values.item()
                for name, values in found.items()
                if name.startswith("fixed ")
            }
            axes = {
                name.removeprefix(AXIS): _read_only(values)
                for name, values in found.items()
                if name.startswith(AXIS)
            }
            kept = {name: _read_only(found[name]) for name in RESULT.names or ()}
            epochs = int(found["epochs"])
            fixed = Hyperparameters(**settings)
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} is not a file of a grid: {error}; give another") from None
        return cls(axes=MappingProxyType(axes), fixed=fixed, epochs=epochs, **kept)


def sweep(
    problem: Line | Supervised,
    axes: Mapping[str, npt.ArrayLike] | None = None,
    epochs: int = defaults.EPOCHS,
    *,
    lrs: npt.ArrayLike | None = None,
    fixed: Hyperparameters | None = None,
    executor: Executor | None = None,
    resume: files.AnyPath | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Grid:
    """
    Train `problem` at every combination of the values of one axis or two.

    The memory that it takes does not grow with the epochs. The result has the same bytes for any
    `executor`, on processors of one kind.

    Parameters
    ----------
    problem : Line or Supervised
    axes : mapping of str to arrays
        Keys are fields of `Hyperparameters`, such as "lr" or "momentum"; "start.0", a weight of the
        start by its index; or "lr.weight", the learning rate of the parameter with this name (of a
        line: "lr.slope", "lr.bias").
    epochs : int
        Passes over the data.
    lrs : array, shape (n,)
        For short: the same as ``axes={"lr": lrs}``.
    fixed : Hyperparameters, optional
        All settings that are no axis. The optimizer is sgd, momentum, nesterov or adam, and the
        schedule is constant.
    executor : concurrent.futures.Executor, optional
        Trains the tiles, such as a `ProcessPoolExecutor`, or
        ``dask.distributed.Client(…).get_executor()``. By default they are trained here.
    resume : path, optional
        A file to which each tile is written once it is trained, and from which they are read when
        the same sweep starts again.
    on_progress : callable, optional
        Called as ``on_progress(done, total)``, in runs, after each tile.

    Raises
    ------
    InputError
        If a value cannot be used, or the problem cannot be trained in batches, or not in other
        processes.
    SweepError
        If training a tile fails; the message names its settings.
    """
    plan = plan_sweep(problem, axes, epochs, lrs=lrs, fixed=fixed)
    return run_sweep(plan, engines.engine_of(executor), resume, on_progress)


def plan_sweep(
    problem: Line | Supervised,
    axes: Mapping[str, npt.ArrayLike] | None = None,
    epochs: int = defaults.EPOCHS,
    *,
    lrs: npt.ArrayLike | None = None,
    fixed: Hyperparameters | None = None,
) -> Plan:
    """Return the sweep with these settings before it is trained; see `sweep`."""
    if not isinstance(problem, Line | Supervised):
        raise InputError(
            f"a problem of type {type(problem).__name__} cannot be trained; give an animate.Line "
            "or an animate.Supervised"
        )
    if (axes is None) == (lrs is None):
        raise InputError("axes and lrs are both given or both missing; give one of them")
    given: Mapping[str, Any] = {"lr": lrs} if axes is None else axes
    checked, settings = check_axes(problem, given, fixed)
    epochs = validation.whole(epochs, "number of epochs", least=1)
    plan = Plan(problem, checked, settings, epochs, tile_size(problem))
    check(plan)
    memory = plan.run_count * 2 * RESULT.itemsize
    if memory > validation.MEMORY_LIMIT:
        raise InputError(
            f"{plan.run_count} runs would take {memory / 1e9:.3g} GB of memory; give fewer values"
        )
    return plan


def run_sweep(
    plan: Plan,
    engine: engines.Engine | None = None,
    resume: files.AnyPath | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Grid:
    """Train the runs of `plan` with `engine`; see `sweep`."""
    results = results_of(plan, engine or engines.InProcess(), resume, on_progress)
    return Grid.of(plan.axes, results.reshape(plan.shape), plan.fixed, plan.epochs)


def results_of(
    plan: Plan,
    engine: engines.Engine,
    resume: files.AnyPath | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Results:
    """Return what is kept of each run of `plan`, as a flat array."""
    results = np.zeros(plan.run_count, RESULT)
    done = 0
    for places, found in engines.train(plan, engine, resume):
        results[places] = found
        done += len(places)
        if on_progress is not None:
            on_progress(done, plan.run_count)
    return results


def _read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array
