"""Results that the literature has measured; the figures of the script are its own."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from animate import Supervised, train

SCRIPT = Path(__file__).parent.parent / "scripts" / "known_results.py"


class Product(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.u = nn.Parameter(torch.randn(1000, dtype=torch.float64))
        self.v = nn.Parameter(torch.randn(1000, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.v @ self.u * x / 1000**0.5


def test_two_layers_are_catapulted_between_twice_and_four_times_the_inverse_curvature() -> None:
    problem = Supervised(Product, [1.0], [0.0], loss=lambda f, y: (f - y).square().sum() / 2)
    curvature = float(problem.start @ problem.start) / 1000
    shares = np.array([1.9, 2.1, 3.0, 3.8, 4.2])
    runs = train(problem, (shares / curvature).tolist(), epochs=300)
    assert [bool(run.losses[1] > run.losses[0]) for run in runs] == [False, *[True] * 4]
    ends = [bool(run.losses[-1] < 1e-3 * run.losses[0]) for run in runs]
    assert ends == [True, True, True, True, False]
    caught = runs[2].weights[-1]  # whose curvature fell until the rate was stable
    assert caught @ caught / 1000 * runs[2].lr < 2


@pytest.mark.slow
def test_the_script_finds_all_results_right() -> None:
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("right") == len(done.stdout.splitlines()) == 12
