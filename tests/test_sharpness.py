"""The sharpness is the largest eigenvalue of the Hessian, and its limit that of the optimizer."""

import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from animate import (
    Hyperparameters,
    InputError,
    Line,
    Recorder,
    Supervised,
    Trajectory,
    problems,
    sharpness,
    train,
)
from animate.training import sharpness as module
from animate.training.sharpness import sample_records, sharpness_curves, sharpness_limit

H = Hyperparameters
X = torch.linspace(-1, 1, 12, dtype=torch.float64)[:, None]
Y = torch.sin(3 * X)


def network(*middle: nn.Module, width: int = 6) -> nn.Sequential:
    layers = (nn.Linear(1, width), *(middle or (nn.Tanh(),)), nn.Linear(width, 1))
    return nn.Sequential(*layers).double()


def make(*middle: nn.Module, width: int = 6, **settings) -> Supervised:
    loss = settings.pop("loss", functional.mse_loss)
    return Supervised(lambda: network(*middle, width=width), X, Y, loss=loss, **settings)


def eigenvalues(function, weights: np.ndarray) -> np.ndarray:
    """Return all eigenvalues of the Hessian of a loss of one vector, by another way."""
    hessian = torch.autograd.functional.hessian(function, torch.tensor(weights))
    return np.linalg.eigvalsh(hessian.numpy())


def loss_by_hand(weights: torch.Tensor) -> torch.Tensor:
    """Return the loss of `make()`, written out."""
    first, bias, last, offset = weights.split([6, 6, 6, 1])
    output = torch.tanh(X @ first[None] + bias) @ last[:, None] + offset
    return ((output - Y) ** 2).mean()


def test_it_is_the_largest_eigenvalue_of_the_hessian_at_each_record() -> None:
    (run,) = train(make(), 0.3, epochs=8)
    found = sharpness(run)
    assert found.shape == (9,)
    expected = [eigenvalues(loss_by_hand, weights)[-1] for weights in run.weights]
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    np.testing.assert_array_equal(sharpness(run, [-1, 2]), found[[-1, 2]])
    assert sharpness(run, []).shape == (0,)


def test_lanczos_finds_what_the_whole_hessian_gives() -> None:
    problem = problems.chebyshev()
    (run,) = train(problem, 0.2, epochs=300, record_every=100)
    assert run.weights.shape[1] > module.EXACT_WEIGHTS
    expected = [eigenvalues(problem.torch_loss, weights)[-1] for weights in run.weights]
    np.testing.assert_allclose(sharpness(run), expected, rtol=1e-6)


@pytest.mark.parametrize("width", [3, 100])
def test_it_is_that_of_the_trained_weights_alone(width) -> None:
    def half_frozen() -> nn.Module:
        model = network(width=width)
        model[0].requires_grad_(False)
        return model

    problem = Supervised(half_frozen, X, Y, loss=functional.mse_loss)
    (run,) = train(problem, 0.01, epochs=1)
    # What remains is least squares in the last layer, whose Hessian is constant.
    features = torch.tanh(problem.model[0](problem.inputs)).detach().numpy()
    design = np.column_stack([features, np.ones(len(X))])
    expected = np.linalg.eigvalsh(2 / len(X) * design.T @ design)[-1]
    np.testing.assert_allclose(sharpness(run), expected, rtol=1e-6)


def test_a_line_has_the_same_at_each_record(runs, problem) -> None:
    x = np.column_stack([problem.x, np.ones(100)]).astype(float)
    expected = np.linalg.eigvalsh(2 / 100 * x.T @ x)[-1]
    np.testing.assert_allclose(sharpness(runs[0], [0, 50]), [expected] * 2, rtol=1e-12)
    (momentum,) = train(problem, H(0.1, momentum=0.9), epochs=3)
    np.testing.assert_allclose(sharpness(momentum), expected, rtol=1e-12)


def test_a_recording_has_that_of_the_loss_that_it_is_given() -> None:
    torch.manual_seed(3)
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = Recorder(model, optimizer=optimizer, label="mine")
    for _ in range(3):
        optimizer.zero_grad()
        functional.mse_loss(model(X), Y).backward()
        optimizer.step()
        recorder.record()
    run = recorder.trajectory
    with pytest.raises(InputError, match=r"mine has no problem; use run\.with_loss"):
        sharpness(run)
    before = [one.detach().clone() for one in model.parameters()]
    expected = [eigenvalues(loss_by_hand, weights)[-1] for weights in run.weights]
    for loss in (lambda m: functional.mse_loss(m(X), Y), lambda: functional.mse_loss(model(X), Y)):
        with torch.no_grad():
            found = sharpness(run.with_loss(model, loss))
        np.testing.assert_allclose(found, expected, rtol=1e-10)
    for one, old in zip(model.parameters(), before, strict=True):
        torch.testing.assert_close(one.detach(), old, rtol=0, atol=0)
        assert one.grad is not None  # of the loop; kept


def test_buffers_are_those_of_the_record() -> None:
    torch.manual_seed(3)
    model = network(nn.BatchNorm1d(6), nn.Tanh())
    recorder = Recorder(model, loss=lambda m: functional.mse_loss(m(X), Y))
    model(3 * X + 1)  # changes the running mean and variance
    recorder.record()
    run = recorder.trajectory
    first, last = sharpness(run)
    assert first != last
    model.eval()

    def loss(weights: torch.Tensor) -> torch.Tensor:
        names, sizes = zip(*((n, p.shape) for n, p in model.named_parameters()), strict=True)
        parts = weights.split([size.numel() for size in sizes])
        state = {n: part.view(size) for n, part, size in zip(names, parts, sizes, strict=True)}
        output = torch.func.functional_call(model, state, (X,))
        return functional.mse_loss(output, Y)

    np.testing.assert_allclose(last, eigenvalues(loss, run.weights[1])[-1], rtol=1e-8)


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x, x, x, need_weights=False)[0].sum((1, 2))


def test_attention_is_differentiated_twice() -> None:
    x = np.random.default_rng(0).standard_normal((3, 5, 4))
    problem = Supervised(Attention, x, np.zeros(3), loss=functional.mse_loss)
    (run,) = train(problem, 0.01, epochs=1)
    assert (sharpness(run) > 0).all()


@pytest.mark.parametrize("width", [3, 100])
def test_what_is_flat_or_not_finite_is_said_in_numbers(width) -> None:
    problem = make(width=width, loss=lambda output, _: 0 * output.sum())
    weights = np.stack([problem.start, np.full_like(problem.start, np.inf)])
    flat, infinite = sharpness(Trajectory(weights, [0, np.inf], problem=problem))
    assert flat == 0
    assert np.isnan(infinite)
    problem = make(width=width, loss=lambda output, _: (output.sum() * 1e200) ** 2)
    assert np.isnan(sharpness(Trajectory(problem.start[None], [1], problem=problem))).all()


class OnlyLoss:
    def loss(self, weights) -> np.ndarray:
        return np.square(weights).sum(axis=-1)


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (Trajectory(np.ones((2, 3)), [1, 2], label="mine"), "mine has no problem; use run.with_l"),
        (Trajectory(np.ones((2, 3)), problem=OnlyLoss()), "requires a problem with a torch_loss"),
        (Trajectory(None, [1, 2], problem=make()), "requires weights, but the run has none"),
    ],
)
def test_what_is_missing_is_named(run, said) -> None:
    with pytest.raises(InputError, match=f"the sharpness cannot be computed: .*{re.escape(said)}"):
        sharpness(run)


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (
            lambda m: functional.mse_loss(m(X), Y).item(),
            "returns a float without a gradient",
        ),
        (lambda m: functional.mse_loss(m(X), Y).detach(), "returns a Tensor without a gradient"),
        (lambda m: m(X), "returns a Tensor without a gradient"),
    ],
)
def test_a_loss_that_cannot_be_differentiated_is_refused(loss, said) -> None:
    model = network()
    run = Trajectory(np.ones((2, 19)), [1, 2], label="mine").with_loss(model, loss)
    with pytest.raises(InputError, match=re.escape(said)):
        sharpness(run)


@pytest.mark.parametrize(
    ("records", "said"),
    [([9], "no record 9; the run has 0 to 8"), ([0.5], "are not whole numbers"), (3, "whole num")],
)
def test_records_that_there_are_not_are_refused(records, said) -> None:
    (run,) = train(make(), 0.3, epochs=8)
    with pytest.raises(InputError, match=re.escape(said)):
        sharpness(run, records)


def test_a_value_is_computed_once() -> None:
    calls = []

    def loss(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return functional.mse_loss(output, y)

    (run,) = train(make(loss=loss), 0.3, epochs=4)
    sharpness(run, [0, 4])
    calls.clear()
    sharpness(run, [4, 0, 4])
    assert not calls
    sharpness(run)
    assert len(calls) == 3


def test_a_view_is_given_at_most_300_records_with_the_first_ones_and_the_last() -> None:
    for count in (1, 2, 299, 300, 301, 20_001):
        chosen = sample_records(count)
        assert len(chosen) == min(count, 300)
        assert (np.diff(chosen) > 0).all()
        assert (chosen[0], chosen[-1]) == (0, count - 1)
        assert chosen[:20].tolist() == list(range(min(count, 20)))
        assert np.diff(chosen).max(initial=0) <= max(1, np.ceil(count / 270))


def test_limits_are_those_that_the_optimizer_has_on_a_quadratic(problem) -> None:
    for settings in (H(0.1), H(0.1, momentum=0.5), H(0.1, "nesterov"), H(0.1, batch_size=10)):
        (run,) = train(problem, settings, epochs=3)
        limit = sharpness_limit(run)
        lr, beta = 0.1, settings.effective_momentum
        root = {}
        for share in (0.999, 1.001):  # the recurrence of torch.optim.SGD on λ/2 w²
            curvature = share * limit.values[0]
            step = [[beta, curvature], [-lr * beta, 1 - lr * curvature]]
            if settings.optimizer == "nesterov":
                step = [[beta, curvature], [-lr * beta**2, 1 - lr * (1 + beta) * curvature]]
            root[share] = np.abs(np.linalg.eigvals(step)).max()
        assert root[0.999] < 1 < root[1.001]
        assert limit.is_known
    assert sharpness_limit(run).formula == "2/lr"


def test_a_limit_follows_the_rate_and_is_missing_where_that_is_unknown(problem) -> None:
    (cosine,) = train(problem, H(0.1, schedule="cosine"), epochs=4)
    values = sharpness_limit(cosine).values
    np.testing.assert_allclose(values[:4], 2 / cosine.lrs[:4])
    assert np.isnan(values[4]) or values[4] > 1e6  # of a rate of 0
    (adam,) = train(problem, H(0.1, "adam"), epochs=2)
    assert sharpness_limit(adam) is None
    assert sharpness_limit(Trajectory(np.ones((3, 2)), problem=problem)) is None
    recorded = sharpness_limit(Trajectory(np.ones((3, 2)), lrs=[0.1, 0.2, np.nan], problem=problem))
    np.testing.assert_allclose(recorded.values, [20, 10, np.nan])
    assert not recorded.is_known


def test_the_sharpness_of_the_chebyshev_network_rises_towards_its_limit() -> None:
    runs = train(problems.chebyshev(), [0.2, 0.4], epochs=1500, record_every=300)
    for run, curve in zip(runs, sharpness_curves(runs), strict=True):
        assert curve.values[0] < curve.values[-1] < 1.2 * 2 / run.lr
        assert curve.records.tolist() == list(range(6))


def test_lines_read_from_files_have_the_limit_of_what_is_trained_on(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n0,1\n50,2\n100,4\n", encoding="utf-8")
    (run,) = train(Line.read_csv(path), 0.1, epochs=1)
    np.testing.assert_allclose(sharpness(run), 2, rtol=1e-5)


class Quartic(nn.Module):
    """Weights whose loss has the Hessian diag(-200, 6, 1000) at the start; the last is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.free = nn.Parameter(torch.tensor([0.0, 1.0], dtype=torch.float64))
        self.frozen = nn.Parameter(torch.tensor([0.5], dtype=torch.float64), requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return -100 * self.free[0] ** 2 + self.free[1] ** 3 + 500 * self.frozen**2 + 0 * x


def test_the_largest_eigenvalue_is_not_the_largest_in_size_and_frozen_weights_are_constants():
    problem = Supervised(Quartic, np.ones(1), np.zeros(1), loss=lambda output, _: output.mean())
    (run,) = train(problem, 1e-3, epochs=1)
    assert sharpness(run, [0])[0] == pytest.approx(6)


def test_a_line_has_none_where_its_weights_have_overflowed(problem) -> None:
    (run,) = train(problem, 1e30, epochs=5)
    assert np.isnan(sharpness(run)).tolist() == (~np.isfinite(run.weights).all(axis=1)).tolist()
