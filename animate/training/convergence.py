"""How many epochs plain gradient descent needs at each learning rate: trained, and by theory."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animate.system.errors import InputError
from animate.training.diagnosis import distance, epochs_to_converge
from animate.training.line import Line
from animate.training.problem import Doubles, Problem, Quadratic

RATES = 300
MOST_EPOCHS = 1000


@dataclass(frozen=True, eq=False)
class Convergence:
    """
    Epochs to converge against the learning rate.

    Attributes
    ----------
    lrs, trained, expected : float64 arrays, shape (R,)
        Learning rates up to the stability limit, and the epochs that training takes and that
        theory expects; NaN where they are more than `MOST_EPOCHS`.
    """

    lrs: Doubles
    trained: Doubles
    expected: Doubles


def convergence(problem: Problem | None) -> Convergence:
    """
    Train `problem` at many learning rates below its limit, and return how long each takes.

    Raises
    ------
    InputError
        If it is no line, the only problem of which many runs can be trained at once.
    """
    if not isinstance(problem, Line):
        raise InputError("only a line can be trained at many learning rates; give runs of one")
    from animate.training.descent import descend  # here, since only this needs torch

    lrs = problem.stability_limit * (np.arange(RATES) + 1) / (RATES + 1)
    weights, _ = descend(problem, lrs.tolist(), MOST_EPOCHS)
    distances = distance(weights, problem.best_weights).T
    trained = _within_time(epochs_to_converge(distances, problem.best_weights))
    return Convergence(lrs, trained, expected(problem, problem.start, lrs))


def expected(problem: Quadratic, start: npt.ArrayLike, lrs: npt.ArrayLike) -> Doubles:
    """Return the epochs by the closed form: each eigencomponent shrinks by ``1 - lr·λ``."""
    eigenvalues, eigenvectors = np.linalg.eigh(problem.hessian)
    errors = (np.asarray(start, np.float64) - problem.best_weights) @ eigenvectors
    factors = 1 - np.asarray(lrs)[:, None] * eigenvalues
    epochs = np.arange(MOST_EPOCHS + 1)
    left = errors[:, None] * factors[..., None] ** epochs
    distances = np.linalg.norm(left, axis=1)
    return _within_time(epochs_to_converge(distances, problem.best_weights))


def _within_time(epochs: npt.NDArray[np.int64]) -> Doubles:
    return np.where(epochs > MOST_EPOCHS, np.nan, epochs.astype(float))
