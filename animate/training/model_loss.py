"""The weights of a PyTorch model as one vector, and its loss at any weights."""

from __future__ import annotations

import inspect
import math
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from animate.system import validation
from animate.system.errors import InputError
from animate.training.problem import Array, Doubles

if TYPE_CHECKING:
    from animate.training.trajectory import Trajectory

Loss = Callable[..., object]
"""Takes the model, or nothing, and returns a number or a tensor of one number."""


def check_model(model: object) -> nn.Module:
    """Return `model` if it is a model whose weights can be recorded."""
    if not isinstance(model, nn.Module):
        raise InputError(f"model {validation.quoted(model)} is not a torch.nn.Module; give one")
    parameters = list(model.parameters())
    if not parameters:
        raise InputError(f"model {type(model).__name__} has no parameters; give one that has")
    if any(nn.parameter.is_lazy(parameter) for parameter in parameters):
        raise InputError(
            f"model {type(model).__name__} has parameters without a shape; call it once on data "
            "before it is recorded"
        )
    wrong = next((one for one in parameters if not one.is_floating_point()), None)
    if wrong is not None:
        raise InputError(
            f"model {type(model).__name__} has parameters of {wrong.dtype}; only real floating "
            "ones can be recorded"
        )
    return model


def flat_weights(parameters: Iterable[Tensor]) -> Array:
    """
    Return a copy of all parameters as one vector, shape (P,).

    bfloat16, which NumPy lacks, becomes float32.
    """
    with torch.no_grad():
        parts = [parameter.reshape(-1) for parameter in parameters]
        if len({part.device for part in parts}) > 1:
            parts = [part.cpu() for part in parts]
        return _as_array(torch.cat(parts))


def copy_buffers(buffers: Mapping[str, Tensor], names: Collection[str]) -> dict[str, Array]:
    """Return a copy of each buffer that is one of `names`."""
    return {
        name: _as_array(buffer.detach().clone())
        for name, buffer in buffers.items()
        if name in names
    }


def saved_buffers(model: nn.Module) -> set[str]:
    """Return the names of the buffers that are part of the model's state."""
    return set(model.state_dict(keep_vars=True)) & {name for name, _ in model.named_buffers()}


def _as_array(tensor: Tensor) -> Array:
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.float()
    array: Array = tensor.cpu().numpy()
    return array


def check_loss(loss: object, model: nn.Module) -> Callable[[nn.Module], object]:
    """Return `loss` as a function of the model; one without arguments is called without any."""
    if not callable(loss):
        raise InputError(
            f"loss {validation.quoted(loss)} is not a function; give one of the model, such as "
            "lambda model: mse_loss(model(x), y)"
        )
    try:
        signature = inspect.signature(loss)
    except (TypeError, ValueError):  # some builtins have none
        return loss
    if _accepts(signature, model):
        return loss
    if _accepts(signature):
        return lambda _: loss()
    raise InputError(
        f"loss takes {signature}; give a function of one argument, the model, or of none"
    )


def _accepts(signature: inspect.Signature, *arguments: object) -> bool:
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True


def as_number(value: object, name: str) -> float:
    """Return `value`, a number or a tensor or array of one number, as a float."""
    advice = "give one number, such as the mean"
    shape = getattr(value, "shape", ())
    if math.prod(shape) != 1:
        raise InputError(f"{name} has shape {tuple(shape)}; {advice}")
    if isinstance(value, (str, bytes)):
        raise InputError(f"{name} {validation.quoted(value)} is not a number; {advice}")
    if isinstance(value, Tensor):
        value = value.detach()
    try:
        return float(value.item() if hasattr(value, "item") else value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise InputError(f"{name} {validation.quoted(value)} is not a number; {advice}") from None


class _Bound(nn.Module):
    """A model with its loss, so that `functional_call` can exchange the weights of the model."""

    def __init__(self, model: nn.Module, loss: Callable[[nn.Module], object]) -> None:
        super().__init__()
        self.model = model
        self.loss = loss

    def forward(self) -> object:
        return self.loss(self.model)


def evaluate(
    model: nn.Module,
    loss: Callable[[nn.Module], object],
    parameters: Mapping[str, Tensor] | None = None,
    buffers: Mapping[str, Tensor] | None = None,
) -> float:
    """
    Return the loss in eval mode, by default at the model's own parameters and buffers.

    The model, its mode and buffers, and the global random states are as before afterwards, also
    where the loss raises.
    """
    if parameters is None:
        parameters = {name: one.detach() for name, one in model.named_parameters()}
    own = {name: buffer.detach().clone() for name, buffer in model.named_buffers()}
    tensors = {**parameters, **own, **(buffers or {})}
    named = {f"model.{name}": tensor for name, tensor in tensors.items()}
    with eval_mode(model), _forked_random_states(model), torch.no_grad():
        value = torch.func.functional_call(_Bound(model, loss), named, ())
        return as_number(value, "the loss that was returned")


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[None]:
    """Put every module into evaluation mode, and restore each one's own mode at the end."""
    # Not eval(): a model may override train(), and then change more than its mode.
    modes = [(module, module.training) for module in model.modules()]
    try:
        for module, _ in modes:
            module.training = False
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def fork_random_state(*devices: torch.device, seed: int | None = None) -> Iterator[None]:
    """Restore torch's random state of the CPU and of `devices` at the end; optionally seed it."""
    devices = tuple(device for device in devices if device.type == "cuda")
    with torch.random.fork_rng(devices=devices):
        if seed is not None:
            torch.default_generator.manual_seed(seed)
            for one in devices:
                with torch.cuda.device(one):
                    torch.cuda.manual_seed(seed)
        yield


@contextmanager
def _forked_random_states(model: nn.Module) -> Iterator[None]:
    """Restore the random states of torch, Python and NumPy at the end: a loss may use any."""
    python, numpy = random.getstate(), np.random.get_state()  # the global one
    try:
        with fork_random_state(*{one.device for one in model.parameters()}):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


class ModelLoss:
    """
    A problem of which only the loss is known: a model, and a function of it.

    Parameters
    ----------
    model : torch.nn.Module
        Its own weights are exchanged while a loss is computed, and put back.
    loss : callable
        Takes the model, or nothing, and returns a number.
    buffers : mapping of str to array, optional
        That the loss is computed with; by default those that the model has now.
    """

    def __init__(
        self, model: nn.Module, loss: Loss, buffers: Mapping[str, Array] | None = None
    ) -> None:
        self._model = check_model(model)
        self._loss = check_loss(loss, model)
        self._shapes = {name: tuple(one.shape) for name, one in model.named_parameters()}
        own = dict(model.named_buffers())
        self._buffers = {name: buffer.detach().clone() for name, buffer in own.items()}
        for name, values in (buffers or {}).items():
            if name not in own or own[name].numel() != np.size(values):
                raise InputError(
                    f"the buffer {name} of the run, {np.size(values)} numbers, is not one of this "
                    "model; give the model that was recorded"
                )
            self._buffers[name] = (
                torch.tensor(values).reshape(own[name].shape).to(self._buffers[name])
            )

    @classmethod
    def of_run(cls, run: Trajectory, model: nn.Module, loss: Loss) -> ModelLoss:
        """Return the problem of `run`, with the buffers that it recorded last."""
        if run.weights is None:
            raise InputError("the run has no weights; give one that has, to compute its loss")
        problem = cls(model, loss, {name: values[-1] for name, values in run.buffers.items()})
        problem._check_count(run.weights.shape[1])
        return problem

    @property
    def model(self) -> nn.Module:
        """The model; its own weights are not used."""
        return self._model

    def with_buffers(self, buffers: Mapping[str, Array]) -> ModelLoss:
        """Return the problem with the same loss, computed with other buffers."""
        return ModelLoss(self._model, self._loss, buffers)

    def _check_count(self, count: int) -> None:
        """Raise `InputError` unless the model has `count` weights."""
        own = sum(map(math.prod, self._shapes.values()))
        if own != count:
            raise InputError(
                f"there are {count} weights, and the model has {own}; give the model that was "
                "recorded"
            )

    def loss(self, weights: npt.ArrayLike) -> Doubles:
        """Return the loss at `weights`, shape (..., P), as float64 (...)."""
        array = np.asarray(weights)
        self._check_count(array.shape[-1] if array.ndim else 1)
        rows = array.reshape(-1, array.shape[-1])
        losses = [evaluate(self._model, self._loss, *self._tensors(row)) for row in rows]
        return np.array(losses, np.float64).reshape(array.shape[:-1])

    def torch_loss(self, weights: Tensor) -> Tensor:
        """
        Return the loss at `weights`, shape (P,), as a scalar tensor that can be differentiated.

        Raises
        ------
        InputError
            If the loss returns another thing than a tensor of one number.
        """
        parameters, buffers = self._tensors(weights)
        tensors = {f"model.{name}": one for name, one in (parameters | buffers).items()}
        with eval_mode(self._model), _forked_random_states(self._model):
            bound = _Bound(self._model, self._loss)
            value = torch.func.functional_call(bound, tensors, ())
        if not (isinstance(value, Tensor) and value.numel() == 1):
            kind = (
                f"shape {tuple(value.shape)}"
                if isinstance(value, Tensor)
                else f"a {type(value).__name__}"
            )
            raise InputError(
                f"the loss returns {kind}; to differentiate it, return a tensor of one number"
            )
        return value.reshape(())

    def _tensors(
        self, row: npt.NDArray[Any] | Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return one vector of weights as parameters of the model, and its buffers."""
        like = dict(self._model.named_parameters())
        shapes = {name: tuple(one.shape) for name, one in like.items()}
        if shapes != self._shapes:
            raise InputError("the parameters of the model have changed; give an unchanged model")
        vector = row if isinstance(row, Tensor) else torch.tensor(row)
        sizes = [math.prod(shape) for shape in shapes.values()]
        parts = zip(shapes.items(), vector.split(sizes), strict=True)
        parameters = {name: part.reshape(shape).to(like[name]) for (name, shape), part in parts}
        # Copies, since a model may write into its buffers in eval mode too.
        return parameters, {name: buffer.clone() for name, buffer in self._buffers.items()}
