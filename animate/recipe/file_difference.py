"""What pictures are in a file, and how those in two files differ."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageSequence

from animate.system import files

Picture = npt.NDArray[np.uint8]

STREAM = rb"stream\r?\n(.*?)\r?\nendstream"  # of a PDF (ISO 32000-1, 7.3.8)
PICTURES = (".png", ".gif", ".webp", ".apng", ".mp4", ".webm")  # whose pixels can be compared


def difference(one: files.AnyPath, other: files.AnyPath) -> str | None:
    """
    Return in words how the pictures in two files or folders differ; None if they do not.

    Of an SVG or PDF, what is drawn is compared with its numbers rounded.
    """
    if Path(one).is_dir() != Path(other).is_dir():
        return "one is a folder, and the other a file"
    if Path(one).is_dir():
        one_, other_ = (sorted(Path(folder).iterdir()) for folder in (one, other))
        if len(one_) != len(other_):
            return f"{len(one_)} pictures instead of {len(other_)}"
        told = [difference(*pair) for pair in zip(one_, other_, strict=True)]
        return next((how for how in told if how is not None), None)
    if Path(one).suffix.lower() not in PICTURES:
        data, others = Path(one).read_bytes(), Path(other).read_bytes()
        if data == others or _rounded(data) == _rounded(others):
            return None
        return (
            f"{len(data)} bytes instead of {len(others)}"
            if len(data) != len(others)
            else "other bytes"
        )
    try:
        if _timing(one) != _timing(other):
            return "its pictures stand otherwise long, or it plays another number of times"
        return _pixel_difference(pictures(one), pictures(other))
    except (OSError, ValueError, RuntimeError, SyntaxError) as error:
        return f"it cannot be shown: {str(error).splitlines()[0] if str(error) else error!r}"


def _timing(path: files.AnyPath) -> list[object]:
    """Return how long each picture stands and how often the film plays, where the file says so."""
    if Path(path).suffix.lower() in (".mp4", ".webm"):
        return []
    with Image.open(path) as image:
        stand = [frame.info.get("duration") for frame in ImageSequence.Iterator(image)]
        return [image.info.get("loop"), *stand]


def _rounded(document: bytes) -> bytes:
    """Return what an SVG or PDF draws, with its numbers rounded to what any processor computes."""
    if document.startswith(b"%PDF"):
        document = b"\n".join(map(_inflated, re.findall(STREAM, document, re.DOTALL)))
    return re.sub(rb"-?\d+\.\d+", lambda found: b"%.3f" % float(found[0]), document)


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream


def pictures(path: files.AnyPath) -> Iterator[Picture]:
    """Yield the pictures in the file at `path`, each (height, width, channels) uint8."""
    import imageio.v3

    plugin = "FFMPEG" if Path(path).suffix.lower() in (".mp4", ".webm") else "pillow"
    return iter(imageio.v3.imiter(Path(path), plugin=plugin))


def _pixel_difference(one: Iterator[Picture], other: Iterator[Picture]) -> str | None:
    counts, differing, most = [0, 0], 0, 0
    for pair in zip_longest(one, other):
        for side, picture in enumerate(pair):
            counts[side] += picture is not None
        if pair[0] is None or pair[1] is None:
            continue
        if pair[0].shape != pair[1].shape:
            sizes = [f"{picture.shape[1]}x{picture.shape[0]}" for picture in pair]
            if sizes[0] != sizes[1]:
                return f"{sizes[0]} pixels instead of {sizes[1]}"
            return "other kinds of pixels"
        apart = int(np.abs(pair[0].astype(int) - pair[1]).max())
        differing += apart > 0
        most = max(most, apart)
    if counts[0] != counts[1]:
        return f"{counts[0]} pictures instead of {counts[1]}"
    if differing:
        return f"{differing} of {counts[0]} pictures differ, by up to {most} of 255"
    return None
