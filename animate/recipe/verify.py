"""
Whether what a report tells of is still true: the files as recorded, and made again the same.

Bytes are compared first. Where another processor or version makes other bytes, pixels and rounded
numbers are compared, and that is said.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from animate.recipe import Output, report
from animate.recipe.file_difference import difference
from animate.recipe.making import make
from animate.recipe.toml import from_settings
from animate.system import files
from animate.system.files import OutputError
from animate.training.descent import train

if TYPE_CHECKING:
    from animate.training.trajectory import Trajectory

DATA = ("x", "y", "start", "true_weights")
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
    by_path = {output.path: output for output in recipe.listed}
    others = _other_versions(told)
    expected = [part.path for part in recipe.parts if part.form != "report"]
    if [listed.get("path") for listed in told["outputs"]] != expected:
        missing = ", ".join(expected) or "none"
        return [Finding(f"the outputs are not those that the settings say: {missing}", False)]
    with TemporaryDirectory(prefix="animate-") as scratch:
        again: dict[str, Output] = {}
        for number, listed in enumerate(told["outputs"]):
            name = listed["path"]
            end = "/" if files.is_folder(name) else Path(name).suffix
            again[name] = replace(by_path[name], path=f"{scratch}/{number}{end}")
        try:
            if again:
                runs: Sequence[Trajectory] = make(replace(recipe, outputs=list(again.values())))
            else:
                runs = train(recipe.problem(), recipe.trained, recipe.epochs)
        except OutputError as error:  # some may stand
            return [Finding(f"cannot be made again: {error}", holds=False)]
        found = [_numbers(report.load(path), runs, told, others)]
        for listed in told["outputs"]:
            name = listed["path"]
            there = files.inside(folder, name)
            found.append(_compared(name, there, again[name].path, listed, others))
    return found


def _numbers(
    recorded: Sequence[Trajectory],
    now: Sequence[Trajectory],
    told: Mapping[str, Any],
    others: str,
) -> Finding:
    """Compare data and trajectories, to the bit and then to what any processor keeps."""
    if [run.lr for run in recorded] != [run.lr for run in now]:
        return Finding("the runs are not those that the settings say", False)
    pairs: list[tuple[object, object, tuple[str, ...], str]]
    pairs = [(recorded[0].problem, now[0].problem, DATA, "the data are")]
    pairs += [
        (one, other, ("weights", "losses"), f"the run at {one.lr} is")
        for one, other in zip(recorded, now, strict=True)
    ]
    for one, other, names, what in pairs:
        if not all(_close(getattr(one, name), getattr(other, name)) for name in names):
            return Finding(f"{what} not what the settings make now{others}", False)
    for run, entry in zip(recorded, told["runs"], strict=True):
        if any(entry.get(name) != getattr(run.diagnosis, name) for name in report.DIAGNOSED):
            return Finding(f"the diagnosis at {run.lr} is not that of the run beside it", False)
    exact = all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
        for one, other, names, _ in pairs
        for name in names
        if getattr(one, name) is not None
    )
    how = "to the last bit" if exact else f"to {CLOSE:g} of their size{others}"
    return Finding(f"{len(recorded)} runs: trained again the same, {how}", True)


def _close(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    scale = np.abs(one[np.isfinite(one)]).max(initial=0)
    return one.shape == other.shape and np.allclose(
        one, other, rtol=CLOSE, atol=CLOSE * min(scale, 1), equal_nan=True
    )


def _compared(name: str, there: str, again: str, listed: Mapping[str, Any], others: str) -> Finding:
    """Compare the file on disk, what was recorded of it, and the one made again."""
    if not Path(there).exists():
        return Finding(f"{name}: missing", False)
    on_disk, now, recorded = report.checksum(there), report.checksum(again), listed.get("sha256")
    if on_disk == now == recorded:
        return Finding(f"{name}: as recorded, and made again the same", True)
    how = difference(there, again) or "the same pixels in other bytes"
    if on_disk != recorded:
        which = "that made again now" if now == recorded else "what would be made now"
        return Finding(f"{name}: not the file that was recorded; against {which}: {how}", False)
    if others and difference(there, again) is None:
        return Finding(f"{name}: as recorded; made again, {how}{others}", True)
    why = others or " (the versions are the same, so the settings here did not make it)"
    return Finding(f"{name}: as recorded, but made differently now: {how}{why}", False)


def _other_versions(told: Mapping[str, Any]) -> str:
    """Return which versions are others than the report's, as the end of a sentence."""
    recorded, now = told.get("versions", {}), report.versions()
    others = [
        f"{name} {recorded.get(name)} then, {version} now"
        for name, version in now.items()
        if recorded.get(name) != version
    ]
    return f" ({'; '.join(others)})" if others else ""
