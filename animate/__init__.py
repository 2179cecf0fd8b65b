"""
Videos and figures that show why the learning rate matters.

>>> import animate
>>> problem = animate.Problem.sample(seed=11)
>>> runs = animate.train(problem, lrs=[0.1, 0.7, 1.01], epochs=100)
>>> [run.diagnosis.verdict for run in runs]
['converged', 'converged', 'diverging']

Names are loaded when they are first used, so that importing the package costs nothing.
"""

import importlib
from typing import TYPE_CHECKING

from animate import signals

if signals.is_program():  # before anything that takes time; whoever imports us keeps their handlers
    signals.listen()

if TYPE_CHECKING:
    from animate.animation import Animation as Animation
    from animate.animation import save as save
    from animate.diagnosis import Diagnosis as Diagnosis
    from animate.errors import DestinationError as DestinationError
    from animate.errors import DrawingError as DrawingError
    from animate.errors import Error as Error
    from animate.errors import InputError as InputError
    from animate.errors import OutputError as OutputError
    from animate.problem import Problem as Problem
    from animate.recipe import Recipe as Recipe
    from animate.recipe.making import make as make
    from animate.report import load as load
    from animate.training import train as train
    from animate.trajectory import Trajectory as Trajectory

__version__ = "0.1.0"

_HOME = {
    "Animation": "animation",
    "DestinationError": "errors",
    "Diagnosis": "diagnosis",
    "DrawingError": "errors",
    "Error": "errors",
    "InputError": "errors",
    "OutputError": "errors",
    "Problem": "problem",
    "Recipe": "recipe",
    "Trajectory": "trajectory",
    "load": "report",
    "make": "recipe.making",
    "save": "animation",
    "train": "training",
}
__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
