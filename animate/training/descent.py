"""
Training with PyTorch: today plain full-batch gradient descent, for many learning rates at once.

Runs are trained side by side, in blocks that share one parameter and one backward pass an epoch.
This is the only module that needs torch for more than random numbers.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields

import numpy as np
import torch
from torch.nn.functional import mse_loss

from animate.system import validation
from animate.system.errors import InputError
from animate.training.diagnosis import courses, diagnose
from animate.training.hyperparameters import Hyperparameters, described
from animate.training.line import Line
from animate.training.problem import Floats
from animate.training.trajectory import Runs, Trajectory

BLOCK = 200_000  # residuals of the runs in one block: few enough for a processor's cache

OnEpoch = Callable[[int, Floats], None]
Settings = Iterable[float | Hyperparameters] | float | Hyperparameters


def train(
    problem: Line,
    hyperparameters: Settings | None = None,
    epochs: int = 100,
    on_epoch: OnEpoch | None = None,
    *,
    lrs: Settings | None = None,
    record_every: int = 1,
) -> Runs:
    """
    Train a line from `problem.start` once for each learning rate.

    One epoch is one step down the gradient of the mean squared error over all points. A run's
    numbers do not depend, to the last bit, on which other runs are trained beside it, nor on the
    number of cores. A rate past the stability limit is no error: its weights grow, in the end
    beyond float32, and the trajectory holds that.

    Parameters
    ----------
    problem : Line
    hyperparameters : learning rates or Hyperparameters, all different
        One run each; a single one need not be in a list.
    epochs : int
        At least 1.
    on_epoch : callable, optional
        Called with each epoch's number, 0 first, and the losses of all runs, shape (runs,).
    lrs : learning rates
        The same as `hyperparameters`, by a name that says more.
    record_every : int
        Steps from one record to the next; step 0 and the last are always recorded.

    Returns
    -------
    Runs
        A `Trajectory` for each, in the order given, of float32 weights and losses.

    Raises
    ------
    InputError
        If a value cannot be used, or is something that cannot be trained yet.
    """
    if not isinstance(problem, Line):
        raise InputError(
            f"a problem of type {type(problem).__name__} cannot be trained yet; "
            "give an animate.Line"
        )
    if (hyperparameters is None) == (lrs is None):
        raise InputError("give either learning rates, lrs=[0.1, 0.7], or hyperparameters")
    several = _hyperparameters(hyperparameters if lrs is None else lrs)
    for one in several:
        _check_supported(one, len(problem.x))
    record_every = validation.whole(record_every, "record_every", least=1)
    epochs = validation.epochs(epochs, runs=len(several), record_every=record_every)
    record_every = min(record_every, epochs)
    steps = recorded_steps(epochs, record_every)
    steps.flags.writeable = False
    rates = tuple(one.lr for one in several)
    weights, losses = descend(problem, rates, epochs, on_epoch, record_every)
    texts = described([one.for_points(len(problem.x)) for one in several])
    runs = [
        Trajectory(
            weights[:, place],
            losses[:, place],
            steps=steps,
            hyperparameters=one,
            problem=problem,
            label=one.label or text,
            from_train=True,
        )
        for place, (one, text) in enumerate(zip(several, texts, strict=True))
    ]
    _diagnose_together(runs, weights, losses, problem)
    return Runs(runs)


def recorded_steps(count: int, every: int) -> np.ndarray:
    """
    Return which of the steps 0 to `count` are recorded.

    >>> recorded_steps(10, 4)
    array([ 0,  4,  8, 10])
    """
    steps = np.arange(0, count + 1, every)
    return steps if steps[-1] == count else np.append(steps, count)


def descend(
    problem: Line,
    lrs: Sequence[float],
    epochs: int,
    on_epoch: OnEpoch | None = None,
    record_every: int = 1,
) -> tuple[Floats, Floats]:
    """Return the recorded weights, shape (T, runs, 2), and losses, shape (T, runs)."""
    values = torch.from_numpy(np.array(problem.training_x))
    target = torch.from_numpy(np.array(problem.training_y))
    rates = torch.tensor(lrs, dtype=torch.float64).float()[:, None]
    start = torch.from_numpy(np.array(problem.start))
    rows = max(1, BLOCK // len(target))
    blocks = [
        (runs, rates[runs], torch.nn.Parameter(start.repeat(len(rates[runs]), 1)))
        for runs in [slice(first, first + rows) for first in range(0, len(lrs), rows)]
    ]
    records = {step: record for record, step in enumerate(recorded_steps(epochs, record_every))}
    weights = np.empty((len(records), len(lrs), 2), np.float32)
    losses = np.empty((len(records), len(lrs)), np.float32)
    with _one_thread():
        for epoch in range(epochs + 1):
            current = np.empty(len(lrs), np.float32)
            for runs, rate, parameter in blocks:
                # Laid out (runs, points): each run is a row of its own, summed alone. A matrix
                # product or the other layout would let a run's last bits depend on its neighbours.
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


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sum in one thread: split over several, a large sum's last bits depend on their number."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _hyperparameters(given: Settings | None) -> list[Hyperparameters]:
    """Return what was given as hyperparameters, all different."""
    single = (
        isinstance(given, (str, Hyperparameters))
        or not hasattr(given, "__iter__")
        or getattr(given, "ndim", 1) == 0  # such as a 0-d array or tensor
    )
    listed = [given] if single else list(given)  # type: ignore[arg-type]
    plain = [one for one in listed if not isinstance(one, Hyperparameters)]
    if len(plain) == len(listed):
        return [Hyperparameters(lr) for lr in validation.learning_rates(plain)]
    several = [
        one if isinstance(one, Hyperparameters) else Hyperparameters(one)  # type: ignore[arg-type]
        for one in listed
    ]
    found: set[Hyperparameters] = set()
    for one in several:
        if one in found:
            raise InputError(f"{one} is given twice; give each once, or another seed or label")
        found.add(one)
    return several


def _check_supported(one: Hyperparameters, points: int) -> None:
    """Raise `InputError`, by name, for what cannot be trained yet."""
    full_batch = one.for_points(points)
    if full_batch.is_plain_descent:
        return
    plain = Hyperparameters(one.lr)
    given = [
        f"{field.name} {validation.shown(value)}"
        for field in fields(one)
        if field.name in ("optimizer", "momentum", "schedule", "batch_size")
        and (value := getattr(full_batch, field.name)) != getattr(plain, field.name)
        and not (field.name == "momentum" and not value)
    ]
    raise InputError(
        f"{' with '.join(given)} cannot be trained yet, only plain full-batch descent; train it "
        "with your own loop and give animate.Trajectory what it recorded"
    )


def _diagnose_together(
    runs: Sequence[Trajectory], weights: Floats, losses: Floats, problem: Line
) -> None:
    """Diagnose many runs in few passes over `weights`, (T, runs, 2), and `losses`, (T, runs)."""
    several = max(1, validation.DIAGNOSED // len(losses))
    for first in range(0, len(runs), several):
        some = slice(first, first + several)
        together = courses(weights[:, some].swapaxes(0, 1), losses[:, some].T, problem.best_weights)
        for run, course in zip(runs[some], together, strict=True):
            vars(run)["diagnosis"] = diagnose(run, course)  # as the cached property would
