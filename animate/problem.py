"""
The data that a line is fitted to, and what the data alone decide.

A problem knows its points, where training starts, and all that follows from the loss being a
paraboloid over the two weights: its lowest point, its curvature, and so the learning rate past
which gradient descent cannot converge. It knows nothing of training or drawing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from animate import inputs
from animate.inputs import InputError

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

GAUSSIAN_DEVIATION = 0.29  # that of the uniform noise on [0, 1), 1/sqrt(12), to two digits


@dataclass(frozen=True, slots=True)
class Sampling:
    """How data were drawn: with `Problem.true_weights`, all that it takes to draw them again."""

    seed: int
    points: int
    noise: str


@dataclass(frozen=True, eq=False)
class Problem:
    """
    Points to fit a line to, and the weights that training starts from.

    Attributes
    ----------
    x : float32 array, shape (n, 2)
        The inputs: column 0 the values, column 1 ones, which go with the bias.
    y : float32 array, shape (n,)
        The targets.
    start : float32 array, shape (2,)
        The weights (slope, bias) before the first epoch.
    true_weights : float32 array, shape (2,), or None
        The weights that made the targets, before noise; None where nobody knows them.
    sampling : Sampling, or None
        How `sample` drew the data; None for data of other origin.

    All arrays are read-only copies. Weights that training reaches are not here: see `Trajectory`.

    Raises
    ------
    InputError
        If shapes do not agree, a value is not finite, or all x are the same.
    """

    x: Floats
    y: Floats
    start: Floats
    true_weights: Floats | None = None
    sampling: Sampling | None = None

    def __post_init__(self) -> None:
        for name in ("x", "y", "start", "true_weights"):
            value = getattr(self, name)
            if value is None and name == "true_weights":
                continue
            array = np.array(value, dtype=np.float32)
            if not np.isfinite(array).all():
                raise InputError(f"{name} holds a value that is not finite; remove or mend it")
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        points = len(self.x)
        if self.x.shape != (points, 2) or self.y.shape != (points,):
            raise InputError(
                f"x has shape {self.x.shape} and y {self.y.shape}; give (n, 2) and (n,)"
            )
        if points < 2 or np.ptp(self.x[:, 0]) == 0:
            raise InputError("all x are the same, so no line is determined; give different x")

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
        seed = inputs.whole(seed, "seed", least=0, most=inputs.LARGEST_SEED)
        points = inputs.points(points)
        noise = inputs.choice(noise, "noise", inputs.NOISES)
        true = inputs.weights(true_weights, "true weight")
        first = inputs.weights(start, "start weight")

        import torch  # here, so that a problem made from arrays does not load it

        generator = torch.Generator().manual_seed(seed)
        x = torch.ones(points, 2)
        x[:, 0].uniform_(-1.0, 1.0, generator=generator)
        y = x @ torch.tensor(true)
        if noise == "uniform":
            y += torch.rand(points, generator=generator)
        elif noise == "gaussian":
            y += GAUSSIAN_DEVIATION * torch.randn(points, generator=generator)
        return cls(
            x=x.numpy(),
            y=y.numpy(),
            start=np.array(first, np.float32),
            true_weights=np.array(true, np.float32),
            sampling=Sampling(seed, points, noise),
        )

    @cached_property
    def best_weights(self) -> Doubles:
        """The least-squares weights, shape (2,), float64: where the loss is lowest."""
        solution = np.linalg.lstsq(self.x.astype(np.float64), self.y.astype(np.float64), rcond=None)
        best: Doubles = solution[0]
        best.flags.writeable = False
        return best

    @cached_property
    def best_loss(self) -> float:
        """The loss at the best weights: no run can go below it."""
        return float(self.loss(self.best_weights))

    @cached_property
    def hessian(self) -> Doubles:
        """The loss's second derivatives, ``2/n XᵀX``, shape (2, 2), float64: its curvature."""
        x = self.x.astype(np.float64)
        hessian: Doubles = 2 / len(x) * x.T @ x
        hessian.flags.writeable = False
        return hessian

    @cached_property
    def curvatures(self) -> tuple[float, float]:
        """The Hessian's eigenvalues, the smaller first."""
        least, most = np.linalg.eigvalsh(self.hessian)
        return float(least), float(most)

    @cached_property
    def sharpest(self) -> Doubles:
        """The unit eigenvector of the larger eigenvalue, shape (2,): the steepest direction."""
        vector: Doubles = np.linalg.eigh(self.hessian)[1][:, 1]
        return vector if vector[np.argmax(np.abs(vector))] > 0 else -vector

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
        residual = self.x @ self.best_weights - self.y
        result: Doubles = bowl + np.mean(residual**2)
        return result
