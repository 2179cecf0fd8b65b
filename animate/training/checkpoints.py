"""One run from the checkpoints that a training script saved."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from animate.system import files, validation
from animate.system.errors import InputError
from animate.training.model_loss import (
    Loss,
    ModelLoss,
    check_loss,
    check_model,
    copy_buffers,
    flat_weights,
    loss_value,
    saved_buffers,
)
from animate.training.problem import Array, Problem
from animate.training.trajectory import Trajectory

STATE_KEYS = ("state_dict", "model_state_dict", "model")
WRAPPER_PREFIXES = ("module.", "_orig_mod.")  # of DistributedDataParallel and torch.compile
LARGEST = 10**12  # bytes


def from_checkpoints(
    make_model: Callable[[], nn.Module],
    paths: Iterable[files.AnyPath] | files.AnyPath,
    *,
    loss: Loss | None = None,
    steps: Iterable[int] | None = None,
) -> Trajectory:
    """
    Return one run with a record for each checkpoint.

    Parameters
    ----------
    make_model : callable
        Returns the model, called once; its random numbers leave the global state unchanged.
    paths : paths
        Files that `torch.save` wrote, in the order of training. Each holds a `state_dict`, or a
        mapping with one under "state_dict", "model_state_dict" or "model". They are read with
        ``weights_only=True``.
    loss : callable, optional
        Takes the model, or nothing, and returns the loss, in eval mode.
    steps : ints, optional
        The updates made before each checkpoint; by default 0, 1, 2, …

    Raises
    ------
    InputError
        If there is no checkpoint, or one cannot be read or is of another model.
    """
    several = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not several:
        raise InputError("no checkpoint is given; give at least one path")
    numbers = None if steps is None else np.array(list(steps))
    if numbers is not None and len(numbers) != len(several):
        raise InputError(
            f"there are {len(several)} checkpoints and {len(numbers)} steps; give as many of each"
        )
    if not callable(make_model):
        raise InputError(
            f"make_model {validation.quoted(make_model)} is not a function; give one that returns "
            "the model"
        )
    with torch.random.fork_rng():
        model = check_model(make_model())
    function = None if loss is None else check_loss(loss, model)
    names = saved_buffers(model)
    weights, losses = [], []
    buffers: dict[str, list[Array]] = {}
    for path in several:
        _load(model, path)
        weights.append(flat_weights(model.parameters()))
        for name, values in copy_buffers(dict(model.named_buffers()), names).items():
            buffers.setdefault(name, []).append(values)
        losses.append(math.nan if function is None else loss_value(model, function))
    stacked = {name: np.stack(values) for name, values in buffers.items()}
    last = {name: values[-1] for name, values in stacked.items()}
    return Trajectory(
        np.stack(weights),
        np.array(losses),
        steps=numbers,  # type: ignore[arg-type]
        buffers=stacked,
        problem=None if loss is None else cast("Problem", ModelLoss(model, loss, last)),
    )


def _load(model: nn.Module, path: files.AnyPath) -> None:
    """Load the checkpoint at `path` into `model`."""
    state = _state_dict(path)
    for prefix in WRAPPER_PREFIXES:
        if all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path} is a checkpoint of another model than make_model returns: {reason[:400]}"
        ) from None


def _state_dict(path: files.AnyPath) -> dict[str, Tensor]:
    files.check_source(path, LARGEST, "checkpoint")
    try:
        contents: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {files.cause(error)}; give another") from None
    except Exception as error:  # on another kind of file the unpickler may raise anything
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path} cannot be read as a checkpoint with weights_only=True: {reason[:200]}; "
            "write it with torch.save(model.state_dict(), path)"
        ) from None
    if isinstance(contents, Mapping):
        inner = next((contents[key] for key in STATE_KEYS if key in contents), contents)
        for state in (inner, contents):  # a model may have a part called "model"
            if _is_state_dict(state):
                return dict(state)
    raise InputError(
        f"{path} has no state_dict, neither as a whole nor under one of "
        f"{', '.join(STATE_KEYS)}; write it with torch.save(model.state_dict(), path)"
    )


def _is_state_dict(state: object) -> bool:
    return (
        isinstance(state, Mapping)
        and bool(state)
        and all(isinstance(name, str) for name in state)
        and all(isinstance(value, Tensor) for value in state.values())
    )
