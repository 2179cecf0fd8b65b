"""
How the program stops at Ctrl-C, SIGTERM or SIGHUP.

Only the command line handles these signals: a program that imports the package keeps its own
handlers. The effect of a signal depends on the phase:

- Before the first file, the process writes one line and exits. There is nothing to clean up, and
  an exception in the middle of an import can crash it (torch's does).
- While files are written, the first signal raises `Stopped`, so that every block cleans up.
- After the last file, signals are ignored, so that the exit code agrees with the files.
"""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from enum import Enum
from types import FrameType
from typing import NoReturn

# Windows has no SIGHUP.
STOPS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Stopped(KeyboardInterrupt):
    """Raised by a signal that stops the program while it writes files."""

    def __init__(self, number: int) -> None:
        by_name = f"stopped by {signal.Signals(number).name}"
        super().__init__("interrupted" if number == signal.SIGINT else by_name)
        self.exit_code = 128 + number
        self.consequence = "nothing is half-written"


class _Phase(Enum):
    BEFORE_FILES, WRITING, FINISHED = range(3)


_phase = _Phase.BEFORE_FILES
_before_exit: list[Callable[[], object]] = []
_reports: ContextVar[ExitStack | None] = ContextVar("reports", default=None)


def is_program() -> bool:
    """
    Return whether this process runs our command line. For the first import of the package only.

    The command line is ``python -m animate``, where Python has only noted the ``-m`` by then, or
    the script that pip made of our entry point. A process of `multiprocessing` has the arguments
    of its parent.
    """
    if "--multiprocessing-fork" in sys.orig_argv:
        return False
    program = sys.argv[0] if sys.argv else ""
    if program == "-m":
        return sys.orig_argv[-len(sys.argv) :][:1] in (["animate"], ["-manimate"])
    try:
        with open(program, "rb") as script:  # noqa: PTH123  # pathlib is slow to import
            return b"from animate.cli import run" in script.read(4096)
    except (OSError, ValueError):
        return False


def listen() -> None:
    """Handle the signals that stop the program, except those that the caller has ignored."""
    for number in STOPS:
        # getsignal returns None for a handler that Python did not install.
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            signal.signal(number, _handle)


def begin_writing() -> None:
    """Let the next signal raise `Stopped`."""
    global _phase
    _phase = _Phase.WRITING


def finish() -> None:
    """Ignore all further signals."""
    global _phase
    _phase = _Phase.FINISHED


def call_before_exit(callback: Callable[[], object]) -> None:
    """Register a function to call if a signal ends the program before the first file."""
    _before_exit.append(callback)


def leave(code: int) -> NoReturn:
    """Exit at once: Python's own exit would restore the default signal handlers first."""
    finish()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _handle(number: int, _frame: FrameType | None) -> None:
    phase, stop = _phase, Stopped(number)
    finish()  # signals during the clean-up change nothing
    if phase is _Phase.WRITING:
        # The end of the process closes whatever the exception leaves open.
        warnings.simplefilter("ignore", ResourceWarning)
        raise stop
    if phase is _Phase.BEFORE_FILES:
        with suppress(OSError):
            for callback in _before_exit:
                callback()
            os.write(2, f"animate: {stop}; nothing was changed\n".encode())
        os._exit(stop.exit_code)


@contextmanager
def blocked() -> Iterator[None]:
    """Block the signals in processes that the block starts, until they call `obey_parent`."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def obey_parent() -> None:
    """Ignore the signals that a terminal sends to parent and child; the parent sends SIGTERM."""
    for number in STOPS:
        is_parents = number == signal.SIGTERM
        signal.signal(number, signal.SIG_DFL if is_parents else signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)


@contextmanager
def deferred(*, until_reported: bool = False) -> Iterator[None]:
    """
    Defer signals to the end of the block, or to the end of `deferred_until_reported` around it.

    It replaces the handlers, whoever installed them. A signal mask would hold for one thread only,
    while Python runs handlers whichever thread receives the signal.
    """
    report = _reports.get()
    if until_reported and report is not None:
        report.enter_context(deferred())
        yield
        return
    if threading.current_thread() is not threading.main_thread():  # handlers run there only
        yield
        return
    received: list[tuple[int, FrameType | None]] = []
    handlers = {
        number: handler for number in STOPS if callable(handler := signal.getsignal(number))
    }
    for number in handlers:
        signal.signal(number, lambda number, frame: received.append((number, frame)))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number, frame in received:
            handlers[number](number, frame)


@contextmanager
def deferred_until_reported() -> Iterator[None]:
    """
    Defer signals from the rename of a file to the end of the block, which reports the file.

    Before the rename, signals interrupt the block as usual.
    """
    before = _reports.get()
    with ExitStack() as stack:
        _reports.set(stack)
        try:
            yield
        finally:
            _reports.set(before)
