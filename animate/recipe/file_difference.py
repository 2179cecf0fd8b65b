"""Compare the pictures in two files or folders."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageSequence

from animate.film.encode import is_video
from animate.system import files

IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".apng")
PDF_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)  # ISO 32000-1, 7.3.8


def difference(one: files.AnyPath, other: files.AnyPath) -> str | None:
    """
    Describe how the pictures in two files or folders differ; return None if they are the same.

    The numbers in an SVG or PDF are rounded first: their last digits depend on the processor.
    """
    one, other = Path(one), Path(other)
    if one.is_dir() != other.is_dir():
        return "one is a folder, and the other a file"
    if one.is_dir():
        ones, others = sorted(one.iterdir()), sorted(other.iterdir())
        if len(ones) != len(others):
            return f"{len(ones)} pictures instead of {len(others)}"
        return next(filter(None, map(difference, ones, others)), None)
    suffix = one.suffix.lower()
    if not (suffix in IMAGES or is_video(one)):
        contents = [path.read_bytes() for path in (one, other)]
        same = contents[0] == contents[1] or _rounded(contents[0]) == _rounded(contents[1])
        return None if same else "its content differs"
    try:
        if suffix in IMAGES and _timing(one) != _timing(other):
            return "its pictures are shown for other durations, or it loops another number of times"
        return _pixel_difference(pictures(one), pictures(other))
    except (OSError, ValueError, RuntimeError, SyntaxError) as error:
        return f"it cannot be decoded: {str(error).splitlines()[0] if str(error) else error!r}"


def pictures(path: files.AnyPath) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield the pictures in the file at `path`, each (height, width, channels) uint8."""
    import imageio.v3

    if is_video(path):
        return iter(imageio.v3.imiter(Path(path), plugin="FFMPEG"))
    return iter(imageio.v3.imiter(Path(path), plugin="pillow", mode="RGBA"))


def _timing(path: Path) -> list[object]:
    """Return how often an image loops, and the duration of each of its pictures."""
    with Image.open(path) as image:
        durations = [frame.info.get("duration") for frame in ImageSequence.Iterator(image)]
        return [image.info.get("loop"), *durations]


def _pixel_difference(
    ones: Iterator[npt.NDArray[np.uint8]], others: Iterator[npt.NDArray[np.uint8]]
) -> str | None:
    counts, differences = [0, 0], []
    for one, other in zip_longest(ones, others):
        counts[0] += one is not None
        counts[1] += other is not None
        if one is None or other is None:
            continue
        if one.shape != other.shape:
            sizes = [f"{picture.shape[1]}x{picture.shape[0]}" for picture in (one, other)]
            return f"{sizes[0]} pixels instead of {sizes[1]}"
        differences.append(int(np.abs(one.astype(int) - other).max()))
    if counts[0] != counts[1]:
        return f"{counts[0]} pictures instead of {counts[1]}"
    if not any(differences):
        return None
    differing = np.count_nonzero(differences)
    return f"{differing} of {counts[0]} pictures differ, by up to {max(differences)} of 255"


def _rounded(document: bytes) -> bytes:
    """Return what an SVG or PDF draws, with numbers to three decimals."""
    if document.startswith(b"%PDF"):
        document = b"\n".join(map(_inflated, PDF_STREAM.findall(document)))
    return re.sub(rb"-?\d+\.\d+", lambda number: b"%.3f" % float(number[0]), document)


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:  # it is not compressed
        return stream
