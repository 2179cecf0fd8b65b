"""The command as a person runs it: a process with arguments, two streams and a code."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import imageio_ffmpeg

QUICK = ["--epochs", "3", "--hold", "0", "--size", "640x360"]
QUIET = [*QUICK, "--quiet"]


def animate(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-W", "error", "-m", "animate", *arguments],
        cwd=folder,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )


class Done(NamedTuple):
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str


def fake_ffmpeg(folder: Path, line: str) -> str:
    """Return the path of an ffmpeg that does `line` of sh before the real one's work."""
    path = folder / "ffmpeg"
    path.write_text(f'#!/bin/sh\n{line}\nexec "{imageio_ffmpeg.get_ffmpeg_exe()}" "$@"\n')
    path.chmod(0o755)
    return str(path)
