"""Output for a person: the plan of a dry run, the table of losses, the progress bar."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Sequence
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING

from animate.cli.streams import plain, say, tell
from animate.recipe import Recipe
from animate.system import signals
from animate.system.errors import OutputError
from animate.system.numbers import count_text, rate_texts, value_text
from animate.training.hyperparameters import Hyperparameters, labels_for

if TYPE_CHECKING:
    from rich.progress import Progress

    from animate.training.problem import Floats

SHOW_CURSOR = b"\r\x1b[2K\x1b[?25h"  # erases the bar's line and shows the cursor, which it hid
SWEEP_SECONDS = 5  # between lines on a sweep
MOST_LINES = 20  # of the table of losses, beside epoch 0
EPOCHS_PER_FRAME = 50  # epochs that train in about the time that one frame takes to draw


class Display:
    """A `ProgressListener` that shows progress on stderr and, at the end, prints the paths."""

    def __init__(self, recipe: Recipe, *, quiet: bool, list_files: bool, debug: bool) -> None:
        self._recipe = recipe
        self._quiet = quiet
        self._debug = debug
        self._list_files = list_files
        self._bar: Progress | None = None
        self._frames = 0
        self._headings: list[str] = []
        self._notes: set[str] = set()
        self._sweep_began: float | None = None
        self._sweep_told = 0.0
        self._first_done = 0
        self.written: list[str] = []

    def __enter__(self) -> Display:
        if not self._quiet and sys.stderr.isatty():
            signals.call_before_exit(partial(os.write, 2, SHOW_CURSOR))
            self._bar = _progress_bar()
            self._bar.add_task("training", total=None)
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()
        if self._list_files:
            order = {part.path: place for place, part in enumerate(self._recipe.by_output)}
            written = sorted(self.written, key=lambda path: order.get(path, -1))
            tell("".join(f"{path}\n" for path in written), sys.stdout)

    def on_epoch(self, epoch: int, losses: Floats) -> None:
        """Show the losses of every tenth epoch, or of fewer epochs if there are many."""
        if epoch == 0:
            self._headings = _headings(self._recipe)
            self._show(_table_line("epoch", self._headings, self._headings))
        if epoch % _epochs_per_line(self._recipe.epochs) == 0:
            cells = [value_text(loss) for loss in losses]
            self._show(_table_line(str(epoch), cells, self._headings))
        self._advance(1 / EPOCHS_PER_FRAME)

    def on_sweep(self, done: int, total: int) -> None:
        """Show how much of the sweep is trained, at which rate, and the time left."""
        now = time.monotonic()
        if self._sweep_began is None:
            self._sweep_began = self._sweep_told = now
            self._first_done = done  # may come from a file, in no time
        passed = now - self._sweep_began
        if done < total and (now - self._sweep_told < SWEEP_SECONDS or not passed):
            return
        self._sweep_told = now
        rate = (done - self._first_done) / passed if passed else 0.0
        line = f"{done:,} of {total:,} runs"
        if rate:
            line += f", {rate:,.0f} a second, {_duration((total - done) / rate)} left"
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], description=line)
        else:
            self._show(line)

    def on_total(self, frames: int) -> None:
        """Set the length of the bar."""
        self._frames += frames
        if self._bar is not None:
            total = self._frames + (self._recipe.epochs + 1) / EPOCHS_PER_FRAME
            self._bar.update(self._bar.task_ids[0], total=total, description="drawing")

    def on_frame(self) -> None:
        """Advance the bar by a frame."""
        self._advance(1)

    def on_note(self, sentence: str) -> None:
        """Show the remark, once if it is the same on several files."""
        if sentence not in self._notes:
            self._notes.add(sentence)
            self._show(plain(sentence))

    def on_written(self, output: str) -> None:
        """Keep the path for the end, when the bar is gone."""
        self.written.append(output)

    def on_failed(self, output: str, error: OutputError) -> None:
        """Show the error, also with `--quiet`."""
        del output  # the error names it
        if self._debug:
            self._show("".join(traceback.format_exception(error)).rstrip(), always=True)
        self._show(plain(f"animate: {error}"), always=True)

    def has_written_all(self) -> bool:
        """Return whether all outputs are written."""
        return all(part.path in self.written for part in self._recipe.by_output)

    def what_is_missing(self) -> str:
        """Return the message on the outputs that were not written."""
        paths = [part.path for part in self._recipe.by_output if part.path not in self.written]
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
            say(line)


def _duration(seconds: float) -> str:
    """Return a length of time, in hours, minutes or seconds.

    >>> [_duration(seconds) for seconds in (3.2, 80, 5000)]
    ['3 s', '1 min 20 s', '1 h 23 min']
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


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


def _headings(recipe: Recipe) -> list[str]:
    """Return what tells the runs apart, for the plan and the table of losses."""
    runs = recipe.trained
    if all(run == Hyperparameters(run.lr) for run in runs):
        return [f"lr {text}" for text in rate_texts([run.lr for run in runs])]
    return [run.label or text for run, text in zip(runs, labels_for(runs), strict=True)]


def _epochs_per_line(epochs: int) -> int:
    """Return 10, 20, 50, 100 … so that there are at most `MOST_LINES` lines.

    >>> [_epochs_per_line(epochs) for epochs in (100, 500, 20_000)]
    [10, 50, 1000]
    """
    step, factors = 10, cycle((2.0, 2.5, 2.0))
    while epochs > step * MOST_LINES:
        step = int(step * next(factors))
    return step


def _table_line(first: str, cells: Sequence[str], headings: Sequence[str]) -> str:
    widths = [max(10, len(heading)) for heading in headings]
    columns = [f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True)]
    return f"{first:>6}" + "".join(columns)


def plan(recipe: Recipe) -> str:
    """Return in words what `make` would do."""
    what = recipe.data or recipe.problem or "a line"
    seed = "" if recipe.seed is None else f" (seed {recipe.seed})"
    lines = [
        f"would train {plain(what)} for {count_text(recipe.epochs, 'epoch')} at "
        f"{', '.join(_headings(recipe))}{seed} and write"
    ]
    for part in recipe.by_output:
        pixels = part.full_size
        size = "x".join(map(str, pixels)) if isinstance(pixels, tuple) else str(pixels)
        kind = {
            "film": f"{size}, {part.fps:g} frames a second",
            "still": f"{size}, at {', '.join(map(str, part.at))}",
            "page": "an interactive page",
            "report": "a report",
        }[part.form]
        lines.append(f"  {part.path}  {kind}")
    return "\n".join(lines)
