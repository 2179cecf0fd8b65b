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
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from animate.recipe.making import Group, ProgressListener, Writing, write_group
from animate.system import environment, files, signals
from animate.system.errors import OutputError

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from animate.training.problem import Floats
    from animate.training.trajectory import Trajectory

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
        # The tracker comes first, for it lets signals in when it is started.
        resource_tracker.ensure_running()
        with signals.blocked():
            for _ in range(jobs):
                ours, theirs = context.Pipe()
                process = context.Process(target=_work, args=(theirs,), daemon=True)
                process.start()
                theirs.close()
                workers[ours] = process
                assert process.pid is not None
                signals.end_with(process.pid)
        yield lambda groups, runs, listener: _write(workers, groups, runs, listener)
    finally:
        with signals.deferred():
            _stop(workers)
            _stop_tracker()


def _stop(workers: dict[Connection, SpawnProcess]) -> None:
    """End the processes: each cleans up, or is killed if that takes long."""
    for process in workers.values():
        process.terminate()
    for process in workers.values():
        process.join(PATIENCE)
        process.kill()
        process.join()


def _stop_tracker() -> None:
    """End the helper that `multiprocessing` starts, so that no process outlives the command."""
    with suppress(AttributeError, OSError):
        resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


def _write(
    workers: dict[Connection, SpawnProcess],
    groups: Sequence[Group],
    runs: Sequence[Trajectory],
    listener: ProgressListener,
) -> list[str]:
    """Give each group to the next free process, pass on what they tell, return what failed."""
    busy: dict[Connection, list[str]] = {}
    try:
        return _hand_out(workers, busy, groups, runs, listener)
    except BaseException:
        with signals.deferred():
            _stop(workers)
            for worker, paths in busy.items():
                for told in _left_over(worker):
                    if told[0] == "on_written":
                        listener.on_written(told[1])
                _sweep_beside(paths)
        raise


def _hand_out(
    workers: dict[Connection, SpawnProcess],
    busy: dict[Connection, list[str]],
    groups: Sequence[Group],
    runs: Sequence[Trajectory],
    listener: ProgressListener,
) -> list[str]:
    """Do so, with `busy` as the outputs that each process still has to tell of."""
    waiting, idle = list(groups), list(workers)
    failed: list[str] = []
    while waiting or busy:
        while waiting and idle:
            worker, group = idle.pop(0), waiting.pop(0)
            busy[worker] = [part.path for part in group]
            with suppress(OSError):  # if it is dead, that shows below
                worker.send((group, runs))
        if not busy:
            paths = [part.path for part in waiting.pop(0)]
            failed += _give_up(paths, "no process is left to write it", listener)
            continue
        told = wait(list(busy))
        for worker in [worker for worker in busy if worker in told]:
            with signals.deferred():  # what is heard is passed on
                try:
                    kind, *what = worker.recv()
                except (EOFError, OSError):
                    end = _end(workers[worker])
                    _sweep_beside(busy[worker])
                    failed += _give_up(busy.pop(worker), f"its process {end}", listener)
                    continue
                if kind == "done":
                    del busy[worker]
                    idle.append(worker)
                    continue
                getattr(listener, kind)(*what)
                if kind in ("on_written", "failed"):
                    busy[worker].remove(what[0])
                    failed += [what[0]] if kind == "on_failed" else []
    return failed


def _give_up(paths: Sequence[str], reason: str, listener: ProgressListener) -> list[str]:
    """Tell why what is not yet written never will be, and return it."""
    for path in paths:
        listener.on_failed(path, OutputError(f"{path} was not made: {reason}"))
    return list(paths)


def _left_over(worker: Connection) -> list[Any]:
    """Return what a process that is gone has told and nobody has heard."""
    told = []
    with suppress(EOFError, OSError):
        while worker.poll():
            told.append(worker.recv())
    return told


def _sweep_beside(paths: Sequence[str]) -> None:
    """Remove what a process that was killed has left beside its outputs."""
    for folder in {Path(os.path.realpath(path)).parent for path in paths}:
        files.sweep(folder)


def _end(process: SpawnProcess) -> str:
    process.join(PATIENCE)
    code = process.exitcode
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _work(parent: Connection) -> None:
    """Write the outputs that `parent` names, until it goes away."""
    # A Ctrl-C reaches the whole group; the parent decides, and says so by SIGTERM.
    signals.listen_silently(signal.SIGTERM)
    threading.Thread(target=_follow_parent, daemon=True).start()
    environment.import_matplotlib()
    import animate.film.animation
    import animate.film.encode  # noqa: F401  # while the parent trains

    try:
        while True:
            group, runs = parent.recv()
            signals.begin_writing()
            write_group(group, runs, _Relay(parent))
            parent.send(("done",))
    except (EOFError, OSError):
        code = 1
    except signals.Stopped as stop:
        code = stop.code
    files.discard_all()
    signals.leave(code)


def _follow_parent() -> None:
    """Stop when the parent is gone, in whichever way it went."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


class _Relay:
    """A `ProgressListener` that passes on what it hears."""

    def __init__(self, parent: Connection) -> None:
        self._parent = parent

    def on_epoch(self, epoch: int, losses: Floats) -> None: ...
    def on_total(self, frames: int) -> None:
        self._parent.send(("on_total", frames))

    def on_frame(self) -> None:
        self._parent.send(("on_frame",))

    def on_note(self, sentence: str) -> None:
        self._parent.send(("on_note", sentence))

    def on_written(self, output: str) -> None:
        self._parent.send(("on_written", output))

    def on_failed(self, output: str, error: OutputError) -> None:
        told = OutputError(str(error))
        told.add_note("".join(traceback.format_exception(error)))  # a traceback does not travel
        self._parent.send(("on_failed", output, told))
