"""
Write frames to film files, with ffmpeg.

The extension of a file selects one of `FORMATS`. Frames are piped to ffmpeg as they are drawn, so
memory does not grow with their number. A file is checked before it replaces an old one.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from animate.film.encode.ffmpeg import Frame, executable
from animate.film.encode.formats import (
    EVERY_FORMAT,
    FORMATS,
    VIDEOS,
    Encoder,
    Film,
    encoder_of,
)
from animate.system import defaults, files, signals
from animate.system.errors import InputError

__all__ = [
    "EVERY_FORMAT",
    "FORMATS",
    "VIDEOS",
    "Film",
    "Frame",
    "FrameWriter",
    "check_transparency",
    "encode",
    "encode_each",
    "encoder_of",
    "has_palette",
    "is_video",
    "note",
]

# The least bytes a pixel that a film needs, to refuse a full disk early: for each distinct frame
# half of what the smallest film took, and for each PNG.
FILM_BYTES = 0.0003
PNG_BYTES = 0.01
PALETTE_FRAMES = 16  # frames that the palette is made from if no sample is given


def encode(
    frames: Iterable[Frame],
    path: files.AnyPath,
    fps: float,
    *,
    loop: int = defaults.LOOP,
    quality: str = defaults.QUALITY,
    sample: Iterable[Frame] | None = None,
) -> None:
    """
    Write `frames` to `path` as a film, whole or not at all.

    Parameters
    ----------
    frames : iterable of uint8 arrays, shape (height, width, 4), RGBA
        All of one shape. The caller must not change them afterwards. The same object again repeats
        a frame: formats with delays store it once, formats of a constant rate once a frame.
    path, fps, loop, quality
        See `Film`.
    sample : iterable of frames, optional
        Frames to make the palette from, for formats that have one (`has_palette`). The default is
        the first frames.

    Raises
    ------
    InputError
        If the extension is unknown, or there is no frame.
    OutputError
        If the file cannot be written or ffmpeg fails. An old file is then unchanged.
    """
    (error,) = encode_each(frames, [Film(path, fps, loop, quality)], sample)
    if error is not None:
        raise error


def encode_each(
    frames: Iterable[Frame],
    films: Sequence[Film],
    sample: Iterable[Frame] | None = None,
    on_written: Callable[[Film], None] = lambda _film: None,
) -> list[OSError | None]:
    """
    Write several films of the same frames, and iterate over the frames only once.

    Like `encode`, except that the other films are still written when one fails. Returns the error
    of each film, or None. Calls `on_written` with each film that is in its place; signals wait for
    it to return.
    """
    for film in films:
        files.extension(film.path, FORMATS)
    frames = iter(frames)
    if not any(has_palette(film) for film in films):
        sample = []
    elif sample is None:
        sample = list(islice(frames, PALETTE_FRAMES))
        frames = chain(sample, frames)
    else:
        sample = list(sample)
    first = next(frames, None)
    if first is None:
        raise InputError(f"{films[0].path}: there is no frame to write; give at least one")
    _check_frame(first, first.shape)
    with ExitStack() as stack:
        outputs = [
            stack.enter_context(_Output(_encoder(film, first.shape, sample), film, on_written))
            for film in films
        ]
        del sample
        for frame in chain([first], frames):
            _check_frame(frame, first.shape)
            for output in outputs:
                output.write(frame)
            if all(output.error is not None for output in outputs):
                break
    return [output.error for output in outputs]


@contextmanager
def _encoder(film: Film, shape: tuple[int, ...], sample: Sequence[Frame]) -> Iterator[Encoder]:
    """Run the encoder of `film` during the block, then move the file to its place."""
    kind = encoder_of(film)
    with files.atomic(film.path) as temporary:
        encoder = kind(replace(film, path=temporary), (shape[1], shape[0]), sample)
        with encoder.running():
            yield encoder


class FrameWriter:
    """
    Writes one film whose frames come one by one.

    Parameters
    ----------
    film : Film

    Raises
    ------
    InputError
        If the extension is unknown.
    """

    def __init__(self, film: Film) -> None:
        self._film = film
        self._waits = has_palette(film)
        self._waiting: list[Frame] = []  # until there are enough for a palette
        self._stack = ExitStack()
        self._encoder: Encoder | None = None
        self._shape: tuple[int, ...] = ()

    def write(self, frame: Frame) -> None:
        """Write the next frame."""
        self._shape = self._shape or frame.shape
        _check_frame(frame, self._shape)
        if self._encoder is not None:
            self._encoder.write(frame)
        else:
            self._waiting.append(frame)
            if not self._waits or len(self._waiting) == PALETTE_FRAMES:
                self._start()

    def _start(self) -> None:
        frames, self._waiting = self._waiting, []
        sample = frames if self._waits else []
        encoder = self._stack.enter_context(_encoder(self._film, self._shape, sample))
        for frame in frames:
            encoder.write(frame)
        self._encoder = encoder

    def close(self) -> None:
        """Finish the film, and move it to its place."""
        if self._encoder is None:
            if not self._waiting:
                path = os.fspath(self._film.path)
                raise InputError(f"{path}: there is no frame to write; give at least one")
            self._start()
        self._stack.close()

    def abort(self, error: BaseException) -> None:
        """End the encoder. An old file stays as it was."""
        self._waiting = []
        self._stack.__exit__(type(error), error, error.__traceback__)


class _Output:
    """One of several films. Its first error is kept, and ends only its own encoder."""

    def __init__(
        self,
        encoder: AbstractContextManager[Encoder],
        film: Film,
        on_written: Callable[[Film], None],
    ) -> None:
        self.error: OSError | None = None
        self._context = encoder
        self._film = film
        self._on_written = on_written
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with self._keep_error():
            self._encoder = self._stack.enter_context(self._context)
        return self

    def write(self, frame: Frame) -> None:
        """Write the next frame, unless this film has failed."""
        if self.error is None:
            with self._keep_error():
                self._encoder.write(frame)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.error is not None:
            return
        with signals.deferred_until_reported():
            with self._keep_error():
                self._stack.__exit__(kind, error, traceback)
            if kind is None and self.error is None:
                self._on_written(self._film)

    @contextmanager
    def _keep_error(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.error = error
            try:
                self._stack.__exit__(type(error), error, error.__traceback__)
            except OSError as described:  # by `files.atomic`, with the path
                self.error = described


def check(film: Film, size: tuple[int, int], frames: int, distinct: int) -> None:
    """
    Raise if `film` cannot be written, as far as this is known before its frames are drawn.

    Parameters
    ----------
    film : Film
    size : (int, int)
        Width and height.
    frames, distinct : int
        Number of frames, and of different ones among them.

    Raises
    ------
    OutputError
        If the file cannot be written, the disk has too little room, or there is no ffmpeg.
    """
    is_folder = files.is_folder(film.path)
    bytes_a_pixel = PNG_BYTES * frames if is_folder else FILM_BYTES * distinct
    files.check(film.path, needed=int(bytes_a_pixel * size[0] * size[1]))
    executable()


def is_video(path: files.AnyPath) -> bool:
    """Return whether the file at `path` is a video, rather than an animated image or a folder."""
    kind = FORMATS.get(Path(path).suffix.lower())
    return kind is not None and kind.media_type.startswith("video/")


def has_palette(film: Film) -> bool:
    """Return whether all frames of `film` share one palette, made from a sample of them."""
    return encoder_of(film).colors[film.quality] is not None


def check_transparency(path: str | os.PathLike[str], *, transparent: bool) -> None:
    """Raise `InputError` if frames are transparent and the format of `path` is not."""
    if transparent and not FORMATS[files.extension(path, FORMATS)].transparency:
        able = ", ".join(
            name
            for name, kind in FORMATS.items()
            if kind.transparency and name != files.FOLDER_SUFFIX
        )
        raise InputError(
            f"{os.fspath(path)} cannot be transparent; choose another theme, or one of {able}"
        )


def note(
    path: str | os.PathLike[str],
    size: tuple[int, int],
    fps: float,
    *,
    transparent: bool = False,
) -> str | None:
    """Return a sentence on how the file will differ from the settings, or None."""
    kind, path = EVERY_FORMAT[files.extension(path, EVERY_FORMAT)], os.fspath(path)
    if transparent and not kind.partial_opacity:
        return (
            f"{path} has no half transparent pixels: faint lines and soft edges are lost; "
            ".webp and .apng keep them"
        )
    if kind.needs_even_sides and (size[0] % 2 or size[1] % 2):
        even = tuple(side + side % 2 for side in size)
        return f"{path} is padded to {even[0]}x{even[1]}: its format needs even sides"
    if kind.slowest is not None and fps < kind.slowest:
        slowest = f"{float(kind.slowest):g}"
        return f"{path} will play at {slowest} frames a second, the slowest that it can"
    if kind.fastest is not None and fps > kind.fastest:
        return (
            f"{path} will play slower than {fps:g} frames a second: browsers limit its format to "
            f"{kind.fastest}"
        )
    return None


def _check_frame(frame: Frame, shape: tuple[int, ...]) -> None:
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 4 or frame.shape != shape:
        raise InputError(
            f"a frame has shape {frame.shape} and type {frame.dtype}; "
            f"give uint8 frames of one shape, (height, width, 4)"
        )
