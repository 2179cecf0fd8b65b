"""
A batch of networks of one hidden layer and one output, with the mean squared error, by hand.

The runs are the last axis of all arrays. So both passes are one matrix product of the data, which
all runs share, with the weights of all runs side by side; the rest is elementwise. That takes a
third of the time of `torch.func.vmap`, whose products are small ones, a run at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from animate.training.mean_field import MeanFieldNetwork
from animate.training.supervised import Supervised
from animate.training.sweeps.networks import Weights, numbers, starts
from animate.training.sweeps.plan import Tile

CACHE = 600_000  # bytes of the hidden units of a batch
LEAST, MOST = 8, 64  # runs in a batch: more are no faster, and leave processes idle at the end


@dataclass(frozen=True)
class Activation:
    """
    An activation and its derivative, both in place.

    Attributes
    ----------
    apply : callable
        Takes the pre-activations and replaces them by the hidden units.
    multiply_derivative : callable
        Takes ``e h``, the hidden units h and e, and replaces the first by ``e f'``.
    """

    apply: Callable[[Tensor], object]
    multiply_derivative: Callable[[Tensor, Tensor, Tensor], object]


def _tanh_derivative(product: Tensor, hidden: Tensor, error: Tensor) -> None:
    product.mul_(hidden)  # e (1 - h²) = e - (e h) h
    torch.sub(error, product, out=product)


ACTIVATIONS = {
    nn.Tanh: Activation(torch.tanh_, _tanh_derivative),
    nn.ReLU: Activation(
        torch.relu_, lambda product, hidden, error: torch.mul(error, hidden > 0, out=product)
    ),
    nn.Identity: Activation(
        lambda values: values,
        lambda product, _hidden, error: product.copy_(error.expand_as(product)),
    ),
}


@dataclass(frozen=True, eq=False)
class Architecture:
    """
    ``output_scale · (f(hidden_scale · (x W + b)) V + c)``.

    Attributes
    ----------
    activation : Activation
    width : int
        The number of hidden units.
    hidden_scale, output_scale : float
    names : tuple of str or None
        The names of W, b, V and c in the model; None for a bias that it lacks.
    is_transposed : bool
        Whether the model holds the transposed matrices, as `torch.nn.Linear` does.
    """

    activation: Activation
    width: int
    hidden_scale: float
    output_scale: float
    names: tuple[str, str | None, str, str | None]
    is_transposed: bool


def architecture(problem: Supervised) -> Architecture | None:
    """Return the architecture of the model, or None if it is another, or if its loss is."""
    model, loss = problem.model, problem.loss_function
    is_mean_square = loss is functional.mse_loss or (
        type(loss) is nn.MSELoss and loss.reduction == "mean"
    )
    parameters = list(model.parameters())
    if not (
        is_mean_square
        and problem.inputs.ndim == 2
        and tuple(problem.targets.shape) == (len(problem.x), 1)
        and all(one.requires_grad and one.device.type == "cpu" for one in parameters)
        and {one.dtype for one in parameters} <= {torch.float32, torch.float64}
        and not any(one._forward_hooks or one._forward_pre_hooks for one in model.modules())
    ):
        return None
    if type(model) is MeanFieldNetwork:
        activation = ACTIVATIONS[type(model.activation)]
        scales = model.hidden_scale, model.output_scale
        return Architecture(
            activation, model.input.shape[1], *scales, ("input", None, "output", None), False
        )
    if type(model) is not nn.Sequential or len(model) != 3:
        return None
    first, between, last = model
    if not (
        type(first) is nn.Linear
        and type(between) in ACTIVATIONS
        and type(last) is nn.Linear
        and last.out_features == 1
        and len(parameters)
        == sum(1 for _ in first.parameters()) + sum(1 for _ in last.parameters())
    ):
        return None
    names = (
        "0.weight",
        None if first.bias is None else "0.bias",
        "2.weight",
        None if last.bias is None else "2.bias",
    )
    return Architecture(ACTIVATIONS[type(between)], first.out_features, 1.0, 1.0, names, True)


def batch_size(problem: Supervised, found: Architecture) -> int:
    """Return how many runs are trained at once, a power of 2."""
    itemsize = problem.inputs.element_size()
    fits = CACHE // (len(problem.x) * found.width * itemsize)
    return int(min(MOST, max(LEAST, 1 << max(0, fits.bit_length() - 1))))


class OneHiddenLayer:
    """A `RunBatch` of such networks."""

    def __init__(self, problem: Supervised, tile: Tile, found: Architecture) -> None:
        self._activation = found.activation
        self._output_scale = found.output_scale
        # The scale of the hidden units is one of the data.
        self._inputs = found.hidden_scale * problem.inputs
        self._bias_scale = found.hidden_scale
        self._targets = problem.targets
        self._buffers: dict[int, tuple[Tensor, Tensor]] = {}
        names = [name for name, _ in problem.model.named_parameters()]
        by_name = dict(zip(names, starts(problem, tile), strict=True))
        self._found: dict[str, Weights] = {}
        for key, name in zip(("W", "b", "V", "c"), found.names, strict=True):
            if name is None:
                continue
            values = by_name[name]  # (R, ...)
            if found.is_transposed and values.ndim == 3:
                values = values.transpose(1, 2)
            if key == "V":
                values = values[:, :, 0]
            if key == "c":
                values = values[:, 0]
            self._found[key] = Weights(
                values.movedim(0, -1).contiguous(),
                numbers(tile.rate_of(name), values),
                numbers(tile.momentum, values),
            )

    @property
    def weights(self) -> Sequence[Weights]:
        """The trained parameters, of W (d, k, R), b (k, R), V (k, R) and c (R,)."""
        return list(self._found.values())

    def losses(self) -> Tensor:
        """Return the losses over all points, shape (R,)."""
        _, _, error = self._forward(self._inputs, self._targets)
        return error.square_().mean(dim=0)

    def differentiate(self, rows: Tensor | None) -> tuple[Tensor, Sequence[Tensor]]:
        """Return losses on these points (all for None), (R,), and the gradient of each weights."""
        inputs = self._inputs if rows is None else self._inputs[rows]
        targets = self._targets if rows is None else self._targets[rows]
        hidden, product, error = self._forward(inputs, targets)
        losses = error.square().mean(dim=0)
        error.mul_(2 / len(inputs) * self._output_scale)
        spread = error[:, None, :]
        torch.mul(hidden, spread, out=product)
        gradients = {"V": product.sum(dim=0)}
        if "c" in self._found:
            gradients["c"] = error.sum(dim=0)
        self._activation.multiply_derivative(product, hidden, spread)
        output = self._found["V"].values
        flat = torch.mm(inputs.t(), product.view(len(inputs), -1))
        gradients["W"] = flat.view(inputs.shape[1], *output.shape).mul_(output)
        if "b" in self._found:
            gradients["b"] = product.sum(dim=0).mul_(output).mul_(self._bias_scale)
        return losses, [gradients[key] for key in self._found]

    def _forward(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return hidden units and room for their products, (n, k, R), and output errors, (n, R)."""
        weights = {key: one.values for key, one in self._found.items()}
        count, output = len(inputs), weights["V"]
        if count not in self._buffers:
            empty = torch.empty(2, count, *output.shape, dtype=inputs.dtype)
            self._buffers[count] = empty[0], empty[1]
        hidden, product = self._buffers[count]
        torch.mm(inputs, weights["W"].view(inputs.shape[1], -1), out=hidden.view(count, -1))
        if "b" in weights:
            hidden.add_(weights["b"] * self._bias_scale)
        self._activation.apply(hidden)
        torch.mul(hidden, output, out=product)
        outputs = product.sum(dim=1)
        if "c" in weights:
            outputs.add_(weights["c"])
        return hidden, product, outputs.mul_(self._output_scale).sub_(targets)
