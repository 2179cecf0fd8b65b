"""
The formats of films, and ffmpeg's options for each.

Each format is a subclass of `Encoder`. `FORMATS` is the table of them; a new format is a class and
a line there.
"""

import math
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from animate.film.encode.ffmpeg import Ffmpeg, Frame, Pixels
from animate.film.encode.yuv import BT709, I420
from animate.system import defaults, files
from animate.system.errors import OutputError

PNG_NAME = "frame-%05d.png"
# The bytes that x264 and libvpx write depend on the number of threads, so it must not depend on
# the machine.
THREADS = "2"
OUTPUT = 3  # of the arguments at the end of a command name the format and the file
SLOWEST = Fraction(1, 1000)  # frames a second
KEY_FRAME_INTERVAL = 4.0  # seconds at most, so that a player can seek


@dataclass(frozen=True, slots=True)
class Film:
    """
    A film to write: its file and its settings.

    Attributes
    ----------
    path : path
        The extension, in lower or upper case, selects the format. A path that ends in a slash is a
        folder of PNG files.
    fps : float
        Frames a second.
    loop : int
        Number of times that a GIF, WebP or APNG plays; 0 for ever.
    quality : "low", "medium" or "high"
    codec : str, optional
        ffmpeg's name of the codec of a video. The default is the format's.
    bitrate : int
        In kilobits a second; 0 for what the quality needs.
    extra_args : sequence of str
        More of ffmpeg's arguments for the output.
    metadata : mapping
        Texts that are stored in the file, by ffmpeg's names, such as "title".
    """

    path: files.AnyPath
    fps: float
    loop: int = defaults.LOOP
    quality: str = defaults.QUALITY
    codec: str | None = None
    bitrate: int = 0
    extra_args: Sequence[str] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_own_codec(self) -> bool:
        """Whether the codec and its settings are the caller's instead of ours."""
        return self.codec is not None or self.bitrate > 0 or bool(self.extra_args)


OPAQUE = 255


class Encoder:
    """
    Base class of the formats: pipes frames to ffmpeg.

    A format with a palette has one palette for all frames and no dithering, because what does not
    move would flicker otherwise. `sample` is piped first and becomes the palette.

    Parameters
    ----------
    film : Film
        Its path is where ffmpeg writes.
    size : (int, int)
        Width and height of the frames.
    sample : sequence of frames
        Frames to make the palette from.
    """

    media_type: ClassVar[str]
    """The registered name of the format (IANA, Media Types)."""
    needs_even_sides: ClassVar[bool] = False
    """Whether an odd width or height is padded."""
    fastest: ClassVar[int | None] = None
    """Most frames a second that players show, or None for any."""
    slowest: ClassVar[Fraction | None] = None
    """Fewest frames a second that a file can have, or None for any."""
    transparency: ClassVar[bool] = True
    partial_opacity: ClassVar[bool] = True
    """Whether a pixel can be half transparent, if `transparency` is true."""
    colors: ClassVar[dict[str, int | None]] = {"low": None, "medium": None, "high": None}
    """Number of colours in the palette for each quality, or None for no palette."""
    fourcc: ClassVar[str] = "RGBA"
    """Pixel format of the piped frames."""
    ticks_per_second: Fraction
    """Time base of the starts of the piped frames."""

    def __init__(self, film: Film, size: tuple[int, int], sample: Sequence[Frame]) -> None:
        self.film = film
        self.width, self.height = size
        colors = self.colors[film.quality]
        # In a palette, ffmpeg keeps a pixel or leaves it out: faint lines would be lost.
        if self.partial_opacity and any(map(has_partial_opacity, sample)):
            colors = None
        self._sample = list(sample) if colors else []
        graph = _palette(colors, len(self._sample)) if colors else ""
        filters = graph + self.filters()
        output = self.arguments()
        own = [*self.settings(), *film.extra_args]
        arguments = ["-filter_complex", filters] if filters else []
        arguments += [*output[:-OUTPUT], *own, *output[-OUTPUT:]]
        self._ffmpeg = Ffmpeg(self.piped_size(), self.ticks_per_second, arguments, self.fourcc)
        self._held: Frame | None = None  # piped once it is known for how long it is shown
        self._held_since = 0
        self._frames = 0
        self._offset = len(self._sample)  # ticks before the first frame, one for each of the sample

    def piped_size(self) -> tuple[int, int]:
        """Return width and height of the piped frames."""
        return self.width, self.height

    def filters(self) -> str:
        """Return ffmpeg's filters that come last."""
        return "null"

    def arguments(self) -> list[str]:
        """Return ffmpeg's arguments for the output, which end in `-f FORMAT FILE`."""
        raise NotImplementedError

    def settings(self) -> list[str]:
        """Return ffmpeg's arguments for the film's bit rate and metadata."""
        rate = ["-b:v", f"{self.film.bitrate}k"] if self.film.bitrate > 0 else []
        texts = [f"{key}={value}" for key, value in self.film.metadata.items()]
        return rate + [part for text in texts for part in ("-metadata", text)]

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Run ffmpeg during the block, and check that it wrote all frames."""
        with self._ffmpeg:
            for number, frame in enumerate(self._sample):
                self._ffmpeg.write(frame, number)
            self._sample.clear()
            yield self
            if self._held is not None:
                self.pipe_held(self._held, is_last=True)
        self.check()

    def write(self, frame: Frame) -> None:
        """Take the next frame."""
        if self._held is None or not self.repeats(frame, self._held):
            if self._held is not None:
                self.pipe_held(self._held, is_last=False)
            self._held, self._held_since = frame, self._frames
        self._frames += 1

    def pipe(self, pixels: Pixels, *starts: int) -> None:
        """Pipe a frame that starts at each of `starts`, in ticks."""
        self._ffmpeg.write(pixels, *(self._offset + start for start in starts))

    def repeats(self, frame: Frame, previous: Frame) -> bool:
        """Return whether `frame` only prolongs the previous one."""
        return frame is previous

    def pipe_held(self, held: Frame, *, is_last: bool) -> None:
        """Pipe the frame that is held since `_held_since`, and that `_frames` ends."""
        raise NotImplementedError

    def check(self) -> None:
        """Raise `OutputError` unless ffmpeg reports all frames as written."""
        _check_count(self._ffmpeg.frames_written, self._frames)


def has_partial_opacity(frame: Frame) -> bool:
    """Return whether a pixel of `frame` is half transparent."""
    opacity = frame[..., 3]
    return bool(((opacity > 0) & (opacity < OPAQUE)).any())


def _palette(colors: int, sample: int) -> str:
    """Return filters that make a palette of the first `sample` frames for those after them."""
    return (
        f"split[head][tail];[head]trim=end_frame={sample},"
        f"palettegen=max_colors={colors}:stats_mode=full[palette];"
        f"[tail]trim=start_frame={sample},setpts=PTS-STARTPTS[film];"
        "[film][palette]paletteuse=dither=none:diff_mode=rectangle,"
    )


def _check_count(written: int, expected: int) -> None:
    if written != expected:
        raise OutputError(f"ffmpeg wrote {written} of {expected} frames")


class _ConstantRate(Encoder):
    """
    Base class of the formats that store a frame again when it is repeated.

    Each frame is piped once, and ffmpeg repeats it.
    """

    slowest = SLOWEST

    def __init__(self, film: Film, size: tuple[int, int], sample: Sequence[Frame]) -> None:
        self.rate = max(Fraction(film.fps).limit_denominator(1001), self.slowest)
        self.ticks_per_second = 2 * self.rate  # two ticks a frame
        super().__init__(film, size, sample)

    def filters(self) -> str:
        """Return the filter that repeats frames."""
        return f"fps={self.rate.numerator}/{self.rate.denominator}:round=down"

    def pipe_held(self, held: Frame, *, is_last: bool) -> None:
        """
        Pipe the frame at its start, and the last one also at its end.

        ffmpeg shows the last piped frame for as long as the one before it: here for one tick.
        """
        start, end = 2 * self._held_since, 2 * self._frames
        starts = sorted({start, end - 2, end - 1}) if is_last else [start]
        self.pipe(self.pixels(held), *starts)

    def pixels(self, frame: Frame) -> Pixels:
        """Return the pixels of `frame` as they are piped."""
        return frame


class _Video(_ConstantRate):
    """
    Base class of the formats with luma, and chroma at half the width and height.

    `I420` converts only the pixels that differ from the previous frame, where ffmpeg would convert
    all, and there is less to pipe.
    """

    transparency = False
    fourcc = "I420"

    def __init__(self, film: Film, size: tuple[int, int], sample: Sequence[Frame]) -> None:
        super().__init__(film, size, sample)
        self._i420 = I420(*size)

    def piped_size(self) -> tuple[int, int]:
        """Return the size rounded up to even numbers."""
        return self.width + self.width % 2, self.height + self.height % 2

    def filters(self) -> str:
        """Return the filters that declare the colour space and repeat frames."""
        return f"{BT709},{super().filters()}"

    def pixels(self, frame: Frame) -> Pixels:
        """Return the planes of `frame`."""
        return self._i420.convert(frame)

    def key_frame_interval(self) -> str:
        """Return the most frames from one key frame to the next."""
        return str(max(1, round(KEY_FRAME_INTERVAL * self.film.fps)))


class Mp4(_Video):
    """H.264 for every player: 4:2:0, sides padded to even numbers, index first, constant rate."""

    media_type = "video/mp4"
    needs_even_sides = True
    quantizers: ClassVar[dict[str, str]] = {"low": "32", "medium": "24", "high": "19"}
    # All frames have one quantizer. Key frames are much finer, because most of a frame stays for
    # long; so are colours, because thin coloured lines are what moves. x264's slower presets search
    # for motion and look ahead: they take twice the time, and these films become no smaller.
    # Trellis quantization saves half a percent and takes a tenth longer.
    container: ClassVar[list[str]] = ["-movflags", "+faststart", "-f", "mp4"]
    tuning: ClassVar[str] = "cabac=1:partitions=p8x8,i4x4:ipratio=2:chroma-qp-offset=-6"

    def arguments(self) -> list[str]:
        """Return the arguments."""
        return [
            "-c:v", "libx264", "-preset", "ultrafast", "-qp", self.quantizers[self.film.quality],
            "-x264-params", self.tuning, "-g", self.key_frame_interval(), "-threads", THREADS,
            *self.container, f"file:{self.film.path}",
        ]  # fmt: skip


class Mov(Mp4):
    """H.264 for QuickTime and video editors."""

    container: ClassVar[list[str]] = ["-movflags", "+faststart", "-f", "mov"]


class M4v(Mp4):
    """H.264 for Apple's players."""

    container: ClassVar[list[str]] = ["-movflags", "+faststart", "-f", "ipod"]


class Avi(Mp4):
    """H.264 in the container of old players."""

    container: ClassVar[list[str]] = ["-f", "avi"]


class Mkv(Mp4):
    """H.264 in a Matroska file."""

    container: ClassVar[list[str]] = ["-f", "matroska"]


class OwnCodec(_ConstantRate):
    """
    A video whose codec and arguments are the caller's, as matplotlib gives them to ffmpeg.

    There are no filters, so that the caller's arguments may have some.
    """

    transparency = False
    container: ClassVar[list[str]] = []

    def filters(self) -> str:
        """Return no filter."""
        return ""

    def pipe_held(self, held: Frame, *, is_last: bool) -> None:
        """Pipe the frame at each of its starts."""
        del is_last
        self.pipe(held, *range(2 * self._held_since, 2 * self._frames, 2))

    def arguments(self) -> list[str]:
        """Return the arguments."""
        codec = self.film.codec or "h264"
        has_format = "-pix_fmt" in self.film.extra_args
        pixels = ["-pix_fmt", "yuv420p"] if codec == "h264" and not has_format else []
        rate = f"{self.rate.numerator}/{self.rate.denominator}"
        return ["-c:v", codec, "-r", rate, *pixels, *self.container, f"file:{self.film.path}"]

    def check(self) -> None:
        """Raise `OutputError` unless ffmpeg wrote something: the caller may have cut the film."""
        if self._ffmpeg.frames_written == 0:
            _check_count(0, self._frames)


class WebM(_Video):
    """VP9 for the web, index first."""

    media_type = "video/webm"
    factors: ClassVar[dict[str, str]] = {"low": "44", "medium": "34", "high": "24"}

    def filters(self) -> str:
        """Return the filters, which crop the padding: VP9 allows odd sides."""
        return f"crop={self.width}:{self.height}:0:0:exact=1,{super().filters()}"

    def arguments(self) -> list[str]:
        """Return the arguments."""
        return [
            "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "7",
            "-crf", self.factors[self.film.quality], "-b:v", "0", "-g", self.key_frame_interval(),
            "-row-mt", "1", "-threads", THREADS, "-cues_to_front", "1",
            "-f", "webm", f"file:{self.film.path}",
        ]  # fmt: skip


class PngFolder(_ConstantRate):
    """A folder with one PNG a frame, for video editors: exact, unless the quality is low."""

    media_type = "image/png"
    colors: ClassVar[dict[str, int | None]] = {"low": 64, "medium": None, "high": None}
    compression: ClassVar[dict[str, str]] = {"low": "6", "medium": "3", "high": "9"}

    def arguments(self) -> list[str]:
        """Return the arguments."""
        folder = str(self.film.path).replace("%", "%%")  # image2 takes the path as a pattern
        return [
            "-c:v", "png", "-pred", "mixed",
            "-compression_level", self.compression[self.film.quality],
            "-threads", THREADS, "-start_number", "0", "-f", "image2", f"file:{folder}/{PNG_NAME}",
        ]  # fmt: skip


class _Delays(Encoder):
    """Base class of the formats in which each picture has a delay, to which a repeat adds."""

    colors: ClassVar[dict[str, int | None]] = {"low": 32, "medium": 256, "high": None}
    ticks_per_second = Fraction(1000)  # the unit of the delays
    longest_delay: ClassVar[int] = 0xFFFF

    def __init__(self, film: Film, size: tuple[int, int], sample: Sequence[Frame]) -> None:
        super().__init__(film, size, sample)
        self._pictures = 0
        self._last_delay = 0

    def repeats(self, frame: Frame, previous: Frame) -> bool:
        """Return whether `frame` has the same pixels as the previous one."""
        return frame is previous or np.array_equal(frame, previous)

    def tick(self, number: int) -> int:
        """Return the start of a frame, rounded to a tick: errors do not add up."""
        return math.floor(number / self.film.fps * self.ticks_per_second.numerator + 0.5)

    def pipe_held(self, held: Frame, *, is_last: bool) -> None:
        """Pipe the frame at its start, unless its delay rounds to 0 and it is not the last."""
        start = self.tick(self._held_since)
        delay = max(self.tick(self._frames) - start, 1 if is_last else 0)
        if delay > 0:
            self.pipe(held, start)
            self._pictures += 1
            self._last_delay = min(delay, self.longest_delay)

    def check(self) -> None:
        """Raise `OutputError` unless ffmpeg reports all pictures as written."""
        _check_count(self._ffmpeg.frames_written, self._pictures)


class Gif(_Delays):
    """The format that every program shows. Delays are whole hundredths of a second."""

    media_type = "image/gif"
    partial_opacity = False
    fastest = 50
    colors: ClassVar[dict[str, int | None]] = {"low": 32, "medium": 64, "high": 256}
    ticks_per_second = Fraction(100)

    def pipe_held(self, held: Frame, *, is_last: bool) -> None:
        """Pipe the frame at its start, and after the last one a packet that only ends it."""
        super().pipe_held(held, is_last=is_last)
        if is_last:
            self.pipe(held, self.tick(self._held_since) + self._last_delay)

    def arguments(self) -> list[str]:
        """
        Return the arguments.

        ffmpeg writes the duration of the last packet as its delay. `setts` sets each duration from
        the start of the next packet; the packet at the end has none, and `noise` drops it.
        """
        repeats = -1 if self.film.loop == 1 else max(self.film.loop - 1, 0)  # -1: not at all
        return [
            "-fps_mode", "passthrough",
            "-bsf:v", r"setts=duration=NEXT_PTS-PTS,noise=drop=lt(duration\,0)",
            "-loop", str(repeats), "-f", "gif", f"file:{self.film.path}",
        ]  # fmt: skip


class Apng(_Delays):
    """Animated PNG."""

    media_type = "image/apng"

    def arguments(self) -> list[str]:
        """Return the arguments."""
        return [
            "-fps_mode", "passthrough", "-plays", str(self.film.loop), "-pred", "mixed",
            "-f", "apng", f"file:{self.film.path}",
        ]  # fmt: skip

    def check(self) -> None:
        """
        Set the last delay, which ffmpeg takes only at its start, and check the file.

        It is in the last fcTL chunk (PNG specification, third edition, 11.3.6.2).
        """
        super().check()
        path = Path(self.film.path)
        data = bytearray(path.read_bytes())
        chunk = data.rfind(b"\x00\x00\x00\x1afcTL")
        if chunk >= 0:  # a single picture is no animation, and has no delay
            struct.pack_into(">HH", data, chunk + 28, self._last_delay, 1000)
            checksum = zlib.crc32(data[chunk + 4 : chunk + 34])
            struct.pack_into(">I", data, chunk + 34, checksum)
            path.write_bytes(data)


class WebP(_Delays):
    """Lossless WebP, which for flat drawings is smaller than lossy WebP."""

    media_type = "image/webp"

    longest_delay: ClassVar[int] = 0xFFFFFF

    def filters(self) -> str:
        """Return the conversion to the pixel format of libwebp."""
        return "format=bgra"

    def arguments(self) -> list[str]:
        """Return the arguments."""
        return [
            "-fps_mode", "passthrough", "-c:v", "libwebp_anim", "-lossless", "1",
            "-compression_level", "3", "-loop", str(self.film.loop),
            "-f", "webp", f"file:{self.film.path}",
        ]  # fmt: skip

    def check(self) -> None:
        """
        Set the last delay, which ffmpeg cannot be told, and check the number of pictures.

        Each picture of an animation is an ANMF chunk (WebP container specification, Google).
        """
        path = Path(self.film.path)
        data = bytearray(path.read_bytes())
        pictures = []
        place = 12
        while place < len(data) - 8:
            kind, size = struct.unpack_from("<4sI", data, place)
            if kind == b"ANMF":
                pictures.append(place)
            place += 8 + size + size % 2
        # A single picture is no animation, and has no delay.
        _check_count(max(len(pictures), 1), self._pictures)
        if pictures:
            start = pictures[-1] + 20
            data[start : start + 3] = self._last_delay.to_bytes(3, "little")
            path.write_bytes(data)


FORMATS: dict[str, type[Encoder]] = {
    ".mp4": Mp4,
    ".webm": WebM,
    ".gif": Gif,
    ".webp": WebP,
    ".apng": Apng,
    files.FOLDER_SUFFIX: PngFolder,
}
VIDEOS: dict[str, type[Mp4]] = {
    ".mp4": Mp4,
    ".mov": Mov,
    ".m4v": M4v,
    ".avi": Avi,
    ".mkv": Mkv,
}
"""Extensions that matplotlib's writers take as H.264."""
EVERY_FORMAT: dict[str, type[Encoder]] = {**FORMATS, **VIDEOS}
"""`FORMATS`, and containers in which only animations of others are saved."""


def encoder_of(film: Film) -> type[Encoder]:
    """Return the class that writes `film`. Raise `InputError` if its extension is unknown."""
    suffix = files.extension(film.path, EVERY_FORMAT)
    kind = EVERY_FORMAT[suffix]
    if suffix in VIDEOS and film.has_own_codec:
        container = VIDEOS[suffix].container
        return type("OwnCodec", (OwnCodec,), {"container": container})
    return kind
