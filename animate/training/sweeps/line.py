"""
A tile of runs of a line, in closed form: the gradient of a quadratic needs no data points.

With the error ``d = w - w*`` the gradient over all points is ``H d``, and over a batch
``H_b d + r_b``, where H_b and r_b are computed from its points once for all runs. All is float64
and elementwise, so a run does not depend on the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from animate.training.diagnosis import (
    CONVERGENCE_TOLERANCE,
    FLOAT32_FLOOR,
    NOISE_GROWTH_LIMIT,
    float32_resolution,
)
from animate.training.line import Line
from animate.training.problem import Array, Doubles
from animate.training.sweeps.plan import BETA_1, BETA_2, EPSILON, LINE_PARAMETERS, Tile, batches
from animate.training.sweeps.results import (
    CONVERGED,
    CONVERGING,
    DIVERGING,
    TAIL,
    Results,
    add_losses,
    empty_results,
)

TILE_SIZE = 4096  # runs, whose arrays stay in the processor's cache
LARGEST_FLOAT32 = float(np.finfo(np.float32).max)  # train's losses, which are float32, overflow

Bowl = tuple[Doubles, Doubles | None, float]
"""A loss ``dᵀ H d / 2 + r d + lowest`` of the error d: H (2, 2), r (2,) or None for 0, lowest."""


def train_tile(problem: Line, tile: Tile) -> Results:
    """Train all runs of a tile, and return what a sweep keeps of them, shape (R,)."""
    errors = _starts(problem, tile) - problem.best_weights[:, None]
    update = _update(tile)
    steps = tile.steps(len(problem.x))
    everything = (problem.hessian, None, problem.best_loss)
    results = empty_results(len(tile))
    with np.errstate(all="ignore"):  # runs that diverge overflow
        start = np.hypot(*errors)
        near = np.maximum(CONVERGENCE_TOLERANCE * start, float32_resolution(problem.best_weights))
        within_since = np.zeros(len(tile), np.int64)  # the step from which a run stays near
        results["first_loss"] = _evaluate(everything, errors)[0]
        for step, bowl in enumerate(_bowls(problem, tile)):
            losses, gradients = _evaluate(bowl, errors)
            add_losses(results, losses, is_tail=step >= steps - TAIL)
            np.copyto(within_since, step + 1, where=~(np.hypot(*errors) <= near))
            update(errors, gradients, step)
        end = np.hypot(*errors)
        np.copyto(within_since, steps + 1, where=~(end <= near))
        results["final_loss"] = _evaluate(everything, errors)[0]
        results["tail_loss"] /= min(TAIL, steps)
        for name in ("first_loss", "final_loss"):
            results[name][~(results[name] <= LARGEST_FLOAT32)] = np.inf
        results["verdict"] = _verdicts(problem, tile, results, start, end, within_since <= steps)
    converged = results["verdict"] == CONVERGED
    results["converged_at"][converged] = within_since[converged]
    return results


def _starts(problem: Line, tile: Tile) -> Doubles:
    """Return the weights before the first step, shape (2, R)."""
    starts = np.repeat(problem.start.astype(np.float64)[:, None], len(tile), axis=1)
    for index, values in tile.starts.items():
        starts[index] = values
    return starts


def _bowls(problem: Line, tile: Tile) -> Iterator[Bowl]:
    """Yield the loss of each step, as a function of the error."""
    residuals = problem.design @ problem.best_weights - problem.training_y
    for rows in batches(len(problem.x), tile.settings, tile.epochs):
        if rows is None:
            yield problem.hessian, None, problem.best_loss
            continue
        design, left = problem.design[rows.numpy()], residuals[rows.numpy()]
        factor = 2 / len(left)
        yield factor * design.T @ design, factor * design.T @ left, float(np.mean(left**2))


def _evaluate(bowl: Bowl, errors: Doubles) -> tuple[Doubles, Doubles]:
    """Return the losses, shape (R,), and the gradients, shape (2, R)."""
    hessian, shift, lowest = bowl
    slope, bias = errors  # not as a matrix product, in which a run may depend on the others
    gradients = np.empty_like(errors)
    for row, (along_slope, along_bias) in enumerate(hessian):
        np.multiply(slope, along_slope, out=gradients[row])
        gradients[row] += along_bias * bias
    losses = 0.5 * (slope * gradients[0] + bias * gradients[1]) + lowest
    if shift is not None:
        losses += shift[0] * slope + shift[1] * bias
        gradients += shift[:, None]
    return losses, gradients


def _update(tile: Tile) -> Callable[[Doubles, Doubles, int], None]:
    """Return the optimizer, which changes the errors by their gradients, both (2, R)."""
    rates = np.stack([tile.rate_of(name) for name in LINE_PARAMETERS])
    if tile.settings.optimizer == "adam":
        return _adam(rates)
    return _momentum(rates, tile.momentum, is_nesterov=tile.settings.optimizer == "nesterov")


def _momentum(
    rates: Doubles, momentum: Doubles, *, is_nesterov: bool
) -> Callable[[Doubles, Doubles, int], None]:
    """Return the update of `torch.optim.SGD` with momentum, whose buffer begins at 0."""
    velocity = np.zeros_like(rates)

    def update(errors: Doubles, gradients: Doubles, _step: int) -> None:
        np.multiply(velocity, momentum, out=velocity)
        np.add(velocity, gradients, out=velocity)
        direction = gradients + momentum * velocity if is_nesterov else velocity
        errors -= rates * direction

    return update


def _adam(rates: Doubles) -> Callable[[Doubles, Doubles, int], None]:
    """Return the update of `torch.optim.Adam` (Kingma and Ba, arXiv 1412.6980, algorithm 1)."""
    mean, square = np.zeros_like(rates), np.zeros_like(rates)

    def update(errors: Doubles, gradients: Doubles, step: int) -> None:
        mean[...] += (1 - BETA_1) * (gradients - mean)
        square[...] = BETA_2 * square + (1 - BETA_2) * gradients**2
        deviation = np.sqrt(square / (1 - BETA_2 ** (step + 1))) + EPSILON
        errors -= rates / (1 - BETA_1 ** (step + 1)) * mean / deviation

    return update


def _verdicts(
    problem: Line,
    tile: Tile,
    results: Results,
    start: Doubles,
    end: Doubles,
    has_converged: Array,
) -> Array:
    """
    Return the verdict on each run by the rules of `animate.training.diagnosis`, shape (R,).

    `start` and `end` are the first and the last distance to the best weights.
    """
    first, last = results["first_loss"], results["final_loss"]
    has_overflowed = ~(np.isfinite(last) & np.isfinite(first))
    progress = np.where(has_converged, CONVERGED, CONVERGING)
    starts_at_best = start <= float32_resolution(problem.best_weights)
    is_noisy = tile.settings.batch_size is not None
    bound = np.where(
        is_noisy | starts_at_best,
        NOISE_GROWTH_LIMIT * np.maximum(first, problem.best_loss + problem.curvatures[-1] / 2),
        first,
    )
    by_distance = np.where(has_overflowed | (last > bound), DIVERGING, progress)
    if is_noisy or tile.settings.optimizer == "adam":
        return by_distance
    is_stable = _is_stable(problem, tile)
    is_plain = tile.momentum == 0
    contradicts = np.where(
        is_stable,
        has_overflowed | (is_plain & (last > first * (1 + FLOAT32_FLOOR))),
        end < CONVERGENCE_TOLERANCE * start,
    )
    by_theory = np.where(is_stable, progress, DIVERGING)
    return np.where(contradicts, by_distance, by_theory)


def _is_stable(problem: Line, tile: Tile) -> Array:
    """Return which runs of SGD are below the limit of `Hyperparameters.stability_limit`."""
    factors = 2 * (1 + tile.momentum)
    if tile.settings.optimizer == "nesterov":
        factors /= 1 + 2 * tile.momentum
    if not tile.rates:
        stable: Array = tile.lr < factors / problem.curvatures[-1]
        return stable
    # With a rate for each weight the steps are those of the Hessian D^½ H D^½, D = diag(rates).
    first, second = (np.sqrt(tile.rate_of(name)) for name in LINE_PARAMETERS)
    hessian = problem.hessian
    one, other = hessian[0, 0] * first**2, hessian[1, 1] * second**2
    across = hessian[0, 1] * first * second
    largest = (one + other) / 2 + np.hypot((one - other) / 2, across)
    below: Array = largest < factors
    return below
