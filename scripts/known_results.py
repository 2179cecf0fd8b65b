"""
Train what the literature has measured, and print what comes out beside what should.

The measured figures follow from the recorded weights and losses; the sharpness is
`animate.sharpness`. Ends with 1 if one of them is further from the expected one than it may be.
Takes a minute of one core.
"""

import sys
import time
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

import animate
from animate.training.range_test import range_test

Row = tuple[str, float, float, float]  # what, expected, measured, relative tolerance
EDGE_STEPS = 20_000


def edge_of_stability() -> Iterator[Row]:
    """Sharpness ends at 2/lr (Cohen et al., arXiv 2103.00065)."""
    for degree, lr in ((4, 0.1), (4, 0.2), (4, 0.4), (5, 0.1)):
        problem = animate.problems.chebyshev(degree)
        before = time.process_time()
        (run,) = animate.train(problem, lr, EDGE_STEPS, record_every=100)
        seconds = time.process_time() - before
        last = np.flatnonzero(run.steps >= EDGE_STEPS - 2000)
        measured = float(np.median(animate.sharpness(run, last)))
        name = f"Chebyshev {degree}, lr {lr}: final sharpness ({seconds:.1f} CPU s)"
        yield name, 2 / lr, measured, 0.02


class Product(nn.Module):
    """``f(x) = v·u x / √m``, with u and v from a standard normal distribution."""

    def __init__(self, width: int = 1000) -> None:
        super().__init__()
        self.u = nn.Parameter(torch.randn(width, dtype=torch.float64))
        self.v = nn.Parameter(torch.randn(width, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.v @ self.u * x / len(self.u) ** 0.5


def catapult() -> Iterator[Row]:
    """Two layers converge up to 4/λ, and from 2/λ the loss grows first (arXiv 2003.02218)."""
    problem = animate.Supervised(
        Product, [1.0], [0.0], loss=lambda f, y: (f - y).square().sum() / 2
    )
    curvature = float(problem.start @ problem.start) / 1000
    shares = np.arange(1.8, 4.4, 0.05)
    runs = animate.train(problem, (shares / curvature).tolist(), epochs=500)
    grows = np.array([run.losses[1] > run.losses[0] for run in runs])
    converges = np.array([run.losses[-1] < 1e-3 * run.losses[0] for run in runs])
    yield "catapult: first lr·λ at which the loss grows", 2, shares[grows][0], 0.05
    yield "catapult: last lr·λ that converges", 4, shares[converges][-1], 0.05


def momentum_limits() -> Iterator[Row]:
    """Momentum converges below 2(1+β)/λ, Nesterov's below 2(1+β)/((1+2β)λ)."""
    problem = animate.Line.sample()
    x = np.column_stack([problem.x, np.ones_like(problem.x)]).astype(float)
    best = np.linalg.lstsq(x, problem.y, rcond=None)[0]
    sharpest = np.linalg.eigvalsh(2 / len(x) * x.T @ x)[1]
    for optimizer in ("momentum", "nesterov"):
        for beta in (0.5, 0.9):
            limit = 2 * (1 + beta) / sharpest
            if optimizer == "nesterov":
                limit /= 1 + 2 * beta
            shares = np.arange(0.98, 1.02, 0.005)
            several = [animate.Hyperparameters(s * limit, optimizer, beta) for s in shares]
            runs = animate.train(problem, several, epochs=2000)
            ends = [np.linalg.norm(run.weights[-1] - best) for run in runs]
            last = shares[np.array(ends) < 0.03][-1] * limit
            yield f"{optimizer} {beta}: last rate that converges", limit, last, 0.0051


def digits_range() -> Iterator[Row]:
    """The rate that a range test suggests trains well; three times the diverging one does not."""
    problem = animate.problems.digits()
    settings = animate.Hyperparameters(10.0, schedule="range", batch_size=100)
    (run,) = animate.train(problem, settings, epochs=30)
    found = range_test(run)
    rates = {"suggested": found.suggested_lr, "tripled diverging": 3 * found.diverging_lr}
    several = [animate.Hyperparameters(lr, batch_size=100) for lr in rates.values()]
    runs = animate.train(problem, several, epochs=30)
    for (name, lr), run, expected in zip(rates.items(), runs, (1, 0.1), strict=True):
        accuracy = float(run.metrics["accuracy"][-1])
        yield f"digits at the {name} lr {lr:.3g}: accuracy", expected, accuracy, 0.05


def main() -> int:
    """Print a line for each result, and return the exit code."""
    torch.set_num_threads(1)
    wrong = 0
    for results in (catapult, momentum_limits, digits_range, edge_of_stability):
        for name, expected, measured, tolerance in results():
            is_right = abs(measured / expected - 1) <= tolerance
            wrong += not is_right
            print(
                f"{'right' if is_right else 'WRONG'}  {name}: {measured:.4g}, expected "
                f"{expected:.4g} within {tolerance:.2g}",
                flush=True,
            )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
