"""
What is known of one run: its weights, losses and metrics, one record a moment.

A trajectory may come from `animate.train`, or be made by hand from what somebody has recorded.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, SupportsIndex, cast, overload

import numpy as np
import numpy.typing as npt

from animate.system import validation
from animate.system.errors import InputError
from animate.training.diagnosis import Diagnosis, diagnose
from animate.training.hyperparameters import Hyperparameters, described
from animate.training.problem import Array, HasLoss, Problem, has

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
        All parameters as one vector, a row a record, real and of any floating dtype (whole numbers
        become float64). None where only the losses are known. A memmap is never copied as a
        whole, and read here only where the problem has to evaluate the losses.
    losses : array, shape (T,), optional
        NaN where a loss is not known; infinite after an overflow. By default the problem's own
        loss at the weights, where it has one, and else all NaN.
    steps : ints, shape (T,), optional
        How many updates were made before each record, rising; by default 0, 1, 2, …
    hyperparameters : Hyperparameters, optional
        None means unknown: then no theory is applied.
    problem : Problem, optional
        What was trained.
    metrics : mapping of str to arrays of shape (T,)
        Such as the accuracy; NaN where it is not known.
    label : str, optional
        What the run is called; by default that of the hyperparameters, or what tells them from
        those of the other runs of the same training.
    steps_per_epoch : int, optional
        By default what follows from hyperparameters and problem; None where that is not known.
    lrs : array, shape (T,), optional
        The learning rate at each record, NaN where unknown. By default that of the
        hyperparameters, if their schedule is constant.
    buffers : mapping of str to arrays of shape (T, ...), optional
        The model's buffers at each record, such as the running means of BatchNorm.
    from_train : bool
        Whether `animate.train` made it, so that it can be made again from its settings.

    Raises
    ------
    InputError
        If the shapes do not agree, a value is of the wrong kind, or there is no record.

    Notes
    -----
    `weights`, `losses`, `steps` and the metrics are read-only views of the arrays that were given,
    and not copies: do not change what they are views of.
    """

    weights: Array | None
    losses: Array = None  # type: ignore[assignment]  # turned into an array below
    steps: npt.NDArray[np.int64] = field(default=None, kw_only=True)  # type: ignore[arg-type]
    hyperparameters: Hyperparameters | None = field(default=None, kw_only=True)
    problem: Problem | None = field(default=None, kw_only=True)
    metrics: Mapping[str, Array] = field(default_factory=dict, kw_only=True)
    label: str = field(default=None, kw_only=True)  # type: ignore[assignment]
    steps_per_epoch: int | None = field(default=None, kw_only=True)
    from_train: bool = field(default=False, kw_only=True)
    lrs: Array = field(default=None, kw_only=True)  # type: ignore[arg-type]
    buffers: Mapping[str, Array] = field(default_factory=dict, kw_only=True)
    has_own_label: bool = field(init=False, default=False)
    """Whether somebody chose the label, so that a scene does not word it anew."""

    def __post_init__(self) -> None:
        known = self.hyperparameters
        if self.from_train and known is not None:  # right as it is, and one of thousands
            vars(self).update(
                lrs=self._known_lrs(len(self.losses)),
                weights=_view(cast("Array", self.weights)),
                losses=_view(self.losses),
                steps_per_epoch=self._known_steps_per_epoch(),
                has_own_label=known.label is not None,
            )
            return
        if known is not None and not isinstance(known, Hyperparameters):
            raise InputError(
                f"hyperparameters {known!r} are not animate.Hyperparameters; give these, or None"
            )
        weights = None if self.weights is None else _weights(self.weights)
        self._check_problem(weights)
        losses = self._given_losses(weights)
        steps = _view(np.arange(len(losses)) if self.steps is None else _steps(self.steps))
        metrics = _metrics(self.metrics)
        lrs, buffers = self._known_lrs(len(losses)), _buffers(self.buffers)
        named_metrics = {f"metric {name}": values for name, values in metrics.items()}
        named_metrics |= {f"buffer {name}": values for name, values in buffers.items()}
        arrays = {"weights": weights, "losses": losses, "steps": steps, **named_metrics}
        arrays["lrs"] = lrs
        sizes = {name: len(array) for name, array in arrays.items() if array is not None}
        if len(set(sizes.values())) > 1:
            told = ", ".join(f"{name} {size}" for name, size in sizes.items())
            raise InputError(f"the numbers of records differ: {told}; give as many of each")
        if not len(losses):
            raise InputError("there is no record; give at least one, that of the start")
        label, own = self.label, known and known.label
        if label:
            own = label = validation.label(label)
        # As it would be with object.__setattr__, which takes long for thousands of runs.
        vars(self).update(
            lrs=lrs,
            buffers=buffers,
            weights=weights,
            losses=losses,
            steps=steps,
            metrics=metrics,
            steps_per_epoch=self._known_steps_per_epoch(),
            label=label or own or next(iter(described(_known([self]))), ""),
            has_own_label=bool(own),
        )

    def _check_problem(self, weights: Array | None) -> None:
        problem = self.problem
        if problem is None:
            return
        if not (has(problem, Problem) or has(problem, HasLoss)):
            raise InputError(
                f"problem {validation.shown(problem)} is none; give an animate.Line, or None"
            )
        start = getattr(problem, "start", None)
        if weights is not None and start is not None and weights.shape[1:] != np.shape(start):
            raise InputError(
                f"weights have shape {weights.shape}, and the problem's start has shape "
                f"{np.shape(start)}; give the weights of this problem, or problem=None"
            )

    def _given_losses(self, weights: Array | None) -> Array:
        if self.losses is not None:
            return _numbers(self.losses, "losses")
        if weights is None:
            raise InputError("there are neither weights nor losses; give at least one of them")
        if has(self.problem, HasLoss):
            with np.errstate(all="ignore"):  # an overflow is content
                losses = _numbers(self.problem.loss(weights), "the problem's losses")
            # Of what was evaluated, NaN is an overflow; where it was given, it is a missing loss.
            return _view(np.where(np.isnan(losses), np.inf, losses))
        return _view(np.full(len(weights), np.nan))

    def _known_steps_per_epoch(self) -> int | None:
        known, points = self.effective_hyperparameters, getattr(self.problem, "x", None)
        if self.steps_per_epoch is not None:
            if not (isinstance(self.steps_per_epoch, SupportsIndex) and self.steps_per_epoch > 0):
                raise InputError(
                    f"steps_per_epoch {self.steps_per_epoch!r} is no whole number of at least 1; "
                    "give one, or leave it out"
                )
            return int(self.steps_per_epoch)
        if known is None:
            return None
        if known.batch_size is None:
            return 1
        return None if points is None else math.ceil(len(points) / known.batch_size)

    def _known_lrs(self, count: int) -> Array:
        """Return the learning rate at each of `count` records, NaN where unknown."""
        if self.lrs is not None:
            return _numbers(self.lrs, "lrs")
        known = self.hyperparameters
        constant = known is not None and known.schedule == "constant"
        # One number, however many records and runs there are.
        return np.broadcast_to(known.lr if known and constant else np.nan, count)

    def __repr__(self) -> str:
        weights = "no" if self.weights is None else self.weights.shape[1]
        return f"Trajectory({self.label!r}: {len(self.steps)} records of {weights} weights)"

    @property
    def lr(self) -> float | None:
        """The learning rate that the run was given; None if unknown."""
        return None if self.hyperparameters is None else self.hyperparameters.lr

    @property
    def is_plain_descent(self) -> bool:
        """Whether each step is known to be plain full-batch descent at a constant rate."""
        known = self.effective_hyperparameters
        return known is not None and self.problem is not None and known.is_plain_descent

    @property
    def effective_hyperparameters(self) -> Hyperparameters | None:
        """The hyperparameters, with `batch_size` None where a batch holds all points."""
        known, points = self.hyperparameters, getattr(self.problem, "x", None)
        return known if known is None or points is None else known.for_points(len(points))

    @property
    def epochs(self) -> int | float | None:
        """How many epochs were run, a fraction if the last was cut short; None if unknown."""
        return None if self.steps_per_epoch is None else self.times[-1].item()

    @cached_property
    def times(self) -> Array:
        """The records' times, shape (T,): in epochs if `steps_per_epoch` is known, else steps."""
        each = self.steps_per_epoch or 1
        if each == 1:
            return self.steps
        whole = not (self.steps % each).any()
        return _view(self.steps // each if whole else self.steps / each)

    @property
    def time_unit(self) -> str:
        """What `times` are counted in: "epoch" or "step"."""
        return "step" if self.steps_per_epoch is None else "epoch"

    def as_trained(self, label: str) -> Trajectory:
        """Return this run as one that `animate.train` made and called `label`."""
        return replace(self, label=label, from_train=True)

    def counted_in_steps(self) -> Trajectory:
        """Return this run with its times and its verdict told in steps, over the same arrays."""
        same = copy.copy(self)
        for name in ("times", "diagnosis"):
            vars(same).pop(name, None)
        vars(same)["steps_per_epoch"] = None
        return same

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
        """Return the first record at or after `step`, or the last if there is none."""
        return min(int(np.searchsorted(self.steps, step)), len(self.steps) - 1)

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """The verdict on this run, and the steps at which it shows."""
        return diagnose(self)


class Runs(Sequence[Trajectory]):
    """
    Several runs, in order: what `animate.train` returns.

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
                    f"{validation.shown(run)} is no run; give what animate.train returns, or an "
                    "animate.Trajectory"
                )

    @overload
    def __getitem__(self, place: int) -> Trajectory: ...
    @overload
    def __getitem__(self, place: slice) -> Runs: ...
    def __getitem__(self, place: int | slice) -> Trajectory | Runs:
        found = self._runs[place]
        return Runs(found) if isinstance(found, tuple) else found

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[Trajectory]:
        return iter(self._runs)

    def __add__(self, others: Sequence[Trajectory] | Trajectory) -> Runs:
        return Runs([*self, *Runs(others)])

    def __radd__(self, others: Sequence[Trajectory] | Trajectory) -> Runs:
        return Runs([*Runs(others), *self])

    def __repr__(self) -> str:
        lines = [f"  {run.label or f'run {number}'}: {run.diagnosis.sentence or 'nothing is known'}"
                 for number, run in enumerate(self, 1)]  # fmt: skip
        return "\n".join([f"Runs of {len(self)}", *lines])


def labels(runs: Sequence[Trajectory]) -> list[str]:
    """
    Return what each of several runs is called beside the others.

    That is its own label if it has one, or else what tells its hyperparameters from theirs. Where
    nothing is known, or two would be called the same, its number tells it from the others.
    """
    texts = iter(described(_known([run for run in runs if not run.has_own_label])))
    names = [
        next(texts) if run.hyperparameters is not None and not run.has_own_label else run.label
        for run in runs
    ]
    return [
        name if names.count(name) == 1 and name else f"run {number}" + (f": {name}" if name else "")
        for number, name in enumerate(names, 1)
    ]


def _known(runs: Sequence[Trajectory]) -> list[Hyperparameters]:
    """Return the hyperparameters of those of `runs` of which they are known."""
    return [known for run in runs if (known := run.effective_hyperparameters) is not None]


def _weights(values: object) -> Array:
    array = _real(values, "weights")
    if array.ndim != 2 or array.shape[1] == 0:
        raise InputError(
            f"weights of shape {array.shape} cannot be used; give (T, P), all P weights of each "
            "of T records"
        )
    return _view(array)


def _metrics(given: object) -> dict[str, Array]:
    """Return metrics by name, each as a read-only array of shape (T,)."""
    if not (isinstance(given, Mapping) and all(isinstance(name, str) for name in given)):
        raise InputError(
            f"metrics {validation.shown(given)} are not a mapping of names to numbers; give one, "
            'such as {"accuracy": [0.5, 0.8]}'
        )
    return {name: _numbers(values, f"metric {name}") for name, values in given.items()}


def _buffers(given: Mapping[str, Any]) -> dict[str, Array]:
    """Return buffers by name, each as a read-only array of shape (T, ...)."""
    try:
        return {str(name): _view(np.atleast_1d(values)) for name, values in given.items()}
    except (AttributeError, TypeError, ValueError, RuntimeError):
        raise InputError(
            f"buffers {validation.shown(given)} are not a mapping of names to arrays; give one "
            "array of shape (T, ...) for each"
        ) from None


def _numbers(values: object, name: str) -> Array:
    """Return `values` as a read-only array of shape (T,)."""
    array = _real(values, name)
    if array.ndim != 1:
        raise InputError(
            f"{name} of shape {array.shape} cannot be used; give (T,), a number a record"
        )
    return _view(array)


def _real(values: object, name: str) -> Array:
    """Return `values` as an array of floats, and not a copy where they are one."""
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} cannot be turned into an array of numbers: {error}") from None
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
            f"steps cannot be turned into an array of whole numbers: {error}"
        ) from None
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InputError(
            f"steps have shape {array.shape} and dtype {array.dtype}; give whole numbers, (T,)"
        )
    array = array.astype(np.int64, copy=False)
    if len(array) and (array[0] < 0 or not (array[1:] > array[:-1]).all()):
        raise InputError("steps do not rise from one record to the next; give them in order")
    return array


def _view(array: Array) -> Array:
    view: Array = np.asarray(array).view()
    view.flags.writeable = False
    return view
