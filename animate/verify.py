"""
Whether what a report tells of is still true: the files as recorded, and made again the same.

Bytes are compared first. Where another processor or version makes other bytes, pixels and rounded
numbers are compared, and that is said.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from animate import files, report
from animate.files import OutputError
from animate.inputs import InputError
from animate.recipe import Output, make
from animate.recipe.toml import from_settings

if TYPE_CHECKING:
    from animate.trajectory import Trajectory

PICTURES = (".png", ".gif", ".webp", ".apng", ".mp4", ".webm")  # whose pixels can be compared
CLOSE = 1e-4  # of the larger number: what float32 keeps over many epochs on any processor


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one file, or of the numbers: whether it is as recorded, and in words."""

    sentence: str
    holds: bool


def verify(path: files.AnyPath) -> list[Finding]:
    """
    Make again what the report at `path` tells of, compare, and return what was found.

    Raises
    ------
    InputError
        If the report cannot be read.
    """
    told = report.read(path)
    folder = Path(path).parent
    recipe = from_settings(told["settings"], os.fspath(path))
    by_path = {output.path: output for output in recipe.outputs if isinstance(output, Output)}
    with TemporaryDirectory(prefix="animate-") as scratch:
        again: dict[str, Output] = {}
        for number, listed in enumerate(told["outputs"]):
            name = _name(listed, by_path, path)
            end = "/" if files.is_folder(name) else Path(name).suffix
            again[name] = replace(by_path[name], path=f"{scratch}/{number}{end}")
        outputs = list(again.values()) or [Output(f"{scratch}/none.json")]
        try:
            runs = make(replace(recipe, outputs=outputs))
        except OutputError as error:  # some may stand
            return [Finding(f"cannot be made again: {error}", holds=False)]
        others = _other_versions(told)
        found = [_numbers(report.load(path), runs, others)] if told["outputs"] else []
        for listed in told["outputs"]:
            name = listed["path"]
            found.append(
                _compared(name, files.inside(folder, name), again[name].path, listed, others)
            )
    return found


def _name(listed: object, known: Mapping[str, Output], path: files.AnyPath) -> str:
    if not isinstance(listed, dict) or listed.get("path") not in known:
        raise InputError(f"{path} lists an output that its settings do not have: {listed}")
    name: str = listed["path"]
    return name


def _numbers(recorded: Sequence[Trajectory], now: Sequence[Trajectory], others: str) -> Finding:
    """Compare trajectories, to the bit and then to what any processor keeps."""
    by_lr = {run.lr: run for run in now}
    for run in recorded:
        same = by_lr.get(run.lr)
        if same is None or same.weights.shape != run.weights.shape:
            return Finding(f"the run at {run.lr} is not the one that the settings say", False)
        pairs = ((run.weights, same.weights), (run.losses, same.losses))
        if not all(_close(one, other) for one, other in pairs):
            return Finding(f"the run at {run.lr} trains differently now{others}", False)
    exact = all(
        np.array_equal(run.weights, by_lr[run.lr].weights, equal_nan=True) for run in recorded
    )
    how = "to the last bit" if exact else f"to {CLOSE:g} of their size{others}"
    return Finding(f"{len(recorded)} runs: trained again the same, {how}", True)


def _close(one: Any, other: Any) -> bool:
    finite = np.isfinite(one) & np.isfinite(other)
    scale = np.abs(one[finite]).max(initial=0)
    return bool(np.allclose(one[finite], other[finite], rtol=CLOSE, atol=CLOSE * min(scale, 1)))


def _compared(name: str, there: str, again: str, listed: Mapping[str, Any], others: str) -> Finding:
    """Compare the file on disk, what was recorded of it, and the one made again."""
    if not Path(there).exists():
        return Finding(f"{name}: missing", False)
    on_disk, now, recorded = report.checksum(there), report.checksum(again), listed.get("sha256")
    if on_disk != recorded:
        which = "that made again now" if now == recorded else "what would be made now"
        return Finding(
            f"{name}: not the file that was recorded; against {which}: {difference(there, again)}",
            False,
        )
    if now == recorded:
        return Finding(f"{name}: as recorded, and made again the same", True)
    how = difference(there, again)
    if how == SAME:
        return Finding(f"{name}: as recorded; made again with other bytes, {SAME}{others}", True)
    return Finding(f"{name}: as recorded, but made differently now: {how}{others}", False)


SAME = "the same pixels"


def difference(one: files.AnyPath, other: files.AnyPath) -> str:
    """Return in words how the pictures in two files differ."""
    if Path(one).is_dir():
        one_, other_ = (sorted(Path(folder).iterdir()) for folder in (one, other))
        if len(one_) != len(other_):
            return f"{len(one_)} pictures instead of {len(other_)}"
        told = [difference(*pair) for pair in zip(one_, other_, strict=True)]
        return next((how for how in told if how != SAME), SAME)
    if Path(one).suffix.lower() not in PICTURES:
        sizes = [Path(path).stat().st_size for path in (one, other)]
        return f"{sizes[0]} bytes instead of {sizes[1]}" if sizes[0] != sizes[1] else "other bytes"
    try:
        return _pixel_difference(_pictures(one), _pictures(other))
    except (OSError, ValueError, RuntimeError, SyntaxError) as error:
        return f"it cannot be shown: {str(error).splitlines()[0] if str(error) else error!r}"


def _pictures(path: files.AnyPath) -> Iterator[np.ndarray]:
    import imageio.v3

    plugin = "FFMPEG" if Path(path).suffix.lower() in (".mp4", ".webm") else "pillow"
    return iter(imageio.v3.imiter(Path(path), plugin=plugin))


def _pixel_difference(one: Iterator[np.ndarray], other: Iterator[np.ndarray]) -> str:
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
    return SAME


def _other_versions(told: Mapping[str, Any]) -> str:
    """Return which versions are others than the report's, as the end of a sentence."""
    recorded, now = told.get("versions", {}), report.versions()
    others = [
        f"{name} {recorded.get(name)} then, {version} now"
        for name, version in now.items()
        if recorded.get(name) != version
    ]
    return f" ({'; '.join(others)})" if others else ""
