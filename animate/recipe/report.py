"""
What was made and from what, as JSON that can be checked and read again.

Numbers that float32 holds are written so that they are read back to the last bit; those that are
computed from them are rounded, since their last digits depend on the processor. JSON has no
infinities: the words inf, -inf and nan stand for them. Nothing tells when or where it was made.
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
from animate.system.validation import InputError
from animate.system.version import VERSION
from animate.training.hyperparameters import Hyperparameters, described
from animate.training.line import Line
from animate.training.standardization import Standardization
from animate.training.trajectory import Runs, Trajectory

PACKAGES = ("torch", "numpy", "matplotlib", "imageio-ffmpeg", "pillow")
DIGITS = 9
PARTS = {"versions": dict, "settings": dict, "problem": dict, "runs": list, "outputs": list}
LARGEST = 1_000_000_000  # bytes of a report that is read


def report(
    settings: Mapping[str, object],
    runs: Sequence[Trajectory],
    made: Iterable[str],
    folder: files.AnyPath = "",
) -> dict[str, Any]:
    """
    Return all that was made, as plain values for JSON.

    Parameters
    ----------
    settings : mapping
        Of the recipe, as plain values.
    runs : sequence of Trajectory
    made : iterable of paths
        The files to list, with their sizes and checksums.
    folder : path
        What the listed paths are relative to.
    """
    return {
        "animate": VERSION,
        "versions": versions(),
        "settings": dict(settings),
        "problem": _problem(cast("Line", runs[0].problem)),
        "runs": [_run(run) for run in runs],
        "outputs": [
            {
                "path": files.relative(path, folder),
                "bytes": sum(file.stat().st_size for file in _files(Path(path))),
                "sha256": checksum(path),
            }
            for path in made
        ],
    }


def text(told: Mapping[str, Any]) -> str:
    """Return a report as JSON."""
    return json.dumps(told, indent=1, allow_nan=False) + "\n"


def versions() -> dict[str, str]:
    """Return what the bytes of a file may depend on besides the settings."""
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "processor": platform.machine() + (" with AVX" if _has_avx() else ""),
    }


def _has_avx() -> bool:
    """Return whether the processor is one of those on which the bytes are the same."""
    try:
        found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    except (KeyError, TypeError):
        return False
    return "X86_V3" in found or "AVX2" in found


def checksum(path: files.AnyPath) -> str:
    """Return the SHA-256 of a file; of a folder, that of its files' names and checksums."""
    if not Path(path).is_dir():
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    lines = [f"{checksum(file)}  {file.name}\n" for file in _files(Path(path))]
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def read(path: files.AnyPath) -> dict[str, Any]:
    """
    Return the report at `path` as plain values.

    Raises
    ------
    InputError
        If it cannot be read, or is no report.
    """
    try:
        files.check_source(path, LARGEST, "report")
        told: dict[str, Any] = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON file: {error}") from None
    whole = isinstance(told, dict) and all(
        isinstance(told.get(name), kind) for name, kind in PARTS.items()
    )
    if not (whole and told["runs"] and all(isinstance(item, dict) for item in told["outputs"])):
        raise InputError(f"{path} is no report; give one that was written with -o NAME.json")
    return told


def load(path: files.AnyPath) -> Runs:
    """
    Return the runs of the report at `path`, as they were trained, to the last bit.

    Raises
    ------
    InputError
        If it cannot be read, or is no report.
    """
    told = read(path)
    try:
        arrays = {name: _array(told["problem"][name]) for name in _ARRAYS}
        if arrays["x"].ndim == 2:  # beside a column of ones, which go with the bias
            arrays["x"] = arrays["x"][:, 0]
        problem = Line(**arrays, **_own_data(told["problem"]))
        several = [Hyperparameters(float(run["lr"])) for run in told["runs"]]
        return Runs(
            [
                Trajectory(
                    _array(run["weights"]),
                    _array(run["losses"]),
                    hyperparameters=one,
                    problem=problem,
                ).as_trained(label)
                for run, one, label in zip(told["runs"], several, described(several), strict=True)
            ]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is no whole report: {error!r}") from error


_ARRAYS = ("x", "y", "start", "true_weights")
DIAGNOSED = ("verdict", "converged_at", "overflowed_at", "sentence")


def _files(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else [path]


def _problem(problem: Line) -> dict[str, Any]:
    return {
        **{name: _exact(getattr(problem, name)) for name in _ARRAYS},
        # With the column of ones that reports have always had, for whoever reads them.
        "x": _exact(np.column_stack([problem.x, np.ones_like(problem.x)])),
        "best_weights": [_rounded(weight) for weight in problem.best_weights],
        "best_loss": _rounded(problem.best_loss),
        "stability_limit": _rounded(problem.stability_limit),
        "best_lr": _rounded(problem.best_lr),
        **_own_data_parts(problem),
    }


def _own_data_parts(problem: Line) -> dict[str, Any]:
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


def _own_data(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a line that `_own_data_parts` made parts of."""
    x_name, y_name = told.get("columns", ("x", "y"))
    parts: Mapping[str, Any] | None = told.get("standardization")
    if parts is None:
        return {"x_name": x_name, "y_name": y_name}
    values: dict[str, Any] = {
        field.name: _array(parts[field.name]) for field in fields(Standardization)[:2]
    }
    values |= {field.name: float(parts[field.name]) for field in fields(Standardization)[2:]}
    return {"x_name": x_name, "y_name": y_name, "standardization": Standardization(**values)}


def _run(run: Trajectory) -> dict[str, Any]:
    diagnosis = run.diagnosis
    return {
        "lr": run.lr,
        **{name: getattr(diagnosis, name) for name in DIAGNOSED},
        "weights": _exact(run.weights),
        "losses": _exact(run.losses),
    }


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
