"""Data that views need besides the runs, computed before anything is drawn."""

from collections.abc import Callable, Mapping, Sequence

from animate.system import validation
from animate.training.convergence import convergence_curve
from animate.training.planes import plane, random_plane
from animate.training.sharpness import sharpness_curves
from animate.training.trajectory import Trajectory

PRECOMPUTED: Mapping[str, Callable[[Sequence[Trajectory]], object]] = {
    "convergence": lambda runs: convergence_curve(runs[0].problem),
    "sharpness": sharpness_curves,
    "plane": plane,
    "random_plane": random_plane,
}
"""A function of a scene's runs for each name that a view may list in `View.needs`."""


def precompute(names: Sequence[str], runs: Sequence[Trajectory]) -> dict[str, object]:
    """
    Return the data for each of `names`, computed once per name.

    Parameters
    ----------
    names : sequence of str
        Keys of `PRECOMPUTED`; one may occur several times.
    runs : sequence of Trajectory

    Raises
    ------
    InputError
        If a name is unknown, or its data cannot be computed from these runs.
    """
    for name in names:
        validation.choice(name, "data", PRECOMPUTED)
    return {name: PRECOMPUTED[name](runs) for name in dict.fromkeys(names)}
