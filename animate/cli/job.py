"""A recipe from the command line, and its making, shown to a person."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from animate.cli.arguments import Command
from animate.cli.display import Display, plan
from animate.cli.streams import plain, say, tell
from animate.recipe import OUTPUT_FOLDER, Recipe
from animate.recipe.destinations import apply_limits, destination
from animate.recipe.making import (
    Writing,
    check_use,
    groups,
    prepare_runs,
    settings_without_effect,
    sweep_runs,
    train_runs,
    write_in_turn,
    write_outputs,
)
from animate.recipe.problems import READY_NAMES
from animate.recipe.sweeping import is_large, plan_map
from animate.system import environment, files, signals
from animate.system.errors import InputError
from animate.system.validation import SNIPPETS, choice, whole

if TYPE_CHECKING:
    from animate.training.sweeps.engines import Engine
    from animate.training.trajectory import Trajectory

MUST_HAVE_EFFECT = ("at", "max_size")  # settings that are refused if no output uses them


def make(command: Command, settings: dict[str, Any]) -> None:
    """
    Make what the command line asks for.

    Raises
    ------
    InputError, OutputError
        If a value cannot be used, or a file cannot be made.
    """
    recipe = _recipe(command, settings)
    ignored = settings_without_effect(recipe, settings.keys() - {*MUST_HAVE_EFFECT})
    _make(recipe, command, ignored)


def _recipe(command: Command, settings: dict[str, Any]) -> Recipe:
    """Return the recipe of the command line: a named one, whose settings the options override."""
    if command.destination is not None and command.recipe is None:
        place = destination(command.destination)
        settings.setdefault("size", place.size)
        settings.setdefault("outputs", [f"{OUTPUT_FOLDER}/convergence{place.films[0]}"])
    if command.recipe is not None:
        from animate.recipe.toml import named

        recipe = named(command.recipe, settings)
    else:
        recipe = Recipe(**settings)
    check_use(recipe, settings.keys() & {*MUST_HAVE_EFFECT})
    return recipe if command.destination is None else apply_limits(command.destination, recipe)


def _make(recipe: Recipe, command: Command, ignored: Sequence[str]) -> None:
    jobs = None if command.jobs is None else whole(command.jobs, "number of jobs", least=1, most=64)
    kind = None if command.embed is None else choice(command.embed, "kind of text", SNIPPETS)
    whole_recipe = recipe
    if kind is not None:
        from animate.recipe.embed import with_companions

        whole_recipe = with_companions(recipe, kind)
        for output in whole_recipe.normalized_outputs[len(recipe.normalized_outputs) :]:
            if not command.quiet:
                say(plain(f"{output.path} is made too, since the text names it"))
    if command.save_recipe is not None:
        _check_recipe_path(command.save_recipe)
    environment.import_matplotlib()
    prepared = prepare_runs(whole_recipe)
    _check_sweep_options(whole_recipe, command)
    if not command.quiet:
        for sentence in ignored:
            say(f"animate: --{sentence}")
    if command.dry_run:
        say(plan(whole_recipe))
        return
    lists_files = not (command.json or kind)
    with (
        Display(
            whole_recipe, quiet=command.quiet, list_files=lists_files, debug=command.debug
        ) as display,
        _sweeping(whole_recipe, prepared, command, jobs) as engine,
        _writing(whole_recipe, jobs) as write,
    ):
        runs = train_runs(whole_recipe, prepared, display)
        signals.begin_writing()
        try:
            try:
                if command.save_recipe is not None:
                    _save_recipe(recipe, command.save_recipe, display)
                known = sweep_runs(whole_recipe, runs, display, engine, command.resume)
                write_outputs(whole_recipe, runs, display, write, known)
            finally:
                signals.finish()
        except signals.Stopped as stop:  # also one that arrives in `finish`
            if not display.has_written_all():
                stop.consequence = display.what_is_missing()
                raise
    if kind is not None:
        from animate.recipe.embed import snippet

        tell(snippet(recipe, kind, runs) + "\n", sys.stdout)
    if command.json:
        from animate.recipe.report import report, text
        from animate.recipe.settings import as_settings

        made = [part.path for part in whole_recipe.by_output if part.form != "report"]
        tell(text(report(as_settings(whole_recipe), runs, made)), sys.stdout)


def _check_sweep_options(recipe: Recipe, command: Command) -> None:
    given = [name for name in ("scheduler", "resume") if getattr(command, name) is not None]
    if given and not recipe.has_map:
        raise InputError(
            f"--{given[0]} has no effect, since no picture has a sweep; add the view map, or leave "
            "it out"
        )


@contextmanager
def _sweeping(
    recipe: Recipe, prepared: Sequence[Trajectory], command: Command, jobs: int | None
) -> Iterator[Engine | None]:
    """Yield what trains the sweep of `recipe`, None for this process."""
    problem: Any = prepared[0].problem
    plan = plan_map(recipe, problem)
    if plan is None:
        yield None
        return
    from animate.cli.workers import cores
    from animate.training.sweeps.engines import ProcessPool, Scheduler, pickled_problem

    if command.scheduler is None and jobs is None:  # a model of the reader's own need not pickle
        jobs = cores() if is_large(plan) and recipe.problem in READY_NAMES else 1
    engine: Engine | None = None
    if command.scheduler is not None:
        pickled_problem(problem)
        # Dask logs tracebacks when the scheduler is gone, and its import sets its loggers' levels.
        logging.disable(logging.CRITICAL)
        engine = Scheduler(command.scheduler)
    elif jobs is not None and jobs > 1:
        pickled_problem(problem)
        engine = ProcessPool(jobs)
    try:
        yield engine
    finally:
        if engine is not None:
            engine.close()


def _check_recipe_path(path: str) -> None:
    files.extension(path, [".toml"])
    files.check(path)


def _save_recipe(recipe: Recipe, path: str, display: Display) -> None:
    from animate.recipe.toml import dumps

    text = dumps(recipe, Path(path).parent)
    with signals.deferred_until_reported():
        with files.atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        display.on_written(path)


@contextmanager
def _writing(recipe: Recipe, jobs: int | None) -> Iterator[Writing]:
    """Yield the function that writes the outputs with `jobs` processes, by default one a core."""
    from animate.cli.workers import cores, worker_processes

    # A model of the reader's own need not pickle.
    most = len(groups(recipe)) if recipe.problem is None else 1
    jobs = min(jobs or cores(), most)
    if jobs <= 1:
        yield write_in_turn
        return
    with worker_processes(jobs) as write:
        yield write
