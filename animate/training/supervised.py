"""Any PyTorch model with data and a loss, as a problem that can be trained."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from animate.system.errors import InputError
from animate.system.validation import LARGEST_SEED, quoted, whole
from animate.training.line import Line
from animate.training.model_loss import ModelLoss, eval_mode, fork_random_state
from animate.training.problem import Array, Doubles

BATCH_LOSS = "batch_loss"
VALIDATION = "validation_"

SAME_IN_EVALUATION = {
    nn.Sequential, nn.ModuleList, nn.Identity, nn.Flatten, nn.Linear, nn.Conv1d, nn.Conv2d,
    nn.MaxPool2d, nn.AvgPool2d, nn.LayerNorm, nn.Tanh, nn.Sigmoid, nn.ReLU, nn.LeakyReLU, nn.ELU,
    nn.GELU, nn.SiLU, nn.Softplus,
}  # fmt: skip
"""Modules that give the same in training and in evaluation, and draw no random numbers."""

THRESHOLDS = {
    functional.binary_cross_entropy_with_logits: 0.0,
    functional.binary_cross_entropy: 0.5,
    nn.BCEWithLogitsLoss: 0.0,
    nn.BCELoss: 0.5,
}
"""Losses of two classes with one output per point, and the output from which class 1 begins."""


class Supervised:
    """
    A PyTorch model to be fitted to data.

    Every run starts from a copy of one model. The loss and the metrics of a record are computed
    over all points, in evaluation mode, without gradient, and in a fork of torch's random state.

    Parameters
    ----------
    make_model : callable
        Returns a `torch.nn.Module`. It is called once, in a fork of torch's random state that is
        seeded with `seed`. The model is trained on its own device, and each of its modules in the
        mode (`training`) that it is returned in.
    x, y : arrays or tensors, shapes (n, ...) and (n, ...)
        Floating values are converted to the dtype of the first parameter; whole numbers are not.
    loss : callable
        ``loss(output, y)`` returns a scalar tensor, such as `torch.nn.functional.mse_loss`.
    metrics : mapping of names to callables
        ``metric(output, y)`` returns a number.
    validation : (x, y), optional
        Other data, for the metrics "validation_loss" and "validation_<metric>".
    seed : int
        Seed of the model's initial weights.

    Attributes
    ----------
    x, y : arrays, read-only
        The data as given.
    start : array, shape (P,), read-only
        The initial weights: all parameters, also those without gradient, in the order of
        `parameters()`. bfloat16 becomes float32.
    model : torch.nn.Module
        The model with its initial weights; it is never trained itself.
    predict : callable
        ``predict(weights, x)``, only of a model with one input and one output: see `Predicts`.
    class_scores : callable
        ``class_scores(weights, x)``, only of a classifier with two inputs: see `Classifies`.

    Raises
    ------
    InputError
        If the model cannot be trained on the data.
    """

    predict: Callable[[npt.ArrayLike, npt.ArrayLike], Doubles]
    class_scores: Callable[[npt.ArrayLike, npt.ArrayLike], Doubles]

    def __init__(
        self,
        make_model: Callable[[], nn.Module],
        x: object,
        y: object,
        *,
        loss: Callable[[Tensor, Tensor], Tensor],
        metrics: Mapping[str, Callable[[Tensor, Tensor], Any]] | None = None,
        validation: tuple[object, object] | None = None,
        seed: int = 0,
    ) -> None:
        seed = whole(seed, "seed", least=0, most=LARGEST_SEED)
        self.loss_function = _callable(loss, "loss", "loss(output, y)")
        self.metric_functions = _metrics(metrics or {})
        self.model = _make(make_model, seed)
        self.parameter_names = [name for name, _ in self.model.named_parameters()]
        parameters = list(self.model.parameters())
        self._shapes = [parameter.shape for parameter in parameters]
        self._sizes = [parameter.numel() for parameter in parameters]
        self.device, dtype = parameters[0].device, parameters[0].dtype
        self.weights_dtype = _recorded(
            reduce(torch.promote_types, [parameter.dtype for parameter in parameters])
        )
        self.x, self.y = _data(x, y, "")
        self.inputs, self.targets = (
            _tensor(values, dtype, self.device) for values in (self.x, self.y)
        )
        self.validation = None
        if validation is not None:
            if not (isinstance(validation, (tuple, list)) and len(validation) == 2):
                raise InputError("validation is not a pair; give (x, y), or leave it out")
            self.validation = tuple(
                _tensor(values, dtype, self.device) for values in _data(*validation, "validation ")
            )
        self.metric_names = list(self.metric_functions)
        if self.validation is not None:
            self.metric_names += [VALIDATION + name for name in ("loss", *self.metric_functions)]
        self.is_same_in_evaluation = all(
            type(module) in {*SAME_IN_EVALUATION, LineModel}
            and not (module._forward_hooks or module._forward_pre_hooks)
            for module in self.model.modules()
        )
        self.start = self._start(parameters)
        output, self.losses_dtype = self._check_loss()
        self._offer_predictions(output)

    def __repr__(self) -> str:
        model = type(self.model).__name__
        return f"Supervised({model}, {len(self.x)} points, {self.start.size} weights)"

    def copy_model(self) -> nn.Module:
        """Return a copy of the model: parameters, buffers and modes."""
        return copy.deepcopy(self.model)

    def evaluate(
        self, model: nn.Module, training_pass: tuple[Tensor, Tensor] | None = None
    ) -> tuple[float, list[float]]:
        """
        Return the loss over all points, and the metrics in the order of `metric_names`.

        Parameters
        ----------
        model : torch.nn.Module
            Its modes are restored.
        training_pass : (output, loss), optional
            Of the model over all points, where `is_same_in_evaluation`: then they are not computed
            again.
        """
        if training_pass is not None and not self.metric_names:
            return training_pass[1].item(), []
        with fork_random_state(self.device), torch.no_grad(), self._evaluation_mode(model):
            if training_pass is None:
                output = model(self.inputs)
                loss = self.loss_function(output, self.targets)
            else:
                output, loss = training_pass[0].detach(), training_pass[1]
            values = [
                float(metric(output, self.targets)) for metric in self.metric_functions.values()
            ]
            if self.validation is not None:
                inputs, targets = self.validation
                output = model(inputs)
                values.append(float(self.loss_function(output, targets)))
                values += [
                    float(metric(output, targets)) for metric in self.metric_functions.values()
                ]
        return loss.item(), values

    @contextmanager
    def _evaluation_mode(self, model: nn.Module) -> Iterator[None]:
        if self.is_same_in_evaluation:  # setting the mode takes half as long as evaluating
            yield
            return
        with eval_mode(model):
            yield

    def loss(self, weights: npt.ArrayLike) -> Doubles:
        """Return the loss over all points at `weights`, shape (..., P), as float64: shape (...)."""
        rows, shape = self._rows(weights)
        losses = np.empty(len(rows))
        with torch.no_grad():
            for index, row in enumerate(rows):
                losses[index] = self.torch_loss(row).item()
        return losses.reshape(shape)

    def torch_loss(self, weights: Tensor) -> Tensor:
        """
        Return the loss over all points at `weights`, shape (P,), as a scalar tensor.

        It can be differentiated by `weights`, also twice: for gradients, Hessians and their
        products with vectors.
        """
        loss: Tensor = self.loss_function(self._output(weights, self.inputs), self.targets)
        return loss

    def with_buffers(self, buffers: Mapping[str, Array]) -> ModelLoss:
        """Return the problem with the same loss, computed with other buffers of the model."""
        return ModelLoss(
            self.model,
            lambda model: self.loss_function(model(self.inputs), self.targets),
            buffers,
        )

    def _output(self, weights: Tensor, inputs: Tensor) -> Tensor:
        """Return the output in evaluation mode, as a function of one vector of weights."""
        parts = zip(
            self.parameter_names, self.model.parameters(), weights.split(self._sizes), strict=True
        )
        state = {name: part.view(like.shape).to(like) for name, like, part in parts}
        for name, buffer in self.model.named_buffers():
            state[name] = buffer.clone()
        with fork_random_state(self.device), self._evaluation_mode(self.model):
            output: Tensor = torch.func.functional_call(self.model, state, (inputs,))
        return output

    def _rows(self, weights: npt.ArrayLike) -> tuple[list[Tensor], tuple[int, ...]]:
        """Return each vector of `weights` as a tensor, and the shape (...) of `weights`."""
        array = np.asarray(weights)
        if array.shape[-1:] != self.start.shape:
            raise InputError(
                f"weights of shape {array.shape} are not of this model; give shape "
                f"(..., {self.start.size})"
            )
        rows = np.array(array.reshape(-1, self.start.size), self.start.dtype)
        return list(torch.from_numpy(rows)), array.shape[:-1]

    def _predict(self, weights: npt.ArrayLike, x: npt.ArrayLike) -> Doubles:
        """Return the outputs of `weights`, shape (..., P), at `x`, shape (m,): (..., m)."""
        inputs = np.asarray(x, np.float64).reshape(-1, *self.inputs.shape[1:])
        rows, shape = self._rows(weights)
        return self._outputs(rows, inputs).reshape(*shape, len(inputs))

    def _class_scores(self, weights: npt.ArrayLike, x: npt.ArrayLike) -> Doubles:
        """Return the scores of each class, (..., m, C), of `weights` (..., P) at `x` (m, 2)."""
        inputs = np.asarray(x, np.float64).reshape(-1, 2)
        rows, shape = self._rows(weights)
        scores = self._outputs(rows, inputs).reshape(*shape, len(inputs), -1)
        if scores.shape[-1] > 1:
            return scores
        assert self._threshold is not None
        # Of two classes with one output: a score of 0 at the threshold, above it for class 1.
        return np.concatenate([np.zeros_like(scores), scores - self._threshold], axis=-1)

    def _outputs(self, rows: list[Tensor], inputs: Doubles) -> Doubles:
        tensor = _tensor(inputs, self.inputs.dtype, self.device)
        with torch.no_grad():
            outputs = [self._output(row, tensor).double().cpu().numpy() for row in rows]
        return np.array(outputs, np.float64)

    def _offer_predictions(self, output: Tensor) -> None:
        # As attributes of the object, so that only problems that can predict have the attribute.
        points = len(self.x)
        width = self.inputs[0].numel()
        if not self.inputs.is_floating_point() or output.shape[:1] != (points,):
            return
        if width == 1 and output.numel() == points and self.targets.numel() == points:
            self.predict = self._predict
        has_classes = output.ndim == 2 and output.shape[1] > 1
        is_binary = output.numel() == points and self._threshold is not None
        if self.inputs.shape[1:] == (2,) and (
            is_binary or (has_classes and not self.targets.is_floating_point())
        ):
            self.class_scores = self._class_scores

    @property
    def _threshold(self) -> float | None:
        """The output from which class 1 begins, for a known loss of two classes."""
        for known, threshold in THRESHOLDS.items():
            if known is self.loss_function or known is type(self.loss_function):
                return threshold
        return None

    def _start(self, parameters: list[nn.Parameter]) -> Array:
        start = np.empty(sum(self._sizes), self.weights_dtype)
        copy_weights(parameters, torch.from_numpy(start))
        start.flags.writeable = False
        return start

    def _check_loss(self) -> tuple[Tensor, npt.DTypeLike]:
        """Return the model's output and the dtype of its loss, if the model can be trained."""
        model = self.copy_model()
        with fork_random_state(self.device), torch.enable_grad(), self._evaluation_mode(model):
            try:
                output = model(self.inputs)
                loss = self.loss_function(output, self.targets)
            except Exception as error:
                raise InputError(
                    f"the model's loss cannot be computed for x of shape {tuple(self.x.shape)} and "
                    f"y of shape {tuple(self.y.shape)}: {type(error).__name__}: {error}"
                ) from error
        if not isinstance(output, Tensor):
            raise InputError(
                f"the model returns a {type(output).__name__}, not a tensor; return the output "
                "that the loss takes"
            )
        if not (isinstance(loss, Tensor) and loss.ndim == 0 and loss.is_floating_point()):
            kind = type(loss).__name__
            if isinstance(loss, Tensor):
                kind = f"tensor of shape {tuple(loss.shape)} and dtype {_dtype_name(loss.dtype)}"
            raise InputError(
                f"the loss returns a {kind}; return a scalar tensor of real numbers, such as the "
                "mean over all points"
            )
        if not loss.requires_grad:
            raise InputError(
                "the loss has no gradient, so nothing can be trained; compute it from the model's "
                "output with torch operations"
            )
        return output.detach(), _recorded(loss.dtype)


class LineModel(nn.Module):
    """The line ``w[0] * x + w[1]``, as one parameter of shape (2,)."""

    def __init__(self, start: Array) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(start))

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return self.weights[0] * x + self.weights[1]


def supervised_line(line: Line) -> Supervised:
    """Return a line as a PyTorch model, for optimizers other than plain gradient descent."""
    return Supervised(
        lambda: LineModel(line.start), line.training_x, line.training_y, loss=functional.mse_loss
    )


def copy_weights(parameters: list[nn.Parameter], row: Tensor) -> None:
    """Write all parameters, one after the other, into `row`, shape (P,)."""
    parts = [parameter.detach().reshape(-1) for parameter in parameters]
    if parts[0].is_cpu:
        torch.cat(parts, out=row)
    else:
        row.copy_(torch.cat(parts))


def _make(make_model: object, seed: int) -> nn.Module:
    if not callable(make_model) or isinstance(make_model, nn.Module):
        raise InputError(
            f"make_model is a {type(make_model).__name__}; give a function that returns a new "
            "torch.nn.Module"
        )
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        model = make_model()
    if not isinstance(model, nn.Module):
        raise InputError(
            f"make_model returns a {type(model).__name__}, not a torch.nn.Module; return the model"
        )
    parameters = dict(model.named_parameters())
    if not parameters:
        raise InputError("the model has no parameters, so nothing can be trained; give another")
    for name, parameter in parameters.items():
        if nn.parameter.is_lazy(parameter):
            raise InputError(
                f"parameter {name} has no shape yet; call the model on some x in make_model"
            )
        if not parameter.is_floating_point():
            raise InputError(
                f"parameter {name} is {_dtype_name(parameter.dtype)}; only real floating-point "
                "parameters can be recorded (for complex ones, train torch.view_as_real of them)"
            )
    if not any(parameter.requires_grad for parameter in parameters.values()):
        raise InputError(
            "no parameter of the model requires a gradient, so nothing can be trained; leave "
            "requires_grad of at least one as it is"
        )
    try:
        return copy.deepcopy(model)  # so that what make_model keeps of it cannot change it
    except Exception as error:
        raise InputError(
            f"the model cannot be copied for each run: {type(error).__name__}: {error}"
        ) from error


def _callable(value: Any, name: str, call: str) -> Any:
    if not callable(value):
        raise InputError(f"{name} {quoted(value)} cannot be called; give a function {call}")
    return value


def _metrics(given: object) -> dict[str, Callable[[Tensor, Tensor], Any]]:
    if not (isinstance(given, Mapping) and all(isinstance(name, str) for name in given)):
        raise InputError(
            f"metrics {quoted(given)} are not a mapping of names to functions; give one, such as "
            '{"accuracy": accuracy}'
        )
    for name, metric in given.items():
        if name == BATCH_LOSS or name.startswith(VALIDATION):
            raise InputError(
                f"metric {quoted(name)} has a name that training itself uses; give another"
            )
        _callable(metric, f"metric {name}", "metric(output, y)")
    return dict(given)


def _data(x: object, y: object, name: str) -> tuple[Array, Array]:
    """Return x and y as read-only arrays of the same length, views where they are arrays."""
    arrays = []
    for letter, values in (("x", x), ("y", y)):
        try:
            if isinstance(values, Tensor):
                values = values.detach().cpu()
                values = (values.float() if values.dtype == torch.bfloat16 else values).numpy()
            array = np.asarray(values).view()
        except (TypeError, ValueError) as error:
            raise InputError(f"{name}{letter} cannot be converted to an array: {error}") from None
        if array.dtype.kind not in "fiub":
            raise InputError(
                f"{name}{letter} of dtype {array.dtype} cannot be used; give real numbers"
            )
        array.flags.writeable = False
        arrays.append(array)
    lengths = [array.shape[0] if array.ndim else 0 for array in arrays]
    if lengths[0] != lengths[1] or not lengths[0]:
        raise InputError(
            f"{name}x has shape {arrays[0].shape} and {name}y {arrays[1].shape}; give at least one "
            "point, and as many of y as of x"
        )
    return arrays[0], arrays[1]


def _tensor(values: Array, dtype: torch.dtype, device: torch.device) -> Tensor:
    tensor = torch.from_numpy(np.array(values))
    return tensor.to(device, dtype if tensor.is_floating_point() else None)


def _recorded(dtype: torch.dtype) -> npt.DTypeLike:
    """Return the NumPy dtype for values of `dtype`; float32 for one that NumPy lacks."""
    known: dict[torch.dtype, npt.DTypeLike] = {
        torch.float16: np.dtype(np.float16),
        torch.float64: np.dtype(np.float64),
    }
    return known.get(dtype, np.dtype(np.float32))


def _dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
