"""What a recipe trains: sampled points, a file of points, a ready problem, or a function's."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from animate.system import validation
from animate.system.errors import InputError

if TYPE_CHECKING:
    from animate.recipe import Recipe
    from animate.training.line import Line
    from animate.training.problems import ReadyProblem
    from animate.training.supervised import Supervised

READY_NAMES = ("moons", "circles", "spirals", "digits", "curve", "chebyshev", "fractal")
"""The names in `training.problems.READY`, without importing torch."""

FRACTAL = "fractal"

RETURNS = "return an animate.Supervised or an animate.Line"


def make_problem(recipe: Recipe) -> Line | Supervised:
    """
    Return what `recipe` trains.

    Raises
    ------
    InputError
        If the data cannot be read or differ from what the recipe records, or if the problem that
        it names is missing, raises, or is something else.
    """
    from animate.training.line import Line

    start: Any = recipe.start
    if recipe.data is not None:
        x, y = recipe.columns or (None, None)
        line = Line.read_csv(recipe.data, x, y, standardize=recipe.standardize, start=start)
        _check_data(recipe)
        return line
    if recipe.problem is None:
        assert recipe.seed is not None  # it has a default here
        return Line.sample(recipe.seed, recipe.points, recipe.noise, recipe.true_weights, start)
    ready = ready_problem(recipe.problem)
    make = _callable(recipe.problem) if ready is None else ready.make
    if recipe.problem == FRACTAL:
        make = partial(make, recipe.width, recipe.activation)
    return _called(make, recipe.problem, recipe.seed)


def check_name(name: str) -> str:
    """Return `name` if it is that of a ready problem, or may be that of a function."""
    if ":" not in name and name not in READY_NAMES:
        near = difflib.get_close_matches(name, READY_NAMES, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(
            f"there is no problem {validation.quoted(name)}; {hint}choose from "
            f"{', '.join(READY_NAMES)}, or give your own as file.py:function or module:function"
        )
    return name


def ready_problem(name: str | None) -> ReadyProblem | None:
    """Return the ready problem called `name`, if that is one."""
    if name not in READY_NAMES:
        return None
    from animate.training.problems import READY  # here, since it needs torch

    return READY[name]


def python_file(name: str) -> str:
    """Return the file in the name of a problem; "" if it names none."""
    file = name.rpartition(":")[0]
    return file if file.endswith(".py") else ""


def _check_data(recipe: Recipe) -> None:
    assert recipe.data is not None
    from animate.recipe.report import checksum

    if recipe.data_sha256 is not None and checksum(recipe.data) != recipe.data_sha256:
        raise InputError(
            f"{recipe.data} is not the file that the recipe was made from: its data-sha256 is "
            "another; give that file, or leave out data-sha256"
        )


def _callable(name: str) -> Callable[..., object]:
    """Return the function that ``file.py:function`` or ``module:function`` names."""
    module_name, _, attribute = name.rpartition(":")
    try:
        found: object = _module(module_name)
    except Exception as error:
        raise InputError(
            f"problem {name}: {module_name} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    for part in attribute.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        what = "has no" if found is None else f"has a {type(found).__name__}, not a function,"
        raise InputError(
            f"problem {name}: {module_name} {what} {attribute}; give a function without "
            f"arguments, and let it {RETURNS}"
        )
    return found


def _module(name: str) -> ModuleType:
    if not name.endswith(".py"):
        folder = str(Path.cwd())  # as `python -m` does
        sys.path.insert(0, folder)
        try:
            return importlib.import_module(name)
        finally:
            sys.path.remove(folder)
    path = Path(name).resolve()
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None  # as the name ends in .py
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))  # for the modules beside it
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


def _called(make: Callable[..., object], name: str, seed: int | None) -> Line | Supervised:
    from animate.training.line import Line
    from animate.training.supervised import Supervised

    arguments: dict[str, Any] = {}
    if seed is not None:
        if "seed" not in inspect.signature(make).parameters:
            raise InputError(f"problem {name} takes no seed; leave --seed out")
        arguments = {"seed": seed}
    try:
        problem = make(**arguments)
    except InputError as error:
        raise InputError(f"problem {name}: {error}") from error
    except Exception as error:
        raise InputError(
            f"problem {name} cannot be made: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(problem, Line | Supervised):
        raise InputError(
            f"problem {name} returns a {type(problem).__name__}, which cannot be trained; {RETURNS}"
        )
    return problem
