"""
Prints what a record costs: beside torch.cat of the weights, and beside a step of training.

Each pair is measured in turns and the medians are compared, so that a busy machine harms both.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from animate import Recorder

PAIRS = 60
EVERY = 20


def network() -> nn.Sequential:
    """Return a network of about a million weights."""
    return nn.Sequential(nn.Linear(784, 1000), nn.ReLU(), nn.Linear(1000, 210), nn.Linear(210, 10))


def deep_network() -> nn.Sequential:
    """Return as many weights in 200 parameters and 100 buffers."""
    layers = [part for _ in range(50) for part in (nn.Linear(140, 140), nn.BatchNorm1d(140))]
    return nn.Sequential(*layers)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def paired(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """Return the median seconds of both."""
    both = [(seconds(one), seconds(other)) for _ in range(PAIRS)]
    first, second = zip(*both[PAIRS // 10 :], strict=True)
    return statistics.median(first), statistics.median(second)


def show(name: str, cost: float, beside: float, most: float) -> None:
    ratio = cost / beside
    print(f"{name}: {1e3 * cost:.3f} ms beside {1e3 * beside:.3f} ms, {ratio:.3f} (at most {most})")


def record_beside_cat(model: nn.Module, name: str, path: Path | None = None) -> None:
    recorder, kept = Recorder(model, path=path), []

    def cat() -> None:
        kept.append(torch.cat([one.detach().flatten() for one in model.parameters()]))

    cost, beside = paired(lambda: recorder.record(loss=1.0), cat)
    show(f"a record of {name}", cost, beside, 1.5)


def record_beside_training() -> None:
    """
    Measure the calls of `record` in a loop against the rest of the same steps.

    Two loops, one with and one without, differ by more than this on a machine that does other work.
    """
    torch.manual_seed(0)
    x, y = torch.randn(128, 784), torch.randint(10, (128,))
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    recorder = Recorder(model, optimizer=optimizer, every=EVERY)
    steps, records = [], []
    for _ in range(PAIRS):
        start, inside = time.perf_counter(), 0.0
        for _ in range(EVERY):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            inside += seconds(lambda: recorder.record(loss=loss))  # noqa: B023  # called at once
        records.append(inside)
        steps.append(time.perf_counter() - start - inside)
    cost, beside = statistics.median(records), statistics.median(steps)
    show(f"a record, with {EVERY} steps of training", cost, beside, 0.05)


if __name__ == "__main__":
    record_beside_cat(network(), "a million weights")
    record_beside_cat(deep_network(), "a million weights in 200 parameters and 150 buffers")
    with tempfile.TemporaryDirectory() as folder:
        record_beside_cat(network(), "a million weights in a file", Path(folder) / "run.rec")
    record_beside_training()
