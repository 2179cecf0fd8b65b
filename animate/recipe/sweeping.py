"""The sweep of a recipe: what a map shows, and the levels of a zoom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from animate.recipe import Recipe

if TYPE_CHECKING:
    from animate.training.line import Line
    from animate.training.supervised import Supervised
    from animate.training.sweep import Grid
    from animate.training.sweeps.engines import Engine
    from animate.training.sweeps.plan import Plan

LARGE_SWEEP = 1_000_000  # steps of a network, from which it is worth to start processes


def plan_map(recipe: Recipe, problem: Line | Supervised) -> Plan | None:
    """
    Return the sweep that the maps of `recipe` show, or None if it has none.

    Raises
    ------
    InputError
        If an axis cannot be swept, or the problem cannot be trained in batches.
    """
    if not recipe.has_map:
        return None
    from animate.training.sweep import plan_sweep
    from animate.training.sweeps.maps import (
        axis,
        default_axes,
        default_resolution,
        settings_beside,
    )

    resolution = recipe.resolution or default_resolution(problem)
    trained = recipe.trained
    if recipe.x is None or recipe.y is None:
        axes = default_axes(problem, [one.lr for one in trained], resolution)
    else:
        ends = zip((recipe.x, recipe.y), resolution, strict=True)
        axes = {name: axis(name, low, high, count) for (name, low, high), count in ends}
    return plan_sweep(problem, axes, recipe.epochs, fixed=settings_beside(trained[0], axes))


def is_large(plan: Plan) -> bool:
    """Return whether processes of our own save time."""
    from animate.training.line import Line

    steps = plan.run_count * plan.epochs
    return not isinstance(plan.problem, Line) and steps >= LARGE_SWEEP


def sweep_data(
    recipe: Recipe,
    plan: Plan,
    engine: Engine,
    resume: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, object]:
    """
    Train the sweep of `recipe`, and return what its pictures need of it.

    "map" is a `Grid`; with a zoom, "zoom" is the list of its levels, of which the first is the map.
    """
    from animate.training.sweep import run_sweep

    if recipe.depth is None:
        return {"map": run_sweep(plan, engine, resume, on_progress)}
    from animate.training.sweeps.zoom import lattices_of, zoom

    levels = zoom(plan, lattices_of(plan), recipe.depth, engine, resume, on_progress)
    return {"map": levels[0], "zoom": levels}


def zoom_note(data: Mapping[str, object]) -> str | None:
    """Return the dimension of the boundary in the levels of a zoom, as a sentence."""
    from animate.training.sweeps.zoom import dimension

    levels: list[Grid] | None = data.get("zoom")  # type: ignore[assignment]
    if levels is None:
        return None
    middle, error = dimension(levels)
    return (
        f"box-counting dimension of the boundary: {middle:.2f} ± {error:.2f}, the median over "
        f"{len(levels)} levels and its standard error"
    )
