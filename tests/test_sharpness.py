"""Sharpness is the largest eigenvalue of the exact Hessian, at each record."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from animate import Hyperparameters, InputError, Recorder, Supervised, Trajectory, sharpness, train
from animate.training.sharpness import largest_eigenvalue

RANDOM = np.random.default_rng(3)
X, Y = RANDOM.standard_normal((20, 2)), RANDOM.standard_normal((20, 1))


def hessian(model: nn.Module, loss, weights: np.ndarray) -> np.ndarray:
    """Return the exact Hessian, row by row, of a model in the state that it is in."""
    parameters = list(model.parameters())
    torch.nn.utils.vector_to_parameters(torch.tensor(weights), parameters)
    gradient = torch.autograd.grad(loss(model), parameters, create_graph=True)
    flat = torch.cat([part.reshape(-1) for part in gradient])
    rows = [torch.autograd.grad(one, parameters, retain_graph=True) for one in flat]
    return np.array([np.concatenate([part.numpy().ravel() for part in row]) for row in rows])


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-6), (torch.float32, 1e-4)])
def test_sharpness_of_a_network_is_that_of_its_exact_hessian(dtype, tolerance) -> None:
    def make() -> nn.Module:
        return nn.Sequential(nn.Linear(2, 9), nn.Tanh(), nn.Linear(9, 1)).to(dtype)

    problem = Supervised(make, X, Y, loss=functional.mse_loss)
    (run,) = train(problem, Hyperparameters(0.05, "adam"), epochs=30)
    x, y = torch.tensor(X, dtype=dtype), torch.tensor(Y, dtype=dtype)
    loss = lambda model: functional.mse_loss(model(x), y)  # noqa: E731
    random = torch.get_rng_state()
    measured = sharpness(run)
    assert (measured.shape, measured.dtype) == ((31,), np.float64)
    assert torch.equal(random, torch.get_rng_state())
    model = make()
    expected = [np.linalg.eigvalsh(hessian(model, loss, row))[-1] for row in run.weights]
    np.testing.assert_allclose(measured, expected, rtol=tolerance)
    np.testing.assert_array_equal(sharpness(run, [30, 4]), measured[[30, 4]])
    assert sharpness(run, []).shape == (0,)


def test_sharpness_of_a_recorded_model_is_with_the_buffers_of_its_record() -> None:
    model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1)).double()
    x, y = torch.tensor(X), torch.tensor(Y)
    loss = lambda model: functional.mse_loss(model(x), y)  # noqa: E731
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = Recorder(model, loss, optimizer=optimizer)
    states = []
    for _ in range(3):
        optimizer.zero_grad()
        loss(model).backward()
        optimizer.step()
        recorder.record()
        states.append({name: one.clone() for name, one in model.state_dict().items()})
    run = recorder.trajectory
    measured = sharpness(run, [1, 2, 3])
    model.eval()
    for state, weights, value in zip(states, run.weights[1:], measured, strict=True):
        model.load_state_dict(state)
        exact = np.linalg.eigvalsh(hessian(model, loss, weights))[-1]
        np.testing.assert_allclose(value, exact, rtol=1e-6)


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(1, 2)
        self.attend = nn.MultiheadAttention(2, 1, batch_first=True)
        self.double()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inside = self.embed(x[..., None])
        return self.attend(inside, inside, inside, need_weights=False)[0].mean((1, 2))


def test_sharpness_of_attention_is_that_of_small_changes_of_its_gradient() -> None:
    problem = Supervised(Attention, X, Y[:, 0], loss=functional.mse_loss)
    (run,) = train(problem, 0.1, epochs=1)
    columns = []
    for change in 1e-5 * np.eye(problem.start.size):
        ends = []
        for sign in (1, -1):
            at = torch.tensor(problem.start + sign * change, requires_grad=True)
            problem.torch_loss(at).backward()
            ends.append(at.grad.numpy())
        columns.append((ends[0] - ends[1]) / 2e-5)
    exact = np.linalg.eigvalsh(np.array(columns))[-1]
    assert sharpness(run, [0])[0] == pytest.approx(exact, rel=1e-5)


class Quartic(nn.Module):
    """Weights whose loss has the Hessian diag(-200, 6, 1000) at the start; the last is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.free = nn.Parameter(torch.tensor([0.0, 1.0], dtype=torch.float64))
        self.frozen = nn.Parameter(torch.tensor([0.5], dtype=torch.float64), requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return -100 * self.free[0] ** 2 + self.free[1] ** 3 + 500 * self.frozen**2 + 0 * x


def test_the_largest_eigenvalue_is_not_the_largest_in_size_and_frozen_weights_are_constants():
    problem = Supervised(Quartic, [1.0], [0.0], loss=lambda output, _: output.mean())
    (run,) = train(problem, 1e-3, epochs=1)
    assert sharpness(run, [0])[0] == pytest.approx(6)


def test_sharpness_of_a_line_is_known(runs, problem) -> None:
    design = np.column_stack([problem.x, np.ones_like(problem.x)]).astype(float)
    largest = np.linalg.eigvalsh(2 / len(design) * design.T @ design)[-1]
    np.testing.assert_allclose(sharpness(runs[0]), np.full(101, largest))
    (run,) = train(problem, 1e30, epochs=5)
    assert np.isnan(sharpness(run)).tolist() == (~np.isfinite(run.weights).all(axis=1)).tolist()


def test_where_weights_or_loss_overflow_the_sharpness_is_nan() -> None:
    problem = Supervised(lambda: nn.Linear(2, 1), X, Y, loss=functional.mse_loss)
    weights = np.float32([[0, 0, 0], [np.nan, 0, 0], [np.inf, 0, 0]])
    measured = sharpness(Trajectory(weights, problem=problem))
    assert np.isfinite(measured).tolist() == [True, False, False]


def test_a_loss_that_is_linear_has_no_curvature() -> None:
    problem = Supervised(lambda: nn.Linear(2, 1), X, Y, loss=lambda output, _: output.mean())
    assert sharpness(train(problem, 0.1, epochs=1)[0]).tolist() == [0, 0]


@pytest.mark.parametrize("size", [1, 2, 7, 300])
def test_lanczos_iteration_finds_the_largest_eigenvalue(size) -> None:
    random = np.random.default_rng(size)
    basis, _ = np.linalg.qr(random.standard_normal((size, size)))
    for values in (
        random.standard_normal(size),
        -np.arange(1.0, size + 1),
        np.full(size, 2.5),
        np.zeros(size),
        1 - 1e-4 * np.arange(size),  # close to each other
    ):
        matrix = basis * values @ basis.T
        found = largest_eigenvalue(matrix.__matmul__, size)
        assert found == pytest.approx(values.max(), rel=1e-5, abs=1e-9)


def test_what_has_no_sharpness_is_refused(runs) -> None:
    recorded = Recorder(nn.Linear(2, 1)).trajectory
    with pytest.raises(InputError, match=r"not known at other weights.*with_loss\(model, loss\)"):
        sharpness(recorded)
    with pytest.raises(InputError, match="has no weights"):
        sharpness(Trajectory(None, [2.0, 1.0]))
    for record in (101, -1, 0.5):
        with pytest.raises(InputError, match=f"record {record}"):
            sharpness(runs[0], [record])
    with pytest.raises(InputError, match="without a gradient"):
        sharpness(Recorder(nn.Linear(2, 1), lambda model: model.bias.item()).trajectory)
