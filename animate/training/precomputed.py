"""Data that views need besides the runs, computed before anything is drawn."""

import importlib
from collections.abc import Callable, Mapping, Sequence

from animate.system import validation
from animate.training.trajectory import Trajectory

PRECOMPUTED: Mapping[str, str] = {
    "convergence": "convergence.convergence_of_runs",
    "map": "sweeps.maps.map_of_runs",
    "sharpness": "sharpness.sharpness_curves",
    "plane": "planes.plane",
    "random_plane": "planes.random_plane",
}
"""
For each name that a view may list in `View.needs`, a function of a scene's runs: module.function.

Its module is imported when a view needs it, since few do.
"""


def precompute(
    names: Sequence[str],
    runs: Sequence[Trajectory],
    known: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """
    Return the data for each of `names`, computed once per name.

    Parameters
    ----------
    names : sequence of str
        Keys of `PRECOMPUTED`; one may occur several times.
    runs : sequence of Trajectory
    known : mapping of str to object, optional
        Data that need not be computed, by their names.

    Raises
    ------
    InputError
        If a name is unknown, or its data cannot be computed from these runs.
    """
    for name in names:
        validation.choice(name, "data", PRECOMPUTED)
    known = known or {}
    return {
        name: known[name] if name in known else _function(PRECOMPUTED[name])(runs)
        for name in dict.fromkeys(names)
    }


def _function(name: str) -> Callable[[Sequence[Trajectory]], object]:
    module, _, function = name.rpartition(".")
    found: Callable[[Sequence[Trajectory]], object]
    found = getattr(importlib.import_module(f"animate.training.{module}"), function)
    return found
