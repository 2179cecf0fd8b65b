"""
Writing a file so that it is either whole or as it was.

The one way of writing in the project: into a hidden temporary file beside the destination, which
is proved, synchronised and then renamed over it. What the bytes mean is not known here. A path
that ends in a slash is a folder of files, which is treated alike.

A process holds a lock on its temporary file. However it ends, the system lets go of that lock, and
so the next to write in the folder knows which temporary files are nobody's and sweeps them: no
number of a process can be mistaken for that of another, nor one on another machine for a dead one.
"""

import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from animate.system.errors import DestinationError, InputError
from animate.system.errors import OutputError as OutputError
from animate.system.signals import deferred, deferred_until_reported

try:
    import fcntl
except ImportError:  # on Windows, where an open file cannot be swept away either
    fcntl = None  # type: ignore[assignment]

AnyPath = str | os.PathLike[str]

FOLDER_SUFFIX = "/"  # the extension, as it were, of a folder of files

TEMPORARY = re.compile(r"\.animate-\d+-[0-9a-f]{8}")
DISK_FULL = {
    errno.ENOSPC: "no space is left on it",
    errno.EDQUOT: "your quota is used up",
    errno.EFBIG: "the limit on a file's size is reached",
}
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of Linux' renameat2

_drafts: set["_Draft"] = set()


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
    found = FOLDER_SUFFIX if is_folder(path) else suffix.lower()
    if found in known:
        return found
    advice = f"choose from {', '.join(name for name in known if name != FOLDER_SUFFIX)}"
    if FOLDER_SUFFIX in known:
        advice += ", or end it in a slash for a folder of PNG files"
    what = f"the unknown extension {suffix}" if suffix else "no extension"
    raise InputError(
        f"{path} has {'a slash at its end' if found == FOLDER_SUFFIX else what}; {advice}"
    )


def relative(path: AnyPath, folder: AnyPath) -> str:
    """
    Return `path` as it is called from `folder`; an absolute path stays one.

    >>> relative("talk/frames/", "talk"), relative("a.gif", "")
    ('frames/', 'a.gif')
    """
    path, folder = os.fspath(path), os.fspath(folder)
    if Path(path).is_absolute() or folder in ("", "."):
        return path
    # Through a link to a folder, ".." leads out of the folder that it links to.
    return os.path.relpath(path, real(folder)) + (FOLDER_SUFFIX if is_folder(path) else "")


def inside(folder: AnyPath, path: str) -> str:
    """
    Return what `path`, as it is called from `folder`, is called from here.

    >>> inside("talk", "frames/"), inside("", "a.gif"), inside("talk", "/tmp/a.gif")
    ('talk/frames/', 'a.gif', '/tmp/a.gif')
    """
    folder = os.fspath(folder)
    return path if Path(path).is_absolute() or folder in ("", ".") else f"{folder}/{path}"


def check(path: AnyPath, needed: int = 0) -> None:
    """
    Raise if `path` cannot be written, without touching anything.

    Whoever is about to work for long calls this first.

    Parameters
    ----------
    path : path
    needed : int
        The bytes that the file will take at the least.

    Raises
    ------
    DestinationError
        If what is there is no file, and so never to be replaced by one.
    OutputError
        If it cannot be written for want of a folder, permission or space.
    """
    target = real(path)
    _check_there(path, target)
    parent = Path(os.fspath(path)).parent if target.name == Path(path).name else target.parent
    if not target.parent.is_dir():
        raise OutputError(f"there is no folder {parent}; make it first")
    if not _allows(target.parent, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {parent} is not writable; choose another")
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise OutputError(
            f"{path} would not fit: disk full, {free} bytes are left and it takes {needed} or "
            "more; free some space or choose another folder"
        )


def check_folder(folder: Path) -> None:
    """Raise `OutputError` if `folder` is not there and cannot be made, touching nothing."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise OutputError(f"{there} is not a folder; move it away, or say where to write with -o")
    if not _allows(there, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {there} is not writable; say where to write with -o")


def make_folder(folder: Path) -> None:
    """Make `folder`, and those that it is in, if they are missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {folder} cannot be made: {cause(error)}") from error


def check_source(path: AnyPath, most: int, what: str) -> None:
    """
    Raise `InputError` unless `path`, which `what` is read from, is a file of at most `most` bytes.

    To open a pipe is to wait for somebody to write to it, and a device may never end.
    """
    try:
        there = Path(path).stat()
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{what} {path} cannot be read: {said}; give another") from None
    if not stat.S_ISREG(there.st_mode):
        kind = "Is a directory" if stat.S_ISDIR(there.st_mode) else "Is no regular file"
        raise InputError(f"{what} {path} cannot be read: {kind}; give another")
    if there.st_size > most:
        raise InputError(f"{what} {path} is larger than {most / 1e6:g} MB; give a smaller one")


def real(path: AnyPath) -> Path:
    """Return where `path` leads, through every symbolic link, be there a file or not."""
    try:
        return Path(os.path.realpath(path))
    except (ValueError, OSError) as error:
        raise DestinationError(f"{path!r} cannot be a path: {error}; give another") from None


def _check_there(path: AnyPath, target: Path) -> None:
    """Raise if what is at `path` must not be replaced."""
    try:
        kind = target.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}; give another path") from None
    if is_folder(path):
        other = None
        if not stat.S_ISDIR(kind):
            raise DestinationError(f"{path} is not a folder; give it without the slash at its end")
        with suppress(FileNotFoundError):  # another writer replaces it just now
            other = next((file.name for file in target.iterdir() if not _is_frame(file)), None)
        if other is not None:
            raise OutputError(
                f"the folder {path} holds {other}, which is not a frame; give a new folder"
            )
    elif not stat.S_ISREG(kind):
        what = "a folder" if stat.S_ISDIR(kind) else "not a regular file"
        raise DestinationError(f"{path} is {what}; give the path of a file")
    # Root may write anything; a file that nobody may write was protected on purpose.
    elif not (kind & 0o222 and _allows(target, os.W_OK)):
        raise OutputError(f"{path} is not writable; remove it or choose another")


def _is_frame(file: Path) -> bool:
    return file.name.startswith("frame-") and file.suffix == ".png"


def _allows(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


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
    DestinationError, OutputError
        If `path` cannot be written, or the block wrote nothing.
    """
    check(path)
    target = real(path)
    sweep(target.parent)
    draft: _Draft | None = None
    try:
        with deferred():
            draft = _DraftFolder(target) if is_folder(path) else _DraftFile(target)
        yield draft.path
        with deferred(until_reported=True):
            _check_there(path, target)
            draft.publish()
    except OSError as error:
        raise OutputError(f"{path} was not made: {cause(error)}; nothing was changed") from error
    finally:
        with deferred():
            if draft is not None:
                draft.discard()


@contextmanager
def scratch(path: AnyPath) -> Iterator[Path]:
    """
    Yield a hidden folder beside `path`, for files on the way to it, that is gone after the block.

    Beside it, since there is known to be room and permission, and the next to come sweeps it.
    """
    check(path)
    target = real(path)
    sweep(target.parent)
    draft: _Draft | None = None
    try:
        with deferred():
            draft = _DraftFolder(target)
        with deferred_until_reported():  # of what is finished in it, nobody need be told
            yield draft.path
    finally:
        with deferred():
            if draft is not None:
                draft.discard()


def cause(error: OSError) -> str:
    """Return why, in words: whichever way a disk is full, that is what it is called."""
    if error.errno in DISK_FULL:
        return f"disk full: {DISK_FULL[error.errno]}"
    return str(error) if isinstance(error, OutputError) else error.strerror or str(error)


def sweep(folder: Path) -> None:
    """Remove from `folder` the temporary files that no living process holds, and nothing else."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if TEMPORARY.fullmatch(entry.name):
                with suppress(OSError):
                    _sweep(entry)


def _sweep(entry: os.DirEntry[str]) -> None:
    is_folder = entry.is_dir(follow_symlinks=False)
    if not (is_folder or entry.is_file(follow_symlinks=False)):
        return
    if hasattr(os, "geteuid") and entry.stat(follow_symlinks=False).st_uid != os.geteuid():
        return
    descriptor = _open(Path(entry.path), is_folder)
    try:
        if _lock(descriptor):
            _remove(Path(entry.path))
    finally:
        os.close(descriptor)


def discard_all() -> None:
    """Remove every temporary file of this process: the last thing it does."""
    for draft in list(_drafts):
        draft.discard()


class _Draft:
    """A temporary file or folder beside `target`, held by a lock."""

    def __init__(self, target: Path) -> None:
        self._target = target
        while True:
            self.path = target.parent / f".animate-{os.getpid()}-{secrets.token_hex(4)}"
            self._descriptor = self._create()
            if self._is_held():
                break
            os.close(self._descriptor)  # somebody swept it before it was locked
        _drafts.add(self)

    def _create(self) -> int:
        raise NotImplementedError

    def publish(self) -> None:
        """Put it in its place."""
        raise NotImplementedError

    def discard(self) -> None:
        """Remove what there still is of it, and let go."""
        if self in _drafts:
            _drafts.remove(self)
            _remove(self.path)
            os.close(self._descriptor)

    def _is_held(self) -> bool:
        """Lock it, and return whether it is still there; what cannot be locked is not swept."""
        if not _lock(self._descriptor, otherwise=True):
            return False
        try:
            there = os.stat(self.path)  # noqa: PTH116  # beside fstat
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(self._descriptor))


class _DraftFile(_Draft):
    def _create(self) -> int:
        descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        with suppress(OSError):
            # No more open to others than the old file, and open to us.
            os.chmod(descriptor, self._old_mode() | stat.S_IRUSR | stat.S_IWUSR)  # noqa: PTH101
        return descriptor

    def _old_mode(self) -> int:
        return stat.S_IMODE(self._target.stat().st_mode)

    def publish(self) -> None:
        """Rename it over the target, once it is on disk."""
        if not self.path.stat().st_size:
            raise OutputError("nothing was written")
        with suppress(FileNotFoundError):
            self.path.chmod(self._old_mode())
        _sync(self.path)
        self.path.replace(self._target)
        _sync(self._target.parent)


class _DraftFolder(_Draft):
    def _create(self) -> int:
        while True:
            self.path.mkdir()
            with suppress(FileNotFoundError):  # somebody swept it before it was opened
                return _open(self.path, is_folder=True)

    def publish(self) -> None:
        """Exchange it with the target, once its files are on disk."""
        written = list(self.path.iterdir())
        if not written:
            raise OutputError("nothing was written")
        for file in [*written, self.path]:
            _sync(file)
        while not _exchange(self.path, self._target):
            if self._target.exists():
                self._replace()
                break
            try:
                self.path.rename(self._target)
                break
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise  # else another writer was quicker, and there is now one to exchange
        _sync(self._target.parent)

    def _replace(self) -> None:
        """Rename the target away, where two folders cannot be exchanged in one step."""
        # Not swept: if we are killed here, it is the only one that there is.
        old = self._target.with_name(f".animate-old-{secrets.token_hex(4)}")
        with suppress(FileNotFoundError):
            self._target.rename(old)
        try:
            self.path.rename(self._target)
        except OSError:
            if old.exists():
                old.rename(self._target)
            raise
        _remove(old)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, and return whether that can be done here."""
    import ctypes  # here, since few write folders

    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):
        return False
    paths = os.fsencode(one), os.fsencode(other)
    done: int = rename(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE)
    return done == 0


def _open(path: Path, is_folder: bool) -> int:
    # A lock over a network file system wants a file that is open for writing.
    return os.open(path, os.O_RDONLY if is_folder else os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))


def _lock(descriptor: int, *, otherwise: bool = False) -> bool:
    """Lock for as long as this is open, and return whether that worked; `otherwise` if unknown."""
    if fcntl is None:
        return otherwise
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # there are file systems without locks
        return otherwise
    return True


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        shutil.rmtree(path, ignore_errors=True)


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
