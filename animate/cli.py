"""
The command line: arguments to a recipe, its making shown truthfully, and exit codes.

Files written are named on stdout; everything else goes to stderr.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from animate import __version__, files, signals, surroundings
from animate.destinations import DESTINATIONS, bound_for, destination
from animate.errors import InputError, OutputError, reason
from animate.inputs import MOMENTS, SIZES, SNIPPETS, choice, whole
from animate.recipe import (
    DEFAULT_OUTPUTS,
    FOLDER,
    Group,
    Recipe,
    Watcher,
    Writing,
    check,
    check_use,
    groups,
    make,
    write_in_turn,
)
from animate.views import VIEWS
from animate.wording import epochs_text, figures, rate_texts

if TYPE_CHECKING:
    from rich.progress import Progress

    from animate.problem import Floats
    from animate.trajectory import Trajectory

DONE, FAILED, MISUSED = 0, 1, 2
SHOW_CURSOR = b"\r\x1b[2K\x1b[?25h"  # which the bar hides, on a line that it wrote
LOSS_EVERY = 10  # epochs between two lines of the table
EPOCHS_A_FRAME = 50  # that take about as long to train as a frame to draw

EXAMPLES = """\
examples:
  animate
      the three rates of the article, to outputs/convergence.mp4 and .gif
  animate --lrs 0.3 -o "my talk/one rate.mp4" --size 1920x1080
      one rate, one film, where you say
  animate --views surface bowl -o valley.svg -o steps.pdf --at 0 8 40 100
      figures for slides: a sheet of four epochs, and a page for each
"""


def run() -> NoReturn:
    """Run the command line and leave with its exit code."""
    signals.listen()  # again, for it may have been started in a way that the package did not see
    _open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):  # so that a path is printed as it was given
        sys.stdout.reconfigure(
            encoding=sys.getfilesystemencoding(), errors=sys.getfilesystemencodeerrors()
        )
    code = FAILED
    try:
        code = _ended(sys.argv[1:])
        _tell("", sys.stdout)  # flushes what argparse has printed
    except OutputError as error:
        _say(f"animate: {error}")
        code = FAILED
    except signals.Stopped as stop:
        _say(_plain(f"animate: {signals.name(stop.number)}; {stop.sentence}"))
        code = stop.code
    except Exception as error:
        _say(_plain(f"animate: {reason(error)}"))
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
    options = vars(_parser().parse_args(_guarded(arguments)))
    asked = _Asked(**{name: options.pop(name) for name in _Asked.__annotations__})
    surroundings.settle()
    try:
        _check_alone(asked, options)
        if asked.list_recipes:
            return _list_recipes()
        if asked.verify is not None:
            return _verify(asked.verify, quiet=asked.quiet)
        return _make(_recipe(asked, options), asked)
    except Exception as error:
        if asked.debug:
            traceback.print_exception(error)
        _say(_plain(f"animate: {reason(error)}"))
        return MISUSED if isinstance(error, InputError) else FAILED


@dataclass(frozen=True)
class _Asked:
    """What the command line says besides the recipe."""

    recipe: str | None
    destination: str | None
    embed: str | None
    jobs: str | None
    save_recipe: str | None
    verify: str | None
    list_recipes: bool
    quiet: bool
    json: bool
    debug: bool
    dry_run: bool


def _check_alone(asked: _Asked, options: Mapping[str, Any]) -> None:
    """Raise if what does another job, or prints another text, has company."""
    alone = {"--list-recipes": asked.list_recipes, "--verify": asked.verify is not None}
    said = [option for option, is_given in alone.items() if is_given]
    making = (asked.recipe, asked.destination, asked.embed, asked.save_recipe)
    if said and (len(said) > 1 or options or any(making) or asked.json or asked.dry_run):
        raise InputError(f"{said[0]} makes nothing; leave out what says how to make it")
    if asked.embed is not None and asked.json:
        raise InputError("--embed and --json both print instead of the paths; give one of them")


def _recipe(asked: _Asked, options: dict[str, Any]) -> Recipe:
    """Return the recipe that is named, with what is said beside it over what it says."""
    if asked.destination is not None and asked.recipe is None:
        place = destination(asked.destination)
        options.setdefault("size", place.size)
        options.setdefault("outputs", [f"{FOLDER}/convergence{place.films[0]}"])
    if asked.recipe is not None:
        from animate.recipe.toml import named

        recipe = named(asked.recipe, options)
    else:
        recipe = Recipe(**options)
    check_use(recipe, options.keys() & {"at", "max_size"})  # the others are of no harm
    return recipe if asked.destination is None else bound_for(asked.destination, recipe)


def _make(recipe: Recipe, asked: _Asked) -> int:
    jobs = None if asked.jobs is None else whole(asked.jobs, "number of jobs", least=1, most=64)
    kind = None if asked.embed is None else choice(asked.embed, "kind of text", SNIPPETS)
    whole_recipe = recipe
    if kind is not None:
        from animate.embed import with_companions

        whole_recipe = with_companions(recipe, kind)
        for output in whole_recipe.listed[len(recipe.listed) :]:
            if not asked.quiet:
                _say(_plain(f"{output.path} is made too, for the text to name"))
    if asked.save_recipe is not None:
        _check_recipe_path(asked.save_recipe)
    surroundings.load_matplotlib()
    check(whole_recipe)
    if asked.dry_run:
        _say(_plan(whole_recipe))
        return DONE
    lists_files = not (asked.json or kind)
    with (
        _Display(
            whole_recipe, quiet=asked.quiet, list_files=lists_files, debug=asked.debug
        ) as display,
        _writing(whole_recipe, jobs) as write,
    ):

        def write_all(
            groups: Sequence[Group], runs: Sequence[Trajectory], watcher: Watcher
        ) -> list[str]:
            if asked.save_recipe is not None:
                with signals.told():
                    _save_recipe(recipe, asked.save_recipe)
                    watcher.wrote(asked.save_recipe)
            return write(groups, runs, watcher)

        runs = make(whole_recipe, display, _until_stopped(write_all, display))
    if kind is not None:
        from animate.embed import snippet

        _tell(snippet(recipe, kind, runs) + "\n", sys.stdout)
    if asked.json:
        from animate.recipe.settings import as_settings
        from animate.report import report, text

        made = [part.path for part in whole_recipe.parts if part.form != "report"]
        _tell(text(report(as_settings(whole_recipe), runs, made)), sys.stdout)
    return DONE


def _until_stopped(write: Writing, display: _Display) -> Writing:
    """Return `write` such that a signal stops it, unless all is done by then."""

    def written(groups: Sequence[Group], runs: Sequence[Trajectory], watcher: Watcher) -> list[str]:
        signals.begin_writing()
        try:
            failed = write(groups, runs, watcher)
            signals.finish()
        except signals.Stopped as stop:
            drawn = [part.path for group in groups for part in group]
            if not all(path in display.written for path in drawn):
                stop.sentence = display.what_is_missing()
                raise
            failed = []  # it came when all was done, and changes nothing
        return failed

    return written


def _check_recipe_path(path: str) -> None:
    files.extension(path, [".toml"])
    files.check(path)


def _save_recipe(recipe: Recipe, path: str) -> None:
    from animate.recipe.toml import dumps

    text = dumps(recipe, Path(path).parent)
    with files.atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _list_recipes() -> int:
    from animate.recipe.toml import shipped

    for name, says in shipped().items():
        _tell(f"{name:10} {says}\n", sys.stdout)
    return DONE


def _verify(path: str, *, quiet: bool) -> int:
    from animate.verify import verify

    surroundings.load_matplotlib()
    signals.begin_writing()  # what is made again lies in a folder for a while
    found = verify(path)
    for finding in found:
        if quiet and finding.holds:
            continue
        _say(f"{'holds' if finding.holds else 'FAILS'}  {finding.sentence}")
    return DONE if all(finding.holds for finding in found) else FAILED


@contextmanager
def _writing(recipe: Recipe, jobs: int | None) -> Iterator[Writing]:
    """Yield how to write the outputs: at most `jobs` side by side, by default one a core."""
    from animate.workers import cores, side_by_side

    jobs = min(jobs or cores(), max(len(groups(recipe)), 1))
    if jobs == 1:
        yield write_in_turn
        return
    with side_by_side(jobs) as write:
        yield write


class _Display:
    """A `Watcher` that shows the making on stderr and, at its end, names the files on stdout."""

    def __init__(self, recipe: Recipe, *, quiet: bool, list_files: bool, debug: bool) -> None:
        self._recipe = recipe
        self._quiet = quiet
        self._debug = debug
        self._list_files = list_files
        self._bar: Progress | None = None
        self._frames = 0
        self.written: list[str] = []

    def __enter__(self) -> _Display:
        if not self._quiet and sys.stderr.isatty():
            signals.last_words(SHOW_CURSOR)
            self._bar = _progress_bar()
            self._bar.add_task("training", total=None)
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()
        if self._list_files:
            order = {part.path: place for place, part in enumerate(self._recipe.parts)}
            written = sorted(self.written, key=lambda path: order.get(path, -1))
            _tell("".join(f"{path}\n" for path in written), sys.stdout)

    def epoch(self, epoch: int, losses: Floats) -> None:
        """Show every tenth epoch's losses."""
        if epoch == 0:
            rates = [f"lr {text}" for text in rate_texts(self._recipe.rates)]
            self._show(_table_line("epoch", rates))
        if epoch % LOSS_EVERY == 0:
            self._show(_table_line(str(epoch), [figures(loss) for loss in losses]))
        self._advance(1 / EPOCHS_A_FRAME)

    def more(self, frames: int) -> None:
        """Now that the work is known, show how much of it is done."""
        self._frames += frames
        if self._bar is not None:
            total = self._frames + (self._recipe.epochs + 1) / EPOCHS_A_FRAME
            self._bar.update(self._bar.task_ids[0], total=total, description="drawing")

    def frame(self) -> None:
        """Advance by a frame."""
        self._advance(1)

    def note(self, sentence: str) -> None:
        """Show the sentence."""
        self._show(_plain(sentence))

    def wrote(self, output: str) -> None:
        """Keep the file's name for the end, when the bar is gone."""
        self.written.append(output)

    def failed(self, output: str, error: OutputError) -> None:
        """Show the error, quiet or not."""
        del output  # the error names it
        if self._debug:
            self._show("".join(traceback.format_exception(error)).rstrip(), always=True)
        self._show(_plain(f"animate: {error}"), always=True)

    def what_is_missing(self) -> str:
        """Return what is said of the outputs that are not there."""
        paths = [part.path for part in self._recipe.parts if part.path not in self.written]
        were = "was" if len(paths) == 1 else "were"
        return f"{', '.join(paths)} {were} not made, and nothing is half-written"

    def _advance(self, amount: float) -> None:
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0], amount)

    def _show(self, line: str, *, always: bool = False) -> None:
        if self._quiet and not always:
            return
        if self._bar is not None:
            self._bar.console.print(line, highlight=False, markup=False, soft_wrap=True)
        else:
            _say(line)


def _progress_bar() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )


def _table_line(first: str, cells: Sequence[str]) -> str:
    return f"{first:>6}" + "".join(f"  {cell:>10}" for cell in cells)


def _plan(recipe: Recipe) -> str:
    lines = [
        f"would train {epochs_text(recipe.epochs)} at "
        f"{', '.join(rate_texts(recipe.rates))} (seed {recipe.seed}) and write"
    ]
    for part in recipe.parts:
        size = "x".join(map(str, part.pixels))
        what = {
            "film": f"{size}, {part.fps:g} frames a second",
            "still": f"{size}, at {', '.join(map(str, part.at))}",
            "page": "an interactive page",
            "report": "a report",
        }[part.form]
        lines.append(f"  {part.path}  {what}")
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Return `text` on one line: what a name may hold must not move the cursor."""
    return "".join(part if part.isprintable() else ascii(part)[1:-1] for part in text)


def _say(text: str) -> None:
    _tell(f"{text}\n", sys.stderr)


def _tell(text: str, stream: TextIO) -> None:
    """Write `text`; that nobody reads it is no reason to stop."""
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        # What the stream still holds would fail again, and aloud, when Python ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        if stream is sys.stdout and not isinstance(error, BrokenPipeError):
            raise OutputError(f"cannot write to the standard output: {error.strerror}") from error


def _open_closed_streams() -> None:
    """Open what the caller has closed, lest a file of ours take its number and get its text."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
            setattr(
                sys, name, os.fdopen(descriptor, "r" if name == "stdin" else "w", closefd=False)
            )


def _guarded(arguments: Sequence[str]) -> list[str]:
    """
    Return `arguments` with a space before negative numbers, lest ``-inf`` be taken for an option.

    ``-1`` alone argparse knows; ``-1e0`` and ``-inf`` it does not. `float` passes over the space.
    """

    def is_number(text: str) -> bool:
        try:
            float(text)
        except ValueError:
            return False
        return True

    return [
        f" {text}" if text.startswith("-") and is_number(text) and before not in ("-o", "--output")
        else text
        for before, text in zip(["", *arguments], arguments, strict=False)
    ]  # fmt: skip


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one sentence, without the usage."""
        _say(_plain(f"animate: {message}; see animate --help"))
        raise SystemExit(MISUSED)


class _Help(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=96)


def _parser() -> argparse.ArgumentParser:
    """Return the parser: its values stay text, for `Recipe` to check; absent ones stay absent."""
    default = Recipe  # its fields' defaults are its attributes
    parser = _Parser(
        prog="animate",
        usage="animate [RECIPE.toml] [--lrs LR ...] [--views VIEW ...] [-o PATH ...] [options]",
        description="Trains a line at several learning rates and shows what each does.",
        epilog=EXAMPLES,
        formatter_class=_Help,
        argument_default=argparse.SUPPRESS,
        add_help=False,
        allow_abbrev=False,
    )

    parser.add_argument(
        "recipe", nargs="?", metavar="RECIPE", default=None,
        help="a file that says what is said here, or the name of one that ships",
    )  # fmt: skip

    training = parser.add_argument_group("training")
    add = training.add_argument
    add("--lrs", nargs="+", metavar="LR", help=f"learning rates (default: {_words(default.lrs)})")
    add("--epochs", metavar="N", help=f"full-batch steps (default: {default.epochs})")
    add("--seed", metavar="N", help=f"of the data (default: {default.seed})")
    add("--points", metavar="N", help=f"of the data (default: {default.points})")
    add("--noise", metavar="KIND", help="uniform, gaussian or none (default: uniform on [0, 1))")
    add(
        "--true", nargs=2, dest="true_weights", metavar=("SLOPE", "BIAS"),
        help=f"the weights behind the data (default: {_words(default.true_weights)})",
    )  # fmt: skip
    add(
        "--start", nargs=2, metavar=("SLOPE", "BIAS"),
        help=f"the weights before the first step (default: {_words(default.start)})",
    )  # fmt: skip

    picture = parser.add_argument_group("picture")
    add = picture.add_argument
    add(
        "--views", nargs="+", metavar="VIEW",
        help=f"of {_words(VIEWS)} (default: {_words(default.views)})",
    )  # fmt: skip
    add(
        "--size", metavar="WxH",
        help=f"in pixels, or {_words(SIZES)} (default: 1280x720, a GIF 800x450)",
    )  # fmt: skip
    add(
        "--theme",
        metavar="NAME",
        help="light, dark, transparent or a matplotlib style file (default: light)",
    )
    add("--title", metavar="TEXT", help='above the picture; "" for none')
    add(
        "--at", nargs="+", metavar="EPOCH",
        help=f"of a still, or {_words(MOMENTS)}; several make a sheet, or pages (default: end)",
    )  # fmt: skip
    add("--fps", metavar="N", help=f"frames a second (default: {default.fps:g})")
    add("--hold", metavar="S", help=f"seconds that the end stands (default: {default.hold:g})")
    add(
        "--duration", metavar="S",
        help="length of the film in seconds (default: every epoch shown, under 14 s)",
    )  # fmt: skip
    add("--loop", metavar="N", help="how often it plays, of GIF, WebP, APNG (default: 0, for ever)")
    add(
        "--max-size", metavar="SIZE",
        help="the best film of at most so much, such as 2MB: less quality, then fewer frames a "
        "second, then a smaller picture",
    )  # fmt: skip
    add("--quality", metavar="Q", help=f"low, medium or high (default: {default.quality})")

    output = parser.add_argument_group("output")
    add = output.add_argument
    add(
        "-o", "--output", action="append", dest="outputs", metavar="PATH",
        help="a file to write: .mp4 .webm .gif .webp .apng, a folder/ of frames, "
        ".png .svg .pdf for a still, .html for an interactive page, .json for a report; "
        f"may be given several times (default: {_words(DEFAULT_OUTPUTS)})",
    )  # fmt: skip
    add(
        "--for", dest="destination", metavar="PLACE", default=None,
        help=f"the format, size and limit of {_words(DESTINATIONS)}",
    )  # fmt: skip
    add(
        "--embed", metavar="KIND", default=None,
        help=f"print the text to paste: {_words(SNIPPETS)}; picture heeds dark pages and a wish "
        "for less motion",
    )  # fmt: skip
    add("--save-recipe", metavar="PATH", default=None, help="write all this as a recipe, too")
    add("--jobs", metavar="N", default=None, help="files made side by side (default: one a core)")
    add("--quiet", action="store_true", default=False, help="show errors only")
    add("--json", action="store_true", default=False, help="print one report instead of the paths")
    add("--debug", action="store_true", default=False, help="after an error, show where it arose")
    add("--dry-run", action="store_true", default=False, help="check everything, write nothing")
    add("--verify", metavar="REPORT", default=None, help="compare with what a report recorded")
    add("--list-recipes", action="store_true", default=False, help="name the recipes that ship")
    add("--version", action="version", version=f"animate {__version__}", help="print the version")
    add("--help", "-h", action="help", help="print this page")
    return parser


def _words(values: Iterable[object]) -> str:
    return " ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)
