"""A PyTorch model as a function of one vector of all its weights, and the loss of one."""

from __future__ import annotations

import copy
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
from torch.func import functional_call

from animate.system import validation
from animate.system.errors import InputError
from animate.training.problem import Array, Doubles

if TYPE_CHECKING:
    from animate.training.trajectory import Trajectory

NUMPY_FLOATS = {torch.float16, torch.float32, torch.float64}

Loss = Callable[..., object]
"""Takes the model, or nothing, and returns a number or a tensor of one number."""


def check_model(model: object) -> nn.Module:
    """Return `model` if it is a model whose weights can be recorded."""
    if not isinstance(model, nn.Module):
        raise InputError(f"model {validation.quoted(model)} is not a torch.nn.Module; give one")
    parameters = dict(model.named_parameters())
    if not parameters:
        raise InputError(f"model {type(model).__name__} has no parameters; give one that has")
    for name, parameter in parameters.items():
        if nn.parameter.is_lazy(parameter):
            raise InputError(f"parameter {name} has no shape yet; call the model once on data")
        if not parameter.is_floating_point():
            dtype = str(parameter.dtype).removeprefix("torch.")
            raise InputError(
                f"parameter {name} is {dtype}; only real floating-point parameters "
                "can be recorded (for complex ones, train torch.view_as_real of them)"
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
        return as_array(torch.cat(parts))


def copy_weights(parameters: Iterable[Tensor], row: Tensor) -> None:
    """Write all parameters, one after the other, into `row`, shape (P,)."""
    parts = [parameter.detach().reshape(-1) for parameter in parameters]
    if parts[0].is_cpu:
        torch.cat(parts, out=row)
    else:
        row.copy_(torch.cat(parts))


def copy_buffers(buffers: Mapping[str, Tensor], names: Collection[str]) -> dict[str, Array]:
    """Return a copy of each buffer that is one of `names`."""
    return {
        name: as_array(buffer.detach().clone()) for name, buffer in buffers.items() if name in names
    }


def saved_buffers(model: nn.Module) -> set[str]:
    """Return the names of the buffers that are part of the model's state."""
    return set(model.state_dict(keep_vars=True)) & {name for name, _ in model.named_buffers()}


def as_array(tensor: Tensor) -> Array:
    """Return `tensor` as an array that may share its memory; float32 for a dtype NumPy lacks."""
    if tensor.is_floating_point() and tensor.dtype not in NUMPY_FLOATS:
        tensor = tensor.float()
    array: Array = tensor.detach().cpu().numpy()
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
    """A model with a function of it, so that `functional_call` can exchange the model's weights."""

    def __init__(self, model: nn.Module, function: Callable[[nn.Module], Any]) -> None:
        super().__init__()
        self.model = model
        self.function = function

    def forward(self) -> Any:
        return self.function(self.model)


def evaluate(
    model: nn.Module,
    function: Callable[[nn.Module], Any],
    tensors: Mapping[str, Tensor] | None = None,
) -> Any:
    """
    Return ``function(model)`` in evaluation mode.

    `tensors` replace parameters and buffers of the model by their names. Afterwards the model, its
    mode and buffers, and the random states are as before, also where the function raises.
    """
    named = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    # Copies of buffers, since a model may write into them in evaluation mode too.
    used = {id(one): one.detach() for one in model.parameters()}
    used |= {id(one): one.detach().clone() for one in model.buffers()}
    used |= {id(named[name]): tensor for name, tensor in (tensors or {}).items()}
    replaced = {f"model.{name}": used[id(one)] for name, one in _own_tensors(model)}
    with evaluation(model):
        return functional_call(_Bound(model, function), replaced, (), tie_weights=False)


def _own_tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """
    Yield each parameter and buffer of each module, once for each module that has it.

    `functional_call` with tie_weights exchanges those of a module twice that a model has under two
    names, and so cannot put them back.
    """
    for prefix, module in model.named_modules():
        yield from module.named_parameters(prefix, recurse=False, remove_duplicate=False)
        yield from module.named_buffers(prefix, recurse=False, remove_duplicate=False)


def loss_value(model: nn.Module, loss: Callable[[nn.Module], object]) -> float:
    """Return the loss in evaluation mode; infinite where it is NaN, which means an overflow."""
    with torch.no_grad():
        value = as_number(evaluate(model, loss), "the loss that was returned")
    # NaN in a trajectory means a missing loss.
    return math.inf if math.isnan(value) else value


@contextmanager
def evaluation(model: nn.Module) -> Iterator[None]:
    """Put the model into evaluation mode, and fork the random states."""
    with eval_mode(model), forked_random_states(model):
        yield


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
def forked_random_states(model: nn.Module) -> Iterator[None]:
    """Restore the random states of torch, Python and NumPy at the end: a loss may use any."""
    python, numpy = random.getstate(), np.random.get_state()  # the global one
    try:
        with fork_random_state(*{one.device for one in model.parameters()}):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


class FlatModel:
    """
    A model as a function of one vector of all its parameters.

    Parameters
    ----------
    model : torch.nn.Module
        Its own weights are exchanged during an evaluation, and put back.

    Attributes
    ----------
    size : int
        The number of weights.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self._shapes = {name: tuple(one.shape) for name, one in model.named_parameters()}
        self._sizes = [math.prod(shape) for shape in self._shapes.values()]
        self.size = sum(self._sizes)
        self._buffers: dict[str, Tensor] = {}

    def with_buffers(self, buffers: Mapping[str, Array]) -> FlatModel:
        """Return the same model with other buffers; those not given stay the model's own."""
        own = dict(self.model.named_buffers())
        changed = copy.copy(self)
        changed._buffers = dict(self._buffers)
        for name, values in buffers.items():
            if name not in own or own[name].numel() != np.size(values):
                raise InputError(
                    f"the buffer {name} of the run, {np.size(values)} numbers, is not one of this "
                    "model; give the model that was recorded"
                )
            tensor = torch.tensor(values).reshape(own[name].shape)
            changed._buffers[name] = tensor.to(own[name])
        return changed

    def fix_buffers(self) -> FlatModel:
        """Return the same model with copies of its present buffers, which may change later."""
        own = {name: as_array(buffer) for name, buffer in self.model.named_buffers()}
        return self.with_buffers({**own, **{k: as_array(v) for k, v in self._buffers.items()}})

    def at(self, weights: Tensor, function: Callable[[nn.Module], Any]) -> Any:
        """
        Return ``function(model)`` in evaluation mode at `weights`, shape (P,).

        A tensor that the function returns can be differentiated by `weights`.
        """
        like = dict(self.model.named_parameters())
        if {name: tuple(one.shape) for name, one in like.items()} != self._shapes:
            raise InputError("the parameters of the model have changed; give an unchanged model")
        parts = zip(like.items(), weights.split(self._sizes), strict=True)
        tensors = {name: part.reshape(one.shape).to(one) for (name, one), part in parts}
        tensors |= {name: buffer.clone() for name, buffer in self._buffers.items()}
        return evaluate(self.model, function, tensors)

    def rows(self, weights: npt.ArrayLike) -> tuple[list[Tensor], tuple[int, ...]]:
        """Return each vector of `weights`, shape (..., P), as a tensor, and the shape (...)."""
        array = np.asarray(weights)
        if array.shape[-1:] != (self.size,):
            raise InputError(
                f"weights of shape {array.shape} are not of this model, which has {self.size}; "
                f"give shape (..., {self.size})"
            )
        return [torch.tensor(row) for row in array.reshape(-1, self.size)], array.shape[:-1]

    def trained(self) -> npt.NDArray[np.bool_]:
        """Return which weights are of parameters that require a gradient, shape (P,)."""
        flags = [one.requires_grad for one in self.model.parameters()]
        return np.repeat(flags, self._sizes)


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
        self._loss = check_loss(loss, check_model(model))
        self._flat = FlatModel(model).fix_buffers().with_buffers(buffers or {})

    @classmethod
    def of_run(cls, run: Trajectory, model: nn.Module, loss: Loss) -> ModelLoss:
        """Return the problem of `run`, with the buffers that it recorded last."""
        if run.weights is None:
            raise InputError("the run has no weights; give one that has, to compute its loss")
        problem = cls(model, loss, {name: values[-1] for name, values in run.buffers.items()})
        count = run.weights.shape[1]
        if problem._flat.size != count:
            raise InputError(
                f"there are {count} weights, and the model has {problem._flat.size}; give the "
                "model that was recorded"
            )
        return problem

    @property
    def model(self) -> nn.Module:
        """The model; its own weights are not used."""
        return self._flat.model

    def with_buffers(self, buffers: Mapping[str, Array]) -> ModelLoss:
        """Return the same problem with other buffers of the model."""
        changed = copy.copy(self)
        changed._flat = self._flat.with_buffers(buffers)
        return changed

    def loss(self, weights: npt.ArrayLike) -> Doubles:
        """Return the loss at `weights`, shape (..., P), as float64 (...)."""
        rows, shape = self._flat.rows(weights)
        with torch.no_grad():
            values = [self._flat.at(row, self._loss) for row in rows]
        losses = [as_number(value, "the loss that was returned") for value in values]
        return np.array(losses, np.float64).reshape(shape)

    def torch_loss(self, weights: Tensor) -> Tensor:
        """Return the loss at `weights`, shape (P,), as a tensor to be differentiated by them."""
        loss = self._flat.at(weights, self._loss)
        if not (isinstance(loss, Tensor) and loss.numel() == 1 and loss.requires_grad):
            raise InputError(
                f"the loss of the run returns a {type(loss).__name__} without a gradient; return "
                "a tensor that torch computes from the model's weights"
            )
        return loss.reshape(())

    @property
    def trained_weights(self) -> npt.NDArray[np.bool_]:
        """Which weights are of parameters that require a gradient, shape (P,)."""
        return self._flat.trained()


@contextmanager
def single_threaded() -> Iterator[None]:
    """Use one thread inside: the last bits of a large sum depend on the number of threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
