"""An ffmpeg process that encodes raw frames to one file."""

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
Pixels = npt.NDArray[np.uint8]  # a frame's bytes in the order in which they are piped

FRAMES_AHEAD = 16  # frames in the queue: about as many as are drawn while ffmpeg starts
BYTES_AHEAD = 48_000_000  # most bytes in the queue, as RGBA, unless two frames are larger
INSTALLATION = "run: pip install --force-reinstall imageio-ffmpeg"


class Ffmpeg:
    """
    An ffmpeg process that reads raw frames from a pipe and writes one file.

    Use it as a context manager. The process is killed if the block fails, because ffmpeg would
    finish a short but valid film when only the pipe is closed.

    A thread feeds the pipe, so that the next frames are drawn while ffmpeg encodes.

    Parameters
    ----------
    size : (int, int)
        Width and height.
    ticks_per_second : Fraction
        Time base of the frames' starts.
    arguments : list of str
        ffmpeg's arguments after the input.
    fourcc : str
        Pixel format of the frames: "RGBA" or "I420".

    Attributes
    ----------
    frames_written : int
        As ffmpeg reports; final once the block has ended.
    """

    def __init__(
        self, size: tuple[int, int], ticks_per_second: Fraction, arguments: list[str], fourcc: str
    ) -> None:
        # The container IVF has 32 bytes before all frames and 12 before each. It is the simplest
        # that gives each frame a start, so that a repeated frame need not be piped again.
        self._header = struct.pack(
            "<4sHH4sHHIIII", b"DKIF", 0, 32, fourcc.encode(), *size,
            ticks_per_second.numerator, ticks_per_second.denominator, 0, 0,
        )  # fmt: skip
        self._command = [
            executable(), "-hide_banner", "-loglevel", "error", "-nostdin", "-y",
            # The header gives the rate: ffmpeg need not read ahead to guess it.
            "-progress", "pipe:1", "-fpsprobesize", "0", "-f", "ivf", "-i", "pipe:0",
            "-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1",
            *arguments,
        ]  # fmt: skip
        self.frames_written = 0
        self._errors: list[str] = []
        room = min(FRAMES_AHEAD, max(2, BYTES_AHEAD // (4 * size[0] * size[1])))
        self._queue: queue.Queue[tuple[Pixels, tuple[int, ...]] | None] = queue.Queue(room)
        self._is_pipe_broken = False

    def __enter__(self) -> Self:
        try:
            with deferred():
                self._start()
        except KeyboardInterrupt:  # it came during the block above
            self._kill()
            raise
        return self

    def _start(self) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603  # no shell, and an absolute path
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # else Ctrl-C at the terminal would kill ffmpeg first
            )
        except OSError as error:
            raise OutputError(
                f"ffmpeg cannot be started from {self._command[0]}: {error.strerror}; "
                f"{INSTALLATION}"
            ) from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._threads = [
            threading.Thread(target=self._feed, args=(self._process.stdin,), daemon=True),
            threading.Thread(target=self._read_progress, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._read_errors, args=(self._process.stderr,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def write(self, pixels: Pixels, *starts: int) -> None:
        """
        Queue a frame that is piped once for each of `starts`, in ticks.

        Blocks while the queue is full. `pixels` must not change afterwards.
        """
        self._queue.put((pixels, starts))
        if self._is_pipe_broken:
            self._finish()
            raise OutputError(self._failure())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._kill()
            return
        try:
            self._finish()
        except BaseException:
            self._kill()
            raise
        if self._is_pipe_broken or self._process.returncode:
            raise OutputError(self._failure())

    def _kill(self) -> None:
        with deferred():
            with suppress(OSError):
                # The process group: the executable may be a script that has started another.
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
            self._finish()

    def _finish(self) -> None:
        """Close the pipe, and wait until the process and the threads have ended."""
        self._queue.put(None)
        self._process.wait()
        for thread in self._threads:
            thread.join()

    def _feed(self, pipe: IO[bytes]) -> None:
        """Pipe the queued frames. Once the pipe is broken, only empty the queue."""
        while (item := self._queue.get()) is not None:
            pixels, starts = item
            data = np.ascontiguousarray(pixels).data
            try:
                for start in () if self._is_pipe_broken else starts:
                    pipe.write(self._header + struct.pack("<IQ", data.nbytes, start))
                    self._header = b""
                    pipe.write(data)
            except OSError:
                self._is_pipe_broken = True
        with suppress(OSError):
            pipe.close()

    def _read_progress(self, progress: IO[bytes]) -> None:
        with progress:
            for line in progress:
                if line.startswith(b"frame="):
                    self.frames_written = int(line[6:])

    def _read_errors(self, errors: IO[bytes]) -> None:
        with errors:
            for line in errors:
                self._errors = [*self._errors[-19:], line.decode("utf-8", "replace").strip()]

    def _failure(self) -> str:
        """Return why ffmpeg failed: a full disk, or else its last error message."""
        code = self._process.returncode
        messages = "\n".join(self._errors)
        full = next((number for number in DISK_FULL if os.strerror(number) in messages), None)
        if code == -getattr(signal, "SIGXFSZ", 0):
            full = errno.EFBIG
        if full is not None:
            return cause(OSError(full, ""))
        end = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        message = next((line for line in reversed(self._errors) if line), "no error message")
        return f"ffmpeg failed ({end}): {message}"


def executable() -> str:
    """
    Return the absolute path of imageio-ffmpeg's ffmpeg, or of the one in `IMAGEIO_FFMPEG_EXE`.

    Raises
    ------
    OutputError
        If there is none.
    """
    import imageio_ffmpeg  # only films need it

    try:
        path: str = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        raise OutputError(f"no ffmpeg is found; {INSTALLATION}") from None
    found = shutil.which(path)
    if found is None:
        raise OutputError(f"there is no ffmpeg at {path}; {INSTALLATION}")
    return os.path.abspath(found)  # noqa: PTH100  # Path.resolve would follow links
