"""Whether views can show runs, and which could instead."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from animate.drawing.views import VIEWS, View, load
from animate.system.errors import InputError
from animate.training.problem import HasLoss, NamesWeights, Predicts, Quadratic, provides
from animate.training.trajectory import Trajectory

CAPABILITY_WORDS: Mapping[type, str] = {
    Predicts: "a model of one input that can be drawn",
    Quadratic: "known best weights and a known Hessian",
    HasLoss: "a loss that can be computed at any weights",
    NamesWeights: "names for its weights",
}
"""What a view may require of a problem, in words."""


def missing_requirement(view_class: type[View], runs: Sequence[Trajectory]) -> str | None:
    """Return why a view cannot show `runs`, or None if it can."""
    for number, run in enumerate(runs, 1):
        name = run.label or f"run {number}"
        for capability in view_class.requires:
            if not provides(run.problem, capability):
                words = CAPABILITY_WORDS.get(capability, capability.__name__)
                return f"it requires a problem with {words}, and {name} has none"
        if "weights" in view_class.records and run.weights is None:
            return f"it requires weights, and {name} has none"
        if "losses" in view_class.records and np.isnan(run.losses).all():
            return f"it requires losses, and {name} has none"
    if view_class.requires and any(run.problem is not runs[0].problem for run in runs):
        return "its panels share their scales, and the runs are of different problems"
    return None


def check_views(view_classes: Sequence[type[View]], runs: Sequence[Trajectory]) -> None:
    """Raise `InputError` if one of `view_classes` cannot show `runs`; it names views that can."""
    for view_class in view_classes:
        reason = missing_requirement(view_class, runs)
        if reason is not None:
            others = ", ".join(_suitable_views(runs)) or (
                "none; draw fewer of the runs together, or give all their losses or weights"
            )
            raise InputError(f"view {_name(view_class)}: {reason}; views that would do: {others}")


def default_views(runs: Sequence[Trajectory]) -> list[type[View]]:
    """
    Return what is drawn where nothing else is asked for.

    Raises
    ------
    InputError
        If no view that suits any runs can show these together.
    """
    usual = [load("fit"), load("loss")]
    if not any(missing_requirement(view_class, runs) for view_class in usual):
        return usual
    others = [load("loss"), load("weights")]
    if all(missing_requirement(view_class, runs) for view_class in others):
        raise InputError(
            "the runs have neither losses nor weights, all of them, that could be drawn together; "
            "give runs with losses"
        )
    return [view_class for view_class in others if not missing_requirement(view_class, runs)]


def _suitable_views(runs: Sequence[Trajectory]) -> Iterator[str]:
    for name in VIEWS:
        if missing_requirement(load(name), runs) is None:
            yield name


def _name(view_class: type[View]) -> str:
    return next(
        (name for name, known in VIEWS.items() if known == view_class.__name__), view_class.__name__
    )
