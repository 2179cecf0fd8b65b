"""Read runs from any of the files that hold some."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from animate.recipe import report
from animate.system import files
from animate.system.errors import InputError
from animate.training import storage

if TYPE_CHECKING:
    from animate.training.trajectory import Runs, Trajectory

TABLES = (".csv", ".tsv")
LARGEST = 10**13  # bytes


def load(path: files.AnyPath) -> Trajectory | Runs:
    """
    Return the run of the file at `path`, or the runs of a report.

    Parameters
    ----------
    path : path
        Of a ``.npz`` that `Trajectory.save` wrote, of a recording that a `Recorder` wrote, of a
        ``.csv`` with a column `loss` (and maybe `step` or `epoch`, and metrics), or of a report,
        ``.json``, which holds several runs.

    Raises
    ------
    InputError
        If it cannot be read, or is another kind of file.
    """
    files.check_source(path, LARGEST, "file")
    try:
        with Path(path).open("rb") as file:
            start = file.read(len(storage.RECORDING_MAGIC))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {files.cause(error)}; give another") from None
    suffix = Path(path).suffix.lower()
    if start == storage.RECORDING_MAGIC:
        return storage.load_recording(path)
    if start.startswith(storage.ZIP_MAGIC) or suffix == ".npz":
        return storage.load_npz(path)
    return storage.load_losses(path) if suffix in TABLES else report.load(path)
