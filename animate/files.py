"""
Writing a file so that it is either whole or as it was.

The one way of writing in the project: into a hidden temporary file beside the destination, which
is proved, synchronised and then renamed over it. What the bytes mean is not known here. A path
that ends in a slash is a folder of files, which is treated alike.
"""

import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from animate.inputs import InputError

AnyPath = str | os.PathLike[str]

FOLDER = "/"  # the extension, as it were, of a folder of files


class OutputError(OSError):
    """A file that cannot be written; its message is a sentence for the person who asked for it."""


def is_folder(path: AnyPath) -> bool:
    """Return whether `path` is written as a folder: with a slash at its end."""
    return os.fspath(path).endswith(tuple(filter(None, ("/", os.sep, os.altsep))))


def extension(path: AnyPath, among: Iterable[str]) -> str:
    """
    Return the extension of `path` in lower case, or "/" for a folder, if it is one of `among`.

    >>> extension("talk/END.PNG", [".png"]), extension("frames/", ["/"])
    ('.png', '/')
    """
    path, known = os.fspath(path), list(among)
    suffix = Path(path).suffix
    found = FOLDER if is_folder(path) else suffix.lower()
    if found in known:
        return found
    advice = f"choose from {', '.join(name for name in known if name != FOLDER)}"
    if FOLDER in known:
        advice += ", or end it in a slash for a folder of PNG files"
    what = f"the unknown extension {suffix}" if suffix else "no extension"
    raise InputError(f"{path} has {'a slash at its end' if found == FOLDER else what}; {advice}")


def relative(path: AnyPath, folder: AnyPath) -> str:
    """
    Return `path` as it is called from `folder`; an absolute path stays one.

    >>> relative("talk/frames/", "talk"), relative("a.gif", "")
    ('frames/', 'a.gif')
    """
    path, folder = os.fspath(path), os.fspath(folder)
    if Path(path).is_absolute() or folder in ("", "."):
        return path
    return os.path.relpath(path, folder) + (FOLDER if is_folder(path) else "")


def inside(folder: AnyPath, path: str) -> str:
    """
    Return what `path`, as it is called from `folder`, is called from here.

    >>> inside("talk", "frames/"), inside("", "a.gif"), inside("talk", "/tmp/a.gif")
    ('talk/frames/', 'a.gif', '/tmp/a.gif')
    """
    folder = os.fspath(folder)
    return path if Path(path).is_absolute() or folder in ("", ".") else f"{folder}/{path}"


def check(path: AnyPath) -> None:
    """
    Raise `OutputError` if `path` cannot be written, without touching anything.

    Whoever is about to work for long calls this first.
    """
    target = Path(path).resolve()
    try:
        kind = target.stat().st_mode
    except FileNotFoundError:
        kind = None
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}; give another path") from None
    if kind is not None:
        _check_there(path, target, kind)
    if not target.parent.is_dir():
        raise OutputError(f"there is no folder {Path(path).parent}; make it first")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {Path(path).parent} is not writable; choose another")


def _check_there(path: AnyPath, target: Path, kind: int) -> None:
    """Raise if what is at `path` must not be replaced."""
    if is_folder(path):
        if not stat.S_ISDIR(kind):
            raise OutputError(f"{path} is not a folder; give it without the slash at its end")
        other = next((file.name for file in target.iterdir() if not _is_ours(file)), None)
        if other is not None:
            raise OutputError(
                f"the folder {path} holds {other}, which is not a frame; give a new folder"
            )
    elif not stat.S_ISREG(kind):
        what = "a folder" if stat.S_ISDIR(kind) else "not a regular file"
        raise OutputError(f"{path} is {what}; give the path of a file")
    elif not os.access(target, os.W_OK):
        raise OutputError(f"{path} is not writable; remove it or choose another")


def _is_ours(file: Path) -> bool:
    return file.name.startswith("frame-") and file.suffix == ".png"


@contextmanager
def atomic(path: AnyPath) -> Iterator[Path]:
    """
    Yield a temporary path to write to, which becomes `path` if the block ends without exception.

    After an exception nothing is left behind, and a file that was at `path` is as it was. A
    symbolic link at `path` is kept, and its target replaced. The temporary file lies in the same
    folder, so that the rename is atomic. For a `path` that ends in a slash, all this is said of a
    folder, and a folder of that name gives way to the new one.

    Raises
    ------
    OutputError
        If `path` cannot be written, or the block wrote nothing.
    """
    check(path)
    target = Path(path).resolve()
    temporary = target.parent / f".animate-{os.getpid()}-{secrets.token_hex(4)}"
    write = _folder if is_folder(path) else _file
    try:
        with write(path, temporary, target):
            yield temporary
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}; nothing was changed") from error
    _sync(target.parent)


@contextmanager
def _file(path: AnyPath, temporary: Path, target: Path) -> Iterator[None]:
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        with suppress(FileNotFoundError):
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        yield
        if not temporary.stat().st_size:
            raise OutputError(f"{path}: nothing was written; the old file is kept")
        _sync(temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _folder(path: AnyPath, temporary: Path, target: Path) -> Iterator[None]:
    old = temporary.with_name(temporary.name + "-old")
    try:
        temporary.mkdir()
        yield
        written = list(temporary.iterdir())
        if not written:
            raise OutputError(f"{path}: nothing was written; the old folder is kept")
        for file in written:
            _sync(file)
        if target.exists():
            target.rename(old)
        try:
            temporary.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
    finally:
        for folder in (temporary, old):
            shutil.rmtree(folder, ignore_errors=True)


def _sync(path: Path) -> None:
    # A file is on disk only once it is synchronised, and a rename only once its folder is; some
    # systems cannot synchronise folders.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        if not path.is_dir():
            raise
    finally:
        os.close(descriptor)
