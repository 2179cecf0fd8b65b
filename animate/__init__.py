"""
Videos and figures that show why the learning rate matters.

>>> import animate
>>> problem = animate.Line.sample(seed=11)
>>> runs = animate.train(problem, lrs=[0.1, 0.7, 1.01], epochs=100)
>>> [run.diagnosis.verdict for run in runs]
['converged', 'converged', 'diverging']

Each name is imported at its first use, so that `import animate` loads neither torch nor matplotlib.
"""

import importlib
from typing import TYPE_CHECKING

from animate.system import signals
from animate.system.version import VERSION

if signals.is_program():  # before slow imports; an importing program keeps its own handlers
    signals.listen()

if TYPE_CHECKING:
    from animate import problems as problems
    from animate.film.animation import Animation as Animation
    from animate.film.movie_writer import save as save
    from animate.recipe import Recipe as Recipe
    from animate.recipe.loading import load as load
    from animate.recipe.making import make as make
    from animate.system.errors import DestinationError as DestinationError
    from animate.system.errors import DrawingError as DrawingError
    from animate.system.errors import Error as Error
    from animate.system.errors import InputError as InputError
    from animate.system.errors import OutputError as OutputError
    from animate.system.errors import SweepError as SweepError
    from animate.training.checkpoints import from_checkpoints as from_checkpoints
    from animate.training.descent import train as train
    from animate.training.diagnosis import Diagnosis as Diagnosis
    from animate.training.hyperparameters import Hyperparameters as Hyperparameters
    from animate.training.line import Line as Line
    from animate.training.problem import Classifies as Classifies
    from animate.training.problem import HasLoss as HasLoss
    from animate.training.problem import HasTorchLoss as HasTorchLoss
    from animate.training.problem import Predicts as Predicts
    from animate.training.problem import Problem as Problem
    from animate.training.problem import Quadratic as Quadratic
    from animate.training.recorder import Recorder as Recorder
    from animate.training.sharpness import sharpness as sharpness
    from animate.training.supervised import Supervised as Supervised
    from animate.training.sweep import VERDICTS as VERDICTS
    from animate.training.sweep import Grid as Grid
    from animate.training.sweep import sweep as sweep
    from animate.training.trajectory import Runs as Runs
    from animate.training.trajectory import Trajectory as Trajectory

__version__ = VERSION

_MODULES = {
    "Animation": "film.animation",
    "Classifies": "training.problem",
    "DestinationError": "system.errors",
    "Diagnosis": "training.diagnosis",
    "DrawingError": "system.errors",
    "Error": "system.errors",
    "Grid": "training.sweep",
    "HasLoss": "training.problem",
    "HasTorchLoss": "training.problem",
    "Hyperparameters": "training.hyperparameters",
    "InputError": "system.errors",
    "Line": "training.line",
    "OutputError": "system.errors",
    "Predicts": "training.problem",
    "Problem": "training.problem",
    "Quadratic": "training.problem",
    "Recipe": "recipe",
    "Recorder": "training.recorder",
    "Runs": "training.trajectory",
    "Supervised": "training.supervised",
    "SweepError": "system.errors",
    "Trajectory": "training.trajectory",
    "VERDICTS": "training.sweep",
    "from_checkpoints": "training.checkpoints",
    "load": "recipe.loading",
    "make": "recipe.making",
    "save": "film.movie_writer",
    "sharpness": "training.sharpness",
    "sweep": "training.sweep",
    "train": "training.descent",
}
__all__ = ["__version__", "problems", *_MODULES]


def __getattr__(name: str) -> object:
    if name == "problems":
        return importlib.import_module("animate.problems")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
