"""
One learning rate's run, as numbers: the weights and losses after each epoch.

A trajectory is what training leaves behind and all that drawing needs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from animate.diagnosis import Diagnosis, diagnoses
from animate.errors import InputError
from animate.problem import Floats, Problem

DIAGNOSED = 1_000_000  # epochs of all runs that are diagnosed at once, in 100 MB or so


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
        return diagnoses([self.lr], self.weights[None], self.losses[None], self.problem)[0]


def trajectories(
    problem: Problem, lrs: Sequence[float], weights: Floats, losses: Floats
) -> list[Trajectory]:
    """
    Return the trajectories of several runs, and diagnose many of them at once.

    `weights` has shape (epochs + 1, runs, 2) and `losses` (epochs + 1, runs).
    """
    runs = [Trajectory(lr, problem, weights[:, run], losses[:, run]) for run, lr in enumerate(lrs)]
    several = max(1, DIAGNOSED // len(losses))
    for first in range(0, len(runs), several):
        some = slice(first, first + several)
        together = diagnoses(lrs[some], weights[:, some].swapaxes(0, 1), losses[:, some].T, problem)
        for run, diagnosis in zip(runs[some], together, strict=True):
            vars(run)["diagnosis"] = diagnosis  # as the cached property would, but sooner
    return runs


def epoch_of(moment: int | str, runs: Sequence[Trajectory]) -> int:
    """
    Return the epoch that `moment` names.

    Parameters
    ----------
    moment : int, "start", "end" or "converged"
        As `animate.inputs.moments` returns it. The last is the first epoch by which all runs
        that converge have done so.
    runs : sequence of Trajectory
        Of one number of epochs.

    Raises
    ------
    InputError
        If no run converges, and so there is no epoch called that.
    """
    last = runs[0].epochs
    if isinstance(moment, str):
        arrived = [at for run in runs if (at := run.diagnosis.converged_at) is not None]
        if moment == "converged" and not arrived:
            raise InputError(
                f"no run converges within {last} epochs, so there is no epoch 'converged'; "
                "give a number, or train for more epochs"
            )
        return {"start": 0, "end": last, "converged": max(arrived, default=last)}[moment]
    return moment
