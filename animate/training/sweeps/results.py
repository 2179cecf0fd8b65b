"""What a sweep keeps of each run, and the verdicts as numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from animate.training.problem import Doubles

VERDICTS = ("converged", "converging", "diverging")
"""The verdicts of runs of a sweep; `Grid.verdict` holds indices. Each run has one."""

CONVERGED, CONVERGING, DIVERGING = range(len(VERDICTS))
TAIL = 20  # the last steps, whose mean loss is kept

RESULT = np.dtype(
    [
        ("converged_at", np.int64),
        ("verdict", np.uint8),
        ("first_loss", np.float64),
        ("final_loss", np.float64),
        ("loss_sum", np.float64),
        ("inverse_loss_sum", np.float64),
        ("tail_loss", np.float64),
    ]
)
"""What is kept of a run; `animate.training.sweep.Grid` says what each is."""

Results = npt.NDArray[np.void]


def empty_results(count: int) -> Results:
    """Return results to fill in, shape (count,): never converged, no loss added."""
    results = np.zeros(count, RESULT)
    results["converged_at"] = -1
    return results


def add_losses(results: Results, losses: Doubles, *, is_tail: bool) -> None:
    """Add the losses of one step, shape (R,), to the sums; `is_tail` for the last `TAIL` steps."""
    losses = np.where(np.isnan(losses), np.inf, losses)  # NaN that was evaluated is an overflow
    results["loss_sum"] += losses
    results["inverse_loss_sum"] += 1 / losses
    if is_tail:
        results["tail_loss"] += losses
