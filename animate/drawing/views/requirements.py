"""Whether views can show runs, and which could instead."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from animate.drawing.views import VIEWS, View, load
from animate.system.errors import InputError
from animate.training.problem import HasLoss, NamesWeights, Predicts, Quadratic, provides
from animate.training.trajectory import Trajectory

CAPABILITIES: Mapping[type, str] = {
    Predicts: "a model of one input that can be drawn",
    Quadratic: "known best weights and a known Hessian",
    HasLoss: "a loss that can be computed at any weights",
    NamesWeights: "names for its weights",
}
"""What a view may require of a problem, in words."""


def lacks(kind: type[View], runs: Sequence[Trajectory]) -> str | None:
    """Return why a view cannot show `runs`, or None if it can."""
    for number, run in enumerate(runs, 1):
        name = run.label or f"run {number}"
        for capability in kind.requires:
            if not provides(run.problem, capability):
                words = CAPABILITIES.get(capability, capability.__name__)
                return f"it requires a problem with {words}, and {name} has none"
        if "weights" in kind.records and run.weights is None:
            return f"it requires weights, and {name} has none"
        if "losses" in kind.records and np.isnan(run.losses).all():
            return f"it requires losses, and {name} has none"
    if kind.requires and any(run.problem is not runs[0].problem for run in runs):
        return "its panels share their scales, and the runs are of different problems"
    return None


def check(kinds: Sequence[type[View]], runs: Sequence[Trajectory]) -> None:
    """Raise `InputError` if one of `kinds` cannot show `runs`; it names views that can."""
    for kind in kinds:
        reason = lacks(kind, runs)
        if reason is not None:
            others = ", ".join(_showing(runs)) or (
                "none; draw fewer of the runs together, or give all their losses or weights"
            )
            raise InputError(f"view {_name(kind)}: {reason}; views that would do: {others}")


def default_views(runs: Sequence[Trajectory]) -> list[type[View]]:
    """
    Return what is drawn where nothing else is asked for.

    Raises
    ------
    InputError
        If no view that suits any runs can show these together.
    """
    usual = [load("fit"), load("loss")]
    if not any(lacks(kind, runs) for kind in usual):
        return usual
    others = [load("loss"), load("weights")]
    if all(lacks(kind, runs) for kind in others):
        raise InputError(
            "the runs have neither losses nor weights, all of them, that could be drawn together; "
            "give runs with losses"
        )
    return [kind for kind in others if not lacks(kind, runs)]


def _showing(runs: Sequence[Trajectory]) -> Iterator[str]:
    for name in VIEWS:
        if lacks(load(name), runs) is None:
            yield name


def _name(kind: type[View]) -> str:
    return next((name for name, known in VIEWS.items() if known == kind.__name__), kind.__name__)
