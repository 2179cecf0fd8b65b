"""
Protocols for problems: the minimum (`Problem`), and what views and rules may need besides.

A problem provides a protocol if it has its attributes. It need not inherit.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import cache
from typing import (
    TYPE_CHECKING,
    Any,
    NoReturn,
    Protocol,
    TypeGuard,
    TypeVar,
    cast,
    runtime_checkable,
)

import numpy as np
import numpy.typing as npt

from animate.system.errors import InputError

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Array = npt.NDArray[Any]
Capability = TypeVar("Capability")

if TYPE_CHECKING:
    from torch import Tensor, nn

    _Meta = type
else:

    class _Meta(type(Protocol)):
        # On the metaclass, so that problems themselves need not have it.
        def sample(cls, *_arguments: object, **_keywords: object) -> NoReturn:
            raise InputError(
                "animate.Problem.sample is now animate.Line.sample; call that, "
                "with the same arguments"
            )


@runtime_checkable
class Problem(Protocol, metaclass=_Meta):
    """
    Data to train on, and the weights that every run starts from.

    Attributes
    ----------
    x, y : arrays, shapes (n, ...) and (n, ...)
        Inputs and targets, in the reader's units.
    start : array, shape (P,)
        All weights before the first step, as one vector.
    """

    @property
    def x(self) -> Array: ...  # noqa: D102
    @property
    def y(self) -> Array: ...  # noqa: D102
    @property
    def start(self) -> Array: ...  # noqa: D102


@runtime_checkable
class HasLoss(Protocol):
    """
    A problem whose loss can be computed at any weights.

    ``loss(weights)`` takes weights of shape (..., P) and returns float64 losses of shape (...).
    """

    def loss(self, weights: npt.ArrayLike, /) -> Doubles: ...  # noqa: D102


@runtime_checkable
class HasTorchLoss(HasLoss, Protocol):
    """
    A problem whose loss torch can differentiate.

    ``torch_loss(weights)`` takes a tensor of shape (P,) and returns a scalar tensor.

    Attributes
    ----------
    trained_weights : bool array, shape (P,)
        Which weights are trained; the others are constants.
    """

    def torch_loss(self, weights: Tensor, /) -> Tensor: ...  # noqa: D102
    @property
    def trained_weights(self) -> npt.NDArray[np.bool_]: ...  # noqa: D102


@runtime_checkable
class HasBuffers(Protocol):
    """
    A problem with a model that has buffers, such as the running means of BatchNorm.

    ``with_buffers(buffers)`` returns the same problem with these arrays as buffers, by name.
    """

    def with_buffers(self, buffers: Mapping[str, Array], /) -> Any: ...  # noqa: D102


@runtime_checkable
class HasModel(Protocol):
    """
    A problem with a PyTorch model, whose weights are all its parameters.

    Attributes
    ----------
    model : torch.nn.Module
    """

    @property
    def model(self) -> nn.Module: ...  # noqa: D102


@runtime_checkable
class Quadratic(Problem, HasLoss, Protocol):
    """
    A problem whose loss is ``best_loss + (w - w*)ᵀ H (w - w*) / 2``.

    Attributes
    ----------
    best_weights : float64 array, shape (P,)
        w*, the minimum of the loss.
    best_loss : float
        The loss there.
    hessian : float64 array, shape (P, P)
    curvatures : tuple of float
        The eigenvalues of the Hessian, ascending.
    sharpest : float64 array, shape (P,)
        The unit eigenvector of the largest eigenvalue.
    stability_limit : float
        ``2/λmax``. Plain gradient descent converges only at learning rates below it.
    best_lr : float
        ``2/(λmin+λmax)``, the fixed learning rate with the fastest guaranteed convergence.
    """

    @property
    def best_weights(self) -> Doubles: ...  # noqa: D102
    @property
    def best_loss(self) -> float: ...  # noqa: D102
    @property
    def hessian(self) -> Doubles: ...  # noqa: D102
    @property
    def curvatures(self) -> tuple[float, ...]: ...  # noqa: D102
    @property
    def sharpest(self) -> Doubles: ...  # noqa: D102
    @property
    def stability_limit(self) -> float: ...  # noqa: D102
    @property
    def best_lr(self) -> float: ...  # noqa: D102


@runtime_checkable
class Predicts(Protocol):
    """
    A problem with one input, so that its model can be drawn as a curve.

    ``predict(weights, x)`` takes weights of shape (..., P) and inputs of shape (m,), and returns
    float64 outputs of shape (..., m).
    """

    def predict(self, weights: npt.ArrayLike, x: npt.ArrayLike, /) -> Doubles: ...  # noqa: D102


@runtime_checkable
class Classifies(Problem, Protocol):
    """
    A problem with two inputs, whose model gives points (m, 2) a score for each of C classes.

    (..., P) and x (m, 2) give (..., m, C). The class of a point is that of its highest score, and
    the boundary of two classes is where their scores are equal.
    """

    def class_scores(self, weights: npt.ArrayLike, x: npt.ArrayLike, /) -> Doubles: ...  # noqa: D102


@runtime_checkable
class NamesWeights(Protocol):
    """
    A problem whose weights have names, and whose model can be written as an equation.

    ``equation(weights)`` takes weights of shape (P,) and returns text.

    Attributes
    ----------
    weight_names : tuple of str, length P
    """

    @property
    def weight_names(self) -> tuple[str, ...]: ...  # noqa: D102
    def equation(self, weights: npt.ArrayLike, /) -> str: ...  # noqa: D102


def provides(problem: object, capability: type[Capability]) -> TypeGuard[Capability]:
    """
    Return whether `problem` has all attributes of the protocol `capability`.

    The same as `isinstance`, but faster. isinstance takes 20 microseconds with a protocol, too
    long for thousands of runs.
    """
    for name in _attribute_names(cast("Hashable", capability)):  # noqa: SIM110 - twice as fast as all()
        if not hasattr(problem, name):
            return False
    return True


@cache
def _attribute_names(protocol: Hashable) -> tuple[str, ...]:
    return tuple(name for name in dir(protocol) if not name.startswith("_"))
