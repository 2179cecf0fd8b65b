"""What of a run's numbers can be drawn: a diverging run outgrows every axis, then float32."""

import numpy as np
import numpy.typing as npt

from animate.problem import Doubles

FARTHEST = 1e30  # from here on, coordinate transforms overflow


def drawable(values: npt.ArrayLike) -> Doubles:
    """Return `values` in float64, limited to what transforms bear, and NaN where not finite."""
    array = np.array(values, np.float64)
    array[~np.isfinite(array)] = np.nan
    return np.clip(array, -FARTHEST, FARTHEST)
