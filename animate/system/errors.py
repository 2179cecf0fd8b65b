"""Exceptions, and their messages for the user."""


class Error(Exception):
    """Base class of errors that the user can correct."""


class InputError(Error, ValueError):
    """An invalid value."""


class OutputError(Error, OSError):
    """A file that cannot be written."""


class DestinationError(InputError, OutputError):
    """A path that cannot be a file: an invalid value, and an output that cannot be written."""


class DrawingError(Error, RuntimeError):
    """A frame that cannot be drawn. The message names the frame and the cause."""


class SweepError(Error, RuntimeError):
    """A sweep that cannot go on. The message names the tile, or what has stopped."""


def reason(error: Exception) -> str:
    """Return a message for the user. An exception that is not an `Error` is reported as a bug."""
    if isinstance(error, Error):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory; give fewer epochs or points, or a smaller size"
    message = " ".join(str(error).split())
    return (
        f"this is a bug in animate, {type(error).__name__}: {message}; "
        "please report it, with the command and what --debug shows"
    )
