"""
Writing a file so that it is either whole or as it was.

The one way of writing in the project: into a hidden temporary file beside the destination, which
is proved, synchronised and then renamed over it. What the bytes mean is not known here.
"""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class OutputError(OSError):
    """A file that cannot be written; its message is a sentence for the person who asked for it."""


def check(path: Path) -> None:
    """
    Raise `OutputError` if `path` cannot be written, without touching anything.

    Whoever is about to work for long calls this first.
    """
    target = path.resolve()
    try:
        kind = target.stat().st_mode
    except FileNotFoundError:
        kind = None
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}; give another path") from None
    if kind is not None and not stat.S_ISREG(kind):
        what = "a folder" if stat.S_ISDIR(kind) else "not a regular file"
        raise OutputError(f"{path} is {what}; give the path of a file")
    if not target.parent.is_dir():
        raise OutputError(f"there is no folder {path.parent}; make it first")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {path.parent} is not writable; choose another")
    if kind is not None and not os.access(target, os.W_OK):
        raise OutputError(f"{path} is not writable; remove it or choose another")


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """
    Yield a temporary path to write to, which becomes `path` if the block ends without exception.

    After an exception nothing is left behind, and a file that was at `path` is as it was. A
    symbolic link at `path` is kept, and its target replaced. The temporary file lies in the same
    folder, so that the rename is atomic.

    Raises
    ------
    OutputError
        If `path` cannot be written, or the block wrote nothing.
    """
    check(path)
    target = path.resolve()
    temporary = target.parent / f".animate-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        with suppress(FileNotFoundError):
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        yield temporary
        with temporary.open("rb+") as file:
            if not file.seek(0, os.SEEK_END):
                raise OutputError(f"{path}: nothing was written; the old file is kept")
            os.fsync(file.fileno())
        temporary.replace(target)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}; nothing was changed") from error
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    # A rename is on disk only once its folder is; some systems cannot synchronise folders.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
