"""A batch of runs of any PyTorch model, with `torch.func.vmap`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from animate.system.errors import InputError
from animate.training.supervised import Supervised
from animate.training.sweeps.networks import Weights, numbers, starts
from animate.training.sweeps.plan import Tile

CACHE = 1_000_000  # bytes of what a batch of runs computes
LEAST, MOST = 4, 64  # runs in a batch


def batch_size(problem: Supervised) -> int:
    """Return how many runs are trained at once, a power of 2."""
    widths = sum(one.out_features for one in problem.model.modules() if isinstance(one, nn.Linear))
    numbers_per_run = len(problem.x) * max(widths, 1) + 4 * problem.start.size
    fits = CACHE // (numbers_per_run * problem.inputs.element_size())
    return int(min(MOST, max(LEAST, 1 << max(0, fits.bit_length() - 1))))


class Vmapped:
    """A `RunBatch` of any model. Runs are the first axis of all weights."""

    def __init__(self, problem: Supervised, tile: Tile) -> None:
        self._problem = problem
        model, evaluated = problem.copy_model(), problem.copy_model().eval()
        everything = dict(zip(_names(model), starts(problem, tile), strict=True))
        trained = [name for name, one in model.named_parameters() if one.requires_grad]
        self._weights: dict[str, Weights] = {}
        for name in trained:
            values = everything[name].contiguous()
            shape = (-1,) + (1,) * (values.ndim - 1)
            self._weights[name] = Weights(
                values,
                numbers(tile.rate_of(name), values).view(shape),
                numbers(tile.momentum, values).view(shape),
            )
        self._constants = {name: one for name, one in everything.items() if name not in trained}
        buffers = dict(model.named_buffers())

        def loss_of(
            model: nn.Module, weights: Mapping[str, Tensor], inputs: Tensor, targets: Tensor
        ) -> Tensor:
            output = torch.func.functional_call(model, {**buffers, **weights}, (inputs,))
            loss: Tensor = problem.loss_function(output, targets)
            return loss

        def training_loss(
            weights: Mapping[str, Tensor],
            constants: Mapping[str, Tensor],
            inputs: Tensor,
            targets: Tensor,
        ) -> Tensor:
            return loss_of(model, {**weights, **constants}, inputs, targets)

        def evaluation_loss(weights: Mapping[str, Tensor]) -> Tensor:
            return loss_of(evaluated, weights, problem.inputs, problem.targets)

        self._differentiate = torch.func.vmap(
            torch.func.grad_and_value(training_loss), in_dims=(0, 0, None, None), randomness="error"
        )
        self._evaluate = torch.func.vmap(evaluation_loss, randomness="error")

    @property
    def weights(self) -> Sequence[Weights]:
        """The trained parameters, each of shape (R, ...)."""
        return list(self._weights.values())

    def losses(self) -> Tensor:
        """Return the losses over all points, shape (R,)."""
        found: Tensor = self._evaluate(self._values() | self._constants)
        return found

    def differentiate(self, rows: Tensor | None) -> tuple[Tensor, Sequence[Tensor]]:
        """Return losses on these points (all for None), (R,), and the gradient of each weights."""
        inputs, targets = self._problem.inputs, self._problem.targets
        if rows is not None:
            inputs, targets = inputs[rows], targets[rows]
        gradients, losses = self._differentiate(self._values(), self._constants, inputs, targets)
        return losses, [gradients[name] for name in self._weights]

    def _values(self) -> dict[str, Tensor]:
        return {name: one.values for name, one in self._weights.items()}


def check(problem: Supervised, tile: Tile) -> None:
    """
    Raise `InputError` if the model cannot be trained in batches.

    Modules that draw random numbers, such as Dropout, or change their buffers, such as BatchNorm,
    cannot.
    """
    try:
        batch = Vmapped(problem, tile)
        batch.losses()
        batch.differentiate(None)
    except Exception as error:
        kinds = ", ".join(dict.fromkeys(type(one).__name__ for one in problem.model.modules()))
        reason = str(error).strip().split("\n")[0].split(". ")[0]
        raise InputError(
            f"the model ({kinds}) cannot be swept, since torch.func.vmap cannot batch it: "
            f"{reason}; use a model that draws no random numbers and changes no buffers in training"
        ) from error


def _names(model: nn.Module) -> list[str]:
    return [name for name, _ in model.named_parameters()]
