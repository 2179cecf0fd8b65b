"""Standardized data: training uses (x - mean) / sd, and the reader sees x."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from animate.system.numbers import MINUS
from animate.training.problem import Doubles, Floats


@dataclass(frozen=True, eq=False)
class Standardization:
    """
    The standardized data of a line, and how its weights become those of the reader's data.

    Attributes
    ----------
    x, y : float32 arrays, shape (n,)
        Standardized, computed in float64.
    x_mean, x_sd, y_mean, y_sd : float
        Of the reader's data; the sd is the population's, and 1 for y that are all equal.
    """

    x: Floats
    y: Floats
    x_mean: float
    x_sd: float
    y_mean: float
    y_sd: float

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in ("x", "y"):
                value = np.asarray(value, np.float32).view()
                value.flags.writeable = False
            object.__setattr__(self, field.name, value)

    @classmethod
    def of(cls, x: Doubles, y: Doubles) -> Standardization:
        """Standardize the float64 arrays `x` and `y`, shape (n,); the x must not all be equal."""
        x_mean, x_sd, y_mean = float(x.mean()), float(x.std()), float(y.mean())
        # The computed sd of equal numbers may be a rounding error above 0.
        y_sd = float(y.std()) if np.ptp(y) else 1.0
        standardized = ((x - x_mean) / x_sd).astype(np.float32), ((y - y_mean) / y_sd)
        return cls(standardized[0], standardized[1].astype(np.float32), x_mean, x_sd, y_mean, y_sd)

    def weights_in_user_units(self, weights: npt.ArrayLike) -> Doubles:
        """Return slope and bias of the reader's data for standardized ones, shape (..., 2)."""
        slope, bias = np.moveaxis(np.asarray(weights, np.float64), -1, 0)
        with np.errstate(all="ignore"):  # of weights that have overflowed
            user_slope = slope * (self.y_sd / self.x_sd)
            user_bias = self.y_mean + self.y_sd * bias - user_slope * self.x_mean
        return np.stack([user_slope, user_bias], axis=-1)

    def equation(self, slope: float, bias: float) -> str:
        """Return the line with these weights of the reader's data, to digits that fit the data."""
        if not (math.isfinite(slope) and math.isfinite(bias)):
            return "no finite line"
        sign = MINUS if bias < 0 else "+"
        # So that whoever computes y at some x of the data is right to a small part of the sd.
        slope_text = _rounded(slope, self.y_sd / max(abs(self.x_mean), self.x_sd))
        return f"y = {slope_text} x {sign} {_rounded(abs(bias), self.y_sd)}"


def _rounded(value: float, size: float) -> str:
    """
    Return `value` with the decimals that numbers of about `size` need for three digits.

    >>> _rounded(0.00312, 0.004), _rounded(71.523, 20), _rounded(-123456.7, 1000), _rounded(3e9, 1)
    ('0.00312', '71.5', '−123457', '3.000e9')
    """
    decimals = max(0, 2 - math.floor(math.log10(max(size, 1e-300))))
    if decimals > 6 or abs(value) >= 1e7:
        text = f"{value:.3e}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")
    else:
        text = f"{value:.{decimals}f}"
    return text.replace("-", MINUS)
