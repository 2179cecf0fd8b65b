"""
A surface in three dimensions, projected once, so that it can be drawn like any other picture.

The projection is that of matplotlib's mplot3d, from far away: parallel lines stay parallel. What
moves over the surface is projected with the same matrix and drawn as plain lines.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d import proj3d  # type: ignore[import-untyped]

from animate.training.problem import Doubles

BOX_ASPECT = 1.0, 1.0, 0.42  # of x, y and z
ELEVATION = 42.0  # degrees: high enough to see into a bowl
AZIMUTHS = -60, -30, -120, -150, 30, 60, 120, 150  # the first of those that show the most
SIGHT_STEPS = 60
CLEARANCE = 0.01  # relative to the height, by which a surface must be above a point to hide it


@dataclass(frozen=True, eq=False)
class Surface:
    """
    Heights over a grid.

    Attributes
    ----------
    x, y : float64 arrays, shapes (N,) and (M,)
        Ascending and evenly spaced.
    z : float64 array, shape (M, N)
        Finite.
    """

    x: Doubles
    y: Doubles
    z: Doubles

    @property
    def limits(self) -> tuple[tuple[float, float], ...]:
        """The least and the largest x, y and z; a flat surface has some height too."""
        low, high = float(self.z.min()), float(self.z.max())
        return (
            (float(self.x[0]), float(self.x[-1])),
            (float(self.y[0]), float(self.y[-1])),
            (low, high if high > low else low + max(1.0, abs(low))),
        )

    def height(self, points: Doubles) -> Doubles:
        """Return the height at `points`, shape (…, 2): bilinear, and NaN outside."""
        (left, right), (low, high), _ = self.limits
        with np.errstate(invalid="ignore", over="ignore"):
            across = (points[..., 0] - left) / (right - left) * (len(self.x) - 1)
            up = (points[..., 1] - low) / (high - low) * (len(self.y) - 1)
            inside = (across >= 0) & (across <= len(self.x) - 1)
            inside &= (up >= 0) & (up <= len(self.y) - 1)
        across, up = np.where(inside, across, 0), np.where(inside, up, 0)
        column = np.minimum(across.astype(int), len(self.x) - 2)
        row = np.minimum(up.astype(int), len(self.y) - 2)
        dx, dy = across - column, up - row
        lower = self.z[row, column] * (1 - dx) + self.z[row, column + 1] * dx
        upper = self.z[row + 1, column] * (1 - dx) + self.z[row + 1, column + 1] * dx
        result: Doubles = np.where(inside, lower * (1 - dy) + upper * dy, np.nan)
        return result


@dataclass(frozen=True, eq=False)
class Projection:
    """
    A parallel projection.

    Attributes
    ----------
    matrix : float64 array, shape (4, 4)
        That of `mpl_toolkits.mplot3d.Axes3D.get_proj`.
    azimuth : float
        Of the camera, in degrees.
    """

    matrix: Doubles
    azimuth: float

    @classmethod
    def of(cls, limits: tuple[tuple[float, float], ...], azimuth: float) -> "Projection":
        """Return the projection of a box with `limits` of x, y and z, seen from `azimuth`."""
        axes = Figure().add_subplot(projection="3d", proj_type="ortho")
        axes.set(xlim3d=limits[0], ylim3d=limits[1], zlim3d=limits[2])
        axes.set_box_aspect(BOX_ASPECT)
        axes.view_init(elev=ELEVATION, azim=azimuth)
        return cls(np.asarray(axes.get_proj()), azimuth)

    def flat(self, points: Doubles) -> Doubles:
        """Return `points`, shape (…, 3), in the plane of the picture, shape (…, 2)."""
        x, y, _ = self._project(points)
        return np.stack([x, y], axis=-1)

    def depth(self, points: Doubles) -> Doubles:
        """Return how far `points`, shape (…, 3), are from the camera, up to a constant."""
        return -self._project(points)[2]

    def _project(self, points: Doubles) -> tuple[Doubles, Doubles, Doubles]:
        with np.errstate(over="ignore", invalid="ignore"):
            flat = np.asarray(points, np.float64).reshape(-1, 3).T
            found = proj3d.proj_transform(*flat, self.matrix)
        x, y, z = (np.asarray(one, np.float64).reshape(points.shape[:-1]) for one in found)
        return x, y, z


def choose_projection(surface: Surface, points: Doubles) -> Projection:
    """Return the projection in which the surface hides the fewest of `points`, shape (T, 3)."""
    candidates = [Projection.of(surface.limits, azimuth) for azimuth in AZIMUTHS]
    return min(candidates, key=lambda one: int(hidden(surface, points, one.azimuth).sum()))


def hidden(surface: Surface, points: Doubles, azimuth: float) -> npt.NDArray[np.bool_]:
    """Return which of `points`, shape (T, 3), are behind the surface, seen from `azimuth`."""
    spans = np.array([high - low for low, high in surface.limits]) / BOX_ASPECT
    turn, rise = np.radians(azimuth), np.radians(ELEVATION)
    to_camera = np.array([np.cos(turn), np.sin(turn), np.tan(rise)]) * spans
    steps = np.linspace(0, 1.5, SIGHT_STEPS + 1)[1:, None, None]
    sight = points + steps * to_camera
    with np.errstate(invalid="ignore"):  # outside of the surface nothing is hidden
        above = surface.height(sight[..., :2]) > sight[..., 2] + CLEARANCE * spans[2]
    result: npt.NDArray[np.bool_] = above.any(axis=0)
    return result
