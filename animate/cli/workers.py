"""
Worker processes that write outputs side by side.

Only the command line uses them, since a spawned process first imports the main program. They are
spawned: a forked copy of a process that uses threads and fonts may deadlock.

`concurrent.futures.ProcessPoolExecutor` would not do. When one worker dies, it terminates all and
does not say which task was to blame; its workers outlive a killed parent; and a worker goes on
with its next task after a signal.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from animate.recipe.making import (
    Group,
    Known,
    ProgressListener,
    Writing,
    write_group,
    write_in_turn,
)
from animate.system import environment, files, signals
from animate.system.errors import OutputError

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from animate.training.problem import Floats
    from animate.training.trajectory import Trajectory

CLEAN_UP_SECONDS = 5.0  # for a worker that was told to stop
READY = "ready"  # what a worker says when it waits for a group


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class _Worker:
    process: SpawnProcess
    connection: Connection
    unreported: list[str] = field(default_factory=list)  # outputs neither written nor failed yet
    failed: list[str] = field(default_factory=list)

    def relay(self, listener: ProgressListener) -> bool:
        """Pass the next report to `listener`, and return whether it was `READY`."""
        kind, *arguments = self.connection.recv()
        if kind == READY:
            return True
        getattr(listener, kind)(*arguments)
        if kind in ("on_written", "on_failed"):
            self.unreported.remove(arguments[0])
        if kind == "on_failed":
            self.failed.append(arguments[0])
        return False

    def write(self, group: Group, runs: Sequence[Trajectory], known: Known) -> None:
        """Let the worker write a group."""
        self.unreported = [part.path for part in group]
        with suppress(OSError):  # if the worker is dead, its connection says so next
            self.connection.send((group, runs, dict(known)))

    def report_death(self, listener: ProgressListener) -> None:
        """Report the outputs of a worker that died as failed."""
        self.process.join(CLEAN_UP_SECONDS)
        code = self.process.exitcode
        end = f"ended with exit code {code}"
        if code is not None and code < 0:
            end = f"was ended by {signal.Signals(-code).name}"
        self.sweep()
        self.failed += self.unreported
        for path in self.unreported:
            listener.on_failed(path, OutputError(f"{path} was not made: its process {end}"))

    def sweep(self) -> None:
        """Remove the temporary files that the worker left if it was killed."""
        for path in self.unreported:
            files.sweep(files.real(path).parent)


@contextmanager
def worker_processes(jobs: int) -> Iterator[Writing]:
    """
    Yield a function that writes outputs with `jobs` processes.

    They start at once, to be ready when the training is. At the end of the block they are stopped,
    and leave no unfinished file.
    """
    context = multiprocessing.get_context("spawn")
    workers: list[_Worker] = []
    resource_tracker.ensure_running()  # here, since starting it unblocks signals
    try:
        with signals.blocked():
            for _ in range(jobs):
                connection, remote = context.Pipe()
                process = context.Process(target=_work, args=(remote,), daemon=True)
                with signals.deferred():
                    process.start()
                    assert process.pid is not None
                    signals.call_before_exit(partial(_kill, process.pid))
                remote.close()
                workers.append(_Worker(process, connection))
        yield partial(_write, workers)
    finally:
        with signals.deferred():
            _stop(workers)


def _kill(pid: int) -> None:
    """Kill a worker with nothing but system calls, as a signal handler may."""
    with suppress(OSError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _stop(workers: Sequence[_Worker]) -> None:
    """Stop the processes; kill those that are not gone in time."""
    for worker in workers:
        worker.process.terminate()
    for worker in workers:
        worker.process.join(CLEAN_UP_SECONDS)
        worker.process.kill()
        worker.process.join()


def _write(
    workers: Sequence[_Worker],
    groups: Sequence[Group],
    runs: Sequence[Trajectory],
    listener: ProgressListener,
    known: Known,
) -> list[str]:
    """Give a group to each worker that is ready, relay its reports, and return what failed."""
    waiting = list(groups)
    working: dict[Any, _Worker] = {worker.connection: worker for worker in workers}
    try:
        while working:
            for connection in wait(list(working)):
                worker = working[connection]
                try:
                    with signals.deferred():  # what is received must be passed on
                        is_ready = worker.relay(listener)
                except (EOFError, OSError):
                    del working[connection]
                    worker.report_death(listener)
                    continue
                if is_ready and waiting:
                    worker.write(waiting.pop(0), runs, known)
                elif is_ready:
                    del working[connection]
    except BaseException:
        with signals.deferred():
            _stop(workers)
            for worker in workers:
                with suppress(EOFError, OSError):
                    while worker.connection.poll():
                        worker.relay(listener)
                worker.sweep()
        raise
    failed = [path for worker in workers for path in worker.failed]
    return failed + write_in_turn(waiting, runs, listener, known)  # if all workers died


def _work(parent: Connection) -> None:
    """Write the groups that `parent` sends until it stops this process or ends."""
    signals.obey_parent()
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    environment.import_matplotlib()
    import animate.film.animation
    import animate.film.encode  # noqa: F401  # while the parent trains

    with suppress(EOFError, OSError, signals.Stopped):
        while True:
            parent.send((READY,))
            group, runs, known = parent.recv()
            signals.listen()
            signals.begin_writing()
            write_group(group, runs, _Relay(parent), known)
    files.discard_all()
    signals.leave(0)


def _stop_with_parent() -> None:
    """Stop when the parent has ended, even if it was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    # To the main thread, since only there a signal interrupts a system call.
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


class _Relay:
    """A `ProgressListener` that sends everything to the parent."""

    def __init__(self, parent: Connection) -> None:
        self._parent = parent

    def on_epoch(self, epoch: int, losses: Floats) -> None: ...
    def on_sweep(self, done: int, total: int) -> None: ...
    def on_total(self, frames: int) -> None: ...
    def on_frame(self) -> None:
        self._parent.send(("on_frame",))

    def on_note(self, sentence: str) -> None:
        self._parent.send(("on_note", sentence))

    def on_written(self, output: str) -> None:
        self._parent.send(("on_written", output))

    def on_failed(self, output: str, error: OutputError) -> None:
        copy = OutputError(str(error))
        copy.add_note("".join(traceback.format_exception(error)))  # tracebacks cannot be pickled
        self._parent.send(("on_failed", output, copy))
