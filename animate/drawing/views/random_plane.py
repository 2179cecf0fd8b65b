"""The paths of all runs over the loss in a plane of random directions."""

from collections.abc import Sequence

from animate.drawing.views.plane import Plane
from animate.system.numbers import share_text
from animate.training import planes
from animate.training.planes import Plane as LossPlane
from animate.training.trajectory import Trajectory, labels


class RandomPlane(Plane):
    """Show all paths over contours of the loss in a plane of filter-normalised directions."""

    needs = ("random_plane",)

    @classmethod
    def lacks(cls, runs: Sequence[Trajectory]) -> str | None:
        """Return what `runs` lack for a plane of filter-normalised directions."""
        return planes.lacks_random_plane(runs)

    @classmethod
    def captions(cls, plane: LossPlane, runs: Sequence[Trajectory]) -> tuple[str, str]:
        """Return a short and a full caption, both with the explained variance."""
        share = share_text(plane.share)
        last = "; last buffers" if runs[0].buffers else ""
        through = "the end" if len(runs) == 1 else f"the end of {labels(runs)[0]}"
        return (
            f"random plane, {share} of the variance{last}; dots: own loss, off the plane",
            f"random plane through {through}, filter-normalised: {share} of the variance{last}. "
            "Dots lie off it and show their own loss",
        )
