"""
Weights, losses and metrics of training runs, one record per recorded step.

A `Trajectory` comes from `animate.train`, or is made by hand from the records of any training loop.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, SupportsIndex, cast, overload

import numpy as np
import numpy.typing as npt

from animate.system import validation
from animate.system.errors import InputError
from animate.training.diagnosis import Diagnosis, diagnose
from animate.training.hyperparameters import Hyperparameters, labels_for
from animate.training.problem import Array, HasBuffers, HasLoss, Problem, provides

NO_ARRAYS: Mapping[str, Array] = MappingProxyType({})  # one for all of many runs
MAPPINGS = ("metrics", "buffers")
BATCH_LOSS = "batch_loss"  # the metric of runs with mini-batches
VALIDATION = "validation_"  # begins the names of the metrics over other data
MAX_REPR_RUNS = 12  # more are shortened to the first and last ones
REPR_EDGE_RUNS = 5

if TYPE_CHECKING:
    from torch.nn import Module

    from animate.system import files
    from animate.training.model_loss import Loss


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory:
    """
    The records of one run, in the order of its steps.

    Parameters
    ----------
    weights : array, shape (T, P), or None
        All parameters as one vector, one row per record. Any floating dtype is kept; integers
        become float64. None if only the losses are known. A memmap is never copied as a whole; it
        is read here only if the problem has to evaluate the losses.
    losses : array, shape (T,), optional
        Any floating dtype. NaN for a missing loss; infinite after an overflow. By default the
        problem's own loss at the weights if it provides one, else all NaN.
    steps : int array, shape (T,), optional
        The number of updates before each record, ascending; by default 0, 1, 2, …
    hyperparameters : Hyperparameters, optional
        None means unknown; then no theory is applied.
    problem : Problem, optional
        The problem that was trained.
    metrics : mapping of str to arrays of shape (T,)
        Other values per record, such as the accuracy; NaN for a missing one.
    lrs : array, shape (T,), optional
        The optimizer's learning rate at each record, used for the next step; NaN if unknown. By
        default the rate of the hyperparameters if their schedule is constant, else NaN.
    label : str, optional
        The name of the run. By default the label of the hyperparameters, or the settings in which
        they differ from the other runs of the same `train` call.
    steps_per_epoch : int, optional
        By default derived from hyperparameters and problem; None if these do not tell it.
    buffers : mapping of str to arrays of shape (T, ...), optional
        The model's buffers at each record, such as the running means of BatchNorm.
    from_train : bool
        Whether `animate.train` made the run, so that its settings are enough to repeat it.

    Raises
    ------
    InputError
        If shapes do not agree, a value has a wrong type, or there is no record.

    Notes
    -----
    `weights`, `losses`, `steps`, `lrs` and the metrics are read-only views of the given arrays, not
    copies. Do not change the given arrays afterwards. `metrics` is a read-only mapping.
    """

    weights: Array | None
    losses: Array = None  # type: ignore[assignment]  # converted in __post_init__
    steps: npt.NDArray[np.int64] = field(default=None, kw_only=True)  # type: ignore[arg-type]
    hyperparameters: Hyperparameters | None = field(default=None, kw_only=True)
    problem: Problem | None = field(default=None, kw_only=True)
    metrics: Mapping[str, Array] = field(default_factory=lambda: NO_ARRAYS, kw_only=True)
    lrs: Array = field(default=None, kw_only=True)  # type: ignore[arg-type]
    label: str = field(default=None, kw_only=True)  # type: ignore[assignment]
    steps_per_epoch: int | None = field(default=None, kw_only=True)
    from_train: bool = field(default=False, kw_only=True)
    buffers: Mapping[str, Array] = field(default_factory=lambda: NO_ARRAYS, kw_only=True)
    has_own_label: bool = field(init=False, default=False)
    """Whether the label was given by the user, so that a scene must not replace it."""

    def __post_init__(self) -> None:
        hyperparameters = self.hyperparameters
        if self.from_train and hyperparameters is not None:  # valid, and checks would take long
            vars(self).update(
                weights=_read_only(cast("Array", self.weights)),
                losses=_read_only(self.losses),
                steps_per_epoch=self._known_steps_per_epoch(),
                has_own_label=hyperparameters.label is not None,
            )
            return
        if hyperparameters is not None and not isinstance(hyperparameters, Hyperparameters):
            raise InputError(
                f"hyperparameters {validation.quoted(hyperparameters)} are not an "
                "animate.Hyperparameters; give one, or None"
            )
        weights = None if self.weights is None else _weights(self.weights)
        self._check_problem(weights)
        losses = self._checked_losses(weights)
        steps = _read_only(np.arange(len(losses)) if self.steps is None else _steps(self.steps))
        metrics, lrs = _metrics(self.metrics), self._checked_lrs(len(losses))
        buffers = _buffers(self.buffers)
        named = {f"metric {name}": values for name, values in metrics.items()}
        named |= {f"buffer {name}": values for name, values in buffers.items()}
        arrays = {"weights": weights, "losses": losses, "steps": steps, "lrs": lrs, **named}
        sizes = {name: len(array) for name, array in arrays.items() if array is not None}
        if len(set(sizes.values())) > 1:
            counts = ", ".join(f"{name} {size}" for name, size in sizes.items())
            raise InputError(
                f"the numbers of records differ: {counts}; give one value per record of each"
            )
        if not len(losses):
            raise InputError("there are no records; give at least one, of the start")
        label, own_label = self.label, hyperparameters and hyperparameters.label
        if label:
            own_label = label = validation.label(label)
        # object.__setattr__ does the same, but takes long for thousands of runs.
        vars(self).update(
            weights=weights,
            losses=losses,
            steps=steps,
            metrics=metrics,
            lrs=lrs,
            buffers=buffers,
            steps_per_epoch=self._known_steps_per_epoch(),
            label=label or own_label or next(iter(labels_for(_known_hyperparameters([self]))), ""),
            has_own_label=bool(own_label),
        )

    def _check_problem(self, weights: Array | None) -> None:
        problem = self.problem
        if problem is None:
            return
        if not (provides(problem, Problem) or provides(problem, HasLoss)):
            raise InputError(
                f"problem {validation.quoted(problem)} is not a problem; give an animate.Line, or "
                "None"
            )
        start = getattr(problem, "start", None)
        if weights is not None and start is not None and weights.shape[1:] != np.shape(start):
            raise InputError(
                f"weights have shape {weights.shape}, and the problem's start has shape "
                f"{np.shape(start)}; give the weights of this problem, or problem=None"
            )

    def _checked_losses(self, weights: Array | None) -> Array:
        if self.losses is not None:
            return _numbers(self.losses, "losses")
        if weights is None:
            raise InputError("weights and losses are both missing; give at least one of them")
        if provides(self.problem, HasLoss):
            with np.errstate(all="ignore"):  # an overflow is a valid loss
                losses = _numbers(self._losses_at(weights), "the problem's losses")
            # NaN means a missing loss where it was given, but an overflow where it was evaluated.
            return _read_only(np.where(np.isnan(losses), np.inf, losses))
        return _read_only(np.full(len(weights), np.nan))

    def _losses_at(self, weights: Array) -> object:
        """Return the problem's losses, each with the buffers of its record."""
        buffers = _buffers(self.buffers)
        if not (buffers and provides(self.problem, HasBuffers)):
            return cast("HasLoss", self.problem).loss(weights)
        count = min(map(len, (weights, *buffers.values())))  # unequal lengths are refused later
        return [self.problem_at(record).loss(weights[record]) for record in range(count)]

    def _checked_lrs(self, count: int) -> Array:
        if self.lrs is not None:
            return _numbers(self.lrs, "lrs")
        known = self.hyperparameters
        rate = known.lr if known is not None and known.schedule == "constant" else math.nan
        return np.broadcast_to(rate, count)  # which is read-only, and takes no memory

    def _known_steps_per_epoch(self) -> int | None:
        hyperparameters = self.effective_hyperparameters
        if self.steps_per_epoch is not None:
            if not (isinstance(self.steps_per_epoch, SupportsIndex) and self.steps_per_epoch > 0):
                raise InputError(
                    f"steps_per_epoch {validation.quoted(self.steps_per_epoch)} is not a whole "
                    "number of at least 1; give one, or leave it out"
                )
            return int(self.steps_per_epoch)
        if hyperparameters is None:
            return None
        if hyperparameters.batch_size is None:
            return 1
        points = getattr(self.problem, "x", None)
        return None if points is None else hyperparameters.steps_per_epoch(len(points))

    def __getstate__(self) -> dict[str, Any]:
        # A mapping proxy cannot be pickled.
        return {**vars(self), **{name: dict(getattr(self, name)) for name in MAPPINGS}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        mappings = {name: MappingProxyType(state[name]) for name in MAPPINGS}
        vars(self).update(state, **mappings)

    def __repr__(self) -> str:
        weights = "no" if self.weights is None else self.weights.shape[1]
        return f"Trajectory({self.label!r}: {len(self.steps)} records of {weights} weights)"

    @property
    def lr(self) -> float | None:
        """The learning rate of the hyperparameters; None if unknown."""
        return None if self.hyperparameters is None else self.hyperparameters.lr

    @property
    def is_plain_descent(self) -> bool:
        """Whether each step is known to be plain full-batch descent at a constant rate."""
        hyperparameters = self.effective_hyperparameters
        return (
            hyperparameters is not None
            and self.problem is not None
            and hyperparameters.is_plain_descent
        )

    @property
    def effective_hyperparameters(self) -> Hyperparameters | None:
        """The hyperparameters, with `batch_size` None if a batch holds all points."""
        hyperparameters, points = self.hyperparameters, getattr(self.problem, "x", None)
        if hyperparameters is None or points is None:
            return hyperparameters
        return hyperparameters.for_data_size(len(points))

    @property
    def epochs(self) -> int | float | None:
        """The number of epochs, a float if the last one is not complete; None if unknown."""
        if self.steps_per_epoch is None:
            return None
        whole, rest = divmod(int(self.steps[-1]), self.steps_per_epoch)
        return whole + rest / self.steps_per_epoch if rest else whole

    @cached_property
    def times(self) -> Array:
        """
        The time of each record, shape (T,): in epochs if `steps_per_epoch` is known, else in steps.

        int64 if all are whole, else float64.
        """
        divisor = self.steps_per_epoch or 1
        if divisor == 1:
            return self.steps
        is_whole = not (self.steps % divisor).any()
        return _read_only(self.steps // divisor if is_whole else self.steps / divisor)

    @property
    def time_unit(self) -> str:
        """The unit of `times`: "epoch" or "step"."""
        return "step" if self.steps_per_epoch is None else "epoch"

    def problem_at(self, record: int) -> Any:
        """
        Return the problem with the model's buffers as they were at `record`.

        So its loss and its predictions at the weights of that record are those that were recorded.
        Without buffers, such as those of BatchNorm, it is `problem` itself.
        """
        if not (self.buffers and provides(self.problem, HasBuffers)):
            return self.problem
        return self.problem.with_buffers({n: values[record] for n, values in self.buffers.items()})

    def as_trained(self, label: str) -> Trajectory:
        """Return a copy marked as made by `animate.train`, with `label`."""
        return replace(self, label=label, from_train=True)

    def with_loss(self, model: Module, loss: Loss) -> Trajectory:
        """
        Return this run with a problem whose loss can be computed at any weights.

        Losses that are all missing are computed at the records.

        Parameters
        ----------
        model : torch.nn.Module
            With the parameters that were recorded. Its own weights are not used, and not changed.
        loss : callable
            Takes the model and returns the loss, a number or a tensor of one number.

        Raises
        ------
        InputError
            If the run has no weights, or the weights or buffers are those of another model.
        """
        from animate.training.model_loss import ModelLoss  # here, since it needs torch

        problem = ModelLoss.of_run(self, model, loss)
        losses = None if np.isnan(self.losses).all() else self.losses
        label = self.label if self.has_own_label else None
        changed: Mapping[str, Any] = {"problem": problem, "losses": losses, "label": label}
        return replace(self, **changed, from_train=False)

    def save(self, path: files.AnyPath) -> None:
        """
        Write this run to `path`, which ends in ``.npz``; `animate.load` reads it.

        Written are all arrays, the label, the hyperparameters, and a `Line`. Any other problem is
        not written: give the run that was read its loss by `with_loss`.

        Raises
        ------
        InputError, OutputError
            If `path` does not end in ``.npz``, or cannot be written. A file there is kept.
        """
        from animate.training.storage import save  # here, since it builds a Trajectory

        save(self, path)

    def record_at(self, step: int) -> int:
        """Return the first record at or after `step`, or the last record."""
        return min(int(np.searchsorted(self.steps, step)), len(self.steps) - 1)

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """The verdict on this run, and the steps at which it becomes visible."""
        return diagnose(self)


class Runs(Sequence[Trajectory]):
    """
    An immutable sequence of runs, as `animate.train` returns it.

    Slices and sums are `Runs` again.

    >>> import numpy as np
    >>> some = Runs([Trajectory(None, [2.0, 1.0], label=name) for name in ("a", "b", "c")])
    >>> some[:2] + some[2:]
    Runs of 3
      a: loss 2.000 → 1.000 in 1 step
      b: loss 2.000 → 1.000 in 1 step
      c: loss 2.000 → 1.000 in 1 step
    """

    def __init__(self, runs: Sequence[Trajectory] | Trajectory = ()) -> None:
        self._runs = tuple(runs) if isinstance(runs, Iterable) else (runs,)
        for run in self._runs:
            if not isinstance(run, Trajectory):
                raise InputError(
                    f"{validation.quoted(run)} is not a run; give an animate.Trajectory, or the "
                    "result of animate.train"
                )

    @overload
    def __getitem__(self, index: int) -> Trajectory: ...
    @overload
    def __getitem__(self, index: slice) -> Runs: ...
    def __getitem__(self, index: int | slice) -> Trajectory | Runs:
        item = self._runs[index]
        return Runs(item) if isinstance(item, tuple) else item

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[Trajectory]:
        return iter(self._runs)

    def __add__(self, others: Sequence[Trajectory] | Trajectory) -> Runs:
        return Runs([*self, *Runs(others)])

    def __radd__(self, others: Sequence[Trajectory] | Trajectory) -> Runs:
        return Runs([*Runs(others), *self])

    def __repr__(self) -> str:
        hidden = range(REPR_EDGE_RUNS, len(self) - REPR_EDGE_RUNS)
        lines = [f"Runs of {len(self)}"]
        for index, run in enumerate(self):
            if len(self) <= MAX_REPR_RUNS or index not in hidden:
                name = run.label or f"run {index + 1}"
                lines.append(f"  {name}: {run.diagnosis.sentence or 'nothing is known'}")
            elif index == hidden[0]:
                lines.append(f"  … {len(hidden)} more …")
        return "\n".join(lines)


def labels(runs: Sequence[Trajectory]) -> list[str]:
    """
    Return a label for each run, all different.

    A label that the user gave is kept. Other runs are labelled by the settings in which they
    differ. An unknown or repeated label gets the number of the run.
    """
    unlabelled = [run for run in runs if not run.has_own_label]
    texts = iter(labels_for(_known_hyperparameters(unlabelled)))
    names = [
        next(texts) if run.hyperparameters is not None and not run.has_own_label else run.label
        for run in runs
    ]
    return [
        name if names.count(name) == 1 and name else f"run {number}" + (f": {name}" if name else "")
        for number, name in enumerate(names, 1)
    ]


def metric_names(run: Trajectory) -> list[str]:
    """
    Return the metrics of `run` that are no losses, and have a finite value.

    One of the validation data alone is named without its "validation_".
    """
    losses = (BATCH_LOSS, f"{VALIDATION}loss")
    given = [
        name
        for name, values in run.metrics.items()
        if name not in losses and np.isfinite(values).any()
    ]
    return list(dict.fromkeys(name.removeprefix(VALIDATION) for name in given))


def _known_hyperparameters(runs: Sequence[Trajectory]) -> list[Hyperparameters]:
    """Return the hyperparameters of `runs`, without unknown ones."""
    return [known for run in runs if (known := run.effective_hyperparameters) is not None]


def _weights(values: object) -> Array:
    array = _real(values, "weights")
    if array.ndim != 2 or array.shape[1] == 0:
        raise InputError(
            f"weights of shape {array.shape} cannot be used; give shape (T, P), with all P weights "
            "of each of T records"
        )
    return _read_only(array)


def _metrics(given: object) -> Mapping[str, Array]:
    """Return metrics by name, each a read-only array of shape (T,), in a read-only mapping."""
    if not (isinstance(given, Mapping) and all(isinstance(name, str) for name in given)):
        raise InputError(
            f"metrics {validation.quoted(given)} are not a mapping of names to numbers; give one, "
            'such as {"accuracy": [0.5, 0.8]}'
        )
    return MappingProxyType(
        {name: _numbers(values, f"metric {name}") for name, values in given.items()}
    )


def _buffers(given: Mapping[str, Any]) -> Mapping[str, Array]:
    """Return buffers by name, each a read-only array of shape (T, ...), in a read-only mapping."""
    try:
        return MappingProxyType(
            {str(name): _read_only(np.atleast_1d(values)) for name, values in given.items()}
        )
    except (AttributeError, TypeError, ValueError, RuntimeError):
        raise InputError(
            f"buffers {validation.quoted(given)} are not a mapping of names to arrays; give one "
            "array of shape (T, ...) for each"
        ) from None


def _numbers(values: object, name: str) -> Array:
    """Return `values` as a read-only array of shape (T,)."""
    array = _real(values, name)
    if array.ndim != 1:
        raise InputError(
            f"{name} of shape {array.shape} cannot be used; give shape (T,), one number per record"
        )
    return _read_only(array)


def _real(values: object, name: str) -> Array:
    """Return `values` as an array of floats, without a copy if it is one already."""
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} cannot be converted to an array of numbers: {error}") from None
    if array.dtype.kind in "iub":
        return array.astype(np.float64)
    if array.dtype.kind != "f":
        raise InputError(f"{name} of dtype {array.dtype} cannot be used; give real numbers")
    return array


def _steps(values: object) -> npt.NDArray[np.int64]:
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"steps cannot be converted to an array of whole numbers: {error}"
        ) from None
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InputError(
            f"steps have shape {array.shape} and dtype {array.dtype}; give whole numbers of "
            "shape (T,)"
        )
    array = array.astype(np.int64, copy=False)
    if len(array) and (array[0] < 0 or not (array[1:] > array[:-1]).all()):
        raise InputError("steps are negative or do not increase; give them in order, from 0 on")
    return array


def _read_only(array: Array) -> Array:
    """Return a read-only view of `array`, which stays writeable."""
    view: Array = np.asarray(array).view()
    view.flags.writeable = False
    return view
