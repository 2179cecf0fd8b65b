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
from typing import Any

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
        "problem": _problem(runs[0].problem),
        "runs": [_run(run) for run in runs],
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
        is_line = "best_weights" in contents["problem"]
        problem = _line(contents["problem"]) if is_line else None
        entries = contents["runs"]
        hyperparameters = [_hyperparameters(entry) for entry in entries]
        labels = labels_for(hyperparameters)
        return Runs(
            [
                _trajectory(entry, settings, problem, label)
                for entry, settings, label in zip(entries, hyperparameters, labels, strict=True)
            ]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is an incomplete report: {error!r}") from error


def _files(path: files.AnyPath) -> list[Path]:
    return sorted(Path(path).iterdir()) if Path(path).is_dir() else [Path(path)]


def data_names(problem: object) -> tuple[str, ...]:
    """Return the names of the arrays that a report holds of `problem`, and `load` returns."""
    return DATA if isinstance(problem, Line) else ()


def _problem(problem: Any) -> dict[str, Any]:
    if not isinstance(problem, Line):
        return {name: _exact(getattr(problem, name)) for name in ("x", "y", "start")}
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


def _line(entry: Mapping[str, Any]) -> Line:
    data = {name: _array(entry[name]) for name in DATA}
    if data["x"].ndim == 2:
        data["x"] = data["x"][:, 0]  # the other column is ones, for the bias
    return Line(**data, **_own_data(entry))


def _run(run: Trajectory) -> dict[str, Any]:
    """Return a run; of plain descent with a record an epoch, what reports have always had."""
    settings = run.hyperparameters
    assert settings is not None
    assert run.weights is not None
    others = {
        field.name: value
        for field in fields(settings)
        if field.name != "lr" and (value := getattr(settings, field.name)) != field.default
    }
    parts: dict[str, Any] = {"lr": run.lr}
    if others:
        parts["hyperparameters"] = others
    parts |= {name: getattr(run.diagnosis, name) for name in DIAGNOSIS}
    parts |= {"weights": _exact(run.weights), "losses": _exact(run.losses)}
    types = {"weights": str(run.weights.dtype), "losses": str(run.losses.dtype)}
    if set(types.values()) != {"float32"}:
        parts["dtypes"] = types
    if not np.array_equal(run.steps, np.arange(len(run.steps))):
        parts["steps"] = run.steps.tolist()
    if run.steps_per_epoch != 1:
        parts["steps_per_epoch"] = run.steps_per_epoch
    if settings.schedule != "constant":
        parts["lrs"] = _exact(run.lrs)
    if run.metrics:
        parts["metrics"] = {name: _exact(values) for name, values in run.metrics.items()}
    return parts


def _hyperparameters(entry: Mapping[str, Any]) -> Hyperparameters:
    return Hyperparameters(float(entry["lr"]), **entry.get("hyperparameters", {}))


def _trajectory(
    entry: Mapping[str, Any], settings: Hyperparameters, problem: Line | None, label: str
) -> Trajectory:
    types = entry.get("dtypes", {})
    weights, losses = (
        _array(entry[name], types.get(name, "float32")) for name in ("weights", "losses")
    )
    run = Trajectory(
        weights,
        losses,
        steps=_array(entry.get("steps"), "int64"),
        hyperparameters=settings,
        problem=problem,
        metrics={
            name: _array(values, "float64") for name, values in entry.get("metrics", {}).items()
        },
        lrs=_array(entry.get("lrs"), "float64"),
        steps_per_epoch=entry.get("steps_per_epoch"),
    )
    return run.as_trained(settings.label or label)


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


def _exact(values: npt.NDArray[Any] | None) -> Any:
    """Return `values` as nested lists of the shortest numbers that their type reads as them."""
    if values is None:
        return None
    if values.ndim:
        return [_exact(value) for value in values]
    if values.dtype.kind != "f":
        return values.item()
    return float(str(values)) if np.isfinite(values) else str(values)


def _array(values: object, dtype: str = "float32") -> Any:
    return None if values is None else np.array(values, dtype)


def _rounded(value: float) -> float | str:
    return float(f"{float(value):.{DIGITS}g}") if math.isfinite(value) else str(float(value))
