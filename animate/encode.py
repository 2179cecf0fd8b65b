"""
Frames to a film file, by the ffmpeg that imageio-ffmpeg brings.

`encode` sees only frames and a rate; the extension picks the format, one line in `FORMATS`. The
frames are piped as they come, so memory does not grow with their number, and the file is proved
before it takes its place: ffmpeg's exit code, and the count of frames.
"""

import queue
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import IO, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from animate import files
from animate.files import OutputError
from animate.inputs import InputError

Frame = npt.NDArray[np.uint8]

# x264's bytes depend on the number of its threads, so that is ours and not the machine's.
THREADS = "2"
BT709 = "out_color_matrix=bt709:out_range=tv"
FRAMES_AHEAD = 4  # that wait for ffmpeg
GIF_COLORS = 64
GIF_TICK = 100  # a GIF's delays are whole hundredths of a second
GIF_HONEST_RATE = 50  # frames a second; browsers slow down what is faster
PALETTE_FRAMES = 16  # that a palette is made from, where no sample is given


def encode(
    frames: Iterable[Frame],
    path: Path,
    fps: float,
    *,
    loop: int = 0,
    sample: Iterable[Frame] | None = None,
) -> None:
    """
    Write `frames` to `path` as a film, whole or not at all.

    Parameters
    ----------
    frames : iterable of uint8 arrays, shape (height, width, 4), RGBA
        All of one shape. A frame that is the same object as the one before it repeats it: formats
        with delays of their own store it once, those of a constant rate again.
    path : Path
        Its extension names the format; upper case will do.
    fps : float
        Frames a second.
    loop : int
        How often a GIF plays in all; 0 for ever.
    sample : iterable of frames, optional
        What a GIF's palette is made from; by default the first frames.

    Raises
    ------
    InputError
        If the extension is unknown, or there is no frame.
    OutputError
        If the file cannot be written or ffmpeg fails; an old file is then as it was.
    """
    kind = FORMATS[extension(path)]
    frames = iter(frames)
    files.check(path)
    if sample is None:
        head = list(islice(frames, PALETTE_FRAMES))
        sample, frames = head, chain(head, frames)
    first = next(frames, None)
    if first is None:
        raise InputError(f"{path}: there is no frame to write; give at least one")
    _check_frame(first, first.shape)
    with files.atomic(path) as temporary:
        job = Job(temporary, first.shape[1], first.shape[0], fps, loop)
        with kind(job, sample) as encoder:
            for frame in chain([first], frames):
                _check_frame(frame, first.shape)
                encoder.write(frame)


def extension(path: Path) -> str:
    """Return the extension of `path` in lower case, if it is that of a format."""
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise InputError(
            f"{path} has {f'the unknown extension {path.suffix}' if suffix else 'no extension'}; "
            f"choose from {', '.join(FORMATS)}"
        )
    return suffix


def check_transparency(path: Path, *, transparent: bool) -> None:
    """Raise `InputError` if frames are transparent and the format of `path` is not."""
    suffix = extension(path)
    if transparent and not FORMATS[suffix].transparency:
        able = ", ".join(name for name, kind in FORMATS.items() if kind.transparency)
        raise InputError(
            f"{path} cannot be transparent; choose another theme, or a format that can: {able}"
        )


def note(path: Path, size: tuple[int, int], fps: float) -> str | None:
    """Return what a person should know of how this file will differ from what was asked."""
    suffix = extension(path)
    if suffix == ".mp4" and (size[0] % 2 or size[1] % 2):
        even = tuple(side + side % 2 for side in size)
        return f"{path} is padded to {even[0]}x{even[1]}: H.264 needs even sides"
    if suffix == ".gif" and fps > GIF_HONEST_RATE:
        return f"{path} will play slower than {fps:g} frames a second: browsers allow a GIF 50"
    return None


@dataclass(frozen=True, slots=True)
class Job:
    """Where an encoder writes, and what it will get."""

    path: Path
    width: int
    height: int
    fps: float
    loop: int


class Encoder(Protocol):
    """What every format obeys: opened with a job and a sample of its frames, fed, closed."""

    transparency: ClassVar[bool]

    def __init__(self, job: Job, sample: Iterable[Frame]) -> None: ...
    def __enter__(self) -> Self: ...
    def write(self, frame: Frame) -> None:
        """Take the next frame."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Mp4:
    """H.264 that plays everywhere: 4:2:0, even sides by padding, index first, constant rate."""

    transparency: ClassVar[bool] = False
    arguments: ClassVar[list[str]] = [
        "-vf", f"scale={BT709}:flags=accurate_rnd+bitexact,format=yuv420p",
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-g", "50",
        "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
        "-color_range", "tv", "-threads", THREADS, "-movflags", "+faststart", "-f", "mp4",
    ]  # fmt: skip

    def __init__(self, job: Job, sample: Iterable[Frame]) -> None:
        del sample
        self._pad = ((0, job.height % 2), (0, job.width % 2), (0, 0))
        self._odd = bool(job.height % 2 or job.width % 2)
        size = (job.width + job.width % 2, job.height + job.height % 2)
        self._ffmpeg = Ffmpeg(size, job.fps, self.arguments, job.path)
        self._count = 0

    def __enter__(self) -> Self:
        self._ffmpeg.__enter__()
        return self

    def write(self, frame: Frame) -> None:
        """Pipe the frame, padded with its own edge where a side is odd."""
        self._ffmpeg.write(np.pad(frame, self._pad, mode="edge") if self._odd else frame)
        self._count += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ffmpeg.__exit__(kind, error, traceback)
        if kind is None and self._ffmpeg.frames_written != self._count:
            raise OutputError(
                f"ffmpeg wrote {self._ffmpeg.frames_written} of {self._count} frames; "
                "nothing is kept"
            )


class Gif:
    """
    One palette for all frames, no dither, only what changed, and delays that are exact.

    The sample is piped first and becomes the palette; then come the frames, each repeated one
    once. ffmpeg gives every image the same delay, so the true ones are set in the finished file.
    """

    transparency: ClassVar[bool] = True

    def __init__(self, job: Job, sample: Iterable[Frame]) -> None:
        self._job = job
        self._sample = list(sample)
        graph = (
            f"split[head][tail];[head]trim=end_frame={len(self._sample)},"
            f"palettegen=max_colors={GIF_COLORS}:stats_mode=full[palette];"
            f"[tail]trim=start_frame={len(self._sample)},setpts=PTS-STARTPTS[film];"
            "[film][palette]paletteuse=dither=none:diff_mode=rectangle"
        )
        # ffmpeg counts how often a GIF is repeated after it has played, -1 for not at all.
        repeat = -1 if job.loop == 1 else max(job.loop - 1, 0)
        arguments = ["-filter_complex", graph, "-loop", str(repeat), "-f", "gif"]
        self._ffmpeg = Ffmpeg((job.width, job.height), 25, arguments, job.path)
        self._last: Frame | None = None
        self._counts: list[int] = []

    def __enter__(self) -> Self:
        self._ffmpeg.__enter__()
        try:
            for frame in self._sample:
                self._ffmpeg.write(frame)
        except BaseException as error:
            self._ffmpeg.__exit__(type(error), error, None)
            raise
        self._sample.clear()
        return self

    def write(self, frame: Frame) -> None:
        """Pipe the frame, or count it if it repeats the one before."""
        if frame is self._last:
            self._counts[-1] += 1
            return
        self._ffmpeg.write(frame)
        self._last = frame
        self._counts.append(1)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ffmpeg.__exit__(kind, error, traceback)
        if kind is None:
            ends = np.cumsum([0, *self._counts]) / self._job.fps * GIF_TICK
            delays = np.diff(np.floor(ends + 0.5).astype(int))
            set_gif_delays(self._job.path, delays.tolist())


def set_gif_delays(path: Path, delays: list[int]) -> None:
    """
    Set how long each image of the GIF at `path` stands, in hundredths of a second.

    The blocks are those of the GIF89a specification (CompuServe, 1990), sections 17 to 26.

    Raises
    ------
    OutputError
        If the file does not hold as many images as there are delays.
    """
    data = bytearray(path.read_bytes())
    places = list(_gif_delay_places(data))
    if len(places) != len(delays):
        raise OutputError(f"ffmpeg wrote {len(places)} of {len(delays)} images; nothing is kept")
    for place, delay in zip(places, delays, strict=True):
        data[place : place + 2] = min(delay, 0xFFFF).to_bytes(2, "little")
    path.write_bytes(data)


def _gif_delay_places(data: bytearray) -> Iterator[int]:
    """Yield where each image's delay stands."""

    def table_size(flags: int) -> int:
        return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

    place = 13 + table_size(data[10])
    while data[place] != 0x3B:  # trailer
        if data[place] == 0x2C:  # image
            place += 11 + table_size(data[place + 9])
        else:  # extension
            if data[place + 1] == 0xF9:  # graphic control
                yield place + 4
            place += 2
        while data[place]:  # sub-blocks
            place += data[place] + 1
        place += 1


FORMATS: dict[str, type[Encoder]] = {
    ".mp4": Mp4,
    ".gif": Gif,
}


class Ffmpeg:
    """
    An ffmpeg process that reads raw RGBA frames and writes one file.

    Used as a context: it ends with the block, killed if the block fails, for a closed pipe alone
    would let it finish a film that is short but looks whole.

    A thread feeds it, so that the next frames are drawn while it works on those before. Of frames
    in a row that are one object only one waits, which lets drawing run ahead through the stills.
    """

    def __init__(self, size: tuple[int, int], fps: float, arguments: list[str], path: Path) -> None:
        self._command = [
            executable(), "-hide_banner", "-loglevel", "error", "-nostdin", "-y",
            "-progress", "pipe:1", "-f", "rawvideo", "-pix_fmt", "rgba",
            "-s", f"{size[0]}x{size[1]}", "-framerate", repr(fps), "-i", "pipe:0",
            "-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1",
            *arguments, f"file:{path}",
        ]  # fmt: skip
        self.frames_written = 0
        self._errors: list[str] = []
        self._waiting: queue.Queue[tuple[Frame, int] | None] = queue.Queue(FRAMES_AHEAD)
        self._held: Frame | None = None
        self._repeats = 0
        self._broken = False

    def __enter__(self) -> Self:
        # A session of its own: a Ctrl-C at the terminal reaches us alone, and we end it.
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
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
        return self

    def write(self, frame: Frame) -> None:
        """Take a frame, and wait if too many are waiting."""
        if frame is self._held:
            self._repeats += 1
            return
        self._hand_over()
        self._held, self._repeats = frame, 1
        if self._broken:
            self._finish()
            raise OutputError(self._failure())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self._hand_over()
        else:
            self._process.kill()
        self._finish()
        if kind is None and (self._broken or self._process.returncode):
            raise OutputError(self._failure())

    def _hand_over(self) -> None:
        if self._held is not None:
            self._waiting.put((self._held, self._repeats))

    def _finish(self) -> None:
        self._waiting.put(None)
        self._process.wait()
        for thread in self._threads:
            thread.join()

    def _feed(self) -> None:
        """Pipe what is waiting; if ffmpeg takes no more, throw it away, lest anyone wait for it."""
        while (item := self._waiting.get()) is not None:
            frame, repeats = item
            data = np.ascontiguousarray(frame).data
            try:
                for _ in range(0 if self._broken else repeats):
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
        cause = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        said = next((line for line in reversed(self._errors) if line), "it said nothing")
        return f"ffmpeg failed ({cause}): {said}"


def executable() -> str:
    """Return the path of an ffmpeg: the one that imageio-ffmpeg brings, or is told to use."""
    import imageio_ffmpeg  # here, since only a film needs it

    try:
        path: str = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        raise OutputError(
            "no ffmpeg is found; run: pip install --force-reinstall imageio-ffmpeg"
        ) from None
    return path


def _check_frame(frame: Frame, shape: tuple[int, ...]) -> None:
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 4 or frame.shape != shape:
        raise InputError(
            f"a frame has shape {frame.shape} and type {frame.dtype}; "
            f"give uint8 frames of one shape, (height, width, 4)"
        )
