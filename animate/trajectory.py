"""
One learning rate's run, as numbers: the weights and losses after each epoch.

A trajectory is what training leaves behind and all that drawing needs.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from animate.diagnosis import Diagnosis, diagnose
from animate.errors import InputError
from animate.problem import Floats, Problem


@dataclass(frozen=True, eq=False)
class Trajectory:
    """
    The weights and losses of one run after each epoch, the start first.

    Attributes
    ----------
    lr : float
        The learning rate.
    problem : Problem
        What it was trained on.
    weights : float32 array, shape (epochs + 1, 2)
        Slope and bias; row 0 is the start. Not finite after an overflow.
    losses : float32 array, shape (epochs + 1,)
        The mean squared error at these weights.

    Both arrays are read-only. It does not hold gradients, and nothing of how it is drawn.
    """

    lr: float
    problem: Problem
    weights: Floats
    losses: Floats

    def __post_init__(self) -> None:
        for name in ("weights", "losses"):
            array = np.array(getattr(self, name), dtype=np.float32)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if self.losses.ndim != 1 or self.weights.shape != (len(self.losses), 2):
            raise InputError(
                f"weights have shape {self.weights.shape} and losses {self.losses.shape}; "
                "give (epochs + 1, 2) and (epochs + 1,)"
            )

    @property
    def epochs(self) -> int:
        """How many epochs were run."""
        return len(self.losses) - 1

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """The verdict on this run, and the epochs at which it shows."""
        return diagnose(self.lr, self.weights, self.losses, self.problem)
