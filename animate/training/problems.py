"""Ready problems: a model with data and a loss, each a row of `READY`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from animate.system.errors import InputError
from animate.system.validation import LARGEST_SEED, MOST_POINTS, between, choice, whole
from animate.training.mean_field import ACTIVATIONS, MeanFieldNetwork
from animate.training.problem import Array
from animate.training.supervised import Supervised

LARGEST_SKLEARN_SEED = 2**32 - 1
VALIDATION_DIGITS = 360  # of 1797
SPIRAL_TURNS = 1.5


@dataclass(frozen=True)
class ReadyProblem:
    """
    A problem with the settings that show it well.

    Attributes
    ----------
    make : callable
        Returns the problem.
    epochs : int
    lrs : tuple of float
        Learning rates for plain gradient descent.
    views : tuple of str
    """

    make: Callable[..., Supervised]
    epochs: int
    lrs: tuple[float, ...]
    views: tuple[str, ...]


def moons(points: int = 200, noise: float = 0.1, seed: int = 0) -> Supervised:
    """
    Return two interleaved half circles, to be told apart by a network with two inputs.

    Parameters
    ----------
    points : int
    noise : float
        Standard deviation of the Gaussian noise.
    seed : int
        Of the data and of the initial weights.

    Raises
    ------
    InputError
        If a value cannot be used, or scikit-learn is not installed.
    """
    make = _sklearn_datasets("moons").make_moons
    return _two_classes("moons", *_sampled(make, points, noise, seed), seed)


def circles(points: int = 200, noise: float = 0.1, seed: int = 0) -> Supervised:
    """Return a circle within another of twice its radius; the parameters are those of `moons`."""
    make = partial(_sklearn_datasets("circles").make_circles, factor=0.5)
    return _two_classes("circles", *_sampled(make, points, noise, seed), seed)


def spirals(points: int = 200, noise: float = 0.1, seed: int = 0) -> Supervised:
    """
    Return two interleaved spirals; the parameters are those of `moons`.

    Each spiral makes one and a half turns, out to a radius of 3.
    """
    count, noise, seed = _checked(points, noise, seed)
    random = np.random.default_rng(seed)
    y = np.arange(count) % 2
    along = np.sqrt(random.uniform(0.01, 1, count))  # evenly dense along the spiral
    angle = 2 * np.pi * SPIRAL_TURNS * along + np.pi * y
    x = 3 * along[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return _two_classes("spirals", x + noise * random.standard_normal(x.shape), y, seed)


def digits(seed: int = 0) -> Supervised:
    """
    Return scikit-learn's handwritten digits of 8x8 pixels, to be told apart by 64-32-10 ReLU.

    Pixels are from 0 to 1. Of the 1797 digits, 360 that `seed` draws are for validation.

    Raises
    ------
    InputError
        If scikit-learn is not installed.
    """
    seed = whole(seed, "seed", least=0, most=LARGEST_SEED)
    x, y = _sklearn_datasets("digits").load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    x, y = x[order] / 16, y[order]
    problem = Supervised(
        lambda: nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)),
        x[VALIDATION_DIGITS:],
        y[VALIDATION_DIGITS:],
        loss=functional.cross_entropy,
        metrics={"accuracy": accuracy},
        validation=(x[:VALIDATION_DIGITS], y[:VALIDATION_DIGITS]),
        seed=seed,
    )
    return _with_views("digits", problem)


def curve(points: int = 100, noise: float = 0.1, seed: int = 0) -> Supervised:
    """Return points around ``sin(pi x)``, to be fitted by 1-32-32-1 tanh; see `moons`."""
    count, noise, seed = _checked(points, noise, seed)
    random = np.random.default_rng(seed)
    x = np.sort(random.uniform(-1, 1, count))
    y = np.sin(np.pi * x) + noise * random.standard_normal(count)
    problem = Supervised(
        lambda: _network(1, 32, 32, 1), x[:, None], y[:, None], loss=functional.mse_loss, seed=seed
    )
    return _with_views("curve", problem)


def chebyshev(degree: int = 4) -> Supervised:
    """
    Return 20 points of a Chebyshev polynomial, to be fitted by 1-100-1 tanh in float64.

    Trained by plain gradient descent for 20,000 epochs, its sharpness rises to 2/lr and stays
    about there (Cohen et al., "Gradient Descent on Neural Networks Typically Occurs at the Edge of
    Stability", arXiv 2103.00065).

    Parameters
    ----------
    degree : int
        Of the polynomial, from 1.
    """
    degree = whole(degree, "degree", least=1, most=20)
    x = torch.linspace(-1, 1, 20, dtype=torch.float64)[:, None]
    y = torch.special.chebyshev_polynomial_t(x, degree)
    return _with_views("chebyshev", Supervised(_chebyshev_network, x, y, loss=half_mse_loss))


def fractal(width: int = 16, activation: str = "tanh", seed: int = 0) -> Supervised:
    """
    Return random points, to be fitted by a network whose trainability has a fractal boundary.

    As many points as parameters, mean squared error, float64 (Sohl-Dickstein, "The boundary of
    neural network trainability is fractal", arXiv 2402.06184; width 16 and 500 epochs there). Its
    parameters are `input` and `output`.

    Parameters
    ----------
    width : int
        The number of inputs, and of hidden units.
    activation : {"tanh", "relu", "linear"}
    seed : int
        Of the points and of the initial weights.
    """
    width = whole(width, "width", least=1, most=1024)
    choice(activation, "activation", ACTIVATIONS)
    seed = whole(seed, "seed", least=0, most=LARGEST_SKLEARN_SEED)
    random = np.random.default_rng(seed)
    count = width * width + width
    x, y = random.standard_normal((count, width)), random.standard_normal((count, 1))
    problem = Supervised(
        lambda: MeanFieldNetwork(width, width, activation),
        x,
        y,
        loss=functional.mse_loss,
        seed=seed,
    )
    return _with_views("fractal", problem)


READY: dict[str, ReadyProblem] = {
    "moons": ReadyProblem(moons, 500, (0.03, 0.3, 10), ("boundary", "loss")),
    "circles": ReadyProblem(circles, 500, (0.03, 0.3, 10), ("boundary", "loss")),
    "spirals": ReadyProblem(spirals, 500, (0.03, 1, 10), ("boundary", "loss")),
    "digits": ReadyProblem(digits, 100, (0.03, 0.3, 3), ("loss", "metric")),
    "curve": ReadyProblem(curve, 500, (0.01, 0.1, 0.3), ("fit", "loss")),
    "chebyshev": ReadyProblem(chebyshev, 20_000, (0.1, 0.2, 0.4), ("loss", "sharpness")),
    "fractal": ReadyProblem(fractal, 500, (1, 10, 100), ("map",)),
}
"""The ready problems by name."""


def accuracy(output: Tensor, y: Tensor) -> Tensor:
    """Return the share of the points whose highest score is that of their class."""
    return (output.argmax(dim=-1) == y).double().mean()


def half_mse_loss(output: Tensor, y: Tensor) -> Tensor:
    """Return half the mean squared error."""
    return 0.5 * functional.mse_loss(output, y)


def _chebyshev_network() -> nn.Sequential:
    first = nn.Linear(1, 100, dtype=torch.float64)
    last = nn.Linear(100, 1, bias=False, dtype=torch.float64)
    # After PyTorch's own initialization has drawn, so that these are the first numbers of the seed.
    torch.manual_seed(0)
    nn.init.xavier_normal_(first.weight, gain=1.9)
    nn.init.zeros_(first.bias)
    nn.init.xavier_normal_(last.weight, gain=1.0)
    return nn.Sequential(first, nn.Tanh(), last)


def _network(*widths: int) -> nn.Sequential:
    """Return a network of linear layers with tanh between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def _two_classes(name: str, x: Array, y: Array, seed: int) -> Supervised:
    problem = Supervised(
        lambda: _network(2, 16, 16, 2),
        x,
        y,
        loss=functional.cross_entropy,
        metrics={"accuracy": accuracy},
        seed=seed,
    )
    return _with_views(name, problem)


def _with_views(name: str, problem: Supervised) -> Supervised:
    """Return `problem` with the views of the row `name` of `READY`."""
    problem.default_views = READY[name].views
    return problem


def _sampled(
    make: Callable[..., tuple[Array, Array]], points: int, noise: float, seed: int
) -> tuple[Array, Array]:
    count, noise, seed = _checked(points, noise, seed)
    return make(n_samples=count, noise=noise, random_state=seed)


def _checked(points: int, noise: float, seed: int) -> tuple[int, float, int]:
    return (
        whole(points, "number of points", least=2, most=MOST_POINTS),
        between(noise, "noise", least=0, most=1e6),
        whole(seed, "seed", least=0, most=LARGEST_SKLEARN_SEED),
    )


def _sklearn_datasets(problem: str) -> ModuleType:
    try:
        return importlib.import_module("sklearn.datasets")
    except ImportError as error:
        raise InputError(
            f"problem {problem} needs scikit-learn, which cannot be imported ({error}); install it "
            "with: pip install scikit-learn"
        ) from error
