"""
Verify a report: check that its files are as recorded, and that making them again gives the same.

Bytes are compared first. Another processor or version may write other bytes; then pixels and
rounded numbers are compared, and the finding names the versions.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from animate.recipe import report
from animate.recipe.file_difference import difference
from animate.recipe.making import make, prepare_runs, train_runs
from animate.recipe.toml import from_settings
from animate.system import files
from animate.system.errors import OutputError

if TYPE_CHECKING:
    from animate.training.trajectory import Trajectory

TOLERANCE = 1e-4  # relative: what float32 keeps over many epochs on any processor


@dataclass(frozen=True, slots=True)
class Finding:
    """The result for one file or for the numbers: a sentence, and whether the report holds."""

    sentence: str
    holds: bool


def verify(path: files.AnyPath) -> list[Finding]:
    """Make the outputs of the report at `path` again, and compare them and the runs with it."""
    contents, recorded = report.read(path), report.load(path)
    recipe = from_settings(contents["settings"], os.fspath(path), Path(path).parent)
    parts = zip(recipe.normalized_outputs, recipe.by_output, strict=True)
    outputs = [output for output, part in parts if part.form != "report"]
    tables = contents["settings"]["output"]
    names = [
        table["path"]
        for table, part in zip(tables, recipe.by_output, strict=True)
        if part.form != "report"
    ]
    if [entry.get("path") for entry in contents["outputs"]] != names:
        expected = ", ".join(names) or "none"
        return [Finding(f"the outputs are not those of the settings: {expected}", False)]
    with TemporaryDirectory(prefix="animate-") as folder:
        again = []
        for number, output in enumerate(outputs):
            suffix = "/" if files.is_folder(output.path) else Path(output.path).suffix
            again.append(replace(output, path=f"{folder}/{number}{suffix}"))
        try:
            if again:
                runs = make(replace(recipe, outputs=again))
            else:
                runs = train_runs(recipe, prepare_runs(recipe))
        except OutputError as error:
            return [Finding(f"cannot be made again: {error}", False)]
        changes = _version_changes(contents)
        findings = [_compare_numbers(recorded, runs, contents["runs"], changes)]
        for entry, remade in zip(contents["outputs"], again, strict=True):
            file = files.relative_to_cwd(entry["path"], Path(path).parent)
            findings.append(_compare_file(file, remade.path, entry, changes))
    return findings


def _compare_numbers(
    recorded: Sequence[Trajectory],
    trained: Sequence[Trajectory],
    entries: Sequence[Mapping[str, Any]],
    changes: str,
) -> Finding:
    """Compare data, trajectories and diagnoses: exactly, and else within the tolerance."""
    if [run.hyperparameters for run in recorded] != [run.hyperparameters for run in trained]:
        return Finding("the runs are not those of the settings", False)
    compared: list[tuple[str, object, object, tuple[str, ...]]]
    data = report.data_names(trained[0].problem)
    compared = [("the data are", recorded[0].problem, trained[0].problem, data)]
    compared += [
        (f"the run {old.label!r} is", old, new, ("steps", "weights", "losses"))
        for old, new in zip(recorded, trained, strict=True)
    ]
    is_exact = True
    for what, old, new, names in compared:
        for arrays in [(getattr(old, name), getattr(new, name)) for name in names]:
            if not _is_close(*arrays):
                return Finding(f"{what} not what the settings make now{changes}", False)
            is_exact &= arrays[0] is None or np.array_equal(*arrays, equal_nan=True)
    for run, entry in zip(recorded, entries, strict=True):
        if any(entry.get(name) != getattr(run.diagnosis, name) for name in report.DIAGNOSIS):
            said = f"the diagnosis of {run.label!r} is not that of the run beside it"
            return Finding(said, False)
    how = "to the last bit" if is_exact else f"within a relative {TOLERANCE:g}{changes}"
    return Finding(f"{len(recorded)} runs: trained again the same, {how}", True)


def _is_close(recorded: Any, trained: Any) -> bool:
    if recorded is None or trained is None:
        return recorded is trained
    if recorded.shape != trained.shape:
        return False
    largest = np.abs(recorded[np.isfinite(recorded)]).max(initial=0)
    return np.allclose(
        recorded, trained, rtol=TOLERANCE, atol=TOLERANCE * min(largest, 1), equal_nan=True
    )


def _compare_file(file: str, remade: str, entry: Mapping[str, Any], changes: str) -> Finding:
    """Compare a file with its entry in the report, and with the same output made again."""
    name, recorded = entry["path"], entry.get("sha256")
    if not Path(file).exists():
        return Finding(f"{name}: missing", False)
    now = report.checksum(file)
    if now == recorded == report.checksum(remade):
        return Finding(f"{name}: as recorded, and made again the same", True)
    how = difference(file, remade)
    said = how or "the same pixels in other bytes"
    if now != recorded:
        return Finding(
            f"{name}: not the file that was recorded; against one made now: {said}", False
        )
    if changes and how is None:
        return Finding(f"{name}: as recorded; made again, {said}{changes}", True)
    why = changes or " (the versions are the same, so these settings did not make it)"
    return Finding(f"{name}: as recorded, but made differently now: {said}{why}", False)


def _version_changes(contents: Mapping[str, Any]) -> str:
    """Return the versions that differ from the report's, in parentheses; "" if none does."""
    recorded = contents["versions"]
    changes = [
        f"{name} {recorded.get(name)} then, {version} now"
        for name, version in report.versions().items()
        if recorded.get(name) != version
    ]
    return f" ({'; '.join(changes)})" if changes else ""
