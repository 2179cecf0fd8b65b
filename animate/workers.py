"""
Outputs side by side, each written by a process of its own.

Only the command line uses this, for a process that is spawned first imports the program that it
came from. They are spawned and not forked, since a fork of a process with fonts and threads in use
may find them in any state. A process that dies is an error of its output, and never a wait.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, NoReturn

from animate.files import OutputError
from animate.recipe import Group, Watcher, Writing, write_group

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from animate.problem import Floats
    from animate.trajectory import Trajectory

PATIENCE = 5.0  # seconds for a process to clean up after it is told to stop


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def side_by_side(jobs: int) -> Iterator[Writing]:
    """
    Yield a way to write outputs, `jobs` of them at a time.

    The processes start at once, so that they are ready when the training is. When the block ends,
    they are told to stop, and what they have not finished leaves nothing behind.
    """
    context = multiprocessing.get_context("spawn")
    workers: dict[Connection, SpawnProcess] = {}
    try:
        for _ in range(jobs):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            workers[ours] = process
        yield lambda groups, runs, watcher: _write(workers, groups, runs, watcher)
    finally:
        for process in workers.values():
            process.terminate()
        for process in workers.values():
            process.join(PATIENCE)
            process.kill()


def _write(
    workers: dict[Connection, SpawnProcess],
    groups: Sequence[Group],
    runs: Sequence[Trajectory],
    watcher: Watcher,
) -> list[str]:
    """Give each group to the next free process, pass on what they tell, return what failed."""
    waiting, idle = list(groups), list(workers)
    failed: list[str] = []
    busy: dict[Connection, Group] = {}

    def give_up(group: Group, reason: str) -> None:
        for part in group:
            failed.append(part.path)
            watcher.failed(part.path, OutputError(reason))

    while waiting or busy:
        while waiting and idle:
            worker = idle.pop(0)
            busy[worker] = waiting.pop(0)
            with suppress(OSError):  # if it is dead, that shows below
                worker.send((busy[worker], runs))
        if not busy:
            give_up(waiting.pop(0), "no process is left to write it")
            continue
        told = wait(list(busy))
        for worker in [worker for worker in busy if worker in told]:
            try:
                kind, *what = worker.recv()
            except (EOFError, OSError):
                give_up(busy.pop(worker), f"its process {_end(workers[worker])}")
                continue
            if kind == "done":
                failed += what[0]
                del busy[worker]
                idle.append(worker)
            else:
                getattr(watcher, kind)(*what)
    return failed


def _end(process: SpawnProcess) -> str:
    process.join(PATIENCE)
    code = process.exitcode
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _work(parent: Connection) -> None:
    """Write the outputs that `parent` names, until it goes away."""
    # A Ctrl-C reaches the whole group; the parent decides, and says so by SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    import animate.animation
    import animate.encode  # noqa: F401  # while the parent trains

    with suppress(EOFError, OSError):
        while True:
            group, runs = parent.recv()
            parent.send(("done", write_group(group, runs, _Relay(parent))))


def _leave(number: int, frame: object) -> NoReturn:
    del frame
    raise SystemExit(128 + number)


class _Relay:
    """A `Watcher` that passes on what it hears."""

    def __init__(self, parent: Connection) -> None:
        self._parent = parent

    def epoch(self, epoch: int, losses: Floats) -> None: ...
    def films(self, frames: int) -> None:
        self._parent.send(("films", frames))

    def frame(self) -> None:
        self._parent.send(("frame",))

    def note(self, sentence: str) -> None:
        self._parent.send(("note", sentence))

    def wrote(self, output: str) -> None:
        self._parent.send(("wrote", output))

    def failed(self, output: str, error: OSError) -> None:
        self._parent.send(("failed", output, OutputError(str(error))))
