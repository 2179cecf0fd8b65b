"""
`train`, and plain full-batch gradient descent of a line at many learning rates at once.

Those runs are trained in blocks that share one parameter and one backward pass per epoch. All other
training is in `loop`.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from torch.nn.functional import mse_loss

from animate.system import defaults, validation
from animate.system.errors import InputError
from animate.training.diagnosis import diagnose, find_events
from animate.training.hyperparameters import Hyperparameters, labels_for
from animate.training.line import Line
from animate.training.model_loss import single_threaded
from animate.training.problem import Floats
from animate.training.supervised import Supervised
from animate.training.trajectory import Runs, Trajectory

BLOCK_SIZE = 200_000  # residuals per block: few enough for the processor's cache

OnEpoch = Callable[[int, Floats], None]
Settings = Iterable[float | Hyperparameters] | float | Hyperparameters


def train(
    problem: Line | Supervised,
    hyperparameters: Settings | None = None,
    epochs: int = defaults.EPOCHS,
    on_epoch: OnEpoch | None = None,
    *,
    lrs: Settings | None = None,
    record_every: int = 1,
) -> Runs:
    """
    Train `problem` from `problem.start` once for each learning rate or Hyperparameters.

    The results are those of a loop with `torch.optim` on one thread, to the last bit. They do not
    depend on the other runs or on the number of cores. A rate past the stability limit is allowed:
    the trajectory holds weights and losses that grow and finally overflow.

    Parameters
    ----------
    problem : Line or Supervised
    hyperparameters : learning rates or Hyperparameters, all different
        One per run. A single one may be given without a list.
    epochs : int
        Passes over the data, at least 1. With full batches, an epoch is one step.
    on_epoch : callable, optional
        Called as ``on_epoch(epoch, losses)``, from epoch 0 on, with the last recorded losses of
        all runs, shape (runs,).
    lrs : learning rates
        Another name for `hyperparameters`; give one of the two.
    record_every : int
        Steps between records. Step 0 and the last step are always recorded.

    Returns
    -------
    Runs
        One `Trajectory` per run, in the order given. Losses and metrics are over all points. Runs
        with mini-batches also have the metric "batch_loss": the loss of the last batch before each
        record, NaN at step 0.

    Raises
    ------
    InputError
        If a value is invalid, or the records would not fit into memory.
    """
    if not isinstance(problem, (Line, Supervised)):
        raise InputError(
            f"a problem of type {type(problem).__name__} cannot be trained; give an animate.Line "
            "or an animate.Supervised"
        )
    if (hyperparameters is None) == (lrs is None):
        raise InputError(
            "hyperparameters and lrs are both given or both missing; give one of them, such as "
            "lrs=[0.1, 0.7]"
        )
    settings = _as_hyperparameters(hyperparameters if lrs is None else lrs)
    record_every = validation.whole(record_every, "record_every", least=1)
    points = len(problem.x)
    effective = [one.for_data_size(points) for one in settings]
    if isinstance(problem, Supervised) or not all(one.is_plain_descent for one in effective):
        from animate.training.loop import train_each  # here, since it imports this module

        return train_each(problem, settings, epochs, on_epoch, record_every)
    epochs = validation.epochs(epochs, runs=len(settings), record_every=record_every)
    record_every = min(record_every, epochs)
    steps = recorded_steps(epochs, record_every)
    steps.flags.writeable = False
    rates = tuple(one.lr for one in settings)
    weights, losses = gradient_descent(problem, rates, epochs, on_epoch, record_every)
    labels = labels_for(effective)
    lrs_by_run = np.broadcast_to(np.array(rates)[:, None], (len(rates), len(steps)))  # read-only
    runs = [
        Trajectory(
            weights[:, index],
            losses[:, index],
            steps=steps,
            hyperparameters=one,
            problem=problem,
            lrs=lrs_by_run[index],
            label=one.label or label,
            from_train=True,
        )
        for index, (one, label) in enumerate(zip(settings, labels, strict=True))
    ]
    _diagnose_in_batches(runs, weights, losses, problem)
    return Runs(runs)


def untrained_runs(
    problem: Line | Supervised, several: Sequence[Hyperparameters], epochs: int
) -> Runs:
    """Return a few records of each run of `train`, in which it still stands at its start."""
    if isinstance(problem, Line):
        loss, metrics = float(problem.loss(problem.start)), {}
    else:
        loss, values = problem.evaluate(problem.model)
        metrics = dict(zip(problem.metric_names, values, strict=True))
    labels = labels_for([one.for_data_size(len(problem.x)) for one in several])
    runs = []
    for one, label in zip(several, labels, strict=True):
        last = epochs * one.steps_per_epoch(len(problem.x))
        steps = np.unique([0, min(1, last), min(2, last), last])
        count = len(steps)
        run = Trajectory(
            np.stack([problem.start] * count),
            np.full(count, math.inf if math.isnan(loss) else loss),
            steps=steps,
            hyperparameters=one,
            problem=problem,
            metrics={name: np.full(count, value) for name, value in metrics.items()},
        )
        runs.append(run.as_trained(one.label or label))
    return Runs(runs)


def recorded_steps(count: int, every: int) -> np.ndarray:
    """
    Return the recorded steps from 0 to `count`, ascending: each `every`-th, and the last.

    >>> recorded_steps(10, 4)
    array([ 0,  4,  8, 10])
    """
    steps = np.arange(0, count + 1, every)
    return steps if steps[-1] == count else np.append(steps, count)


def gradient_descent(
    problem: Line,
    lrs: Sequence[float],
    epochs: int,
    on_epoch: OnEpoch | None = None,
    record_every: int = 1,
) -> tuple[Floats, Floats]:
    """
    Train a line at `lrs`, and return its records.

    Parameters
    ----------
    problem : Line
    lrs : sequence of float
    epochs : int
    on_epoch : callable, optional
        Called as ``on_epoch(epoch, losses)``.
    record_every : int

    Returns
    -------
    weights : float32 array, shape (T, runs, 2)
    losses : float32 array, shape (T, runs)
    """
    values = torch.from_numpy(np.array(problem.training_x))
    target = torch.from_numpy(np.array(problem.training_y))
    rates = torch.tensor(lrs, dtype=torch.float64).float()[:, None]
    start = torch.from_numpy(np.array(problem.start))
    rows = max(1, BLOCK_SIZE // len(target))
    blocks = [
        (runs, rates[runs], torch.nn.Parameter(start.repeat(len(rates[runs]), 1)))
        for runs in [slice(first, first + rows) for first in range(0, len(lrs), rows)]
    ]
    records = {step: record for record, step in enumerate(recorded_steps(epochs, record_every))}
    weights = np.empty((len(records), len(lrs), 2), np.float32)
    losses = np.empty((len(records), len(lrs)), np.float32)
    with single_threaded(), torch.enable_grad():
        for epoch in range(epochs + 1):
            current = np.empty(len(lrs), np.float32)
            for runs, rate, parameter in blocks:
                # Shape (runs, points), so that each run is a row, summed by itself. With a matrix
                # product or the transposed shape, its last bits would depend on the other runs.
                prediction = parameter[:, :1] * values + parameter[:, 1:]
                loss = mse_loss(prediction, target.expand_as(prediction), reduction="none").mean(
                    dim=1
                )
                current[runs] = loss.detach().numpy()
                if epoch in records:
                    weights[records[epoch], runs] = parameter.detach().numpy()
                    losses[records[epoch], runs] = current[runs]
                if epoch < epochs:
                    parameter.grad = None
                    # Giving backward() the gradient instead would make torch import sympy.
                    loss.sum().backward()
                    with torch.no_grad():
                        assert parameter.grad is not None
                        parameter.sub_(rate * parameter.grad)
            if on_epoch is not None:
                on_epoch(epoch, current)
    return weights, losses


def _as_hyperparameters(given: Settings | None) -> list[Hyperparameters]:
    """Return `given` as a list of Hyperparameters, all different."""
    single = (
        isinstance(given, (str, Hyperparameters))
        or not hasattr(given, "__iter__")
        or getattr(given, "ndim", 1) == 0  # a 0-d array or tensor
    )
    listed = [given] if single else list(given)  # type: ignore[arg-type]
    plain = [one for one in listed if not isinstance(one, Hyperparameters)]
    if len(plain) == len(listed):
        return [Hyperparameters(lr) for lr in validation.learning_rates(plain)]
    settings = [
        one if isinstance(one, Hyperparameters) else Hyperparameters(one)  # type: ignore[arg-type]
        for one in listed
    ]
    seen: set[Hyperparameters] = set()
    for one in settings:
        if one in seen:
            raise InputError(f"{one} is given twice; give each once, or another seed or label")
        seen.add(one)
    return settings


def _diagnose_in_batches(
    runs: Sequence[Trajectory], weights: Floats, losses: Floats, problem: Line
) -> None:
    """
    Diagnose many runs in few passes, and store each diagnosis in its run.

    Parameters
    ----------
    runs : sequence of Trajectory
    weights : float32 array, shape (T, runs, 2)
    losses : float32 array, shape (T, runs)
    problem : Line
    """
    batch_size = max(1, validation.DIAGNOSED // len(losses))
    for first in range(0, len(runs), batch_size):
        batch = slice(first, first + batch_size)
        events = find_events(
            weights[:, batch].swapaxes(0, 1), losses[:, batch].T, problem.best_weights
        )
        for run, run_events in zip(runs[batch], events, strict=True):
            vars(run)["diagnosis"] = diagnose(run, run_events)  # as the cached property does
