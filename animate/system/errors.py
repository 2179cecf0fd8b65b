"""The exceptions that a caller may want to tell apart; each message is a sentence for a person."""


class Error(Exception):
    """Whatever goes wrong for a reason that a person can do something about."""


class InputError(Error, ValueError):
    """A value that cannot be used; its message is a sentence for the person who gave it."""


class OutputError(Error, OSError):
    """A file that cannot be written; its message is a sentence for the person who asked for it."""


class DestinationError(InputError, OutputError):
    """A path that is no place for a file: a wrong value, and an output that cannot be made."""


class DrawingError(Error, RuntimeError):
    """A frame that cannot be drawn; its message names the frame and the cause."""


def reason(error: Exception) -> str:
    """Return why, for a person; for what nobody has foreseen, that it is our fault."""
    if isinstance(error, Error):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory; give fewer epochs or points, or a smaller size"
    said = " ".join(str(error).split())
    return (
        f"this is a bug in animate, {type(error).__name__}: {said}; "
        "please report it, with the command and what --debug shows"
    )
