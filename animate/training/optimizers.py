"""Optimizers and learning rate schedules, all of them PyTorch's own."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

import torch
from torch.optim import Optimizer, lr_scheduler

from animate.system.errors import InputError
from animate.system.validation import quoted
from animate.training.hyperparameters import DEFAULT_MOMENTUM, OPTIMIZER_NAMES, Hyperparameters

Scheduler = lr_scheduler.LRScheduler

FIRST_SHARE, RANGE = (
    1e-5,
    1e6,
)  # of a range test: its first rate relative to lr, its last to its first


def optimizer_class(name: str) -> type[Optimizer]:
    """
    Return the class of `torch.optim` for `Hyperparameters.optimizer`.

    Raises
    ------
    InputError
        If `torch.optim` has no such optimizer.
    """
    if name in DEFAULT_MOMENTUM:
        return torch.optim.SGD
    found = getattr(torch.optim, OPTIMIZER_NAMES.get(name, name), None)
    if isinstance(found, type) and issubclass(found, Optimizer) and found is not Optimizer:
        return found
    classes = {
        known: value
        for known, value in vars(torch.optim).items()
        if isinstance(value, type) and issubclass(value, Optimizer) and value is not Optimizer
    }
    near = [known for known in classes if known.lower() == name.lower()]
    near = near or difflib.get_close_matches(name, [*classes, *OPTIMIZER_NAMES], n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise InputError(
        f"optimizer {quoted(name)} is not in torch.optim; {hint}choose from "
        f"{', '.join(OPTIMIZER_NAMES)}, or give the name of a class there"
    )


def make_optimizer(
    settings: Hyperparameters, parameters: Iterable[torch.nn.Parameter]
) -> Optimizer:
    """Return the optimizer of `settings`, with PyTorch's defaults for all that they do not say."""
    if settings.optimizer in DEFAULT_MOMENTUM:
        momentum = settings.effective_momentum
        assert momentum is not None
        return torch.optim.SGD(
            parameters,
            lr=settings.lr,
            momentum=momentum,
            nesterov=settings.optimizer == "nesterov",
        )
    make: Callable[..., Optimizer] = optimizer_class(settings.optimizer)
    return make(parameters, lr=settings.lr)


def make_scheduler(schedule: str, optimizer: Optimizer, steps: int) -> Scheduler | None:
    """
    Return the scheduler for `steps` updates, to be stepped after each; None if `constant`.

    ``step`` divides the rate by 10 after each third of the run, ``cosine`` lowers it to 0,
    ``warmup`` raises it over the first tenth, ``one-cycle`` raises it to lr and lowers it again,
    and ``range`` raises it exponentially from 1e-5 to 10 times lr.
    """
    if schedule == "constant":
        return None
    if schedule == "step":
        return lr_scheduler.StepLR(optimizer, max(1, steps // 3), 0.1)
    if schedule == "cosine":
        return lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    if schedule == "warmup":
        rising = max(1, steps // 10)
        return lr_scheduler.LambdaLR(optimizer, lambda step: min(1, (step + 1) / rising))
    if schedule == "one-cycle":
        rate = optimizer.param_groups[0]["lr"]
        return lr_scheduler.OneCycleLR(
            optimizer, max_lr=rate, total_steps=steps, cycle_momentum=False
        )
    assert schedule == "range"
    last = max(1, steps - 1)
    return lr_scheduler.LambdaLR(optimizer, lambda step: FIRST_SHARE * RANGE ** (step / last))
