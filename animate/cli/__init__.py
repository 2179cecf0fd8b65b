"""
The command line: arguments to a recipe, its making shown truthfully, and exit codes.

Files written are named on stdout; everything else goes to stderr.
"""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from animate.cli.arguments import Command, parse
from animate.cli.display import Display, plan
from animate.cli.streams import open_closed_streams, plain, say, tell
from animate.recipe import OUTPUT_FOLDER, Recipe
from animate.recipe.destinations import apply_limits, destination
from animate.recipe.making import (
    Writing,
    check_use,
    groups,
    prepare_runs,
    settings_without_effect,
    train_runs,
    write_in_turn,
    write_outputs,
)
from animate.system import environment, files, signals
from animate.system.errors import InputError, OutputError, reason
from animate.system.validation import SNIPPETS, choice, whole

DONE, FAILED, MISUSED = 0, 1, 2
MUST_HAVE_EFFECT = ("at", "max_size")  # settings that are refused if no output uses them


def run() -> NoReturn:
    """Run the command line and leave with its exit code."""
    signals.listen()  # again: `signals.is_program` does not see every way to start it
    open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):  # so that a path is printed as it was given
        sys.stdout.reconfigure(
            encoding=sys.getfilesystemencoding(), errors=sys.getfilesystemencodeerrors()
        )
    code = FAILED
    try:
        code = _ended(sys.argv[1:])
        tell("", sys.stdout)  # flushes what argparse has printed
    except OutputError as error:
        say(f"animate: {error}")
        code = FAILED
    except signals.Stopped as stop:
        say(plain(f"animate: {stop}; {stop.consequence}"))
        code = stop.exit_code
    except Exception as error:
        say(plain(f"animate: {reason(error)}"))
    signals.finish()
    files.discard_all()
    signals.leave(code)


def _ended(arguments: Sequence[str]) -> int:
    """Return the exit code of `main`, also where argparse ends it."""
    try:
        return main(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else DONE


def main(arguments: Sequence[str]) -> int:
    """
    Do what `arguments` say and return the exit code.

    0 done, 1 failed, 2 wrong usage or input. A diverging run is no failure.
    """
    command, settings = parse(arguments)
    environment.isolate()
    try:
        _check_alone(command, settings)
        if command.list_recipes:
            return _list_recipes()
        if command.verify is not None:
            return _verify(command.verify, quiet=command.quiet)
        recipe = _recipe(command, settings)
        ignored = settings_without_effect(recipe, settings.keys() - {*MUST_HAVE_EFFECT})
        return _make(recipe, command, ignored)
    except Exception as error:
        if command.debug:
            traceback.print_exception(error)
        say(plain(f"animate: {reason(error)}"))
        return MISUSED if isinstance(error, InputError) else FAILED


def _check_alone(command: Command, settings: Mapping[str, Any]) -> None:
    """Raise if an option that writes no files, or prints a text of its own, is combined."""
    alone = {"--list-recipes": command.list_recipes, "--verify": command.verify is not None}
    said = [option for option, is_given in alone.items() if is_given]
    making = (command.recipe, command.destination, command.embed, command.save_recipe)
    if said and (len(said) > 1 or settings or any(making) or command.json or command.dry_run):
        raise InputError(f"{said[0]} writes no files, so it cannot be combined with other options")
    if command.embed is not None and command.json:
        raise InputError("--embed and --json both print instead of the paths; give one of them")


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


def _make(recipe: Recipe, command: Command, ignored: Sequence[str]) -> int:
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
    if not command.quiet:
        for sentence in ignored:
            say(f"animate: --{sentence}")
    if command.dry_run:
        say(plan(whole_recipe))
        return DONE
    lists_files = not (command.json or kind)
    with (
        Display(
            whole_recipe, quiet=command.quiet, list_files=lists_files, debug=command.debug
        ) as display,
        _writing(whole_recipe, jobs) as write,
    ):
        runs = train_runs(whole_recipe, prepared, display)
        signals.begin_writing()
        try:
            try:
                if command.save_recipe is not None:
                    _save_recipe(recipe, command.save_recipe, display)
                write_outputs(whole_recipe, runs, display, write)
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
    return DONE


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


def _list_recipes() -> int:
    from animate.recipe.toml import shipped

    for name, says in shipped().items():
        tell(f"{name:10} {says}\n", sys.stdout)
    return DONE


def _verify(path: str, *, quiet: bool) -> int:
    from animate.recipe.verify import verify

    environment.import_matplotlib()
    signals.begin_writing()  # what is made again lies in a folder for a while
    found = verify(path)
    for finding in found:
        if quiet and finding.holds:
            continue
        say(f"{'holds' if finding.holds else 'FAILS'}  {finding.sentence}")
    return DONE if all(finding.holds for finding in found) else FAILED


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
