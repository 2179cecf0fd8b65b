"""Check whether views can show runs, and name views that can."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from animate.drawing.views import VIEWS, View, load
from animate.system.errors import InputError
from animate.training.line import Line
from animate.training.problem import (
    Classifies,
    HasLoss,
    HasTorchLoss,
    NamesWeights,
    Predicts,
    Problem,
    Quadratic,
    provides,
)
from animate.training.trajectory import Trajectory, metric_names

CAPABILITY_WORDS: Mapping[type, str] = {
    Predicts: "has one input and predicts at any weights",
    Problem: "has data and first weights",
    Classifies: "has two inputs and gives each class a score at any weights",
    Quadratic: "has known best weights and a known Hessian",
    HasLoss: "computes its loss at any weights",
    HasTorchLoss: "computes its loss with torch at any weights",
    NamesWeights: "has names for its weights",
    Line: "is an animate.Line",
}
"""What a view may require of a problem, in words that follow "a problem that"."""


def missing_requirement(view_class: type[View], runs: Sequence[Trajectory]) -> str | None:
    """Return the reason why a view cannot show `runs`, or None if it can."""
    for number, run in enumerate(runs, 1):
        name = run.label or f"run {number}"
        for capability in view_class.requires:
            if not provides(run.problem, capability):
                words = CAPABILITY_WORDS.get(capability, f"provides {capability.__name__}")
                actual = "has no problem" if run.problem is None else "has another kind of problem"
                return f"it requires a problem that {words}, but {name} {actual}"
        if "weights" in view_class.records and run.weights is None:
            return f"it requires weights, but {name} has none"
        count = view_class.weight_count
        if count is not None and run.weights is not None and run.weights.shape[1] != count:
            return f"it requires {count} weights, but {name} has {run.weights.shape[1]}"
        if "losses" in view_class.records and np.isnan(run.losses).all():
            return f"it requires losses, but {name} has none"
        if "metrics" in view_class.records and not metric_names(run):
            return f"it requires metrics, such as the accuracy, but {name} has none"
    if view_class.requires and any(run.problem is not runs[0].problem for run in runs):
        return "its panels share their scales, but the runs have different problems"
    return view_class.lacks(runs)


def check_views(view_classes: Sequence[type[View]], runs: Sequence[Trajectory]) -> None:
    """Raise `InputError` if a view cannot show `runs`. The message names views that can."""
    for view_class in view_classes:
        reason = missing_requirement(view_class, runs)
        if reason is not None:
            others = ", ".join(_suitable_views(runs)) or (
                "none; draw fewer runs together, or give the losses or weights of all"
            )
            raise InputError(
                f"view {name_of(view_class)}: {reason}; views that can show these runs: {others}"
            )


def default_views(runs: Sequence[Trajectory]) -> list[type[View]]:
    """
    Return the problem's own views, else fit or boundary with loss, else loss and weights.

    Each can show `runs`.

    Raises
    ------
    InputError
        If none of these can show `runs`.
    """
    own = getattr(runs[0].problem, "default_views", ())
    candidates = [*([own] if own else []), ("fit", "loss"), ("boundary", "loss")]
    for names in candidates:
        known = [load(name) for name in names if name in VIEWS]
        if known and not any(missing_requirement(view_class, runs) for view_class in known):
            return known
    others = [load("loss"), load("weights")]
    if all(missing_requirement(view_class, runs) for view_class in others):
        raise InputError(
            "neither losses nor weights are known of all runs; give runs that have losses"
        )
    return [view_class for view_class in others if not missing_requirement(view_class, runs)]


def _suitable_views(runs: Sequence[Trajectory]) -> Iterator[str]:
    for name in VIEWS:
        if missing_requirement(load(name), runs) is None:
            yield name


def name_of(view_class: type[View]) -> str:
    """Return the name of a view in `VIEWS`, or else that of its class."""
    return next(
        (name for name, known in VIEWS.items() if known == view_class.__name__), view_class.__name__
    )
