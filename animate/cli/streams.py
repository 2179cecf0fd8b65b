"""Writing to standard streams that may be closed, or that nobody reads."""

import os
import sys
from typing import TextIO

from animate.system.errors import OutputError


def plain(text: str) -> str:
    """Return `text` with control characters escaped: a file name must not move the cursor."""
    return "".join(part if part.isprintable() else ascii(part)[1:-1] for part in text)


def say(text: str) -> None:
    """Write a line to stderr."""
    tell(f"{text}\n", sys.stderr)


def tell(text: str, stream: TextIO) -> None:
    """Write `text`. A stream that cannot be written is replaced by `os.devnull`."""
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        # Python flushes the stream again when it ends, and would report the error again.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
        if stream is sys.stdout and not isinstance(error, BrokenPipeError):
            raise OutputError(f"cannot write to the standard output: {error.strerror}") from error


def open_closed_streams() -> None:
    """Open closed streams, so that no file gets their number and their output."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
            setattr(
                sys, name, os.fdopen(descriptor, "r" if name == "stdin" else "w", closefd=False)
            )
