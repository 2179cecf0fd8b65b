"""The settings of a training run, their stability limit, and labels that tell runs apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

from animate.system import validation
from animate.system.errors import InputError
from animate.system.numbers import rate_texts

SCHEDULES = ("constant", "step", "cosine", "warmup", "one-cycle", "range")
DEFAULT_MOMENTUM = {"sgd": 0.0, "momentum": 0.9, "nesterov": 0.9}
"""The optimizers that take a momentum, each with its default; all are `torch.optim.SGD`."""

OPTIMIZER_NAMES = {
    "sgd": "SGD",
    "momentum": "Momentum",
    "nesterov": "Nesterov",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "adam": "Adam",
    "adamw": "AdamW",
}
"""The optimizers that have a short name, with the name that a label shows."""

UNSUPPORTED_OPTIMIZERS = {
    "lbfgs": "it needs a closure that evaluates the loss several times per step",
    "sparseadam": "it takes sparse gradients only",
    "muon": "it takes matrices only",
}


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """
    The settings of one training run.

    Attributes
    ----------
    lr : float
        The learning rate, positive.
    optimizer : str
        One of `OPTIMIZER_NAMES`, or the name of a class in `torch.optim`.
    momentum : float, optional
        From 0 to below 1, only with sgd, momentum and nesterov. None means 0 for sgd, and 0.9
        for the other two.
    schedule : str
        How the learning rate changes over the run, one of `SCHEDULES`.
    batch_size : int, optional
        Points per step; None means all of them.
    seed : int
        Seed of the order of the batches.
    label : str, optional
        The name of the run; by default the settings in which it differs from the others.

    Raises
    ------
    InputError
        If a value cannot be used.
    """

    lr: float
    optimizer: str = "sgd"
    momentum: float | None = None
    schedule: str = "constant"
    batch_size: int | None = None
    seed: int = 0
    label: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "lr", validation.learning_rate(self.lr))
        for name, check in _CHECKS.items():
            value = getattr(self, name)
            if value is not _DEFAULTS[name]:  # defaults need no check, which saves time
                object.__setattr__(self, name, check(value))
        if self.momentum is not None:
            object.__setattr__(self, "momentum", self._checked_momentum())

    def _checked_momentum(self) -> float:
        if self.optimizer not in DEFAULT_MOMENTUM:
            raise InputError(
                f"optimizer {self.optimizer} takes no momentum; leave it out, or use one of "
                f"{', '.join(DEFAULT_MOMENTUM)}"
            )
        advice = "give a number from 0 to below 1"
        momentum = validation.number(self.momentum, "momentum", advice=advice)
        if not 0 <= momentum < 1:
            raise InputError(f"momentum {momentum:g} is out of bounds; {advice}")
        if momentum == 0 and self.optimizer == "nesterov":
            raise InputError("nesterov needs a momentum above 0; give one, or use sgd")
        return momentum

    def steps_per_epoch(self, points: int) -> int:
        """Return the number of batches per epoch over so many points; the last may be short."""
        return 1 if self.batch_size is None else math.ceil(points / self.batch_size)

    def for_data_size(self, count: int) -> Hyperparameters:
        """Return self with `batch_size` None if a batch holds all of `count` points."""
        is_full_batch = self.batch_size is not None and self.batch_size >= count
        return replace(self, batch_size=None) if is_full_batch else self

    @property
    def effective_momentum(self) -> float | None:
        """The momentum with its default filled in; None for an optimizer without momentum."""
        if self.momentum is not None:
            return self.momentum
        return DEFAULT_MOMENTUM.get(self.optimizer)

    @property
    def is_plain_descent(self) -> bool:
        """Whether each step is exactly ``-lr`` times the full-batch gradient."""
        return (
            self.effective_momentum == 0 and self.schedule == "constant" and self.batch_size is None
        )

    @property
    def limit_factor(self) -> float | None:
        """
        What the sharpness times the learning rate must be below for stable steps on a quadratic.

        2, or ``2(1+β)`` with momentum β and ``2(1+β)/(1+2β)`` with Nesterov momentum. From there
        on, the recurrence of `torch.optim.SGD` has a root of modulus 1 or more. None for other
        optimizers.
        """
        beta = self.effective_momentum
        if beta is None:
            return None
        factor = 2 * (1 + beta)
        return factor / (1 + 2 * beta) if self.optimizer == "nesterov" else factor

    @property
    def limit_formula(self) -> str | None:
        """The formula of the sharpness at that limit; None for other optimizers."""
        if self.effective_momentum is None:
            return None
        if self.optimizer == "nesterov":
            return "2(1+β)/((1+2β)lr)"
        return "2(1+β)/lr" if self.effective_momentum else "2/lr"

    def stability_limit(self, sharpness: float) -> float | None:
        """
        Return the learning rate from which training on a quadratic loss cannot converge.

        With momentum β, SGD converges below ``2(1+β)/λ``, and with Nesterov momentum below
        ``2(1+β)/((1+2β)λ)``.

        Parameters
        ----------
        sharpness : float
            λ, the largest eigenvalue of the Hessian.

        Returns
        -------
        float or None
            None if no limit is known: for other optimizers, for schedules and for mini-batches.
        """
        factor = self.limit_factor
        if factor is None or self.schedule != "constant" or self.batch_size is not None:
            return None
        return factor / sharpness


def labels_for(settings: Sequence[Hyperparameters]) -> list[str]:
    """
    Return a label for each: its rate, and all fields that differ between runs or from the default.

    >>> labels_for([Hyperparameters(0.1), Hyperparameters(0.7)])
    ['learning rate 0.1', 'learning rate 0.7']
    >>> labels_for([Hyperparameters(0.1), Hyperparameters(0.1, "adam")])
    ['SGD, learning rate 0.1', 'Adam, learning rate 0.1']
    >>> labels_for([Hyperparameters(0.1, momentum=0.9), Hyperparameters(0.1)])
    ['momentum 0.9, learning rate 0.1', 'no momentum, learning rate 0.1']
    """
    if not settings:
        return []
    rates = list(dict.fromkeys(one.lr for one in settings))
    rate_labels = dict(zip(rates, rate_texts(rates), strict=True))

    def is_informative(name: str) -> bool:
        """Return whether a field differs between runs, or has another value than the default."""
        values = {getattr(one, name) for one in settings}
        return len(values) > 1 or values != {_DEFAULTS[name]}

    shown = {name for name in ("schedule", "batch_size", "seed") if is_informative(name)}
    momentum = is_informative("momentum")
    optimizer = is_informative("optimizer")
    texts = []
    for one in settings:
        parts = []
        if optimizer:
            parts.append(OPTIMIZER_NAMES.get(one.optimizer, one.optimizer))
        if momentum and one.effective_momentum is not None:
            beta = one.effective_momentum
            parts.append(f"momentum {beta:g}" if beta else "no momentum")
        parts.append(f"learning rate {rate_labels[one.lr]}")
        if "schedule" in shown:
            parts.append(f"{one.schedule} schedule")
        if "batch_size" in shown:
            parts.append("all points" if one.batch_size is None else f"batches of {one.batch_size}")
        if "seed" in shown:
            parts.append(f"seed {one.seed}")
        texts.append(", ".join(parts))
    return texts


def _optimizer(name: object) -> str:
    """Return `name` if it is well-formed; only training can tell whether torch has it."""
    known = ", ".join(OPTIMIZER_NAMES)
    if not (isinstance(name, str) and name.isidentifier()):
        raise InputError(
            f"optimizer {validation.quoted(name)} is not a name; choose from {known}, or give the "
            "name of a class in torch.optim"
        )
    if name.lower() in UNSUPPORTED_OPTIMIZERS:
        raise InputError(
            f"optimizer {name} cannot be used: {UNSUPPORTED_OPTIMIZERS[name.lower()]}; "
            f"choose from {known}"
        )
    return name.lower() if name.lower() in OPTIMIZER_NAMES else name


_CHECKS: dict[str, Callable[[object], object]] = {
    "optimizer": _optimizer,
    "schedule": lambda value: validation.choice(value, "schedule", SCHEDULES),
    "batch_size": lambda value: validation.whole(value, "batch size", least=1),
    "seed": lambda value: validation.whole(value, "seed", least=0, most=validation.LARGEST_SEED),
    "label": validation.label,
}
_DEFAULTS = {field.name: field.default for field in fields(Hyperparameters)}
