"""Record the training of any PyTorch model, in a loop of one's own."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from animate.system import files, validation
from animate.system.errors import InputError
from animate.training.model_loss import (
    Loss,
    ModelLoss,
    as_number,
    check_loss,
    check_model,
    copy_buffers,
    flat_weights,
    loss_value,
    saved_buffers,
)
from animate.training.problem import Array
from animate.training.storage import RecordingFile, load_recording
from animate.training.trajectory import Trajectory


class Recorder:
    """
    Record weights, losses and metrics of a model while it is trained.

    The constructor records step 0, and each call of `record` the step that has been reached.

    Parameters
    ----------
    model : torch.nn.Module
    loss : callable, optional
        Takes the model and returns the loss, one number. It is evaluated at each record for which
        no loss is given: in eval mode, without gradient, and without a change of the model or of
        the random state. A function without arguments is accepted too. Make sure that it uses
        this model, and not a copy or an older one that it has captured.
    optimizer : torch.optim.Optimizer, optional
        Counts the steps and knows the learning rate. Without one, each call of `record` is a step.
    lr : float, optional
        The learning rate, where no optimizer tells it.
    label : str, optional
        The name of the run.
    every : int
        Records are at least this many steps apart; calls in between return at once.
    path : path, optional
        A file that each record is appended to, so that it survives the program; `animate.load`
        reads it. A file that exists is kept, and refused. Without, records are kept in memory.
    steps_per_epoch : int, optional
        So that time is counted in epochs.

    Raises
    ------
    InputError, OutputError
        If a value cannot be used, or `path` cannot be written.

    Notes
    -----
    All parameters are recorded in `parameters()` order, bfloat16 as float32, and the buffers that
    are part of the model's state. The hyperparameters count as unknown, so no theory is applied.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Loss | None = None,
        *,
        optimizer: Any = None,
        lr: float | None = None,
        label: str | None = None,
        every: int = 1,
        path: files.AnyPath | None = None,
        steps_per_epoch: int | None = None,
    ) -> None:
        self._model = check_model(model)
        self._loss = None if loss is None else check_loss(loss, model)
        self._lr = math.nan if lr is None else validation.learning_rate(lr)
        self._label = None if label is None else validation.label(label)
        self._every = validation.whole(every, "every", least=1)
        if steps_per_epoch is not None:
            steps_per_epoch = validation.whole(steps_per_epoch, "steps_per_epoch", least=1)
        self._steps_per_epoch = steps_per_epoch
        self._optimizer = optimizer
        self._counter = _StepCounter()
        if optimizer is not None:
            _check_optimizer(optimizer, model)
        self._buffer_names = saved_buffers(model)
        self._shapes: list[torch.Size] | None = None
        self._count = 0
        self._records: list[_Record] = []
        self._trajectory: Trajectory | None = None
        self._last = _Record(-1, math.nan, math.nan, {}, np.empty(0), {})
        self._has_warned = False
        self._file = None
        if path is not None:
            self._file = RecordingFile(path, self._label, steps_per_epoch)
        self._add(0, None, {})
        if optimizer is not None:  # last, so that a constructor that fails leaves no hook
            optimizer.register_step_post_hook(self._counter)

    def record(self, step: int | None = None, loss: object = None, **metrics: object) -> None:
        """
        Record the model as it is now.

        A second call at the same step adds its loss and metrics to the record of that step.

        Parameters
        ----------
        step : int, optional
            The number of updates made so far, larger than that of the last record. By default
            the optimizer's count or, without an optimizer, the number of calls.
        loss : number or tensor of one number, optional
            NaN means missing. By default it is evaluated, where there is a function for it.
        **metrics : numbers or tensors of one number
            Such as ``accuracy=0.9``.

        Raises
        ------
        InputError, OutputError
            If a value cannot be used, or the record cannot be written. Earlier records are kept.
        """
        last = self._last.step
        if step is None:
            if self._optimizer is None:
                self._counter()
            step = self._counter.steps
            if step == last:
                self._check_standstill(step)
        else:
            step = validation.whole(step, "step", least=0)
            if step <= last:
                raise InputError(
                    f"step {step} is not after step {last}, the last that was recorded; give the "
                    "number of updates made so far (before the first it is 0, which the "
                    "constructor records)"
                )
            self._counter.steps = step
        if step == last or step - last >= self._every:
            self._add(step, loss, metrics)

    def _add(self, step: int, loss: object, metrics: Mapping[str, object]) -> None:
        numbers = {name: as_number(value, f"metric {name}") for name, value in metrics.items()}
        if step == self._last.step:
            if loss is None and not numbers:
                return
            numbers = {**self._last.metrics, **numbers}
        weights, buffers = self._copy_state()
        one = _Record(step, self._loss_now(step, loss), self._lr_now(), numbers, weights, buffers)
        if self._file is not None:
            self._file.append(step, one.loss, one.lr, numbers, weights, buffers)
        elif step == self._last.step:
            self._records[-1] = one
        else:
            self._records.append(one)
        self._last, self._trajectory = one, None

    def _check_standstill(self, step: int) -> None:
        """Warn once if the weights have changed and the optimizer has made no step."""
        if self._has_warned or self._optimizer is None:
            return
        weights, _ = self._copy_state()
        if not np.array_equal(weights, self._last.weights, equal_nan=True):
            self._has_warned = True
            warnings.warn(
                f"the weights have changed, but the optimizer has made no step since step {step}, "
                "so that this record replaces that one; give the optimizer whose step() is "
                "called, or record(step=...)",
                stacklevel=3,
            )

    def _copy_state(self) -> tuple[Array, dict[str, Array]]:
        parameters, buffers = list(self._model.parameters()), dict(self._model.named_buffers())
        weights = flat_weights(parameters)
        shapes = [tensor.shape for tensor in (*parameters, *buffers.values())]
        if self._shapes is None:
            self._shapes, self._count = shapes, len(weights)
        if shapes != self._shapes:
            raise InputError(
                f"the model has changed: it has {len(weights)} weights in {len(shapes)} "
                f"parameters and buffers, and had {self._count} in {len(self._shapes)}; use a new "
                "Recorder for another model"
            )
        return weights, copy_buffers(buffers, self._buffer_names)

    def _loss_now(self, step: int, given: object) -> float:
        if given is not None:
            return as_number(given, "loss")
        if step == self._last.step:
            return self._last.loss
        if self._loss is None:
            return math.nan
        return loss_value(self._model, self._loss)

    def _lr_now(self) -> float:
        groups = getattr(self._optimizer, "param_groups", ())
        rates = {float(group["lr"]) for group in groups if "lr" in group}
        if len(rates) > 1:
            return math.nan
        return rates.pop() if rates else self._lr

    @property
    def trajectory(self) -> Trajectory:
        """The run as it is recorded up to now."""
        if self._trajectory is None:
            self._trajectory = self._build()
        return self._trajectory

    def _build(self) -> Trajectory:
        run = self._from_memory() if self._file is None else load_recording(self._file.path)
        if self._loss is None:
            return run
        problem = ModelLoss.of_run(run, self._model, self._loss)
        changed: Mapping[str, Any] = {"problem": problem, "label": self._label}
        return replace(run, **changed)

    def _from_memory(self) -> Trajectory:
        records = self._records
        weights = np.stack([one.weights for one in records])
        for one, row in zip(records, weights, strict=True):
            one.weights = row  # so that they are not held twice
        names = dict.fromkeys(name for one in records for name in one.metrics)
        return Trajectory(
            weights,
            np.array([one.loss for one in records]),
            steps=np.array([one.step for one in records]),
            lrs=np.array([one.lr for one in records]),
            metrics={
                name: np.array([one.metrics.get(name, math.nan) for one in records])
                for name in names
            },
            buffers={
                name: np.stack([one.buffers[name] for one in records])
                for name in records[0].buffers
            },
            label=cast("str", self._label),
            steps_per_epoch=self._steps_per_epoch,
        )


@dataclass(slots=True)
class _Record:
    step: int
    loss: float
    lr: float
    metrics: dict[str, float]
    weights: Array
    buffers: dict[str, Array]


class _StepCounter:
    """Counts the steps of an optimizer, as its hook."""

    def __init__(self) -> None:
        self.steps = 0

    def __call__(self, *_: object) -> None:
        self.steps += 1


def _check_optimizer(optimizer: Any, model: nn.Module) -> None:
    """Raise `InputError` unless `optimizer` counts the steps of `model`."""
    if not (hasattr(optimizer, "register_step_post_hook") and hasattr(optimizer, "param_groups")):
        raise InputError(
            f"optimizer {validation.quoted(type(optimizer).__name__)} is not a "
            "torch.optim.Optimizer; give one, or none and lr="
        )
    own = {id(parameter) for parameter in model.parameters()}
    trained = {id(one) for group in optimizer.param_groups for one in group["params"]}
    if not own & trained:
        raise InputError(
            "the optimizer trains none of the model's parameters; give the optimizer and the "
            "model that belong together"
        )
