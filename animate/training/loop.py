"""
The training loop for every problem and optimizer other than plain descent of a line.

Each run has a model, an optimizer and a random state of its own, so that its numbers are those of
the same loop written with `torch.optim` alone.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from animate.system import validation
from animate.system.errors import InputError
from animate.training.descent import gradient_descent, recorded_steps, single_threaded
from animate.training.hyperparameters import Hyperparameters, labels_for
from animate.training.line import Line
from animate.training.model_loss import copy_buffers, fork_random_state, saved_buffers
from animate.training.optimizers import make_optimizer, make_scheduler, optimizer_class
from animate.training.problem import Array
from animate.training.supervised import (
    BATCH_LOSS,
    Supervised,
    copy_weights,
    supervised_line,
)
from animate.training.trajectory import Runs, Trajectory

TRAINING_COPIES = 4  # of the weights: the model, its gradient, and two moments of the optimizer

OnEpoch = Callable[[int, Array], None]


def train_each(
    problem: Line | Supervised,
    several: Sequence[Hyperparameters],
    epochs: int,
    on_epoch: OnEpoch | None,
    record_every: int,
) -> Runs:
    """
    Train each run with a model and an optimizer of its own.

    With `on_epoch`, all runs are trained epoch by epoch, else one after the other. Plain descent of
    a line is left to `gradient_descent`: its numbers do not depend on the other runs. The
    parameters are those of `animate.train`.
    """
    model_problem = supervised_line(problem) if isinstance(problem, Line) else problem
    points = len(problem.x)
    several_effective = [one.for_data_size(points) for one in several]
    for one in several:
        optimizer_class(one.optimizer)
    epochs = validation.whole(epochs, "number of epochs", least=1)
    _check_memory(model_problem, several_effective, epochs, record_every)
    is_batched = [isinstance(problem, Line) and one.is_plain_descent for one in several_effective]
    runs = {
        index: _Run(model_problem, one, epochs, record_every)
        for index, one in enumerate(several_effective)
        if not is_batched[index]
    }
    batched = [index for index, is_plain in enumerate(is_batched) if is_plain]
    losses = np.full(len(several), np.nan, model_problem.losses_dtype)

    def advance(epoch: int, batched_losses: Array) -> None:
        assert on_epoch is not None
        losses[batched] = batched_losses
        for index, run in runs.items():
            losses[index] = run.advance(1)
        on_epoch(epoch, losses.copy())

    records: dict[int, _Records] = {index: run.records for index, run in runs.items()}
    with torch.enable_grad():
        if batched:
            assert isinstance(problem, Line)
            rates = [several[index].lr for index in batched]
            every = min(record_every, epochs)
            listener = advance if on_epoch else None
            weights, their_losses = gradient_descent(problem, rates, epochs, listener, every)
            for place, index in enumerate(batched):
                records[index] = _Records(
                    recorded_steps(epochs, every), weights[:, place], their_losses[:, place]
                )
        with single_threaded():
            if on_epoch is None:
                for run in runs.values():
                    run.advance(epochs + 1)
            elif not batched:
                for epoch in range(epochs + 1):
                    advance(epoch, losses[:0])
    labels = labels_for(several_effective)
    return Runs(
        [
            records[index].trajectory(problem, one, one.label or label)
            for index, (one, label) in enumerate(zip(several, labels, strict=True))
        ]
    )


class _Records:
    """
    The records of one run: arrays with a row or a number for each of `steps`.

    `lrs` is None for a constant rate.
    """

    def __init__(
        self,
        steps: Array,
        weights: Array,
        losses: Array,
        metrics: dict[str, Array] | None = None,
        lrs: Array | None = None,
        buffers: dict[str, Array] | None = None,
    ) -> None:
        self.buffers = buffers or {}
        self.steps, self.weights, self.losses, self.lrs = steps, weights, losses, lrs
        self.metrics = metrics or {}

    def trajectory(
        self, problem: Line | Supervised, settings: Hyperparameters, label: str
    ) -> Trajectory:
        lrs = np.broadcast_to(settings.lr, len(self.steps)) if self.lrs is None else self.lrs
        named = (*self.metrics.values(), *self.buffers.values())
        for array in (self.steps, self.weights, self.losses, lrs, *named):
            array.flags.writeable = False
        return Trajectory(
            self.weights,
            self.losses,
            steps=self.steps,
            hyperparameters=settings,
            problem=problem,
            metrics=self.metrics,
            lrs=lrs,
            buffers=self.buffers,
            label=label,
            from_train=True,
        )


class _Run:
    """One run during training."""

    def __init__(
        self, problem: Supervised, settings: Hyperparameters, epochs: int, record_every: int
    ) -> None:
        self._problem, self._settings, self._epochs = problem, settings, epochs
        self._steps = epochs * steps_per_epoch(settings, len(problem.x))
        self._model = problem.copy_model()
        self._parameters = list(self._model.parameters())
        self._optimizer = make_optimizer(settings, self._parameters)
        self._scheduler = make_scheduler(settings.schedule, self._optimizer, self._steps)
        steps = recorded_steps(self._steps, min(record_every, self._steps))
        count = len(steps)
        names = [*problem.metric_names, *([BATCH_LOSS] if settings.batch_size else [])]
        self.records = _Records(
            steps,
            np.empty((count, problem.start.size), problem.weights_dtype),
            np.empty(count, problem.losses_dtype),
            {name: np.full(count, np.nan) for name in names},
            np.empty(count) if self._scheduler else None,
            {
                name: np.empty((count, *np.shape(one)), one.dtype)
                for name, one in self._buffers().items()
            },
        )
        self._rows = torch.from_numpy(self.records.weights)
        self._next = 0  # record
        self._loop = self._train()
        with fork_random_state(problem.device, seed=settings.seed):
            self._random_state = _random_state(problem.device)

    def advance(self, epochs: int) -> float:
        """
        Train some epochs in the run's own random state, and return the last recorded loss.

        The first epoch of all, epoch 0, only records.
        """
        device = self._problem.device
        outer = _random_state(device)
        _set_random_state(device, self._random_state)
        try:
            for _ in range(epochs):
                next(self._loop)
            return self._last_loss
        finally:
            self._random_state = _random_state(device)
            _set_random_state(device, outer)

    def _train(self) -> Iterator[None]:
        """Train, with a pause after the record of each epoch's last step."""
        problem, model, optimizer = self._problem, self._model, self._optimizer
        scheduler, batch_size = self._scheduler, self._settings.batch_size
        loss_function, recorded = problem.loss_function, self.records.steps.tolist()
        # Then the training pass of a step gives the loss of its record too.
        is_shared = batch_size is None and problem.is_same_in_evaluation
        step = 0
        batch_loss: Tensor | None = None
        for batches in self._batches():
            for index, (inputs, targets) in enumerate(batches):
                is_recorded = step == recorded[self._next]
                if not is_shared and is_recorded:
                    self._record(batch_loss)
                if not is_shared and not index:
                    yield
                optimizer.zero_grad()
                output = model(inputs)
                loss = loss_function(output, targets)
                if is_shared and is_recorded:
                    self._record(None, (output, loss))
                if is_shared and not index:
                    yield
                loss.backward()
                optimizer.step()
                if scheduler is not None:
                    scheduler.step()
                step += 1
                if batch_size:
                    batch_loss = loss
        self._record(batch_loss)
        yield

    def _batches(self) -> Iterator[Iterator[tuple[Tensor, Tensor]]]:
        """Yield for each epoch its batches."""
        inputs, targets = self._problem.inputs, self._problem.targets
        size = self._settings.batch_size
        if size is None:
            for _ in range(self._epochs):
                yield iter([(inputs, targets)])
            return
        generator = torch.Generator().manual_seed(self._settings.seed)
        for _ in range(self._epochs):
            order = torch.randperm(len(inputs), generator=generator).to(inputs.device)
            yield ((inputs[rows], targets[rows]) for rows in order.split(size))

    def _buffers(self) -> dict[str, Array]:
        """Return the model's buffers that are part of its state, such as running means."""
        return copy_buffers(dict(self._model.named_buffers()), saved_buffers(self._model))

    def _record(
        self, batch_loss: Tensor | None, training_pass: tuple[Tensor, Tensor] | None = None
    ) -> None:
        records, index = self.records, self._next
        copy_weights(self._parameters, self._rows[index])
        loss, metrics = self._problem.evaluate(self._model, training_pass)
        # An evaluated NaN is an overflow; in a trajectory, NaN means that a loss is missing.
        self._last_loss = math.inf if math.isnan(loss) else loss
        records.losses[index] = self._last_loss
        if metrics:
            for name, value in zip(self._problem.metric_names, metrics, strict=True):
                records.metrics[name][index] = value
        if records.buffers:
            for name, buffer in self._buffers().items():
                records.buffers[name][index] = buffer
        if batch_loss is not None:
            records.metrics[BATCH_LOSS][index] = batch_loss.item()
        if records.lrs is not None:
            records.lrs[index] = self._optimizer.param_groups[0]["lr"]
        self._next += 1


def steps_per_epoch(settings: Hyperparameters, points: int) -> int:
    """Return the number of batches per epoch; the last one may be short."""
    return 1 if settings.batch_size is None else math.ceil(points / settings.batch_size)


def _random_state(device: torch.device) -> tuple[Tensor, Tensor | None]:
    on_device = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    return torch.get_rng_state(), on_device


def _set_random_state(device: torch.device, state: tuple[Tensor, Tensor | None]) -> None:
    torch.set_rng_state(state[0])
    if state[1] is not None:
        torch.cuda.set_rng_state(state[1], device)


def _check_memory(
    problem: Supervised, several: Sequence[Hyperparameters], epochs: int, record_every: int
) -> None:
    """Raise `InputError` if the runs and their records do not fit into memory."""
    size, runs = problem.start.size, len(several)
    weights = size * problem.start.itemsize
    numbers = 8 * (3 + len(problem.metric_names))  # of a record, beside its weights
    steps = [epochs * steps_per_epoch(one, len(problem.x)) for one in several]

    def memory(every: int) -> int:
        """Return the bytes that training takes with a record every so many steps."""
        records = sum(count // every + 2 for count in steps)
        return records * (weights + numbers) + runs * (
            TRAINING_COPIES * weights + validation.RUN_MEMORY
        )

    if memory(record_every) <= validation.MEMORY_LIMIT:
        return
    most = max(steps)
    least = bisect_left(range(1, most + 1), -validation.MEMORY_LIMIT, key=lambda n: -memory(n)) + 1
    advice = (
        f"record fewer steps, such as with record_every={least}"
        if least <= most
        else "give fewer runs or a smaller model"
    )
    raise InputError(
        f"{epochs} epochs of {runs} run{'s' if runs > 1 else ''} of {size} weights would take "
        f"{memory(record_every) / 1e9:.3g} GB of memory; {advice}"
    )
