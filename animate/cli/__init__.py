"""
The command line: what it asks for, and exit codes.

Files written are named on stdout; everything else goes to stderr.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from animate.cli.arguments import Command, parse
from animate.cli.streams import open_closed_streams, plain, say, tell
from animate.system import environment, files, signals
from animate.system.errors import InputError, OutputError, reason

DONE, FAILED, MISUSED = 0, 1, 2


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
        from animate.cli.job import make

        make(command, settings)
        return DONE
    except Exception as error:
        if command.debug:
            import traceback

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
