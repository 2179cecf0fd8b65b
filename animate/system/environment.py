"""
The command line's independence of where it is run.

What a user has set for other programs, and whether there is a home to write to, must neither stop
us nor change the picture. Only the command line settles its surroundings; who imports the package
has reasons for theirs.
"""

import contextlib
import logging
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path


def isolate() -> None:
    """Set what matplotlib looks for in the environment, here and in processes started from here."""
    os.environ.update(MPLBACKEND="agg", MATPLOTLIBRC=os.devnull)
    if not all(map(_is_usable, _folders())):
        folder = _private_folder()
        if folder is not None:
            os.environ["MPLCONFIGDIR"] = str(folder)


def import_matplotlib() -> None:
    """Import matplotlib, without what it has to say, and without a matplotlibrc that lies here."""
    log = logging.getLogger("matplotlib")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with contextlib.chdir(Path(__file__).parent):
            import matplotlib.font_manager  # noqa: F401  # which may look for fonts, and say so
    finally:
        log.setLevel(level)


def _folders() -> Iterator[Path]:
    """Yield the folders in which matplotlib would keep its list of fonts and its settings."""
    own = os.environ.get("MPLCONFIGDIR")
    if own:
        yield Path(own)
        return
    home = Path(os.path.expanduser("~"))  # noqa: PTH111  # which raises where there is none
    if not sys.platform.startswith(("linux", "freebsd")):
        yield home / ".matplotlib"
        return
    yield Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache", "matplotlib")
    yield Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config", "matplotlib")


def _is_usable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _private_folder() -> Path | None:
    """Return a folder of this user's alone among the system's temporary ones, for next time too."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    try:
        folder = Path(tempfile.gettempdir(), f"animate-{user}")
        folder.mkdir(mode=0o700, exist_ok=True)
        there = folder.lstat()
    except OSError:
        return None
    ours = not hasattr(os, "getuid") or there.st_uid == user
    return folder if ours and stat.S_ISDIR(there.st_mode) and not there.st_mode & 0o022 else None
