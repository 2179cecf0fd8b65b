"""
Sharpness: the largest eigenvalue of the Hessian of a run's loss, and the limit of stability on it.

Gradient descent at the rate lr is stable on a quadratic loss only where the sharpness is below
``2/lr``. On networks the sharpness rises to about that limit, and stays there ("edge of stability",
Cohen et al., arXiv 2103.00065).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from animate.system.errors import InputError
from animate.system.validation import quoted
from animate.training.problem import Array, Doubles, HasTorchLoss, Quadratic, provides
from animate.training.trajectory import Trajectory

if TYPE_CHECKING:
    from torch import Tensor

EXACT_WEIGHTS = 200  # up to which the whole Hessian is computed
TOLERANCE = 1e-4  # relative, of the eigenvalue of more weights
MOST_RECORDS = 300  # of a run, that a view shows
FIRST_RECORDS = 25  # that a view shows without a gap, since the first steps are shown slowly


def sharpness(run: Trajectory, records: npt.ArrayLike | None = None) -> Doubles:
    """
    Return the largest eigenvalue of the Hessian of the loss at records of a run.

    The loss is that of the run's problem, over all points and in evaluation mode. Parameters that
    require no gradient are constants. The whole Hessian is computed for up to 200 weights; for
    more, its products with vectors give the eigenvalue by a Lanczos iteration. Values that were
    computed once are kept.

    Parameters
    ----------
    run : Trajectory
        Its problem is a quadratic such as `animate.Line`, an `animate.Supervised`, or a model and
        its loss (`run.with_loss`).
    records : sequence of int, optional
        By default all.

    Returns
    -------
    float64 array, shape (len(records),)
        NaN where the weights or the derivatives of the loss are not finite.

    Raises
    ------
    InputError
        If the run has no such record, or its loss cannot be differentiated twice.
    """
    lacking = lacks_sharpness(run)
    if lacking is not None:
        raise InputError(f"the sharpness cannot be computed: {lacking}")
    chosen = _chosen_records(records, len(run.steps))
    if provides(run.problem, Quadratic):
        weights = cast("Array", run.weights)
        is_finite = [bool(np.isfinite(weights[record]).all()) for record in chosen]
        return np.where(is_finite, run.problem.curvatures[-1], np.nan)

    from animate.training.model_loss import single_threaded  # here, since it loads torch

    known: dict[int, float] = vars(run).setdefault("_sharpness", {})
    with single_threaded():
        for record in chosen:
            if record not in known:
                known[record] = _sharpness_at(run, record)
    return np.array([known[record] for record in chosen], np.float64)


def lacks_sharpness(run: Trajectory) -> str | None:
    """Return why the sharpness of `run` cannot be computed, or None if it can."""
    name = run.label or "the run"
    if run.problem is None:
        return f"it requires the loss at any weights, but {name} has no problem; use run.with_loss"
    if not (provides(run.problem, Quadratic) or provides(run.problem, HasTorchLoss)):
        return f"it requires a problem with a torch_loss, but {name} has another kind of problem"
    return f"it requires weights, but {name} has none" if run.weights is None else None


def sample_records(count: int, most: int = MOST_RECORDS) -> npt.NDArray[np.int64]:
    """
    Return which of `count` records to show: all, or at most `most`.

    The first ones have no gap between them. The others are evenly spaced, up to the last.
    """
    if count <= most:
        return np.arange(count)
    first = np.arange(min(FIRST_RECORDS, most // 2))
    others = np.linspace(len(first), count - 1, most - len(first)).round().astype(np.int64)
    return np.concatenate([first, others])


@dataclass(frozen=True, eq=False)
class SharpnessLimit:
    """
    The sharpness above which a run's steps are not stable on a quadratic.

    Attributes
    ----------
    formula : str
        Such as "2/lr".
    values : float64 array, shape (T,)
        At the learning rate of each record; NaN where that is unknown.
    is_known : bool
        Whether the optimizer is known to have this limit. Otherwise it is that of plain gradient
        descent at the recorded learning rates.
    """

    formula: str
    values: Doubles
    is_known: bool


def sharpness_limit(run: Trajectory) -> SharpnessLimit | None:
    """Return the limit of `run`; None where no rate is known, or the optimizer has another one."""
    settings = run.hyperparameters
    formula = "2/lr" if settings is None else settings.limit_formula
    factor = 2.0 if settings is None else settings.limit_factor
    rates = np.asarray(run.lrs, np.float64)
    if factor is None or formula is None or not (rates > 0).any():
        return None
    values = np.divide(factor, rates, out=np.full(len(rates), np.nan), where=rates > 0)
    return SharpnessLimit(formula, values, settings is not None)


@dataclass(frozen=True, eq=False)
class SharpnessCurve:
    """The sharpness of a run at some of its records: indices of records and values, each (R,)."""

    records: npt.NDArray[np.int64]
    values: Doubles


def sharpness_curves(runs: Sequence[Trajectory]) -> list[SharpnessCurve]:
    """Return the sharpness of each run, at the records that a view shows."""
    samples = [sample_records(len(run.steps)) for run in runs]
    return [
        SharpnessCurve(records, sharpness(run, records))
        for run, records in zip(runs, samples, strict=True)
    ]


def _chosen_records(records: npt.ArrayLike | None, count: int) -> list[int]:
    if records is None:
        return list(range(count))
    try:
        chosen = [operator.index(record) for record in cast("Sequence[int]", records)]
    except TypeError:
        raise InputError(
            f"records {quoted(records)} are not whole numbers; give a sequence of them, such as "
            "[0, -1]"
        ) from None
    for record in chosen:
        if not -count <= record < count:
            raise InputError(f"there is no record {record}; the run has 0 to {count - 1}")
    return [record % count for record in chosen]


def _sharpness_at(run: Trajectory, record: int) -> float:
    import torch

    problem: HasTorchLoss = run.problem_at(record)
    row = np.array(cast("Array", run.weights)[record], np.float64)
    if not np.isfinite(row).all():
        return np.nan
    try:
        with torch.enable_grad(), _attention_with_two_derivatives():
            return _largest_eigenvalue(problem, torch.from_numpy(row))
    except InputError:
        raise
    except Exception as error:  # of the model's own code, or an operation without two derivatives
        raise InputError(
            f"the loss of {run.label or 'the run'} cannot be differentiated twice: "
            f"{type(error).__name__}: {error}"
        ) from error


def _attention_with_two_derivatives() -> Any:
    """Return a context in which attention is computed by operations that have two derivatives."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    return sdpa_kernel(SDPBackend.MATH)


def _largest_eigenvalue(problem: HasTorchLoss, row: Tensor) -> float:
    """Return the largest eigenvalue of the Hessian of the loss, by the trained weights."""
    import torch

    trained = problem.trained_weights
    mask = torch.from_numpy(trained)
    free = row[mask].requires_grad_()
    weights = free if trained.all() else row.clone().masked_scatter(mask, free)
    loss = problem.torch_loss(weights)
    if not loss.requires_grad:
        raise InputError(
            "the loss has no gradient; compute it from the model's output with torch operations, "
            "without no_grad() and item()"
        )
    (gradient,) = torch.autograd.grad(loss, free, create_graph=True, materialize_grads=True)
    if not gradient.isfinite().all():
        return np.nan
    if not gradient.requires_grad:  # the loss is linear
        return 0.0

    def product(vector: Doubles) -> Doubles:
        """Return the product of the Hessian with `vector`."""
        (result,) = torch.autograd.grad(
            gradient, free, torch.from_numpy(vector), retain_graph=True, materialize_grads=True
        )
        array: Doubles = result.numpy()
        return array

    if len(free) <= EXACT_WEIGHTS:
        hessian = _hessian(gradient, free, product)
        return float(np.linalg.eigvalsh(hessian)[-1]) if np.isfinite(hessian).all() else np.nan
    return _lanczos(product, len(free))


def _hessian(gradient: Tensor, free: Tensor, product: Callable[[Doubles], Doubles]) -> Doubles:
    """Return the Hessian, symmetric, all rows at once where the operations allow it."""
    import torch

    unit = torch.eye(len(free), dtype=free.dtype)
    try:
        (rows,) = torch.autograd.grad(
            gradient, free, unit, retain_graph=True, is_grads_batched=True, materialize_grads=True
        )
        hessian: Doubles = rows.numpy()
    except RuntimeError:
        hessian = np.stack([product(vector) for vector in unit.numpy()])
    symmetric: Doubles = (hessian + hessian.T) / 2
    return symmetric


def _lanczos(product: Callable[[Doubles], Doubles], count: int) -> float:
    """Return the largest eigenvalue of a symmetric matrix by its products with vectors."""
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

    # A start of its own, so that each value is the same whichever records were asked for before.
    start = np.random.default_rng(0).standard_normal(count)
    first = product(start)
    if not np.isfinite(first).all():
        return np.nan
    if not first.any():
        return 0.0
    matrix = LinearOperator((count, count), matvec=product, dtype=np.float64)
    try:
        values = eigsh(matrix, k=1, which="LA", v0=start, tol=TOLERANCE, return_eigenvectors=False)
    except ArpackNoConvergence as error:
        raise InputError(f"its largest eigenvalue was not found: {error}") from None
    return float(values[0])
