"""
What happens when somebody stops the program: Ctrl-C, SIGTERM or SIGHUP.

Only the command line listens; who imports the package keeps their own handlers. There are three
times. Until the first file is begun there is nothing to clean up, and raising in the middle of an
import can crash it (torch's does): the process says its line and is gone. While files are written,
the first signal raises `Stopped`, so that every block cleans up after itself. Once all is decided,
a signal comes too late and changes nothing, so that what is said stays true.

A block that must not be torn apart, such as a rename and its note, is `deferred`: what comes is
handled at its end. That is for whoever's handlers are installed, and not by a mask of the kernel's,
which holds for one thread only, while Python runs handlers whichever thread the signal found.
"""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from types import FrameType
from typing import Any, NoReturn

# Windows has no SIGHUP.
STOPS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Stopped(KeyboardInterrupt):
    """A signal that ends the program, by its number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        self.sentence = "nothing is half-written"

    @property
    def code(self) -> int:
        """The exit code that says so."""
        return 128 + self.number


class _Time(Enum):
    BEFORE_FILES, WHILE_WRITING, TOO_LATE = range(3)


_time = _Time.BEFORE_FILES
_children: set[int] = set()
_last_words: list[bytes] = []
_silent = False
_held_until_reported: list[list["_Hold"]] = []


def is_program() -> bool:
    """
    Return whether this process is our command line, as seen while the package is first imported.

    It is ``python -m animate``, of which Python has by then only noted the ``-m``, or the script
    that pip made of our entry point. A process of `multiprocessing` looks like its parent.
    """
    if "--multiprocessing-fork" in sys.orig_argv:
        return False
    program = sys.argv[0] if sys.argv else ""
    if program == "-m":
        return sys.orig_argv[-len(sys.argv) :][:1] in (["animate"], ["-manimate"])
    try:
        with open(program, "rb") as script:  # noqa: PTH123  # pathlib is slow to load, and not yet
            return b"from animate.cli import run" in script.read(4096)
    except (OSError, ValueError):
        return False


def listen() -> None:
    """Take the signals that end the program, except what the caller has set to be ignored."""
    for number in STOPS:
        # None is a handler that Python did not install.
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            signal.signal(number, _handle)


def begin_writing() -> None:
    """From now on, there is something to clean up."""
    global _time
    if _time is _Time.BEFORE_FILES:
        _time = _Time.WHILE_WRITING


def finish() -> None:
    """From now on, it is too late to stop."""
    global _time
    _time = _Time.TOO_LATE


def end_with(*children: int) -> None:
    """Kill the processes with these ids, too, if the program ends before the first file."""
    _children.update(children)


def last_words(text: bytes) -> None:
    """Write `text`, too, if the program ends before the first file."""
    _last_words.append(text)


def leave(code: int) -> NoReturn:
    """End the process now, for in its teardown Python lets signals through again."""
    finish()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def name(number: int) -> str:
    """Return what a person calls this way of being stopped."""
    if number == signal.SIGINT:
        return "interrupted"
    return f"stopped by {signal.Signals(number).name}"


def _handle(number: int, frame: FrameType | None) -> None:
    del frame
    time, stop = _time, Stopped(number)
    finish()  # whatever comes during the clean-up is the same wish
    if time is _Time.WHILE_WRITING:
        # What is torn from its `with`, the end of the process closes.
        warnings.simplefilter("ignore", ResourceWarning)
        raise stop
    if time is _Time.BEFORE_FILES:
        for child in _children:
            with suppress(OSError):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
        line = f"animate: {name(number)}; nothing was changed\n"
        with suppress(OSError):
            os.write(2, b"".join(_last_words) + (b"" if _silent else line.encode()))
        os._exit(stop.code)


def listen_silently(number: int) -> None:
    """Take this signal and ignore the others: our parent takes them and decides."""
    global _silent
    _silent = True
    for other in STOPS:
        signal.signal(other, _handle if other == number else signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)


@contextmanager
def blocked() -> Iterator[None]:
    """Let processes that are started inside the block be reached by no signal until they ask."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Hold:
    """The signals that came while their handlers were put aside."""

    def __init__(self) -> None:
        self._came: list[tuple[int, FrameType | None]] = []
        self._handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}
        for number in STOPS:
            handler = signal.getsignal(number)
            if callable(handler):
                self._handlers[number] = handler
                signal.signal(number, self._note)

    def release(self) -> None:
        """Put the handlers back, and let them hear what came."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        for number, frame in self._came:
            self._handlers[number](number, frame)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._came.append((number, frame))


@contextmanager
def deferred(*, until_reported: bool = False) -> Iterator[None]:
    """
    Let no signal interrupt the block; what comes is handled at its end.

    With `until_reported`, inside a `deferred_until_reported` block, at the end of that block.
    """
    if threading.current_thread() is not threading.main_thread():  # only there do handlers run
        yield
        return
    hold = _Hold()
    try:
        yield
    finally:
        if until_reported and _held_until_reported:
            _held_until_reported[-1].append(hold)
        else:
            hold.release()


@contextmanager
def deferred_until_reported() -> Iterator[None]:
    """Hold signals back from the moment a file is in its place until the end of the block."""
    holds: list[_Hold] = []
    _held_until_reported.append(holds)
    try:
        yield
    finally:
        _held_until_reported.pop()
        for hold in reversed(holds):
            hold.release()
