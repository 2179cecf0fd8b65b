"""An ffmpeg process: raw frames in, one file out, and nothing half done."""

import errno
import os
import queue
import shutil
import signal
import struct
import subprocess
import threading
from contextlib import suppress
from fractions import Fraction
from types import TracebackType
from typing import IO, Self

import numpy as np
import numpy.typing as npt

from animate.system.errors import OutputError
from animate.system.files import DISK_FULL, cause
from animate.system.signals import deferred

Frame = npt.NDArray[np.uint8]  # (height, width, 4), RGBA
Pixels = npt.NDArray[np.uint8]  # of a frame, in the order in which they are piped

FRAMES_AHEAD = 16  # that wait for ffmpeg: about what is drawn while it starts
BYTES_AHEAD = 48_000_000  # that they take at most as RGBA, unless two frames take more
INSTALLATION = "run: pip install --force-reinstall imageio-ffmpeg"


class Ffmpeg:
    """
    An ffmpeg process that reads raw frames and writes one file.

    Their pixels are as `fourcc` says: "RGBA", or "I420".

    Used as a context: it ends with the block, killed if the block fails, for a closed pipe alone
    would let it finish a film that is short but looks whole.

    A thread feeds it, so that the next frames are drawn while it works on those before.
    """

    def __init__(
        self, size: tuple[int, int], fps: float, arguments: list[str], fourcc: str
    ) -> None:
        rate = Fraction(fps).limit_denominator(1001)
        # The format IVF, 32 bytes before all frames and 12 before each: the simplest that tells
        # ffmpeg when a frame begins, so that one that stands need not be piped again and again.
        self._header = struct.pack(
            "<4sHH4sHHIIII",
            b"DKIF", 0, 32, fourcc.encode(), *size, rate.numerator, rate.denominator, 0, 0,
        )  # fmt: skip
        self._start = 0
        self._command = [
            executable(), "-hide_banner", "-loglevel", "error", "-nostdin", "-y",
            # The header tells the rate: no frames need be read ahead to find it.
            "-progress", "pipe:1", "-fpsprobesize", "0", "-f", "ivf", "-i", "pipe:0",
            "-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1",
            *arguments,
        ]  # fmt: skip
        self.frames_written = 0
        self._errors: list[str] = []
        room = min(FRAMES_AHEAD, max(2, BYTES_AHEAD // (4 * size[0] * size[1])))
        self._waiting: queue.Queue[tuple[Pixels, list[int]] | None] = queue.Queue(room)
        self._held: Pixels | None = None
        self._times = 0
        self._before: Pixels | None = None  # what stood before it, if that stood longer than once
        self._broken = False

    def __enter__(self) -> Self:
        try:
            with deferred():
                self._start_process()
        except KeyboardInterrupt:  # came while it was started
            self._kill()
            raise
        return self

    def _start_process(self) -> None:
        # A session of its own: a Ctrl-C at the terminal reaches us alone, and we end it.
        try:
            self._process = subprocess.Popen(  # noqa: S603  # no shell, and a path that is ours
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise OutputError(
                f"ffmpeg cannot be started from {self._command[0]}: {error.strerror}; "
                f"{INSTALLATION}"
            ) from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._pipe = self._process.stdin
        self._threads = [
            threading.Thread(target=self._feed, daemon=True),
            threading.Thread(target=self._follow, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def write(self, frame: Pixels, times: int = 1) -> None:
        """Take a frame that stands for so many, and wait if too many are waiting."""
        self._hand_over()
        self._before = self._held if self._times > 1 else None
        self._held, self._times = frame, times
        if self._broken:
            self._finish()
            raise OutputError(self._failure())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._hand_over(last=True)
                self._finish()
        except BaseException:
            self._kill()
            raise
        if kind is not None:
            self._kill()
        elif self._broken or self._process.returncode:
            raise OutputError(self._failure())

    def _kill(self) -> None:
        with deferred():
            with suppress(OSError):
                # The whole group, should what we started have started another.
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
            self._finish()

    def _hand_over(self, *, last: bool = False) -> None:
        """Queue the frame that is held, at its start; the last one at its end too."""
        if self._held is None:
            return
        end = self._start + self._times
        # ffmpeg takes the last frame to stand for as long as the one before it: here, for one.
        if last and self._times == 1 and self._before is not None:
            self._waiting.put((self._before, [self._start - 1]))
        starts = {self._start, end - 2, end - 1} if last else {self._start}
        self._waiting.put((self._held, sorted(starts & set(range(self._start, end)))))
        self._start = end

    def _finish(self) -> None:
        self._waiting.put(None)
        self._process.wait()
        for thread in self._threads:
            thread.join()

    def _feed(self) -> None:
        """Pipe what is waiting; if ffmpeg takes no more, throw it away, lest anyone wait for it."""
        while (item := self._waiting.get()) is not None:
            frame, starts = item
            data = np.ascontiguousarray(frame).data
            try:
                for start in [] if self._broken else starts:
                    self._pipe.write(self._header + struct.pack("<IQ", data.nbytes, start))
                    self._header = b""
                    self._pipe.write(data)
            except OSError:
                self._broken = True
        with suppress(OSError):
            self._pipe.close()

    def _follow(self, progress: IO[bytes]) -> None:
        with progress:
            for line in progress:
                if line.startswith(b"frame="):
                    self.frames_written = int(line[6:])

    def _listen(self, errors: IO[bytes]) -> None:
        with errors:
            for line in errors:
                self._errors = [*self._errors[-19:], line.decode("utf-8", "replace").strip()]

    def _failure(self) -> str:
        code = self._process.returncode
        full = self._disk_full(code)
        if full is not None:
            return cause(OSError(full, ""))
        end = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        said = next((line for line in reversed(self._errors) if line), "it said nothing")
        return f"ffmpeg failed ({end}): {said}"

    def _disk_full(self, code: int) -> int | None:
        """Return the number of the error if it is that there was no room."""
        if code == -getattr(signal, "SIGXFSZ", 0):
            return errno.EFBIG
        said = "\n".join(self._errors)
        return next((number for number in DISK_FULL if os.strerror(number) in said), None)


def executable() -> str:
    """
    Return the absolute path of an ffmpeg: the one that imageio-ffmpeg brings, or is told to use.

    Raises
    ------
    OutputError
        If there is none.
    """
    import imageio_ffmpeg  # here, since only a film needs it

    try:
        path: str = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        raise OutputError(f"no ffmpeg is found; {INSTALLATION}") from None
    found = shutil.which(path)
    if found is None:
        raise OutputError(f"there is no ffmpeg at {path}; {INSTALLATION}")
    return os.path.abspath(found)  # noqa: PTH100  # links are not to be followed
