"""What views need beside the runs: computed from them here, before anything is drawn."""

from collections.abc import Callable, Mapping, Sequence

from animate.system import validation
from animate.training.convergence import convergence
from animate.training.trajectory import Trajectory

DERIVED: Mapping[str, Callable[[Sequence[Trajectory]], object]] = {
    "convergence": lambda runs: convergence(runs[0].problem),
}
"""How each is made from the runs of a scene, by the name that a view gives in `View.needs`."""


def derive(names: Sequence[str], runs: Sequence[Trajectory]) -> dict[str, object]:
    """
    Return what `names` stand for, each made once.

    Raises
    ------
    InputError
        If nothing is called so, or it cannot be computed from these runs.
    """
    for name in names:
        validation.choice(name, "data", DERIVED)
    return {name: DERIVED[name](runs) for name in dict.fromkeys(names)}
