"""
Linear regression with one input: a problem that provides all protocols.

The mean squared error is quadratic in slope and bias. So the data determine the minimum, the
Hessian, and the learning rate from which gradient descent cannot converge.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from animate.system import defaults, files, validation
from animate.system.errors import InputError
from animate.system.numbers import line_equation
from animate.training.diagnosis import CONVERGENCE_TOLERANCE
from animate.training.problem import Doubles, Floats
from animate.training.standardization import Standardization

AnyArray = TypeVar("AnyArray", bound=npt.NDArray[Any])

GAUSSIAN_STD = 0.29  # as of uniform noise on [0, 1): 1/sqrt(12), to two digits
MAX_CONDITION_NUMBER = 1e24  # λmax/λmin: above it, least squares has fewer than 4 correct digits


@dataclass(frozen=True, slots=True)
class Sampling:
    """Settings of `Line.sample`; with `Line.true_weights` and `start` they give the same data."""

    seed: int
    points: int
    noise: str


@dataclass(frozen=True, eq=False, repr=False)
class Line:
    """
    Data for the model ``y = slope * x + bias``, and the weights that training starts from.

    The loss is the mean squared error over all points. All arrays are read-only.

    Attributes
    ----------
    x, y : float32 arrays, shape (n,)
        Inputs and targets.
    start : float32 array, shape (2,)
        The weights (slope, bias) before the first step.
    true_weights : float32 array, shape (2,), or None
        The weights that generated the targets, before noise; None if unknown.
    sampling : Sampling, or None
        The settings of `sample` that drew the data; None for other data.

    Raises
    ------
    InputError
        If shapes do not agree, a value is not finite, or x varies too little to fit a line.
    """

    x: Floats
    y: Floats
    start: Floats = defaults.START  # type: ignore[assignment]  # converted in __post_init__
    true_weights: Floats | None = None
    sampling: Sampling | None = None
    standardization: Standardization | None = None
    """The data that are trained on instead of `x` and `y`, to which all weights belong."""
    x_name: str = "x"
    y_name: str = "y"

    def __post_init__(self) -> None:
        for name in ("x", "y", "start", "true_weights"):
            value = getattr(self, name)
            if value is not None or name != "true_weights":
                object.__setattr__(self, name, _float32(value, name))
        points = len(self.x) if self.x.ndim else 0
        if self.x.shape != (points,) or self.y.shape != (points,):
            raise InputError(
                f"x has shape {self.x.shape} and y {self.y.shape}; give both with shape "
                "(n,), one value per point"
            )
        for name in ("start", "true_weights"):
            value = getattr(self, name)
            if value is not None and value.shape != (2,):
                raise InputError(
                    f"{name} has shape {value.shape}; give two numbers, the slope and the bias"
                )
        if points < 2 or np.ptp(self.training_x) == 0:
            raise InputError("all x are the same and determine no line; give at least two values")
        least, most = self.curvatures
        if least * MAX_CONDITION_NUMBER < most:
            raise InputError(
                f"x from {self.x.min():g} to {self.x.max():g} varies too little, relative to its "
                "size, to fit a line; subtract the mean of x first"
            )

    @classmethod
    def sample(
        cls,
        seed: int = defaults.SEED,
        points: int = defaults.POINTS,
        noise: str = defaults.NOISE,
        true_weights: Sequence[float] = defaults.TRUE_WEIGHTS,
        start: Sequence[float] = defaults.START,
    ) -> Self:
        """
        Draw x uniform on [-1, 1), and ``y = slope * x + bias + noise``.

        x and then the noise come from one `torch.Generator` seeded with `seed`. The global
        generator is not used.

        Parameters
        ----------
        seed : int
            From 0 to 2**64 - 1. With the default, rates 0.1 and 0.7 converge at epochs 70 and 8.
        points : int
            Number of points, at least 2.
        noise : {"uniform", "gaussian", "none"}
            Uniform on [0, 1), whose mean of 0.5 raises the best bias by 0.5; or Gaussian with
            mean 0 and the same standard deviation, 0.29.
        true_weights, start : two floats
            Slope and bias.

        Raises
        ------
        InputError
            If a value is out of bounds.
        """
        seed = validation.whole(seed, "seed", least=0, most=validation.LARGEST_SEED)
        points = validation.points(points)
        noise = validation.choice(noise, "noise", validation.NOISES)
        true = validation.weights(true_weights, "true weight")
        first = validation.weights(start, "start weight")

        import torch  # here, since a problem made from arrays does not need it

        generator = torch.Generator().manual_seed(seed)
        design = torch.ones(points, 2)
        design[:, 0].uniform_(-1.0, 1.0, generator=generator)
        y = design @ torch.tensor(true)
        if noise == "uniform":
            y += torch.rand(points, generator=generator)
        elif noise == "gaussian":
            y += GAUSSIAN_STD * torch.randn(points, generator=generator)
        return cls(
            x=design[:, 0].contiguous().numpy(),
            y=y.numpy(),
            start=np.array(first, np.float32),
            true_weights=np.array(true, np.float32),
            sampling=Sampling(seed, points, noise),
        )

    @classmethod
    def read_csv(
        cls,
        path: files.AnyPath,
        x: str | int | None = None,
        y: str | int | None = None,
        *,
        standardize: bool = True,
        start: Sequence[float] = defaults.START,
    ) -> Self:
        """
        Return the line of two columns of a CSV file.

        Parameters
        ----------
        path : path
            With or without a header line; the separators are commas, semicolons or tabs.
        x, y : str or int, optional
            Names of columns, or their numbers, counted from 1. By default the only two columns
            with numbers.
        standardize : bool
            Train on ``(x - mean) / sd``, and y likewise, computed in float64. Then `start`,
            `weights`, `best_weights`, `hessian`, `stability_limit` and `loss()` are of the
            standardized data; `x`, `y`, `predict` and `equation` are in the units of the file.
            Without, `condition_number` and `epochs_at_best_lr` tell how slow training will be.
        start : two floats
            Slope and bias.

        Raises
        ------
        InputError
            If the file cannot be read; the message says in which line and column.
        """
        from animate.training.columns import read_columns  # here, since most lines are sampled

        columns = read_columns(path, x, y)
        columns.check_float32(path)
        return cls(
            x=columns.x.astype(np.float32),
            y=columns.y.astype(np.float32),
            start=np.array(validation.weights(start, "start weight"), np.float32),
            standardization=Standardization.of(columns.x, columns.y) if standardize else None,
            x_name=columns.x_name,
            y_name=columns.y_name,
        )

    @property
    def training_x(self) -> Floats:
        """The inputs that training uses, shape (n,): `x`, or x standardized."""
        return self.x if self.standardization is None else self.standardization.x

    @property
    def training_y(self) -> Floats:
        """The targets that training uses, shape (n,): `y`, or y standardized."""
        return self.y if self.standardization is None else self.standardization.y

    @property
    def weight_names(self) -> tuple[str, ...]:
        """The names of the weights, in their order."""
        if self.standardization is None:
            return "slope", "bias"
        return "standardized slope", "standardized bias"

    def in_user_units(self, weights: npt.ArrayLike) -> Doubles:
        """Return slope and bias for `x` and `y`, float64 (..., 2), of `weights` (..., 2)."""
        if self.standardization is None:
            return np.array(weights, np.float64)
        return self.standardization.weights_in_user_units(weights)

    @cached_property
    def design(self) -> Doubles:
        """The design matrix: x and a column of ones, shape (n, 2), float64."""
        return _read_only(
            np.column_stack([self.training_x, np.ones_like(self.training_x)]).astype(np.float64)
        )

    @cached_property
    def best_weights(self) -> Doubles:
        """The least-squares solution, shape (2,), float64: the minimum of the loss."""
        solution = np.linalg.lstsq(self.design, self.training_y.astype(np.float64), rcond=None)
        return _read_only(np.asarray(solution[0], np.float64))

    @cached_property
    def best_loss(self) -> float:
        """The loss at the best weights, the lowest possible."""
        return float(self.loss(self.best_weights))

    @cached_property
    def hessian(self) -> Doubles:
        """The Hessian of the loss, ``2/n XᵀX``, shape (2, 2), float64."""
        hessian: Doubles = 2 / len(self.x) * self.design.T @ self.design
        return _read_only(hessian)

    @cached_property
    def curvatures(self) -> tuple[float, float]:
        """The eigenvalues of the Hessian, ascending."""
        most = float(np.linalg.eigvalsh(self.hessian)[1])
        # The determinant divided by the larger one. Where x is far from 0, as years are, eigvalsh
        # returns only rounding errors for the smaller one.
        return 4 * float(np.var(self.training_x, dtype=np.float64)) / most, most

    @cached_property
    def sharpest(self) -> Doubles:
        """The unit eigenvector of the largest eigenvalue, shape (2,), float64."""
        vector: Doubles = np.linalg.eigh(self.hessian)[1][:, 1]
        return _read_only(vector * np.sign(vector[np.argmax(np.abs(vector))]))

    @cached_property
    def stability_limit(self) -> float:
        """
        The learning rate from which gradient descent cannot converge, ``2/λmax``.

        In the eigenbasis of the Hessian, each epoch multiplies an error component by ``1 - lr·λ``
        (LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998, section 5).
        """
        return 2 / self.curvatures[1]

    @cached_property
    def best_lr(self) -> float:
        """The fixed learning rate with the fastest guaranteed convergence, ``2/(λmin+λmax)``."""
        return 2 / sum(self.curvatures)

    @property
    def condition_number(self) -> float:
        """``λmax/λmin``. The larger, the more epochs any fixed learning rate needs."""
        least, most = self.curvatures
        return most / least

    @property
    def epochs_at_best_lr(self) -> int:
        """
        The epochs after which 1 % of the initial distance is left at the rate `best_lr`.

        There each epoch multiplies the distance by ``(κ - 1)/(κ + 1)``, κ the condition number.
        """
        share = 2 / (self.condition_number + 1)  # of the distance that an epoch removes
        if share >= 1 - CONVERGENCE_TOLERANCE:
            return 1
        return math.ceil(math.log(CONVERGENCE_TOLERANCE) / math.log1p(-share))

    @property
    def limits_text(self) -> str:
        """Which learning rates converge, and how fast the fastest does, in words."""
        return (
            f"stability limit {self.stability_limit:#.4g}, condition number "
            f"{_count(self.condition_number)}, {_count(self.epochs_at_best_lr)} epochs at the "
            "fastest rate"
        )

    def __repr__(self) -> str:
        return f"Line({len(self.x)} points, {self.limits_text})"

    def loss(self, weights: npt.ArrayLike) -> Doubles:
        """Return the mean squared error at `weights`, shape (..., 2), as float64 (...)."""
        offset = np.asarray(weights, np.float64) - self.best_weights
        bowl = 0.5 * np.einsum("...i,ij,...j->...", offset, self.hessian, offset)
        residual = self.design @ self.best_weights - self.training_y
        result: Doubles = bowl + np.mean(residual**2)
        return result

    def predict(self, weights: npt.ArrayLike, x: npt.ArrayLike) -> Doubles:
        """Return ``slope * x + bias`` for `weights` (..., 2) and `x` (m,), float64 (..., m)."""
        slope_and_bias, x = self.in_user_units(weights), np.asarray(x, np.float64)
        lines: Doubles = slope_and_bias @ np.stack([x, np.ones_like(x)])
        return lines

    def equation(self, weights: npt.ArrayLike) -> str:
        """Return the equation for `weights`, shape (2,), such as ``y = 2.95 x + 0.50``."""
        slope, bias = self.in_user_units(weights)
        if self.standardization is not None:
            return self.standardization.equation(slope, bias)
        return line_equation(slope, bias)


def _count(number: float) -> str:
    """Return `number` in full up to seven digits, else with three."""
    return f"{number:,.0f}" if 10 <= number < 1e7 else f"{number:.3g}"


def _float32(value: object, name: str) -> Floats:
    """Return `value` as a read-only float32 array; a float32 array is not copied."""
    try:
        with np.errstate(over="ignore"):  # values beyond float32 are refused below
            array: Floats = np.asarray(value, dtype=np.float32).view()
    except (TypeError, ValueError):
        raise InputError(f"{name} is not an array of numbers; give numbers") from None
    if not np.isfinite(array).all():
        raise InputError(f"{name} has a value that is not finite; remove or replace it")
    return _read_only(array)


def _read_only(array: AnyArray) -> AnyArray:
    array.flags.writeable = False
    return array
