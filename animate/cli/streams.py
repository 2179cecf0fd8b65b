"""The standard streams, which may be closed, or read by nobody."""

import os
import sys
from typing import TextIO

from animate.system.errors import OutputError


def plain(text: str) -> str:
    """Return `text` on one line: what a name may hold must not move the cursor."""
    return "".join(part if part.isprintable() else ascii(part)[1:-1] for part in text)


def say(text: str) -> None:
    """Write a line to stderr."""
    tell(f"{text}\n", sys.stderr)


def tell(text: str, stream: TextIO) -> None:
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


def open_closed_streams() -> None:
    """Open what the caller has closed, lest a file of ours take its number and get its text."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
            setattr(
                sys, name, os.fdopen(descriptor, "r" if name == "stdin" else "w", closefd=False)
            )
