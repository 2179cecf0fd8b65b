"""
Frames to a film file, by the ffmpeg that imageio-ffmpeg brings.

`encode` sees only frames and a rate; the extension picks the format, one line in `FORMATS`. The
frames are piped as they come, so memory does not grow with their number, and the file is proved
before it takes its place.
"""

import os
from collections.abc import Iterable
from itertools import chain, islice
from pathlib import Path

import numpy as np

from animate import files
from animate.encode.ffmpeg import Frame
from animate.encode.formats import FOLDER, FORMATS, Job
from animate.inputs import InputError

__all__ = ["FORMATS", "Frame", "check_transparency", "encode", "extension", "note"]

GIF_HONEST_RATE = 50  # frames a second; browsers slow down what is faster
PALETTE_FRAMES = 16  # that a palette is made from, where no sample is given


def encode(
    frames: Iterable[Frame],
    path: str | os.PathLike[str],
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
    path : path
        Its extension names the format; upper case will do. A path that ends in a slash is a
        folder of PNG files.
    fps : float
        Frames a second.
    loop : int
        How often a format that can say so plays in all; 0 for ever.
    quality : "low", "medium" or "high"
    sample : iterable of frames, optional
        What a palette is made from; by default the first frames.

    Raises
    ------
    InputError
        If the extension is unknown, or there is no frame.
    OutputError
        If the file cannot be written or ffmpeg fails; an old file is then as it was.
    """
    path = os.fspath(path)
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
        job = Job(temporary, first.shape[1], first.shape[0], fps, loop, quality)
        with kind(job, sample) as encoder:
            for frame in chain([first], frames):
                _check_frame(frame, first.shape)
                encoder.write(frame)


def extension(path: str | os.PathLike[str]) -> str:
    """Return the extension of `path` in lower case, if it is that of a format; "/" for a folder."""
    path = os.fspath(path)
    if files.is_folder(path):
        return FOLDER
    suffix = Path(path).suffix
    if suffix.lower() not in FORMATS:
        known = ", ".join(name for name in FORMATS if name != FOLDER)
        raise InputError(
            f"{path} has {f'the unknown extension {suffix}' if suffix else 'no extension'}; "
            f"choose from {known}, or end it in a slash for a folder of PNG files"
        )
    return suffix.lower()


def check_transparency(path: str | os.PathLike[str], *, transparent: bool) -> None:
    """Raise `InputError` if frames are transparent and the format of `path` is not."""
    if transparent and not FORMATS[extension(path)].transparency:
        able = ", ".join(
            name for name, kind in FORMATS.items() if kind.transparency and name != FOLDER
        )
        raise InputError(
            f"{os.fspath(path)} cannot be transparent; "
            f"choose another theme, or a format that can: {able}"
        )


def note(path: str | os.PathLike[str], size: tuple[int, int], fps: float) -> str | None:
    """Return what a person should know of how this file will differ from what was asked."""
    suffix, path = extension(path), os.fspath(path)
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
