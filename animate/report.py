"""What was made and from what, as plain values for JSON: numbers that are not finite are null."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from animate import __version__
from animate.problem import Problem
from animate.recipe import Recipe
from animate.trajectory import Trajectory


def report(recipe: Recipe, runs: Sequence[Trajectory], written: Sequence[str]) -> dict[str, Any]:
    """Return the settings, the problem's figures, each run's diagnosis, and the files."""
    return {
        "animate": __version__,
        "settings": {
            name: [str(path) for path in value] if name == "outputs" else value
            for name, value in vars(recipe).items()
        },
        "problem": _problem(runs[0].problem),
        "runs": [_run(run) for run in runs],
        "outputs": [{"path": path, "bytes": _bytes(Path(path))} for path in written],
    }


def _bytes(path: Path) -> int:
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "best_weights": [_number(weight) for weight in problem.best_weights],
        "best_loss": _number(problem.best_loss),
        "stability_limit": _number(problem.stability_limit),
        "best_lr": _number(problem.best_lr),
    }


def _run(run: Trajectory) -> dict[str, Any]:
    diagnosis = run.diagnosis
    return {
        "lr": run.lr,
        "verdict": diagnosis.verdict,
        "converged_at": diagnosis.converged_at,
        "overflowed_at": diagnosis.overflowed_at,
        "sentence": diagnosis.sentence,
        "loss": _number(run.losses[-1]),
        "weights": [_number(weight) for weight in run.weights[-1]],
    }


def _number(value: float) -> float | None:
    """Return `value` without the last digits, which depend on the processor's arithmetic."""
    return float(f"{float(value):.9g}") if math.isfinite(value) else None
