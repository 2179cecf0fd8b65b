"""
Atomic writing of files and folders of files.

Everything is written to a hidden temporary file in the destination's folder, synchronised, and
renamed over the destination. A folder that is missing is made just before that; until then the
temporary file is in the nearest folder that exists.

The process locks its temporary files. The system releases a lock when its process ends, however it
ends, so the next writer in the folder can tell which temporary files are abandoned and remove them.
Process ids could not tell that: they are reused, and another machine may write to the same folder.
"""

import errno
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from animate.system.errors import DestinationError, InputError, OutputError
from animate.system.signals import deferred, deferred_until_reported

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

AnyPath = str | os.PathLike[str]

FOLDER_SUFFIX = "/"  # takes the place of an extension for a folder of files

TEMPORARY = re.compile(r"\.animate-\d+-[0-9a-f]{8}")
DISK_FULL = {
    errno.ENOSPC: "no space is left on it",
    errno.EDQUOT: "your quota is used up",
    errno.EFBIG: "the limit on a file's size is reached",
}

_locks: dict[Path, int] = {}  # temporary files of this process, with their locked descriptors


def is_folder(path: AnyPath) -> bool:
    """Return whether `path` ends in a slash."""
    return os.fspath(path).endswith(tuple(filter(None, ("/", os.sep, os.altsep))))


def extension(path: AnyPath, among: Iterable[str]) -> str:
    """
    Return the extension of `path` in lower case, or "/" for a folder, if it is one of `among`.

    >>> extension("talk/END.PNG", [".png"]), extension("frames/", ["/"])
    ('.png', '/')
    """
    path, known = os.fspath(path), list(among)
    suffix = FOLDER_SUFFIX if is_folder(path) else Path(path).suffix
    if suffix.lower() in known:
        return suffix.lower()
    problem = f"the unknown extension {suffix}" if suffix else "no extension"
    if suffix == FOLDER_SUFFIX:
        problem = "a slash at its end"
    advice = f"choose from {', '.join(name for name in known if name != FOLDER_SUFFIX)}"
    if FOLDER_SUFFIX in known:
        advice += ", or end it in a slash for a folder of PNG files"
    raise InputError(f"{path} has {problem}; {advice}")


def relative_to_folder(path: AnyPath, folder: AnyPath) -> str:
    """
    Return `path`, given relative to the working directory, relative to `folder`.

    >>> relative_to_folder("talk/frames/", "talk"), relative_to_folder("a.gif", "")
    ('frames/', 'a.gif')
    """
    path, folder = os.fspath(path), os.fspath(folder)
    if Path(path).is_absolute() or folder in ("", "."):
        return path
    # Through a symbolic link, ".." leads to the parent of the link's target.
    return os.path.relpath(path, real(folder)) + (FOLDER_SUFFIX if is_folder(path) else "")


def relative_to_cwd(path: str, folder: AnyPath) -> str:
    """
    Return `path`, given relative to `folder`, relative to the working directory.

    >>> relative_to_cwd("frames/", "talk"), relative_to_cwd("/tmp/a.gif", "talk")
    ('talk/frames/', '/tmp/a.gif')
    """
    folder = os.fspath(folder)
    return path if Path(path).is_absolute() or folder in ("", ".") else f"{folder}/{path}"


def real(path: AnyPath) -> Path:
    """Return `path` with all symbolic links resolved, whether it exists or not."""
    try:
        return Path(os.path.realpath(path))
    except (ValueError, OSError) as error:
        raise DestinationError(f"{path!r} cannot be a path: {error}; give another") from None


def check(path: AnyPath, needed: int = 0) -> None:
    """
    Raise if `path` cannot be written. Changes nothing.

    Parameters
    ----------
    path : path
    needed : int
        Free space that the file needs at least, in bytes.

    Raises
    ------
    DestinationError
        If `path` is something that a file cannot replace, such as a folder or a device.
    OutputError
        If the permission or the space to write it is missing.
    """
    target = real(path)
    _check_replaceable(path, target)
    parent = Path(os.fspath(path)).parent if target.name == Path(path).name else target.parent
    folder, shown = _existing_folder(target), _existing_folder(parent / target.name)
    if not folder.is_dir():
        raise OutputError(f"{path}: {shown} is not a folder; choose another path")
    if not _has_access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {shown} is not writable; choose another")
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OutputError(
            f"{path} would not fit: disk full, {free} bytes are left and it takes {needed} or "
            "more; free some space or choose another folder"
        )


def _existing_folder(target: Path) -> Path:
    """Return the nearest folder above `target` that exists."""
    return next(folder for folder in target.parents if os.path.lexists(folder))


def _check_replaceable(path: AnyPath, target: Path) -> None:
    """Raise if `target`, to which `path` resolves, exists and must not be replaced."""
    try:
        mode = target.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}; give another path") from None
    if is_folder(path):
        if not stat.S_ISDIR(mode):
            raise DestinationError(f"{path} is not a folder; give it without the slash at its end")
        with suppress(FileNotFoundError):  # another writer is just replacing it
            for file in target.iterdir():
                if not (file.name.startswith("frame-") and file.suffix == ".png"):
                    raise OutputError(
                        f"the folder {path} holds {file.name}, which is not a frame; "
                        "give a new folder"
                    )
    elif not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise DestinationError(f"{path} is {kind}; give the path of a file")
    # Root has access to every file, but nobody's write permission means: protected on purpose.
    elif not (mode & 0o222 and _has_access(target, os.W_OK)):
        raise OutputError(f"{path} is not writable; remove it or choose another")


def check_source(path: AnyPath, most: int, what: str) -> None:
    """
    Raise `InputError` unless `path` is a regular file of at most `most` bytes.

    Opening a pipe would wait for a writer, and a device may never end. `what` names the file's
    purpose in the message.
    """
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{what} {path} cannot be read: {problem}; give another") from None
    if not stat.S_ISREG(status.st_mode):
        kind = "Is a directory" if stat.S_ISDIR(status.st_mode) else "Is no regular file"
        raise InputError(f"{what} {path} cannot be read: {kind}; give another")
    if status.st_size > most:
        raise InputError(f"{what} {path} is larger than {most / 1e6:g} MB; give a smaller one")


def _has_access(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def cause(error: OSError) -> str:
    """Return the cause of `error` in words."""
    if error.errno in DISK_FULL:
        return f"disk full: {DISK_FULL[error.errno]}"
    return str(error) if isinstance(error, OutputError) else error.strerror or str(error)


@contextmanager
def atomic(path: AnyPath) -> Iterator[Path]:
    """
    Yield a temporary path to write to, which replaces `path` if the block raises nothing.

    After an exception the temporary file is removed, and `path` is unchanged. If `path` is a
    symbolic link, its target is replaced. If `path` ends in a slash, the temporary path is a
    folder, and replaces a folder of frames.

    Raises
    ------
    DestinationError, OutputError
        If `path` cannot be written, or the block wrote nothing.
    """
    check(path)
    target = real(path)
    try:
        with _temporary(target, folder=is_folder(path)) as temporary:
            yield temporary
            with deferred(until_reported=True):
                _check_replaceable(path, target)
                _publish(temporary, target)
    except OSError as error:
        raise OutputError(f"{path} was not made: {cause(error)}; nothing was changed") from error


@contextmanager
def scratch(path: AnyPath) -> Iterator[Path]:
    """
    Yield a hidden folder beside `path` for intermediate files, and remove it after the block.

    There, permission and free space have been checked, and the next writer removes it if this
    process is killed.
    """
    check(path)
    # Intermediate files are not reported, so their renames defer no signal beyond the block.
    with _temporary(real(path), folder=True) as temporary, deferred_until_reported():
        yield temporary


@contextmanager
def _temporary(target: Path, *, folder: bool) -> Iterator[Path]:
    """Yield a new temporary file or folder near `target`, and remove it after the block."""
    sweep(_existing_folder(target))
    temporary = None
    try:
        with deferred():
            temporary = _make_temporary(target, folder=folder)
        yield temporary
    finally:
        with deferred():
            if temporary is not None:
                _discard(temporary)


def _make_temporary(target: Path, *, folder: bool) -> Path:
    while True:
        path = _existing_folder(target) / f".animate-{os.getpid()}-{os.urandom(4).hex()}"
        if folder:
            path.mkdir()
        else:
            path.touch(exist_ok=False)
        with suppress(FileNotFoundError):
            # A network file system locks only files that are open for writing.
            descriptor = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
            with suppress(OSError, AttributeError):  # not every system has locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if path.exists():  # else a sweep was quicker than the lock
                _locks[path] = descriptor
                if not folder:
                    _copy_mode(target, path, extra=stat.S_IRUSR | stat.S_IWUSR)
                return path
            os.close(descriptor)


def _discard(temporary: Path) -> None:
    """Remove `temporary`, unless it was renamed, and release its lock."""
    descriptor = _locks.pop(temporary, None)
    if descriptor is not None:
        _remove(temporary)
        os.close(descriptor)


def discard_all() -> None:
    """Remove all temporary files of this process."""
    for temporary in list(_locks):
        _discard(temporary)


def sweep(folder: Path) -> None:
    """Remove abandoned temporary files from `folder`: those that no living process has locked."""
    with suppress(OSError):
        for path in folder.iterdir():
            if TEMPORARY.fullmatch(path.name):
                with suppress(OSError, AttributeError):  # locked, or there are no locks
                    _sweep(path)


def _sweep(path: Path) -> None:
    mode = path.lstat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        return
    descriptor = os.open(path, os.O_RDONLY if stat.S_ISDIR(mode) else os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(path)
    finally:
        os.close(descriptor)


def _publish(temporary: Path, target: Path) -> None:
    """Rename `temporary` to `target` once it is on disk."""
    files = list(temporary.iterdir()) if temporary.is_dir() else [temporary]
    if not any(file.stat().st_size for file in files):
        raise OutputError("nothing was written")
    for path in {*files, temporary}:
        _sync(path)
    missing = [folder for folder in target.parents if not folder.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if temporary.is_dir():
            _replace_folder(temporary, target)
        else:
            _copy_mode(target, temporary)
            temporary.replace(target)
    except BaseException:
        for folder in missing:
            with suppress(OSError):  # not made, or not empty
                folder.rmdir()
        raise
    for folder in {target.parent, *(folder.parent for folder in missing)}:
        _sync(folder)


def _replace_folder(new: Path, target: Path) -> None:
    """Rename `new` to `target`; an old folder there is removed, or is `new` afterwards."""
    while not _exchange(new, target):
        # Its name is not one that `sweep` removes: a kill here leaves no other complete folder.
        aside = target.with_name(f".animate-old-{os.urandom(4).hex()}")
        with suppress(FileNotFoundError):
            target.rename(aside)
        try:
            new.rename(target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # not another writer's folder
                with suppress(OSError):
                    aside.rename(target)
                raise
        _remove(aside)
        if not new.exists():
            break


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step with Linux' renameat2, and return whether that worked."""
    import ctypes  # only folders need it

    current_folder, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    try:
        rename = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError, TypeError):
        return False
    paths = os.fsencode(one), os.fsencode(other)
    return bool(rename(current_folder, paths[0], current_folder, paths[1], exchange) == 0)


def _copy_mode(source: Path, path: Path, *, extra: int = 0) -> None:
    """Give `path` the permissions of `source`, if that exists."""
    with suppress(OSError):
        path.chmod(stat.S_IMODE(source.stat().st_mode) | extra)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        shutil.rmtree(path, ignore_errors=True)


def _sync(path: Path) -> None:
    """Wait until a file's content, or a folder's entries, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        if not path.is_dir():  # some systems cannot synchronise folders
            raise
    finally:
        os.close(descriptor)
