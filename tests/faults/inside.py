"""The command line inside this process: quick, and open to failures that a test injects."""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

from animate import cli
from animate.system import signals

SHORT = ["--epochs", "3", "--hold", "0", "--size", "640x360", "--jobs", "1"]
OLD = b"yesterday's film"


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, or that of the signal, and what it said."""

    code: int
    out: str
    err: str


def command(folder: Path, *arguments: str) -> Ended:
    """Run ``animate ARGUMENTS`` in `folder`."""
    out, err = io.StringIO(), io.StringIO()
    code: int | str | None
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.main(arguments)
        except SystemExit as end:
            code = end.code
        except signals.Stopped as stop:
            code = stop.exit_code
            print(stop.consequence, file=err)
    assert isinstance(code, int)
    return Ended(code, out.getvalue(), err.getvalue())


def old(folder: Path, *names: str) -> None:
    """Put yesterday's film at each of these names."""
    for name in names:
        (folder / name).write_bytes(OLD)


def names(folder: Path) -> list[str]:
    """Return what is in `folder`, hidden or not."""
    return sorted(path.name for path in folder.iterdir())
