"""Sharpness: the largest eigenvalue of the Hessian of the loss, at the records of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from animate.system import validation
from animate.system.errors import InputError
from animate.training.model_loss import single_threaded
from animate.training.problem import Array, Doubles, HasTorchLoss, Quadratic, provides
from animate.training.trajectory import Trajectory

MAX_DIMENSION = 60  # of the subspace that Lanczos iteration searches
MIN_DIMENSION = 10
BASIS_SIZE = 25_000_000  # numbers of one subspace
MAX_RESTARTS = 20
TOLERANCE = 1e-6  # of the residual, relative to the eigenvalue
WORST_TOLERANCE = 1e-2  # for half precision
ROUNDING = 1e3  # units of rounding in a Hessian-vector product
MIN_SHARE = 1e-2  # of the largest absolute eigenvalue, to which the tolerance is relative


def sharpness(run: Trajectory, records: Iterable[int] | None = None) -> Doubles:
    """
    Return the largest eigenvalue of the Hessian of the loss at records of `run`.

    The loss is over all points, in evaluation mode, with the model's buffers as recorded. Frozen
    parameters count as constants. Plain gradient descent at the rate lr is stable up to 2/lr
    (Cohen et al., arXiv 2103.00065). The values do not depend on which records are asked for.

    Parameters
    ----------
    run : Trajectory
        With weights, and a problem that has a Hessian or whose loss torch can differentiate twice.
    records : ints, optional
        From 0 to T - 1; by default all. With a large model, each takes the time of some dozen
        steps of training.

    Returns
    -------
    float64 array, shape (len(records),)
        NaN where weights or Hessian are not finite.

    Raises
    ------
    InputError
        If the run has no weights or no such problem, or there is no such record.
    """
    problem, weights = run.problem, run.weights
    name = run.label or "the run"
    if weights is None:
        raise InputError(f"{name} has no weights, so its sharpness is unknown; record them")
    if not (provides(problem, Quadratic) or provides(problem, HasTorchLoss)):
        raise InputError(
            f"the loss of {name} is not known at other weights, so neither is its sharpness; give "
            "the run its loss with run.with_loss(model, loss)"
        )
    last = len(weights) - 1
    chosen = (
        list(range(last + 1))
        if records is None
        else [validation.whole(one, "record", least=0, most=last) for one in records]
    )
    if provides(problem, Quadratic):
        is_finite = [bool(np.isfinite(weights[record]).all()) for record in chosen]
        return np.where(is_finite, problem.curvatures[-1], np.nan)
    # The other kernels of attention cannot be differentiated twice.
    with single_threaded(), torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
        values = [_at(run.problem_at(record), weights[record], record) for record in chosen]
    return np.array(values, np.float64)


def _at(problem: HasTorchLoss, weights: Array, record: int) -> float:
    if not np.isfinite(weights).all():
        return np.nan
    trained = np.flatnonzero(problem.trained_weights)
    dtype = np.promote_types(weights.dtype, np.float32)
    at = torch.tensor(weights.astype(dtype), requires_grad=True)
    loss = problem.torch_loss(at)
    (gradient,) = torch.autograd.grad(loss, at, create_graph=True, materialize_grads=True)
    if not gradient.requires_grad:  # a linear loss
        return 0.0 if bool(torch.isfinite(gradient).all()) else np.nan

    def product(vector: Doubles) -> Doubles:
        """Return the Hessian times `vector`, both of the trained weights only."""
        whole = np.zeros(len(weights), dtype)
        whole[trained] = vector
        try:
            (result,) = torch.autograd.grad(
                gradient, at, torch.from_numpy(whole), retain_graph=True, materialize_grads=True
            )
        except RuntimeError as error:
            raise InputError(
                f"torch cannot differentiate the loss twice at record {record}: {error}"
            ) from error
        return cast("Doubles", result.numpy()[trained].astype(np.float64))

    rounding = ROUNDING * torch.finfo(loss.dtype).eps
    tolerance = min(max(TOLERANCE, rounding), WORST_TOLERANCE)
    return largest_eigenvalue(product, len(trained), tolerance)


def largest_eigenvalue(
    product: Callable[[Doubles], Doubles], size: int, tolerance: float = TOLERANCE
) -> float:
    """
    Return the largest eigenvalue of a symmetric matrix by restarted Lanczos iteration.

    Parameters
    ----------
    product : callable
        Returns the matrix times a float64 vector, shape (size,).
    size : int
    tolerance : float
        Of the residual, relative to the eigenvalue. The error of the eigenvalue is smaller.

    Returns
    -------
    float
        NaN if a product is not finite.
    """
    vector = np.random.default_rng(0).standard_normal(size)
    dimension = min(size, max(MIN_DIMENSION, min(MAX_DIMENSION, BASIS_SIZE // size)))
    basis = np.empty((dimension, size))
    largest = np.nan
    for _ in range(MAX_RESTARTS):
        projected = np.zeros((dimension, dimension))  # the matrix within the subspace
        for index in range(dimension):
            vector /= np.linalg.norm(vector)
            basis[index] = vector
            image = product(vector)
            if not np.isfinite(image).all():
                return np.nan
            part = basis[: index + 1]
            projected[index, : index + 1] = projected[: index + 1, index] = part @ image
            for _ in range(2):  # once leaves rounding errors that grow
                image = image - part.T @ (part @ image)
            values, vectors = np.linalg.eigh(projected[: index + 1, : index + 1])
            largest = float(values[-1])
            residual = np.linalg.norm(image) * abs(vectors[-1, -1])
            scale = max(abs(largest), MIN_SHARE * np.abs(values).max())
            if residual <= tolerance * scale or index + 1 == size:
                return largest
            vector = image
        vector = basis.T @ vectors[:, -1]
    return largest
