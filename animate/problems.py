"""The public names of the ready problems."""

from animate.training.problems import READY as READY
from animate.training.problems import ReadyProblem as ReadyProblem
from animate.training.problems import chebyshev as chebyshev
from animate.training.problems import circles as circles
from animate.training.problems import curve as curve
from animate.training.problems import digits as digits
from animate.training.problems import fractal as fractal
from animate.training.problems import moons as moons
from animate.training.problems import spirals as spirals
