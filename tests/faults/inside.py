"""The command line inside this process: quick, and open to failures that a test injects."""

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from command import QUICK

from animate import cli
from animate.system import signals

SHORT = [*QUICK, "--jobs", "1"]
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


def put_old(folder: Path, output: str) -> list[bytes]:
    """Put yesterday's film, or a folder with one frame, at `output`; return the files' bytes."""
    path = folder / output
    if output.endswith("/"):
        path.mkdir()
        path /= "frame-00000.png"
    path.write_bytes(OLD)
    return [OLD]


def noise(count: int) -> Iterator[np.ndarray]:
    """Yield frames that compress badly, so that a file grows."""
    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 4), np.uint8)
    picture[..., 3] = 255
    for number in range(count):
        yield np.roll(picture, 3 * number, axis=1)
