"""
A tile of runs of a PyTorch model: the loop, the optimizers and the verdicts, all in batches.

How losses and gradients of a batch of runs are computed is that of a `RunBatch`: by hand for a
network of one hidden layer, with `torch.func.vmap` for any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from animate.training.model_loss import single_threaded
from animate.training.problem import Array, Doubles
from animate.training.supervised import Supervised
from animate.training.sweeps.plan import BETA_1, BETA_2, EPSILON, Tile, batches
from animate.training.sweeps.results import (
    CONVERGING,
    DIVERGING,
    TAIL,
    Results,
    add_losses,
    empty_results,
)


@dataclass(frozen=True, eq=False)
class Weights:
    """
    One parameter of all runs, and how it is trained.

    Attributes
    ----------
    values : tensor
        Runs along its first or its last axis.
    rate, momentum : tensors
        One number per run, of a shape that broadcasts with `values`.
    """

    values: Tensor
    rate: Tensor
    momentum: Tensor


class RunBatch(Protocol):
    """
    The weights of a batch of runs, and their losses.

    Attributes
    ----------
    weights : sequence of Weights
        The trained parameters, in the order of `parameters()`.
    """

    @property
    def weights(self) -> Sequence[Weights]: ...  # noqa: D102

    def differentiate(self, rows: Tensor | None) -> tuple[Tensor, Sequence[Tensor]]:
        """Return losses on these points (all for None), (R,), and the gradient of each weights."""

    def losses(self) -> Tensor:
        """Return the losses over all points, shape (R,)."""


def train_tile(problem: Supervised, tile: Tile, batch: RunBatch) -> Results:
    """Train all runs of a tile, and return what a sweep keeps of them, shape (R,)."""
    results = empty_results(len(tile))
    steps = tile.steps(len(problem.x))
    update = _update(tile, batch.weights)
    with single_threaded(), torch.no_grad(), np.errstate(all="ignore"):
        results["first_loss"] = _doubles(batch.losses())
        for step, rows in enumerate(batches(len(problem.x), tile.settings, tile.epochs)):
            losses, gradients = batch.differentiate(rows)
            add_losses(results, _doubles(losses), is_tail=step >= steps - TAIL)
            update(gradients, step)
        results["final_loss"] = _doubles(batch.losses())
        results["tail_loss"] /= min(TAIL, steps)
    first, last = results["first_loss"], results["final_loss"]
    has_overflowed = ~(np.isfinite(results["loss_sum"]) & np.isfinite(last))
    results["verdict"] = np.where(has_overflowed | (last > first), DIVERGING, CONVERGING)
    return results


def starts(problem: Supervised, tile: Tile) -> list[Tensor]:
    """Return all parameters of all runs before the first step, each of shape (R, ...)."""
    flat = torch.from_numpy(np.repeat(np.array(problem.start)[None], len(tile), axis=0))
    for index, values in tile.starts.items():
        flat[:, index] = torch.from_numpy(values)
    parameters = list(problem.model.parameters())
    parts = flat.split([one.numel() for one in parameters], dim=1)
    return [
        part.reshape(len(tile), *one.shape).to(one.device, one.dtype)
        for part, one in zip(parts, parameters, strict=True)
    ]


def _doubles(losses: Tensor) -> Doubles:
    """Return losses as float64, with infinity for NaN: an evaluated NaN is an overflow."""
    values: Array = losses.cpu().double().numpy()
    return np.where(np.isnan(values), np.inf, values)


def _update(tile: Tile, weights: Sequence[Weights]) -> Callable[[Sequence[Tensor], int], None]:
    """Return the optimizer: a function of the gradients and of the step, counted from 0."""
    if tile.settings.optimizer == "adam":
        return _adam(weights)
    if not tile.momentum.any():
        return _descent(weights)
    return _momentum(weights, is_nesterov=tile.settings.optimizer == "nesterov")


def _descent(weights: Sequence[Weights]) -> Callable[[Sequence[Tensor], int], None]:
    def update(gradients: Sequence[Tensor], _step: int) -> None:
        for one, gradient in zip(weights, gradients, strict=True):
            one.values.addcmul_(one.rate, gradient, value=-1)

    return update


def _momentum(
    weights: Sequence[Weights], *, is_nesterov: bool
) -> Callable[[Sequence[Tensor], int], None]:
    """Return the update of `torch.optim.SGD` with momentum, whose buffer begins at 0."""
    velocities = [torch.zeros_like(one.values) for one in weights]

    def update(gradients: Sequence[Tensor], _step: int) -> None:
        for one, velocity, gradient in zip(weights, velocities, gradients, strict=True):
            velocity.mul_(one.momentum).add_(gradient)
            direction = torch.addcmul(gradient, one.momentum, velocity) if is_nesterov else velocity
            one.values.addcmul_(one.rate, direction, value=-1)

    return update


def _adam(weights: Sequence[Weights]) -> Callable[[Sequence[Tensor], int], None]:
    """Return the update of `torch.optim.Adam` (Kingma and Ba, arXiv 1412.6980, algorithm 1)."""
    means = [torch.zeros_like(one.values) for one in weights]
    squares = [torch.zeros_like(one.values) for one in weights]

    def update(gradients: Sequence[Tensor], step: int) -> None:
        unbiased, unbiased_square = 1 - BETA_1 ** (step + 1), 1 - BETA_2 ** (step + 1)
        for one, mean, square, gradient in zip(weights, means, squares, gradients, strict=True):
            mean.lerp_(gradient, 1 - BETA_1)
            square.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
            deviation = square.sqrt().div_(unbiased_square**0.5).add_(EPSILON)
            one.values.addcmul_(one.rate / unbiased, mean / deviation, value=-1)

    return update


def numbers(values: Doubles, like: Tensor) -> Tensor:
    """Return one number per run as a tensor of the dtype and on the device of `like`."""
    return torch.from_numpy(values.copy()).to(like.device, like.dtype)
