"""
Plain full-batch gradient descent with PyTorch, for many learning rates at once.

All runs share one parameter and one backward pass an epoch. This is the only module that needs
torch for more than random numbers.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from animate import inputs
from animate.problem import Floats, Problem
from animate.trajectory import Trajectory

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
    return [Trajectory(lr, problem, weights[:, run], losses[:, run]) for run, lr in enumerate(lrs)]


def descend(
    problem: Problem, lrs: tuple[float, ...], epochs: int, on_epoch: OnEpoch | None = None
) -> tuple[Floats, Floats]:
    """Return all weights, shape (epochs + 1, runs, 2), and losses, shape (epochs + 1, runs)."""
    values, ones = torch.tensor(problem.x.T).contiguous()
    target = torch.tensor(problem.y)
    rate = torch.tensor(lrs, dtype=torch.float64).float()[:, None]
    parameter = torch.nn.Parameter(torch.tensor(problem.start).repeat(len(lrs), 1))
    weights = np.empty((epochs + 1, len(lrs), 2), np.float32)
    losses = np.empty((epochs + 1, len(lrs)), np.float32)
    with _one_thread():
        for epoch in range(epochs + 1):
            # Laid out (runs, points): each run is a row of its own, summed alone. A matrix
            # product or the other layout would let a run's last bits depend on its neighbours.
            prediction = parameter[:, :1] * values + parameter[:, 1:] * ones
            loss = torch.square(prediction - target).mean(dim=1)
            weights[epoch] = parameter.detach().numpy()
            losses[epoch] = loss.detach().numpy()
            if on_epoch is not None:
                on_epoch(epoch, losses[epoch])
            if epoch < epochs:
                parameter.grad = None
                loss.sum().backward()
                with torch.no_grad():
                    assert parameter.grad is not None
                    parameter.sub_(rate * parameter.grad)
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
