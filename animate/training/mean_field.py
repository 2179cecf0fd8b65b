"""A network of one hidden layer without biases, whose outputs are means over its hidden units."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "linear": nn.Identity}


class MeanFieldNetwork(nn.Module):
    """
    ``activation(√2 · x input / √d) · output / k``, with standard normal weights.

    The network of Sohl-Dickstein, "The boundary of neural network trainability is fractal",
    arXiv 2402.06184.

    Parameters
    ----------
    inputs : int
        d.
    width : int
        k, the number of hidden units.
    activation : {"tanh", "relu", "linear"}

    Attributes
    ----------
    input : parameter, shape (d, k)
    output : parameter, shape (k, 1)
    """

    def __init__(self, inputs: int, width: int, activation: str = "tanh") -> None:
        super().__init__()
        self.input = nn.Parameter(torch.randn(inputs, width, dtype=torch.float64))
        self.output = nn.Parameter(torch.randn(width, 1, dtype=torch.float64))
        self.activation = ACTIVATIONS[activation]()
        self.hidden_scale = math.sqrt(2 / inputs)
        self.output_scale = 1 / width

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        hidden: Tensor = self.activation(self.hidden_scale * (x @ self.input))
        return self.output_scale * (hidden @ self.output)
