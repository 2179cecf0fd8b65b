"""How many epochs plain gradient descent needs at each learning rate: trained, and by theory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animate.system.errors import InputError
from animate.training.diagnosis import epochs_to_converge
from animate.training.line import Line
from animate.training.problem import Doubles, Problem, Quadratic
from animate.training.trajectory import Trajectory

RATE_COUNT = 300
MAX_EPOCHS = 1000


@dataclass(frozen=True, eq=False)
class ConvergenceCurve:
    """
    Epochs to converge against the learning rate.

    Attributes
    ----------
    lrs : float64 array, shape (R,)
        Learning rates below the stability limit, ascending.
    trained, expected : float64 arrays, shape (R,)
        The epochs needed in training, and those expected by theory; NaN above `MAX_EPOCHS`.
    """

    lrs: Doubles
    trained: Doubles
    expected: Doubles


def convergence_of_runs(runs: Sequence[Trajectory]) -> ConvergenceCurve:
    """Return the curve of the problem of the first run."""
    return convergence_curve(runs[0].problem)


def convergence_curve(problem: Problem | None) -> ConvergenceCurve:
    """
    Train `problem` at many learning rates below its stability limit, and count the epochs.

    Raises
    ------
    InputError
        If `problem` is not a Line. Only a Line can be trained at many rates at once.
    """
    if not isinstance(problem, Line):
        raise InputError(
            f"a problem of type {type(problem).__name__} cannot be trained at many learning rates; "
            "give runs of an animate.Line"
        )
    from animate.training.sweep import sweep  # here, since only this needs torch

    lrs = problem.stability_limit * (np.arange(RATE_COUNT) + 1) / (RATE_COUNT + 1)
    converged_at = sweep(problem, lrs=lrs, epochs=MAX_EPOCHS).converged_at
    trained = np.where(converged_at < 0, np.nan, converged_at.astype(float))
    return ConvergenceCurve(lrs, trained, expected_epochs(problem, problem.start, lrs))


def expected_epochs(problem: Quadratic, start: npt.ArrayLike, lrs: npt.ArrayLike) -> Doubles:
    """
    Return the epochs to converge by the closed form, without training.

    Each epoch multiplies each eigencomponent of the error by ``1 - lr·λ``.

    Parameters
    ----------
    problem : Quadratic
    start : array, shape (P,)
        The weights before the first step.
    lrs : array, shape (R,)

    Returns
    -------
    float64 array, shape (R,)
        NaN above `MAX_EPOCHS`.
    """
    eigenvalues, eigenvectors = np.linalg.eigh(problem.hessian)
    errors = (np.asarray(start, np.float64) - problem.best_weights) @ eigenvectors
    factors = 1 - np.asarray(lrs)[:, None] * eigenvalues
    epochs = np.arange(MAX_EPOCHS + 1)
    components = errors[:, None] * factors[..., None] ** epochs
    distances = np.linalg.norm(components, axis=1)
    return _nan_beyond_limit(epochs_to_converge(distances, problem.best_weights))


def _nan_beyond_limit(epochs: npt.NDArray[np.int64]) -> Doubles:
    return np.where(epochs > MAX_EPOCHS, np.nan, epochs.astype(float))
