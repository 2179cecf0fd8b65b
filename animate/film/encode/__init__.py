"""
Frames to a film file, by the ffmpeg that imageio-ffmpeg brings.

`encode` sees only frames and a rate; the extension picks the format, one line in `FORMATS`. The
frames are piped as they come, so memory does not grow with their number, and the file is proved
before it takes its place.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from types import TracebackType
from typing import Self

import numpy as np

from animate.film.encode.ffmpeg import Frame, executable
from animate.film.encode.formats import FORMATS, Encoder, Job
from animate.system import files, signals
from animate.system.errors import InputError

__all__ = [
    "FORMATS",
    "Film",
    "Frame",
    "check_transparency",
    "encode",
    "encode_each",
    "has_palette",
    "note",
]

GIF_HONEST_RATE = 50  # frames a second; browsers slow down what is faster
LEAST = 0.0003  # bytes a pixel of a film's distinct frames: half of the smallest film seen
LEAST_PNG = 0.01
PALETTE_FRAMES = 16  # that a palette is made from, where no sample is given


@dataclass(frozen=True, slots=True)
class Film:
    """
    A film to be written: where, and all that is said of it besides its frames.

    Attributes
    ----------
    path : path
        Its extension names the format; upper case will do. A path that ends in a slash is a
        folder of PNG files.
    fps : float
        Frames a second.
    loop : int
        How often a format that can say so plays in all; 0 for ever.
    quality : "low", "medium" or "high"
    """

    path: files.AnyPath
    fps: float
    loop: int = 0
    quality: str = "medium"


def encode(
    frames: Iterable[Frame],
    path: files.AnyPath,
    fps: float,
    *,
    loop: int = 0,
    quality: str = "medium",
    sample: Iterable[Frame] | None = None,
) -> None:
    """
    Write `frames` to `path` as a film, whole or not at all.

    Parameters
    ----------
    frames : iterable of uint8 arrays, shape (height, width, 4), RGBA
        All of one shape, and not changed after they are given. A frame that is the same object as
        the one before it repeats it: formats with delays of their own store it once, those of a
        constant rate again.
    path, fps, loop, quality
        As of a `Film`.
    sample : iterable of frames, optional
        What a palette is made from, if there is one (`has_palette`); by default the first frames.

    Raises
    ------
    InputError
        If the extension is unknown, or there is no frame.
    OutputError
        If the file cannot be written or ffmpeg fails; an old file is then as it was.
    """
    (error,) = encode_each(frames, [Film(path, fps, loop, quality)], sample)
    if error is not None:
        raise error


def encode_each(
    frames: Iterable[Frame],
    films: Sequence[Film],
    sample: Iterable[Frame] | None = None,
    written: Callable[[Film], None] = lambda _film: None,
) -> list[OSError | None]:
    """
    Write several films of the same frames, which are asked for only once.

    Like `encode`, except that a film which fails does not keep the others from being made: what
    went wrong with each is returned, None where nothing did. `written` is called with each film
    that is in its place, before any signal can come between.
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
        copies = [stack.enter_context(_Copy(film, first.shape, sample, written)) for film in films]
        del sample
        for frame in chain([first], frames):
            _check_frame(frame, first.shape)
            for copy in copies:
                copy.write(frame)
            if all(copy.error is not None for copy in copies):
                break
    return [copy.error for copy in copies]


class _Copy:
    """One of the films made of the same frames; its failure is kept, and then it takes no more."""

    def __init__(
        self,
        film: Film,
        shape: tuple[int, ...],
        sample: Sequence[Frame],
        written: Callable[[Film], None],
    ) -> None:
        self.error: OSError | None = None
        self._stack = ExitStack()
        self._written = partial(written, film)
        self._film = _opened(film, shape, sample)

    def __enter__(self) -> Self:
        with self._keeping_errors():
            self._encoder = self._stack.enter_context(self._film)
        return self

    def write(self, frame: Frame) -> None:
        """Take the next frame."""
        if self.error is None:
            with self._keeping_errors():
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
            with self._keeping_errors():
                self._stack.__exit__(kind, error, traceback)
            if kind is None and self.error is None:
                self._written()

    @contextmanager
    def _keeping_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.error = error
            try:
                self._stack.__exit__(type(error), error, error.__traceback__)
            except OSError as told:  # the same in words for a reader
                self.error = told


@contextmanager
def _opened(film: Film, shape: tuple[int, ...], sample: Sequence[Frame]) -> Iterator[Encoder]:
    kind = FORMATS[files.extension(film.path, FORMATS)]
    with files.atomic(film.path) as temporary:
        job = Job(temporary, shape[1], shape[0], film.fps, film.loop, film.quality)
        with kind(job, sample) as encoder:
            yield encoder


def check(film: Film, size: tuple[int, int], frames: int, distinct: int) -> None:
    """
    Raise if a film of so many frames, so many of them distinct, cannot be written.

    Raises
    ------
    OutputError
        If its place cannot be written or has too little room, or there is no ffmpeg.
    """
    is_folder = files.is_folder(film.path)
    pictures = LEAST_PNG * frames if is_folder else LEAST * distinct
    files.check(film.path, needed=int(pictures * size[0] * size[1]))
    executable()


def has_palette(film: Film) -> bool:
    """Return whether all frames of `film` share one palette, made from a sample of them."""
    return FORMATS[files.extension(film.path, FORMATS)].colors[film.quality] is not None


def check_transparency(path: str | os.PathLike[str], *, transparent: bool) -> None:
    """Raise `InputError` if frames are transparent and the format of `path` is not."""
    if transparent and not FORMATS[files.extension(path, FORMATS)].transparency:
        able = ", ".join(
            name
            for name, kind in FORMATS.items()
            if kind.transparency and name != files.FOLDER_SUFFIX
        )
        raise InputError(
            f"{os.fspath(path)} cannot be transparent; "
            f"choose another theme, or a format that can: {able}"
        )


def note(path: str | os.PathLike[str], size: tuple[int, int], fps: float) -> str | None:
    """Return what a person should know of how this file will differ from what was asked."""
    suffix, path = files.extension(path, FORMATS), os.fspath(path)
    if suffix == ".mp4" and (size[0] % 2 or size[1] % 2):
        even = tuple(side + side % 2 for side in size)
        return f"{path} is padded to {even[0]}x{even[1]}: H.264 needs even sides"
    if suffix == ".gif" and fps > GIF_HONEST_RATE:
        return f"{path} will play slower than {fps:g} frames a second: browsers allow a GIF 50"
    return None


def _check_frame(frame: Frame, shape: tuple[int, ...]) -> None:
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 4 or frame.shape != shape:
        raise InputError(
            f"a frame has shape {frame.shape} and type {frame.dtype}; "
            f"give uint8 frames of one shape, (height, width, 4)"
        )
