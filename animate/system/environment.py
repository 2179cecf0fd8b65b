"""
Independence of the user's environment: matplotlib's settings, and a home that is not writable.

Only the command line isolates itself. A program that imports the package keeps its environment.
"""

import contextlib
import importlib.util
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType


def isolate() -> None:
    """
    Ignore the user's matplotlibrc and backend, here and in child processes.

    Without a writable cache folder, matplotlib would make a new temporary folder in each run and
    look for all fonts again. It gets one folder that is kept.
    """
    os.environ.update(MPLBACKEND="agg", MATPLOTLIBRC=os.devnull)
    folder = next(filter(_is_writable, _cache_folders()), None)
    if folder is not None:
        os.environ["MPLCONFIGDIR"] = str(folder)


def _cache_folders() -> Iterator[Path]:
    own = os.environ.get("MPLCONFIGDIR")
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    yield Path(own) if own else Path(caches, "matplotlib")
    yield Path(tempfile.gettempdir(), f"animate-{_user()}")


def _is_writable(folder: Path) -> bool:
    if not folder.is_absolute():  # there is no home
        return False
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Somebody else's folder could hold anything.
        return folder.stat().st_uid == _user() and os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return False


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0


@cache
def matplotlib_styles() -> Mapping[str, Path]:
    """Return the style files that ship with matplotlib by their names, without importing it."""
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or spec.origin is None:
        return {}
    files = Path(spec.origin).parent.glob("mpl-data/stylelib/[!_]*.mplstyle")
    return MappingProxyType(dict(sorted((file.stem, file) for file in files)))


def import_matplotlib() -> None:
    """Import matplotlib without its log messages and without a matplotlibrc in this folder."""
    log = logging.getLogger("matplotlib")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with contextlib.chdir(Path(__file__).parent):
            import matplotlib.font_manager  # noqa: F401  # logs when it looks for fonts
    finally:
        log.setLevel(level)
