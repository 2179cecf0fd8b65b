"""
Plain full-batch gradient descent with PyTorch, for many learning rates at once.

Runs are trained side by side, in blocks that share one parameter and one backward pass an epoch.
This is the only module that needs torch for more than random numbers.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from animate import inputs
from animate.problem import Floats, Problem
from animate.trajectory import Trajectory, trajectories

BLOCK = 200_000  # residuals of the runs in one block: few enough for a processor's cache

OnEpoch = Callable[[int, Floats], None]


def train(
    problem: Problem,
    lrs: Iterable[float],
    epochs: int = 100,
    on_epoch: OnEpoch | None = None,
) -> list[Trajectory]:
    """
    Train a line from `problem.start` once for each learning rate.

    One epoch is one step down the gradient of the mean squared error over all points. A run's
    numbers do not depend, to the last bit, on which other runs are trained beside it, nor on the
    number of cores. A rate past the stability limit is no error: its weights grow, in the end
    beyond float32, and the trajectory holds that.

    Parameters
    ----------
    problem : Problem
    lrs : positive floats, all different
    epochs : int
        At least 1.
    on_epoch : callable, optional
        Called with each epoch's number, 0 first, and the losses of all runs, shape (runs,).

    Returns
    -------
    list of Trajectory
        One for each learning rate, in the order given.

    Raises
    ------
    InputError
        If a rate or the number of epochs cannot be used.
    """
    lrs = inputs.learning_rates(lrs)
    epochs = inputs.epochs(epochs, runs=len(lrs))
    weights, losses = descend(problem, lrs, epochs, on_epoch)
    return trajectories(problem, lrs, weights, losses)


def descend(
    problem: Problem, lrs: tuple[float, ...], epochs: int, on_epoch: OnEpoch | None = None
) -> tuple[Floats, Floats]:
    """Return all weights, shape (epochs + 1, runs, 2), and losses, shape (epochs + 1, runs)."""
    values, ones = torch.tensor(problem.x.T).contiguous()
    target = torch.tensor(problem.y)
    rates = torch.tensor(lrs, dtype=torch.float64).float()[:, None]
    start = torch.tensor(problem.start)
    rows = max(1, BLOCK // len(target))
    blocks = [
        (runs, rates[runs], torch.nn.Parameter(start.repeat(len(rates[runs]), 1)))
        for runs in [slice(first, first + rows) for first in range(0, len(lrs), rows)]
    ]
    weights = np.empty((epochs + 1, len(lrs), 2), np.float32)
    losses = np.empty((epochs + 1, len(lrs)), np.float32)
    with _one_thread():
        for epoch in range(epochs + 1):
            for runs, rate, parameter in blocks:
                # Laid out (runs, points): each run is a row of its own, summed alone. A matrix
                # product or the other layout would let a run's last bits depend on its neighbours.
                prediction = parameter[:, :1] * values + parameter[:, 1:] * ones
                loss = torch.square(prediction - target).mean(dim=1)
                weights[epoch, runs] = parameter.detach().numpy()
                losses[epoch, runs] = loss.detach().numpy()
                if epoch < epochs:
                    parameter.grad = None
                    loss.sum().backward()
                    with torch.no_grad():
                        assert parameter.grad is not None
                        parameter.sub_(rate * parameter.grad)
            if on_epoch is not None:
                on_epoch(epoch, losses[epoch])
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
