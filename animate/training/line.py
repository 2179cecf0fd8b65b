"""
A line to be fitted to points: the first kind of problem, which knows everything about itself.

Its loss is a paraboloid over slope and bias, so the data alone decide the lowest point, the
curvature, and the learning rate past which gradient descent cannot converge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from animate.system import files, validation
from animate.system.errors import InputError
from animate.system.numbers import line_equation
from animate.training.problem import Doubles, Floats
from animate.training.standardization import Standardization

AnyArray = TypeVar("AnyArray", bound=npt.NDArray[Any])

GAUSSIAN_DEVIATION = 0.29  # that of the uniform noise on [0, 1), 1/sqrt(12), to two digits
LARGEST_CONDITION = 1e24  # λmax/λmin: past it, least squares has fewer than four right digits


@dataclass(frozen=True, slots=True)
class Sampling:
    """How data were drawn: with `Line.true_weights`, all that it takes to draw them again."""

    seed: int
    points: int
    noise: str


@dataclass(frozen=True, eq=False)
class Line:
    """
    Points to fit ``y = slope * x + bias`` to, and the weights that training starts from.

    The loss is the mean squared error over all points.

    Attributes
    ----------
    x, y : float32 arrays, shape (n,)
    start : float32 array, shape (2,)
        The weights (slope, bias) before the first step.
    true_weights : float32 array, shape (2,), or None
        The weights that made the targets, before noise; None where nobody knows them.
    sampling : Sampling, or None
        How `sample` drew the data; None for data of other origin.

    All arrays are read-only. The weights that training reaches are in a `Trajectory`.

    Raises
    ------
    InputError
        If shapes do not agree, a value is not finite, or the x are too much alike for a line.
    """

    x: Floats
    y: Floats
    start: Floats = (-1.0, 1.0)  # type: ignore[assignment]  # turned into an array below
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
                f"x has shape {self.x.shape} and y {self.y.shape}; give one value of each a "
                "point, both of shape (n,)"
            )
        for name in ("start", "true_weights"):
            value = getattr(self, name)
            if value is not None and value.shape != (2,):
                raise InputError(
                    f"{name} has shape {value.shape}; give two numbers, the slope and the bias"
                )
        if points < 2 or np.ptp(self.training_x) == 0:
            raise InputError("all x are the same, so no line is determined; give different x")
        least, most = self.curvatures
        if least * LARGEST_CONDITION < most:
            raise InputError(
                f"x from {self.x.min():g} to {self.x.max():g} differ too little beside their size "
                "for a line to be determined; subtract their mean first"
            )

    @classmethod
    def sample(
        cls,
        seed: int = 11,
        points: int = 100,
        noise: str = "uniform",
        true_weights: Sequence[float] = (3.0, 2.0),
        start: Sequence[float] = (-1.0, 1.0),
    ) -> Self:
        """
        Draw x, then noise, from one `torch.Generator` seeded with `seed`, touching no global one.

        Parameters
        ----------
        seed : int
            From 0 to 2**64 - 1. With the default, rates 0.1 and 0.7 converge at epochs 70 and 8.
        points : int
            How many, from 2.
        noise : {"uniform", "gaussian", "none"}
            Uniform on [0, 1), whose mean of 0.5 raises the best bias by as much; or Gaussian with
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

        import torch  # here, so that a problem made from arrays does not load it

        generator = torch.Generator().manual_seed(seed)
        design = torch.ones(points, 2)
        design[:, 0].uniform_(-1.0, 1.0, generator=generator)
        y = design @ torch.tensor(true)
        if noise == "uniform":
            y += torch.rand(points, generator=generator)
        elif noise == "gaussian":
            y += GAUSSIAN_DEVIATION * torch.randn(points, generator=generator)
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
        start: Sequence[float] = (-1.0, 1.0),
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
        """The inputs with a column of ones for the bias, shape (n, 2), float64."""
        return _read_only(
            np.column_stack([self.training_x, np.ones_like(self.training_x)]).astype(np.float64)
        )

    @cached_property
    def best_weights(self) -> Doubles:
        """The least-squares weights, shape (2,), float64: where the loss is lowest."""
        solution = np.linalg.lstsq(self.design, self.training_y.astype(np.float64), rcond=None)
        return _read_only(np.asarray(solution[0], np.float64))

    @cached_property
    def best_loss(self) -> float:
        """The loss at the best weights: no run can go below it."""
        return float(self.loss(self.best_weights))

    @cached_property
    def hessian(self) -> Doubles:
        """The loss's second derivatives, ``2/n XᵀX``, shape (2, 2), float64: its curvature."""
        hessian: Doubles = 2 / len(self.x) * self.design.T @ self.design
        return _read_only(hessian)

    @cached_property
    def curvatures(self) -> tuple[float, float]:
        """The Hessian's eigenvalues, the smaller first."""
        most = float(np.linalg.eigvalsh(self.hessian)[1])
        # The determinant over the larger: where x is far from 0, as years are, the smaller one as
        # computed is all rounding.
        return 4 * float(np.var(self.training_x, dtype=np.float64)) / most, most

    @cached_property
    def sharpest(self) -> Doubles:
        """The unit eigenvector of the larger eigenvalue, shape (2,): the steepest direction."""
        vector: Doubles = np.linalg.eigh(self.hessian)[1][:, 1]
        return _read_only(vector * np.sign(vector[np.argmax(np.abs(vector))]))

    @cached_property
    def stability_limit(self) -> float:
        """
        The learning rate from which gradient descent cannot converge, ``2/λmax``.

        In the Hessian's eigenbasis each epoch multiplies an error component by ``1 - lr·λ``
        (LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998, section 5).
        """
        return 2 / self.curvatures[1]

    @cached_property
    def best_lr(self) -> float:
        """The fixed learning rate with the fastest guaranteed convergence, ``2/(λmin+λmax)``."""
        return 2 / sum(self.curvatures)

    def loss(self, weights: npt.ArrayLike) -> Doubles:
        """Return the mean squared error at `weights`, shape (..., 2), in float64: shape (...)."""
        offset = np.asarray(weights, np.float64) - self.best_weights
        bowl = 0.5 * np.einsum("...i,ij,...j->...", offset, self.hessian, offset)
        residual = self.design @ self.best_weights - self.training_y
        result: Doubles = bowl + np.mean(residual**2)
        return result

    def predict(self, weights: npt.ArrayLike, x: npt.ArrayLike) -> Doubles:
        """Return the lines of `weights`, shape (..., 2), at `x`, shape (m,): (..., m), float64."""
        slope_and_bias, x = self.in_user_units(weights), np.asarray(x, np.float64)
        lines: Doubles = slope_and_bias @ np.stack([x, np.ones_like(x)])
        return lines

    def equation(self, weights: npt.ArrayLike) -> str:
        """Return the line of `weights`, shape (2,), such as ``y = 2.95 x + 0.50``."""
        slope, bias = self.in_user_units(weights)
        if self.standardization is not None:
            return self.standardization.equation(slope, bias)
        return line_equation(slope, bias)


def _float32(value: object, name: str) -> Floats:
    """Return `value` as a read-only float32 array, of which a float32 array is a view."""
    try:
        with np.errstate(over="ignore"):  # what float32 cannot hold is said below
            array: Floats = np.asarray(value, dtype=np.float32).view()
    except (TypeError, ValueError):
        raise InputError(f"{name} is no array of numbers; give numbers") from None
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds a value that is not finite; remove or mend it")
    return _read_only(array)


def _read_only(array: AnyArray) -> AnyArray:
    array.flags.writeable = False
    return array
