"""A program that is stopped at exact moments, told through a pipe."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg


class Stage:
    """
    A folder with a program that stops where it is told to, and says so through a pipe.

    Attributes
    ----------
    folder : Path
        Where the program runs; empty at first.
    """

    def __init__(self, away: Path) -> None:
        self._away = away
        self.folder = away / "here"
        self.folder.mkdir()
        self._pipe = away / "pipe"
        os.mkfifo(self._pipe)
        self._settings: dict[str, str] = {}

    def module_waits(self, name: str) -> None:
        """Let the import of `name` tell us, and then wait for ever."""
        modules = self._away / "modules"
        modules.mkdir()
        (modules / f"{name}.py").write_text(
            f"import signal\nwith open({str(self._pipe)!r}, 'w') as pipe: pipe.write('here')\n"
            "while True: signal.pause()\n"
        )
        others = os.environ.get("PYTHONPATH")
        self._settings["PYTHONPATH"] = os.pathsep.join(filter(None, [str(modules), others]))

    def ffmpeg_waits(self, only: str = "", until: str = "true") -> None:
        """Let ffmpeg tell us its number, once `until` holds, and then wait, reading nothing."""
        self._ffmpeg(
            f'case "$*" in *{only}*) until {until}; do sleep 0.02; done; '
            f'echo $$ >"{self._pipe}"; exec tail -f /dev/null;; esac'
        )

    def ffmpeg_tells(self) -> None:
        """Let ffmpeg tell us its number, and then do its work."""
        self._ffmpeg(f'echo $$ >"{self._pipe}"')

    def _ffmpeg(self, line: str) -> None:
        path = self._away / "ffmpeg"
        path.write_text(f'#!/bin/sh\n{line}\nexec "{imageio_ffmpeg.get_ffmpeg_exe()}" "$@"\n')
        path.chmod(0o755)
        self._settings["IMAGEIO_FFMPEG_EXE"] = str(path)

    def start(self, *arguments: str, before: list[str] | None = None) -> subprocess.Popen[str]:
        """Start the command, in a group of its own."""
        return subprocess.Popen(
            [*(before or []), sys.executable, "-P", "-W", "error", "-m", "animate", *arguments],
            cwd=self.folder, env=os.environ | self._settings, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def wait(self) -> str:
        """Wait until it is where it was told to stop, and return what it says there."""
        return self._pipe.read_text().strip()

    def at_work(self) -> list[str]:
        """Return the commands of the processes whose working directory is the folder."""
        return processes_in(self.folder)


def processes_in(folder: Path) -> list[str]:
    """Return the commands of the processes whose working directory is `folder`."""
    commands = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            if (process / "cwd").readlink() == folder:
                commands.append((process / "cmdline").read_text().replace("\0", " "))
    return commands
