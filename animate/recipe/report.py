"""
Reports: what was made and from what, as JSON that can be checked and loaded again.

float32 numbers are written so that they are read back to the last bit. Numbers computed from them
are rounded, since their last digits depend on the processor. JSON has no infinities: the strings
"inf", "-inf" and "nan" replace them. A report holds no date and no name of a machine.
"""

import hashlib
import json
import math
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from animate.system import files
from animate.system.errors import InputError
from animate.system.version import VERSION
from animate.training.hyperparameters import Hyperparameters, labels_for
from animate.training.line import Line
from animate.training.standardization import Standardization
from animate.training.trajectory import Runs, Trajectory

PACKAGES = ("torch", "numpy", "matplotlib", "imageio-ffmpeg", "pillow")
SECTIONS = {"versions": dict, "settings": dict, "problem": dict, "runs": list, "outputs": list}
DATA = ("x", "y", "start", "true_weights")
DIAGNOSIS = ("verdict", "converged_at", "overflowed_at", "sentence")
DIGITS = 9  # of computed numbers
MAX_SIZE = 1_000_000_000  # bytes


def report(
    settings: Mapping[str, object],
    runs: Sequence[Trajectory],
    paths: Iterable[str],
    folder: files.AnyPath = "",
) -> dict[str, Any]:
    """
    Return a report of `runs` and of the files at `paths`, as plain values for JSON.

    `settings` are the recipe's, as plain values. The paths are listed relative to `folder`.
    """
    return {
        "animate": VERSION,
        "versions": versions(),
        "settings": dict(settings),
        "problem": _problem(cast("Line", runs[0].problem)),
        "runs": [
            {
                "lr": run.lr,
                **{name: getattr(run.diagnosis, name) for name in DIAGNOSIS},
                "weights": _exact(run.weights),
                "losses": _exact(run.losses),
            }
            for run in runs
        ],
        "outputs": [
            {
                "path": files.relative_to_folder(path, folder),
                "bytes": sum(file.stat().st_size for file in _files(path)),
                "sha256": checksum(path),
            }
            for path in paths
        ],
    }


def text(contents: Mapping[str, Any]) -> str:
    """Return a report as JSON."""
    return json.dumps(contents, indent=1, allow_nan=False) + "\n"


def versions() -> dict[str, str]:
    """Return the versions that the bytes of a file may depend on, and the kind of processor."""
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "processor": platform.machine() + (" with AVX" if _has_avx() else ""),
    }


def _has_avx() -> bool:
    """Return whether numpy uses AVX2: processors that have it write the same bytes."""
    try:
        found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    except (KeyError, TypeError):
        return False
    return "X86_V3" in found or "AVX2" in found


def checksum(path: files.AnyPath) -> str:
    """Return the SHA-256 of a file; for a folder, that of its files' names and checksums."""
    if not Path(path).is_dir():
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    lines = [f"{checksum(file)}  {file.name}\n" for file in _files(path)]
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def read(path: files.AnyPath) -> dict[str, Any]:
    """Return the report at `path` as plain values; raise `InputError` if it is not one."""
    files.check_source(path, MAX_SIZE, "report")
    try:
        contents: dict[str, Any] = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a JSON file: {error}") from None
    is_report = (
        isinstance(contents, dict)
        and all(isinstance(contents.get(name), kind) for name, kind in SECTIONS.items())
        and contents["runs"]
        and all(isinstance(entry, dict) for entry in contents["outputs"])
    )
    if not is_report:
        raise InputError(f"{path} is not a report; give one that was written with -o NAME.json")
    return contents


def load(path: files.AnyPath) -> Runs:
    """Return the runs of the report at `path` to the last bit, or raise `InputError`."""
    contents = read(path)
    try:
        data = {name: _array(contents["problem"][name]) for name in DATA}
        if data["x"].ndim == 2:
            data["x"] = data["x"][:, 0]  # the other column is ones, for the bias
        problem = Line(**data, **_own_data(contents["problem"]))
        entries, runs = contents["runs"], []
        hyperparameters = [Hyperparameters(float(entry["lr"])) for entry in entries]
        labels = labels_for(hyperparameters)
        for entry, settings, label in zip(entries, hyperparameters, labels, strict=True):
            arrays = _array(entry["weights"]), _array(entry["losses"])
            run = Trajectory(*arrays, hyperparameters=settings, problem=problem)
            runs.append(run.as_trained(label))
        return Runs(runs)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is an incomplete report: {error!r}") from error


def _files(path: files.AnyPath) -> list[Path]:
    return sorted(Path(path).iterdir()) if Path(path).is_dir() else [Path(path)]


def _problem(problem: Line) -> dict[str, Any]:
    return {
        **{name: _exact(getattr(problem, name)) for name in DATA},
        # Reports have always had a column of ones, for the bias.
        "x": _exact(np.column_stack([problem.x, np.ones_like(problem.x)])),
        "best_weights": [_rounded(weight) for weight in problem.best_weights],
        "best_loss": _rounded(problem.best_loss),
        "stability_limit": _rounded(problem.stability_limit),
        "best_lr": _rounded(problem.best_lr),
        **_own_data_entries(problem),
    }


def _own_data_entries(problem: Line) -> dict[str, Any]:
    """Return what only the data of a file have: names of columns, and how they are standardized."""
    parts: dict[str, Any] = {}
    if (problem.x_name, problem.y_name) != ("x", "y"):
        parts["columns"] = [problem.x_name, problem.y_name]
    if problem.standardization is not None:
        values = {
            field.name: getattr(problem.standardization, field.name)
            for field in fields(Standardization)
        }
        parts["standardization"] = {
            name: value if isinstance(value, float) else _exact(value)
            for name, value in values.items()
        }
    return parts


def _own_data(contents: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `Line` for the entries that `_own_data_entries` wrote."""
    x_name, y_name = contents.get("columns", ("x", "y"))
    parts: Mapping[str, Any] | None = contents.get("standardization")
    if parts is None:
        return {"x_name": x_name, "y_name": y_name}
    values: dict[str, Any] = {
        field.name: _array(parts[field.name]) for field in fields(Standardization)[:2]
    }
    values |= {field.name: float(parts[field.name]) for field in fields(Standardization)[2:]}
    return {"x_name": x_name, "y_name": y_name, "standardization": Standardization(**values)}


def _exact(values: npt.NDArray[np.float32] | None) -> Any:
    """Return `values` as nested lists of the shortest numbers that float32 reads as them."""
    if values is None:
        return None
    if values.ndim:
        return [_exact(value) for value in values]
    return float(str(values)) if np.isfinite(values) else str(values)


def _array(values: object) -> Any:
    return None if values is None else np.array(values, dtype=np.float32)


def _rounded(value: float) -> float | str:
    return float(f"{float(value):.{DIGITS}g}") if math.isfinite(value) else str(float(value))
