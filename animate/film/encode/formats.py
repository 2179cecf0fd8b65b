"""
What is written for each extension, and how.

Each format is a class with the same small protocol: opened with a job and a sample of its frames,
fed with frames, closed. `FORMATS` is the table of them; a new one is a class and a line.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Protocol, Self

import numpy as np

from animate.film.encode.ffmpeg import Ffmpeg, Frame, Pixels
from animate.film.encode.yuv import BT709, I420
from animate.system import files
from animate.system.errors import OutputError

PICTURE = "frame-%05d.png"

# x264's and libvpx's bytes depend on the number of threads, so that is ours and not the machine's.
THREADS = "2"
KEY_FRAMES = 4.0  # the most seconds from one to the next, so that a player can jump


@dataclass(frozen=True, slots=True)
class Job:
    """Where an encoder writes, and what it will get."""

    path: Path
    width: int
    height: int
    fps: float
    loop: int = 0
    quality: str = "medium"


class Encoder(Protocol):
    """What every format obeys."""

    transparency: ClassVar[bool]
    loops: ClassVar[bool]
    """Whether the file itself says how often it plays."""
    colors: ClassVar[dict[str, int | None]]
    """Of the palette that all frames share, for each quality; None where there is no palette."""

    def __init__(self, job: Job, sample: Sequence[Frame]) -> None: ...
    def __enter__(self) -> Self: ...
    def write(self, frame: Frame) -> None:
        """Take the next frame; the same object again repeats it."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class _Piped:
    """
    A format that ffmpeg writes.

    Where it has a palette, there is one for all frames and no dither, lest what stands still
    flicker: the sample is piped first and becomes the palette, and then come the frames.
    """

    transparency: ClassVar[bool] = True
    loops: ClassVar[bool] = False
    colors: ClassVar[dict[str, int | None]] = {"low": None, "medium": None, "high": None}
    fourcc: ClassVar[str] = "RGBA"
    """Four letters for the order of the pixels that are piped."""

    def __init__(self, job: Job, sample: Sequence[Frame]) -> None:
        self._job = job
        colors = self.colors[job.quality]
        self._sample = list(sample) if colors else []
        graph = _palette(colors, len(self._sample)) if colors else ""
        graph += self.filters(job)
        self._ffmpeg = Ffmpeg(
            self.size(job), job.fps, ["-filter_complex", graph, *self.arguments(job)], self.fourcc
        )

    def size(self, job: Job) -> tuple[int, int]:
        """Return the width and height of what is piped."""
        return job.width, job.height

    def filters(self, job: Job) -> str:
        """Return the filters that the frames pass last."""
        del job
        return "null"

    def arguments(self, job: Job) -> list[str]:
        """Return ffmpeg's arguments from the codec to the name of the file."""
        raise NotImplementedError

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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.finish()
        except BaseException as failure:
            self._ffmpeg.__exit__(type(failure), failure, None)
            raise
        self._ffmpeg.__exit__(kind, error, traceback)
        if kind is None:
            self.prove()

    def finish(self) -> None:
        """Pipe what has been kept."""

    def write(self, frame: Frame) -> None:
        """Take the next frame."""
        raise NotImplementedError

    def prove(self) -> None:
        """Raise `OutputError` unless the finished file is whole."""
        raise NotImplementedError


def _palette(colors: int, sample: int) -> str:
    """Return the filters that make a palette of the first `sample` frames for those after them."""
    return (
        f"split[head][tail];[head]trim=end_frame={sample},"
        f"palettegen=max_colors={colors}:stats_mode=full[palette];"
        f"[tail]trim=start_frame={sample},setpts=PTS-STARTPTS[film];"
        "[film][palette]paletteuse=dither=none:diff_mode=rectangle,"
    )


class _Steady(_Piped):
    """A format in which every frame stands equally long, and a repeated one is stored again."""

    def __init__(self, job: Job, sample: Sequence[Frame]) -> None:
        super().__init__(job, sample)
        self._last: Frame | None = None
        self._times = 0
        self._count = 0

    def filters(self, job: Job) -> str:
        """Return the repetition of what stands."""
        rate = Fraction(job.fps).limit_denominator(1001)
        return f"fps={rate.numerator}/{rate.denominator}"

    def write(self, frame: Frame) -> None:
        """Keep the frame until the next one comes, and tell how often it was the same."""
        if frame is not self._last:
            self._pipe()
            self._last, self._times = frame, 0
        self._times += 1
        self._count += 1

    def _pipe(self) -> None:
        """Pipe the frame that was kept."""
        if self._last is not None:
            self._ffmpeg.write(self.piped(self._last), self._times)

    def piped(self, frame: Frame) -> Pixels:
        """Return the frame as it is piped."""
        return frame

    def finish(self) -> None:
        """Pipe the last frame."""
        self._pipe()

    def prove(self) -> None:
        """Raise `OutputError` unless ffmpeg says that it wrote every frame."""
        if self._ffmpeg.frames_written != self._count:
            raise OutputError(f"ffmpeg wrote {self._ffmpeg.frames_written} of {self._count} frames")


class _Video(_Steady):
    """
    A format of luma, and of chroma at half the width and height.

    Frames are converted here: ffmpeg would convert all of every one, `I420` does only what differs
    from the one before; and less is piped.
    """

    transparency = False
    fourcc = "I420"

    def __init__(self, job: Job, sample: Sequence[Frame]) -> None:
        super().__init__(job, sample)
        self._i420 = I420(job.width, job.height)

    def size(self, job: Job) -> tuple[int, int]:
        """Return even sides."""
        return job.width + job.width % 2, job.height + job.height % 2

    def filters(self, job: Job) -> str:
        """Return what the planes mean, and the repetition of what stands."""
        return f"{BT709},{super().filters(job)}"

    def piped(self, frame: Frame) -> Pixels:
        """Return the planes of the frame."""
        return self._i420.convert(frame)


def _key_frames(job: Job) -> str:
    return str(max(1, round(KEY_FRAMES * job.fps)))


class Mp4(_Video):
    """H.264 that plays everywhere: 4:2:0, even sides by padding, index first, constant rate."""

    quantizers: ClassVar[dict[str, str]] = {"low": "32", "medium": "24", "high": "19"}
    # One quantizer for all, with much finer key frames, since most of a frame stands for long; and
    # finer colours, since thin coloured lines are what moves. x264's slower presets search for
    # motion and look ahead: for twice the time, films such as ours become no smaller. Trellis
    # quantization saves half a percent, and takes a tenth longer.
    tuning: ClassVar[str] = "cabac=1:partitions=p8x8,i4x4:ipratio=2:chroma-qp-offset=-6"

    def arguments(self, job: Job) -> list[str]:
        """Return the arguments."""
        return [
            "-c:v", "libx264", "-preset", "ultrafast", "-qp", self.quantizers[job.quality],
            "-x264-params", self.tuning, "-g", _key_frames(job), "-threads", THREADS,
            "-movflags", "+faststart", "-f", "mp4", f"file:{job.path}",
        ]  # fmt: skip


class WebM(_Video):
    """VP9 for the web, index first."""

    factors: ClassVar[dict[str, str]] = {"low": "44", "medium": "34", "high": "24"}

    def filters(self, job: Job) -> str:
        """Return the filters, which cut off what makes the sides even: VP9 can do without."""
        return f"crop={job.width}:{job.height}:0:0:exact=1,{super().filters(job)}"

    def arguments(self, job: Job) -> list[str]:
        """Return the arguments."""
        return [
            "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "7",
            "-crf", self.factors[job.quality], "-b:v", "0", "-g", _key_frames(job),
            "-row-mt", "1", "-threads", THREADS, "-cues_to_front", "1",
            "-f", "webm", f"file:{job.path}",
        ]  # fmt: skip


class Pictures(_Steady):
    """A folder with a PNG for each frame, as video editors take them: exact, unless low."""

    colors: ClassVar[dict[str, int | None]] = {"low": 64, "medium": None, "high": None}
    packing: ClassVar[dict[str, str]] = {"low": "6", "medium": "3", "high": "9"}

    def arguments(self, job: Job) -> list[str]:
        """Return the arguments; in a pattern, a per cent sign stands for itself if doubled."""
        folder = str(job.path).replace("%", "%%")
        return [
            "-c:v", "png", "-pred", "mixed", "-compression_level", self.packing[job.quality],
            "-threads", THREADS, "-start_number", "0", "-f", "image2", f"file:{folder}/{PICTURE}",
        ]  # fmt: skip


class _Delayed(_Piped):
    """
    A format in which each picture stands as long as it says, so that repeats are stored once.

    ffmpeg gives every picture the same delay, so the true ones are set in the finished file.
    """

    loops = True
    colors: ClassVar[dict[str, int | None]] = {"low": 32, "medium": 256, "high": None}
    ticks: ClassVar[int] = 1000  # a second, in which delays are told

    def __init__(self, job: Job, sample: Sequence[Frame]) -> None:
        super().__init__(job, sample)
        self._last: Frame | None = None
        self._counts: list[int] = []

    def set_delays(self, data: bytearray, delays: list[int]) -> int:
        """Set how long each picture in the file stands, and return how many there are."""
        raise NotImplementedError

    def write(self, frame: Frame) -> None:
        """Pipe the frame, or count it if it looks like the one before."""
        if self._last is not None and (frame is self._last or np.array_equal(frame, self._last)):
            self._counts[-1] += 1
            return
        self._ffmpeg.write(frame)
        self._last = frame
        self._counts.append(1)

    def prove(self) -> None:
        """Set the delays, and raise `OutputError` if there are not as many pictures."""
        ends = np.cumsum([0, *self._counts]) / self._job.fps * self.ticks
        delays = np.diff(np.floor(ends + 0.5).astype(int)).tolist()
        data = bytearray(self._job.path.read_bytes())
        try:
            pictures = self.set_delays(data, delays)
        except (IndexError, struct.error):
            raise OutputError("what ffmpeg wrote is cut short") from None
        if pictures != len(delays):
            raise OutputError(f"ffmpeg wrote {pictures} of {len(delays)} pictures")
        self._job.path.write_bytes(data)


class Gif(_Delayed):
    """What every place shows. Its delays are whole hundredths of a second."""

    colors: ClassVar[dict[str, int | None]] = {"low": 32, "medium": 64, "high": 256}
    ticks: ClassVar[int] = 100

    def arguments(self, job: Job) -> list[str]:
        """Return the arguments; ffmpeg counts how often a GIF is repeated, -1 for not at all."""
        repeats = -1 if job.loop == 1 else max(job.loop - 1, 0)
        return ["-loop", str(repeats), "-f", "gif", f"file:{job.path}"]

    def set_delays(self, data: bytearray, delays: list[int]) -> int:
        """Follow the blocks of the GIF89a specification (CompuServe, 1990), sections 17 to 26."""

        def table_size(flags: int) -> int:
            return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

        found, waiting = 0, iter(delays)
        place = 13 + table_size(data[10])
        while data[place] != 0x3B:  # trailer
            if data[place] == 0x2C:  # image
                place += 11 + table_size(data[place + 9])
            else:  # extension
                if data[place + 1] == 0xF9:  # graphic control
                    found += 1
                    struct.pack_into("<H", data, place + 4, min(next(waiting, 0), 0xFFFF))
                place += 2
            while data[place]:  # sub-blocks
                place += data[place] + 1
            place += 1
        return found


class WebP(_Delayed):
    """Lossless WebP, which for flat drawings is smaller than the lossy kind."""

    def filters(self, job: Job) -> str:
        """Return the kind of pixels that libwebp takes."""
        del job
        return "format=bgra"

    def arguments(self, job: Job) -> list[str]:
        """Return the arguments."""
        return [
            "-c:v", "libwebp_anim", "-lossless", "1", "-compression_level", "3",
            "-loop", str(job.loop), "-f", "webp", f"file:{job.path}",
        ]  # fmt: skip

    def set_delays(self, data: bytearray, delays: list[int]) -> int:
        """Follow the chunks of the WebP container specification (Google): ANMF is a picture."""
        found, waiting = 0, iter(delays)
        place = 12
        while place < len(data):
            kind, size = struct.unpack_from("<4sI", data, place)
            if kind == b"ANMF":
                found += 1
                start = place + 8 + 12
                data[start : start + 3] = min(next(waiting, 0), 0xFFFFFF).to_bytes(3, "little")
            place += 8 + size + size % 2
        return found or 1  # a single picture is no animation, and has no delay


class Apng(_Delayed):
    """Animated PNG."""

    def arguments(self, job: Job) -> list[str]:
        """Return the arguments."""
        plays = str(job.loop)
        return ["-plays", plays, "-pred", "mixed", "-f", "apng", f"file:{job.path}"]

    def set_delays(self, data: bytearray, delays: list[int]) -> int:
        """Follow the chunks of the PNG specification (third edition, 11.3.6.2): fcTL."""
        found, waiting = 0, iter(delays)
        place = 8
        while place < len(data):
            size, kind = struct.unpack_from(">I4s", data, place)
            if kind == b"fcTL":
                found += 1
                start = place + 8
                struct.pack_into(">HH", data, start + 20, min(next(waiting, 0), 0xFFFF), self.ticks)
                check = zlib.crc32(data[place + 4 : start + size])
                struct.pack_into(">I", data, start + size, check)
            place += 12 + size
        return found or 1  # a single picture is no animation, and has no delay


FORMATS: dict[str, type[Encoder]] = {
    ".mp4": Mp4,
    ".webm": WebM,
    ".gif": Gif,
    ".webp": WebP,
    ".apng": Apng,
    files.FOLDER_SUFFIX: Pictures,
}
